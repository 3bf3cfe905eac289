// SPDX-License-Identifier: Apache-2.0

package textbook

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// Expand makes a pattern of a Resource or condition value with its variables
// resolved; ok is false if it is broken or value has none for a variable (V-5).
func Expand(text string, wildcards, variables bool, value func(v template.Piece) (string, bool)) (p Pattern, ok bool) {
	pieces, err := template.Parse(text, wildcards, variables)
	if err != nil {
		return nil, false
	}
	ok = true
	for _, piece := range pieces {
		switch piece.Kind {
		case template.Literal:
			p = p.Text(piece.Text)
		case template.Star:
			p = p.Glob("*")
		case template.One:
			p = p.Glob("?")
		case template.Variable:
			v, found := value(piece)
			ok = ok && found
			p = p.Value(v)
		}
	}
	return p, ok
}

// IsStars reports whether a value is nothing but stars.
func IsStars(text string) bool { return text != "" && strings.Trim(text, "*") == "" }

// MatchAction reports whether a value of an Action element matches an action (M-1, P-10).
func MatchAction(pattern, action string) bool {
	if IsStars(pattern) {
		return true
	}
	service, name, _ := strings.Cut(action, ":")
	wantService, wantName, ok := strings.Cut(pattern, ":")
	return ok && MatchFold(wantService, service) && MatchFold(wantName, name) && !strings.ContainsAny(pattern, ", \t\r\n")
}

// A Resource is the resource of a request.
type Resource struct {
	text  Pattern
	parts []Pattern
}

// ReadResource makes a Resource of its ARN.
func ReadResource(text string) Resource {
	p := Pattern(nil).Text(text)
	return Resource{text: p, parts: p.Cut()}
}

// Wide matches over all colons, missing parts being stars (M-3).
func (r *Resource) Wide(p Pattern) bool {
	if p.Match(r.text) {
		return true
	}
	missing := 6 - len(p.Cut())
	return missing > 0 && slices.Clone(p).Glob(strings.Repeat(":*", missing)).Match(r.text)
}

// Narrow matches part by part; missing parts are stars only if pads is set. A
// wildcard in the third part matches nothing, and neither does a text with a
// variable before the fifth colon (M-3).
func (r *Resource) Narrow(p Pattern, text string, pads, variables bool) bool {
	parts := p.Cut()
	if len(parts) < 6 && !pads {
		return false
	}
	if len(parts) == 6 && parts[2].Wild() {
		return false
	}
	for len(parts) < 6 {
		parts = append(parts, Pattern(nil).Glob("*"))
	}
	return MatchParts(parts, r.parts) && !(variables && variableBeforeResource(text))
}

// variableBeforeResource reports whether a variable stands before the fifth colon.
func variableBeforeResource(text string) bool {
	colons := 0
	pieces, _ := template.Parse(text, true, true)
	for _, p := range pieces {
		if p.Kind == template.Variable && colons < 5 {
			return true
		}
		if p.Kind == template.Literal {
			colons += strings.Count(p.Text, ":")
		}
	}
	return false
}

// SameKey returns the one of sorted keys that is key, or else the first that is
// key but for letter case.
func SameKey(key string, keys []string) (string, bool) {
	if slices.Contains(keys, key) {
		return key, true
	}
	for _, k := range keys {
		if len(k) == len(key) && Lower(k) == Lower(key) {
			return k, true
		}
	}
	return "", false
}
