// SPDX-License-Identifier: Apache-2.0

package jsontext

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// read reads all of src and returns what it means, as package json would, and
// the names that came twice in an object.
func read(src string) (value any, twice []string, err *Error) {
	r := NewReader(src, func(name string, pos, first Position) {
		twice = append(twice, fmt.Sprintf("%s %v %v", name, pos, first))
	})
	var one func() any
	one = func() any {
		switch kind := r.Peek(); kind {
		case Object:
			m := map[string]any{}
			r.Object(func(name string, _ Position) bool {
				m[name] = one()
				return r.Err == nil
			})
			return m
		case Array:
			list := []any{}
			r.Array(func(int) bool {
				list = append(list, one())
				return r.Err == nil
			})
			return list
		case String:
			s, _ := r.Text()
			return s
		case Number:
			n, _ := r.Number()
			return json.Number(n)
		case Bool:
			return r.Literal() == "true"
		case Null:
			r.Literal()
		}
		return nil
	}
	value = one()
	if r.Space() && r.Offset() < len(src) {
		r.Invalid(r.Pos(), "", "text after the value")
	}
	return value, twice, r.Err
}

func TestReader(t *testing.T) {
	value, twice, err := read("{\"a\": [1, -2.5e3, \"x\\u00e9\\ud83d\\ude00\\n\", true, null, {}],\n \"b\": {}, \"a\": [{\"c\": 0, \"c\": 1}]}")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(value), "map[a:[1 -2.5e3 xé😀\n true <nil> map[]] b:map[]]"; got != want {
		t.Errorf("read = %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(twice), "[a {2 11} {1 2} c {2 26} {2 18}]"; got != want {
		t.Errorf("names twice = %s, want %s", got, want)
	}
}

func TestReaderRemembersItsFirstError(t *testing.T) {
	r := NewReader("{\"a\" 1}", nil)
	if r.Peek(); r.Object(func(string, Position) bool { return r.Skip() }) {
		t.Error("Object reads a member without a colon")
	}
	first := r.Err
	if r.Invalid(r.Pos(), "", "later") || r.Err != first || first == nil {
		t.Errorf("a later error replaced the first: %+v, %+v", first, r.Err)
	}
	if r := NewReader("\xff", nil); r.Err == nil || r.Err.Fault != NotUTF8 {
		t.Errorf("NewReader of a broken byte = %+v, want NotUTF8", r.Err)
	}
}

func TestNameSet(t *testing.T) {
	var s NameSet
	for i := range 40 {
		name := fmt.Sprint(i)
		if _, twice := s.Add(name, Position{i + 1, 1}); twice {
			t.Errorf("Add(%s) says twice at first", name)
		}
		for j := range i + 1 {
			if first, twice := s.Add(fmt.Sprint(j), Position{99, 9}); !twice || first.Line != j+1 {
				t.Errorf("Add(%d) again = %v, %v after %d names", j, first, twice, i+1)
			}
		}
	}
}

func TestWriterEscapes(t *testing.T) {
	var w Writer
	w.String("a\"\\/\b\x00\x1f\x7f\n\r\té€😀<>&\u2028\xff")
	const want = `"a\"\\/\u0008\u0000\u001f` + "\x7f" + `\n\r\té€😀<>&` + "\u2028\ufffd\"\n"
	if got := string(w.Bytes()); got != want {
		t.Errorf("String = %s, want %s", got, want)
	}
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		strings.Repeat("x", 60):        strings.Repeat("x", 60),
		strings.Repeat("x", 61):        strings.Repeat("x", 60) + "…",
		strings.Repeat("x", 59) + "é":  strings.Repeat("x", 59) + "…",
		strings.Repeat("x", 58) + "é!": strings.Repeat("x", 58) + "é" + "…",
	} {
		if got := Clip(in); got != want {
			t.Errorf("Clip(%q) = %q, want %q", in, got, want)
		}
	}
}

// encoding/json is the oracle, except where it is more liberal: it takes broken
// UTF-8 and halves of surrogate pairs, and nests deeper.
func FuzzReader(f *testing.F) {
	for _, s := range []string{`{"a": [1, -0.5e+3, "\u00e9", true, null]}`, `{"a": 1,}`, `[1 2]`, `{"a": 01}`, "{\"a\": \"\t\"}", `"\ud800"`, `// x`, ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		value, twice, err := read(src)
		if err == nil != json.Valid([]byte(src)) {
			if err == nil || err.Fault == NotJSON && !strings.Contains(err.Message, "surrogate") {
				t.Fatalf("read(%q) = %+v, encoding/json says valid = %v", src, err, json.Valid([]byte(src)))
			}
		}
		if err != nil {
			lines := strings.Split(src, "\n")
			if p := err.Pos; p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > len(lines[p.Line-1])+1 || err.Message == "" {
				t.Errorf("read(%q) fails outside of it: %+v", src, err)
			}
			return
		}
		if len(twice) > 0 {
			return
		}
		var want any
		d := json.NewDecoder(strings.NewReader(src))
		d.UseNumber()
		if err := d.Decode(&want); err != nil || fmt.Sprint(value) != fmt.Sprint(want) {
			t.Errorf("read(%q) = %v, want %v (%v)", src, value, want, err)
		}
	})
}
