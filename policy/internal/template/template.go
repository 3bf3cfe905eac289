// SPDX-License-Identifier: Apache-2.0

// Package template takes the text of a Resource or condition value apart: literals,
// wildcards and variables.
package template

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what a piece of a template stands for.
type Kind uint8

const (
	Literal  Kind = iota
	Star          // any run of characters, also none
	One           // exactly one character
	Variable      // the value of a context key, as text
)

// A Piece is a part of a Resource or condition value.
type Piece struct {
	Text     string // of a Literal, or the key of a variable as written
	Fallback string // stands for a variable whose key has no value, if HasFallback
	Kind     Kind

	HasFallback bool
	Within      bool // what it stands for has no colon
}

var errUnclosedVariable = errors.New(`"${" without its "}": write ${$} for a dollar sign before a brace`)

// Parse takes a value apart. Wildcards and variables say whether '*' and
// '?' and whether "${…}" are special; if not, they are ordinary text. Runs of
// stars become one, neighbouring literals one, and an empty value no piece.
func Parse(text string, wildcards, variables bool) ([]Piece, error) {
	var pieces []Piece
	var literal []byte
	add := func(p Piece) {
		if len(literal) > 0 {
			pieces = append(pieces, Piece{Text: string(literal)})
			literal = literal[:0]
		}
		pieces = append(pieces, p)
	}
	for text != "" {
		n := 1
		switch c := text[0]; {
		case wildcards && c == '*':
			if last := len(pieces) - 1; last < 0 || len(literal) > 0 || pieces[last].Kind != Star {
				add(Piece{Kind: Star})
			}
		case wildcards && c == '?':
			add(Piece{Kind: One})
		case variables && strings.HasPrefix(text, "${"):
			var p Piece
			var err error
			if p, n, err = parseVariable(text); err != nil {
				return nil, err
			}
			if p.Kind == Literal {
				literal = append(literal, p.Text...)
			} else {
				add(p)
			}
		default:
			literal = append(literal, c)
		}
		text = text[n:]
	}
	if len(literal) > 0 {
		pieces = append(pieces, Piece{Text: string(literal)})
	}
	return pieces, nil
}

// parseVariable reads the variable that s starts with and returns its length:
// ${key}, ${key, 'default'}, or one of ${*}, ${?} and ${$}, which are the
// character itself (V-3, V-4).
func parseVariable(s string) (p Piece, n int, err error) {
	body := s[2:]
	if len(body) > 1 && body[1] == '}' && strings.IndexByte("*?$", body[0]) >= 0 {
		return Piece{Text: body[:1]}, 4, nil
	}
	end := strings.IndexAny(body, ",}")
	if end < 0 {
		return Piece{}, 0, errUnclosedVariable
	}
	p = Piece{Kind: Variable, Text: body[:end]}
	if p.Text == "" || strings.ContainsAny(p.Text, " \t\r\n'\"${*?") {
		return Piece{}, 0, fmt.Errorf("%q is no variable: want ${key} or ${key, 'default'} without blanks", s[:2+end+1])
	}
	if body[end] == '}' {
		return p, 2 + end + 1, nil
	}
	quoted := strings.TrimLeft(body[end+1:], " ")
	if !strings.HasPrefix(quoted, "'") {
		return Piece{}, 0, fmt.Errorf("the default of variable %q has no quotes: want ${%s, 'default'}", p.Text, p.Text)
	}
	quoted = quoted[1:]
	length := strings.Index(quoted, "'}")
	if length < 0 {
		return Piece{}, 0, fmt.Errorf("the default of variable %q does not end: want ${%s, 'default'}", p.Text, p.Text)
	}
	p.Fallback, p.HasFallback = quoted[:length], true
	return p, len(s) - len(quoted) + length + len("'}"), nil
}

// Split cuts a template at the first five colons of its literals: the parts
// of an ARN. A colon in a variable does not count.
func Split(pieces []Piece) [][]Piece {
	parts := make([][]Piece, 1, 6)
	for _, p := range pieces {
		for p.Kind == Literal && len(parts) < 6 {
			before, after, found := strings.Cut(p.Text, ":")
			if !found {
				break
			}
			if before != "" {
				parts[len(parts)-1] = append(parts[len(parts)-1], Piece{Text: before})
			}
			parts = append(parts, nil)
			p.Text = after
		}
		if p.Kind != Literal || p.Text != "" {
			parts[len(parts)-1] = append(parts[len(parts)-1], p)
		}
	}
	return parts
}

// Has reports whether a template has a piece of a kind.
func Has(pieces []Piece, kinds ...Kind) bool {
	for _, p := range pieces {
		for _, k := range kinds {
			if p.Kind == k {
				return true
			}
		}
	}
	return false
}

// IsStar reports whether a template is nothing but stars.
func IsStar(pieces []Piece) bool {
	return len(pieces) == 1 && pieces[0].Kind == Star
}

// Join is the reverse of Split.
func Join(parts [][]Piece) []Piece {
	var pieces []Piece
	literal := func(s string) {
		if n := len(pieces); n > 0 && pieces[n-1].Kind == Literal {
			pieces[n-1].Text += s
			return
		}
		pieces = append(pieces, Piece{Text: s})
	}
	for i, part := range parts {
		if i > 0 {
			literal(":")
		}
		for _, p := range part {
			if p.Kind == Literal {
				literal(p.Text)
			} else {
				pieces = append(pieces, p)
			}
		}
	}
	return pieces
}
