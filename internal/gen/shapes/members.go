// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"slices"
	"strings"
)

// decoder writes the function that decodes a structure from a form.
func (g *generator) decoder(name, result string, s *Shape) {
	ref := ""
	if strings.HasPrefix(result, "*") {
		ref = "&"
	}
	if len(s.Members) == 0 {
		g.p("func decode%s(*wire.Form) %s { return %s%s{} }\n", name, result, ref, name)
		return
	}
	g.p("func decode%s(f *wire.Form) %s {\nreturn %s%s{", name, result, ref, name)
	for _, m := range s.Members {
		g.p("%s: %s,", exported(m.Name), g.read(m, slices.Contains(s.Required, m.Name)))
	}
	g.p("}\n}\n")
}

// read returns the expression that reads one member.
func (g *generator) read(m Member, required bool) string {
	s, name := g.Shapes[m.Shape], wireName(m)
	need := "Optional"
	if required {
		need = "Required"
	}
	switch {
	case s.Type == "string":
		return fmt.Sprintf("f.%s(%q, %s)", need, name, g.text(m.Shape))
	case s.Type == "integer":
		return fmt.Sprintf("f.%sInt(%q, %s)", need, name, g.number(m.Shape))
	case s.Type == "boolean" && !required && s.Box:
		return fmt.Sprintf("f.OptionalBool(%q)", name)
	case s.Type == "boolean" && !required:
		return fmt.Sprintf("f.Bool(%q)", name)
	case s.Type == "list" && g.element(s.Member) == "string":
		return fmt.Sprintf("f.%sStrings(%q, %s, %s)", need, name, g.size(m.Shape), g.text(s.Member.Shape))
	case s.Type == "list" && s.Member.LocationName == "":
		return fmt.Sprintf("wire.%sList(f, %q, %s, decode%s)", need, name, g.size(m.Shape), g.element(s.Member))
	case s.Type == "timestamp" && !g.Metadata.query():
		return fmt.Sprintf("f.%sTime(%q)", need, name)
	case s.Type == "structure":
		return fmt.Sprintf("wire.%sStruct(f, %q, decode%s)", need, name, exported(m.Shape))
	}
	g.fail("%s: an input of type %s is not supported", m.Name, s.Type)
	return "nil"
}

// constraint notes a package variable and returns a pointer to it.
func (g *generator) constraint(prefix, shape, value string) string {
	name := prefix + exported(shape)
	g.constraints[name] = value
	return "&" + name
}

func (g *generator) text(shape string) string {
	s := g.Shapes[shape]
	var fields []string
	if s.Min != nil && *s.Min > 0 {
		fields = append(fields, fmt.Sprintf("Min: %d", *s.Min))
	}
	if s.Max != nil {
		fields = append(fields, fmt.Sprintf("Max: %d", *s.Max))
	}
	if s.Pattern != "" {
		fields = append(fields, fmt.Sprintf("Pattern: `%s`", s.Pattern))
	}
	if s.Enum != nil {
		fields = append(fields, fmt.Sprintf("Enum: %#v", s.Enum))
	}
	if len(fields) == 0 {
		return "nil"
	}
	if s.Sensitive || unechoed[shape] {
		fields = append(fields, "Secret: true")
	}
	return g.constraint("text", shape, "wire.Text{"+strings.Join(fields, ", ")+"}")
}

func (g *generator) number(shape string) string {
	s := g.Shapes[shape]
	if s.Min == nil && s.Max == nil {
		return "nil"
	}
	if s.Min == nil || s.Max == nil {
		g.fail("%s: a number with one bound is not supported", shape)
		return "nil"
	}
	return g.constraint("range", shape, fmt.Sprintf("wire.Range{Min: %d, Max: %d}", *s.Min, *s.Max))
}

func (g *generator) size(shape string) string {
	s := g.Shapes[shape]
	if s.Min == nil && s.Max == nil {
		return "nil"
	}
	var lo, hi int
	if s.Min != nil {
		lo = *s.Min
	}
	if s.Max != nil {
		hi = *s.Max
	}
	return g.constraint("size", shape, fmt.Sprintf("wire.Size{Min: %d, Max: %d}", lo, hi))
}

// xml writes the statements that append the members of s to b. A result's own lists are always sent,
// even when empty; those further down only when they are required or not nil.
func (g *generator) xml(s *Shape, result bool) {
	for _, m := range s.Members {
		member, name := g.Shapes[m.Shape], wireName(m)
		required := slices.Contains(s.Required, m.Name)
		field := "s." + exported(m.Name)
		var append string
		switch member.Type {
		case "structure":
			append = fmt.Sprintf("b = wire.AppendStart(b, %q)\nb = %s.appendXML(b)\nb = wire.AppendEnd(b, %q)", name, field, name)
		case "list":
			if member.Member.LocationName != "" {
				g.fail("%s: a named list element is not supported", m.Shape)
			}
			required = required || result
			if element := g.element(member.Member); element == "string" {
				append = fmt.Sprintf("b = wire.AppendStrings(b, %q, %s)", name, field)
			} else {
				append = fmt.Sprintf("b = wire.AppendList(b, %q, %s, (*%s).appendXML)", name, field, element)
			}
		case "map":
			append = fmt.Sprintf("b = wire.AppendMap(b, %q, %s, wire.%s)", name, field, g.mapValue(member, ""))
		default:
			append = fmt.Sprintf("b = wire.%s(b, %q, %s)", g.scalar(m, ""), name, g.deref(s, m))
		}
		g.optional(s, m, required, append)
	}
}

// body writes the statements that append the members of s to an object of an answer at the end of b. A
// result's own lists are always sent, as in XML.
func (g *generator) body(s *Shape, result bool) {
	for _, m := range s.Members {
		member, name := g.Shapes[m.Shape], wireName(m)
		required := slices.Contains(s.Required, m.Name)
		field := "s." + exported(m.Name)
		var append string
		switch member.Type {
		case "structure":
			append = fmt.Sprintf("b = wire.AppendJSONKey(b, %q)\nb = %s.appendBody(b)", name, field)
		case "list":
			required = required || result
			if element := g.element(member.Member); element == "string" {
				append = fmt.Sprintf("b = wire.AppendJSONStrings(b, %q, %s)", name, field)
			} else {
				append = fmt.Sprintf("b = wire.AppendJSONList(b, %q, %s, (*%s).appendBody)", name, field, element)
			}
		case "timestamp":
			append = fmt.Sprintf("b = wire.AppendJSONEpoch(b, %q, %s)", name, field)
		default:
			append = fmt.Sprintf("b = wire.%s(b, %q, %s)", g.scalar(m, "JSON"), name, g.deref(s, m))
		}
		g.optional(s, m, required, append)
	}
}

// json writes the statements that append the members of s to an object at the end of b.
func (g *generator) json(s *Shape, output bool) {
	for _, m := range s.Members {
		member, name := g.Shapes[m.Shape], jsonName(m.Name)
		field := "s." + exported(m.Name)
		var append string
		switch {
		case member.Sensitive || hidden[m.Name]:
			append = fmt.Sprintf("b = wire.AppendJSONString(b, %q, wire.Hidden)", name)
		case member.Type == "structure":
			append = fmt.Sprintf("b = wire.AppendJSONKey(b, %q)\nb = %s.appendJSON(b)", name, field)
		case member.Type == "list" && g.element(member.Member) == "string":
			append = fmt.Sprintf("b = wire.AppendJSONStrings(b, %q, %s)", name, field)
		case member.Type == "list":
			append = fmt.Sprintf("b = wire.AppendJSONList(b, %q, %s, (*%s).appendJSON)", name, field, g.element(member.Member))
		case member.Type == "map":
			append = fmt.Sprintf("b = wire.AppendJSONMap(b, %q, %s, wire.%s)", name, field, g.mapValue(member, "JSON"))
		case m.Shape == documentShape && !output:
			append = fmt.Sprintf("b = wire.AppendJSONString(b, %q, %s)", name, g.deref(s, m))
		default:
			append = fmt.Sprintf("b = wire.%s(b, %q, %s)", g.scalar(m, "JSON"), name, g.deref(s, m))
		}
		g.optional(s, m, false, append)
	}
}

// optional writes a statement, under a condition when the member can be absent.
func (g *generator) optional(s *Shape, m Member, always bool, statement string) {
	goType := g.goType(s, m)
	nilable := strings.HasPrefix(goType, "*") || strings.HasPrefix(goType, "[]") || strings.HasPrefix(goType, "map[")
	if always || !nilable {
		g.p("%s", statement)
		return
	}
	g.p("if s.%s != nil {\n%s\n}", exported(m.Name), statement)
}

// scalar returns the name of the function that appends a member of a simple type.
func (g *generator) scalar(m Member, format string) string {
	kinds := map[string]string{"string": "String", "integer": "Int", "boolean": "Bool", "timestamp": "Time", "blob": "Blob"}
	kind, ok := kinds[g.Shapes[m.Shape].Type]
	if !ok {
		g.fail("%s: an output of type %s is not supported", m.Name, g.Shapes[m.Shape].Type)
	}
	if m.Shape == documentShape {
		kind = "Document"
	}
	return "Append" + format + kind
}

func (g *generator) mapValue(s *Shape, format string) string {
	if g.element(s.Value) == "int32" {
		return "Append" + format + "Int"
	}
	return "Append" + format + "String"
}

func (g *generator) deref(s *Shape, m Member) string {
	if strings.HasPrefix(g.goType(s, m), "*") {
		return "*s." + exported(m.Name)
	}
	return "s." + exported(m.Name)
}
