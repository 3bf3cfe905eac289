// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of what yamlToJSON takes. They bound the parser's recursion, and what
// aliases of aliases can grow to.
const (
	maxYAML       = 4 << 20  // bytes of YAML
	maxYAMLOut    = 32 << 20 // bytes of JSON
	maxYAMLAlias  = 100_000  // values that come of aliases
	maxYAMLDepth  = 64
	maxYAMLIndent = 512 // column of a block's key or dash
)

// A yamlFault is why a YAML text cannot be read, and where, from 1.
type yamlFault struct {
	line, column int
	msg          string
}

func (f *yamlFault) Error() string { return fmt.Sprintf("%d:%d: %s", f.line, f.column, f.msg) }

// yamlToJSON turns one YAML document into JSON that means the same, and tells
// where in the YAML its parts come from. In the JSON they stand on the lines that
// they have in the YAML, and in or near their columns.
//
// Scalars keep their text: 2012-10-17 and 203.0.113.7 are strings, and a number
// that JSON cannot write as it stands, such as 012345678901, is a string too. As
// YAML 1.2 has it, yes and no are strings. Anchors and aliases work; tags, merge
// keys, keys that are no scalars, equal keys in one mapping and several documents
// are errors. Every error is a *yamlFault.
func yamlToJSON(src []byte) ([]byte, places, error) {
	body, err := parseYAML(src)
	if err != nil {
		return nil, nil, err
	}
	w := yamlWriter{line: 1, anchors: make(map[string]ast.Node)}
	if err := w.node(body, 0); err != nil {
		return nil, nil, err
	}
	return w.out, w.places, nil
}

// parseYAML returns the body of the one document of a text.
func parseYAML(src []byte) (ast.Node, error) {
	text := strings.TrimPrefix(string(src), "\ufeff")
	switch {
	case len(src) > maxYAML:
		return nil, &yamlFault{1, 1, fmt.Sprintf("the file is larger than %d MiB", maxYAML>>20)}
	case !utf8.ValidString(text):
		return nil, badUTF8(text)
	case strings.ContainsRune(text, 0):
		return nil, &yamlFault{1, 1, "the file holds a zero byte"}
	}
	tokens := lexer.Tokenize(text)
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // node looks for them
	if err != nil {
		return nil, yamlSyntax(err)
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if _, ok := doc.Body.(*ast.DirectiveNode); ok || doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, faultAt(doc.Body, "one YAML document is expected, this begins another")
		}
		body = doc.Body
	}
	if body == nil {
		return nil, &yamlFault{1, 1, "the file is empty"}
	}
	return body, nil
}

func badUTF8(text string) error {
	valid := strings.ToValidUTF8(text, "\x00")
	before := valid[:strings.IndexByte(valid, 0)]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return &yamlFault{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(line), "this is not UTF-8"}
}

// yamlSyntax tells the parser's error in our form.
func yamlSyntax(err error) error {
	e, ok := errors.AsType[yaml.Error](err)
	if !ok || e.GetToken() == nil || e.GetToken().Position == nil {
		return &yamlFault{1, 1, err.Error()}
	}
	at := e.GetToken().Position
	return &yamlFault{at.Line, at.Column, e.GetMessage()}
}

// checkTokens refuses what is not supported, and nesting so deep that the
// parser should not see it.
func checkTokens(tokens token.Tokens) error {
	flow := 0
	var before token.Type
	for _, t := range tokens {
		msg := ""
		switch t.Type {
		case token.InvalidType:
			return &yamlFault{t.Position.Line, t.Position.Column, t.Error}
		case token.SequenceStartType, token.MappingStartType:
			flow++
		case token.SequenceEndType, token.MappingEndType:
			flow--
		case token.TagType:
			msg = "tags are not supported"
		case token.MappingKeyType:
			msg = "a key must be on one line, before its colon"
		case token.MergeKeyType:
			msg = "merge keys are not supported"
		case token.AnchorType:
			if before == token.AnchorType { // its name is between them
				msg = "a value has one anchor at most"
			}
		case token.SequenceEntryType, token.MappingValueType:
			if flow <= 0 && t.Position.Column > maxYAMLIndent {
				msg = "nested too deeply"
			}
		}
		if flow > maxYAMLDepth {
			msg = "nested too deeply"
		}
		if msg != "" {
			return &yamlFault{t.Position.Line, t.Position.Column, msg}
		}
		if t.Prev == nil || t.Prev.Type != token.AnchorType {
			before = t.Type
		}
	}
	return nil
}

type yamlWriter struct {
	out     []byte
	line    int // that the end of out is on, from 1
	begin   int // of that line in out
	places  places
	anchors map[string]ast.Node
	aliased int // depth of aliases that are being written
	copies  int // values written within aliases
}

// at breaks lines and adds blanks until the end of out is at a position of the
// YAML, or leaves it where it is beyond that, and remembers whence what comes is.
// What stands early columns further left shall be at the position with its text.
func (w *yamlWriter) at(pos *token.Position, early int) {
	if w.aliased == 0 {
		for ; w.line < pos.Line; w.line++ {
			w.out = append(w.out, '\n')
			w.begin = len(w.out)
		}
		for len(w.out)-w.begin < pos.Column-1-early {
			w.out = append(w.out, ' ')
		}
	}
	w.places = append(w.places, place{w.line, len(w.out) - w.begin + 1, pos.Line, pos.Column})
}

func (w *yamlWriter) node(n ast.Node, depth int) error {
	if depth > maxYAMLDepth {
		return faultAt(n, "nested too deeply")
	}
	if w.aliased > 0 {
		w.copies++
	}
	if len(w.out) > maxYAMLOut || w.copies > maxYAMLAlias {
		return faultAt(n, "with its aliases the file is too large")
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return w.mapping(n, n.Values, depth)
	case *ast.MappingValueNode:
		return w.mapping(n, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		return w.sequence(n, depth)
	case *ast.AnchorNode:
		if err := w.node(n.Value, depth+1); err != nil {
			return err
		}
		w.anchors[n.Name.String()] = n.Value // from here on: an alias cannot hold itself
		return nil
	case *ast.AliasNode:
		target, ok := w.anchors[n.Value.String()]
		if !ok {
			return faultAt(n, "there is no anchor &"+n.Value.String()+" before this alias")
		}
		w.at(position(n), 0)
		w.aliased++
		defer func() { w.aliased-- }()
		return w.node(target, depth+1)
	}
	return w.scalar(n)
}

func (w *yamlWriter) mapping(n ast.Node, values []*ast.MappingValueNode, depth int) error {
	w.at(position(n), 0)
	w.out = append(w.out, '{')
	lines := make(map[string]int, len(values)) // of the keys
	for i, v := range values {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		key, ok := keyText(v.Key)
		if !ok {
			return faultAt(v.Key, "a key must be a string")
		}
		pos := position(v.Key)
		if first, ok := lines[key]; ok {
			return faultAt(v.Key, fmt.Sprintf("the key %q stands in line %d already", key, first))
		}
		lines[key] = pos.Line
		early := 1 // its quote, so that the value finds its place
		if isQuoted(v.Key.GetToken()) {
			early = 0
		}
		w.at(pos, early)
		if err := w.quoted(v.Key, key); err != nil {
			return err
		}
		w.out = append(w.out, ':')
		if err := w.node(v.Value, depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	w.ended(n)
	return nil
}

// keyText returns a mapping key as it is meant: without its quotes.
func keyText(k ast.MapKeyNode) (text string, ok bool) {
	switch k := k.(type) {
	case *ast.StringNode:
		return k.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode, *ast.InfinityNode, *ast.NanNode:
		return k.GetToken().Value, true
	}
	return "", false
}

func isQuoted(t *token.Token) bool {
	return t.Type == token.DoubleQuoteType || t.Type == token.SingleQuoteType
}

func (w *yamlWriter) sequence(n *ast.SequenceNode, depth int) error {
	w.at(position(n), 0)
	w.out = append(w.out, '[')
	for i, v := range n.Values {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.node(v, depth+1); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	w.ended(n)
	return nil
}

// ended remembers where a collection in brackets ended that was just written.
func (w *yamlWriter) ended(n ast.Node) {
	var end *token.Token
	switch n := n.(type) {
	case *ast.MappingNode:
		end = n.End
	case *ast.SequenceNode:
		end = n.End
	}
	if end != nil && end.Position != nil {
		w.places = append(w.places, place{w.line, len(w.out) - w.begin + 1, end.Position.Line, end.Position.Column + 1})
	}
}

func (w *yamlWriter) scalar(n ast.Node) error {
	w.at(position(n), 0)
	switch n := n.(type) {
	case *ast.StringNode:
		return w.quoted(n, n.Value)
	case *ast.LiteralNode:
		return w.quoted(n, n.Value.Value)
	case *ast.NullNode:
		w.out = append(w.out, "null"...)
		return nil
	case *ast.BoolNode:
		w.out = fmt.Append(w.out, n.Value)
		return nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		text := n.GetToken().Value
		if json.Valid([]byte(text)) {
			w.out = append(w.out, text...)
			return nil
		}
		return w.quoted(n, text)
	}
	return faultAt(n, "this kind of YAML is not supported")
}

func (w *yamlWriter) quoted(n ast.Node, s string) error {
	if !utf8.ValidString(s) {
		return faultAt(n, "the escapes in this string make no valid text")
	}
	b, err := json.Marshal(s)
	w.out = append(w.out, b...)
	return err
}

// position returns where a node begins. A mapping begins with its first key, or
// its brace.
func position(n ast.Node) *token.Position {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return position(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return position(m.Key)
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position
	}
	return &token.Position{Line: 1, Column: 1}
}

func faultAt(n ast.Node, msg string) error {
	pos := position(n)
	return &yamlFault{pos.Line, pos.Column, msg}
}
