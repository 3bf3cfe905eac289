// SPDX-License-Identifier: Apache-2.0

package jsontext

import "unicode/utf8"

// A Writer makes indented JSON. The zero Writer is ready. Its methods do not
// check that the calls make sense: Name only in objects, Item only in arrays,
// and a value after each.
type Writer struct {
	b     []byte
	depth int
	full  bool // the object or array that is open holds something
}

// Bytes returns what was written, and a line break.
func (w *Writer) Bytes() []byte { return append(w.b, '\n') }

// Open begins an object or array with its bracket.
func (w *Writer) Open(bracket byte) {
	w.b = append(w.b, bracket)
	w.depth++
	w.full = false
}

// Close ends an object or array with its bracket.
func (w *Writer) Close(bracket byte) {
	w.depth--
	if w.full {
		w.newLine()
	}
	w.b = append(w.b, bracket)
	w.full = true
}

func (w *Writer) newLine() {
	w.b = append(w.b, '\n')
	for range w.depth {
		w.b = append(w.b, "  "...)
	}
}

// Item begins the next item of the array that is open.
func (w *Writer) Item() {
	if w.full {
		w.b = append(w.b, ',')
	}
	w.newLine()
	w.full = true
}

// Name begins the next member of the object that is open.
func (w *Writer) Name(name string) {
	w.Item()
	w.String(name)
	w.b = append(w.b, ": "...)
}

// String writes a string. Only what JSON demands is escaped; bytes that are not
// UTF-8 become U+FFFD.
func (w *Writer) String(s string) {
	const hex = "0123456789abcdef"
	b := append(w.b, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', byte(c))
		case c >= ' ':
			b = utf8.AppendRune(b, c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		}
	}
	w.b = append(b, '"')
}
