// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"strings"
)

// pieceKind says what a piece of a template stands for.
type pieceKind uint8

const (
	literalPiece  pieceKind = iota
	starPiece               // any run of characters, also none
	onePiece                // exactly one character
	variablePiece           // the value of a context key, as text
)

// A piece is a part of a Resource or condition value.
type piece struct {
	kind pieceKind
	text string // of a literal, or the key of a variable as written

	// fallback stands for a variable whose key has no value, if hasFallback.
	fallback    string
	hasFallback bool
}

var errUnclosedVariable = errors.New(`"${" without its "}": write ${$} for a dollar sign before a brace`)

// parseTemplate takes a value apart. Wildcards and variables say whether '*' and
// '?' and whether "${…}" are special; if not, they are ordinary text. Runs of
// stars become one, neighbouring literals one, and an empty value no piece.
func parseTemplate(text string, wildcards, variables bool) ([]piece, error) {
	var pieces []piece
	start := 0 // of the literal that has not been added yet
	literal := func(s string) {
		if s == "" {
			return
		}
		if n := len(pieces); n > 0 && pieces[n-1].kind == literalPiece {
			pieces[n-1].text += s
			return
		}
		pieces = append(pieces, piece{text: s})
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case wildcards && c == '*':
			literal(text[start:i])
			if n := len(pieces); n == 0 || pieces[n-1].kind != starPiece {
				pieces = append(pieces, piece{kind: starPiece})
			}
			i++
			start = i
		case wildcards && c == '?':
			literal(text[start:i])
			pieces = append(pieces, piece{kind: onePiece})
			i++
			start = i
		case variables && strings.HasPrefix(text[i:], "${"):
			literal(text[start:i])
			p, n, err := parseVariable(text[i:])
			if err != nil {
				return nil, err
			}
			if p.kind == literalPiece {
				literal(p.text)
			} else {
				pieces = append(pieces, p)
			}
			i += n
			start = i
		default:
			i++
		}
	}
	literal(text[start:])
	return pieces, nil
}

// parseVariable reads the variable that s starts with and returns its length:
// ${key}, ${key, 'default'}, or one of ${*}, ${?} and ${$}, which are the
// character itself (V-3, V-4).
func parseVariable(s string) (p piece, n int, err error) {
	body := s[2:]
	if len(body) > 1 && body[1] == '}' && strings.IndexByte("*?$", body[0]) >= 0 {
		return piece{text: body[:1]}, 4, nil
	}
	end := strings.IndexAny(body, ",}")
	if end < 0 {
		return piece{}, 0, errUnclosedVariable
	}
	p = piece{kind: variablePiece, text: body[:end]}
	if p.text == "" || strings.ContainsAny(p.text, " \t\r\n'\"${*?") {
		return piece{}, 0, fmt.Errorf("%q is no variable: want ${key} or ${key, 'default'} without blanks", s[:2+end+1])
	}
	if body[end] == '}' {
		return p, 2 + end + 1, nil
	}
	quoted := strings.TrimLeft(body[end+1:], " ")
	if !strings.HasPrefix(quoted, "'") {
		return piece{}, 0, fmt.Errorf("the default of variable %q has no quotes: want ${%s, 'default'}", p.text, p.text)
	}
	quoted = quoted[1:]
	length := strings.Index(quoted, "'}")
	if length < 0 {
		return piece{}, 0, fmt.Errorf("the default of variable %q does not end: want ${%s, 'default'}", p.text, p.text)
	}
	p.fallback, p.hasFallback = quoted[:length], true
	return p, len(s) - len(quoted) + length + len("'}"), nil
}

// splitParts cuts a template at the first five colons of its literals: the parts
// of an ARN. A colon in a variable does not count.
func splitParts(pieces []piece) [][]piece {
	parts := make([][]piece, 1, 6)
	for _, p := range pieces {
		for p.kind == literalPiece && len(parts) < 6 {
			before, after, found := strings.Cut(p.text, ":")
			if !found {
				break
			}
			if before != "" {
				parts[len(parts)-1] = append(parts[len(parts)-1], piece{text: before})
			}
			parts = append(parts, nil)
			p.text = after
		}
		if p.kind != literalPiece || p.text != "" {
			parts[len(parts)-1] = append(parts[len(parts)-1], p)
		}
	}
	return parts
}

// hasKind reports whether a template has a piece of a kind.
func hasKind(pieces []piece, kinds ...pieceKind) bool {
	for _, p := range pieces {
		for _, k := range kinds {
			if p.kind == k {
				return true
			}
		}
	}
	return false
}

// isStar reports whether a template is nothing but stars.
func isStar(pieces []piece) bool {
	return len(pieces) == 1 && pieces[0].kind == starPiece
}
