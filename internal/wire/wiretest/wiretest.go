// SPDX-License-Identifier: Apache-2.0

// Package wiretest checks generated shapes against an independent reading of their Go types.
//
// Everything it knows comes from reflection over the structures and from the protocol: it fills them at
// random, writes forms and reads answers in its own slow way, and compares with what the generated code
// does.
package wiretest

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// Input is a decoded request.
type Input interface{ AppendJSON(b []byte) []byte }

// Shape is what is generated for one operation.
type Shape struct {
	Op     string
	Decode func(*wire.Form) Input
	Output func() wire.Output // an empty one
}

// Config says what the Go types do not.
type Config struct {
	Names     map[string]string // :: "Struct.Field" → name on the wire where it is not Field
	JSON      bool              // the protocol is JSON 1.1, not query
	Secrets   []string          // fields that audit records hide, "Field" or "Struct.Field"
	Documents []string          // "Struct.Field" of fields that answers carry percent-encoded
	Lists     []string          // "Struct.Field" of lists within results that are sent even when nil
}

// rounds is how many random structures stand for one shape.
const rounds = 25

// Run checks that each input survives its form, and that each answer and each audit record has exactly
// what the structure has.
func Run(t *testing.T, shapes []Shape, c Config) {
	for _, s := range shapes {
		t.Run(s.Op, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			for range rounds {
				c.input(t, rnd, s)
				c.output(t, rnd, s)
			}
		})
	}
}

func (c Config) input(t *testing.T, rnd *rand.Rand, s Shape) {
	t.Helper()
	empty, err := wire.ParseForm("")
	if err != nil {
		t.Fatal(err)
	}
	want := reflect.New(reflect.TypeOf(s.Decode(empty)).Elem())
	fill(rnd, want.Elem())
	body, f, err := c.request(want)
	if err != nil {
		t.Fatalf("parsing %s: %v, want no error", body, err)
	}
	got := s.Decode(f)
	if !reflect.DeepEqual(got, want.Interface()) {
		t.Errorf("decode(%s)\n got %s\nwant %s", body, dump(got), dump(want.Interface()))
	}
	c.checkJSON(t, got.AppendJSON(nil), want.Elem(), false)
}

func (c Config) output(t *testing.T, rnd *rand.Rand, s Shape) {
	t.Helper()
	out := s.Output()
	v := reflect.ValueOf(out).Elem()
	fill(rnd, v)
	if c.JSON {
		c.checkBody(t, out.AppendResult(nil), v)
	} else {
		c.checkXML(t, out.AppendResult(nil), v, s.Op)
	}
	c.checkJSON(t, out.AppendJSON(nil), v, true)
}

// request writes a structure as a request and parses it.
func (c Config) request(v reflect.Value) (body string, f *wire.Form, err error) {
	if c.JSON {
		body = dump(c.members(v.Elem(), false))
		f, err = wire.ParseJSON([]byte(body))
		return body, f, err
	}
	body = Encode(v.Interface(), c)
	f, err = wire.ParseForm(body)
	return body, f, err
}

// wireName returns the name of a field on the wire.
func (c Config) wireName(parent reflect.Type, field string) string {
	if name, ok := c.Names[parent.Name()+"."+field]; ok {
		return name
	}
	return field
}

// Encode writes a structure as a form body, field by field.
func Encode(v any, c Config) string {
	var pairs []string
	c.encode(reflect.Indirect(reflect.ValueOf(v)), "", &pairs)
	return strings.Join(pairs, "&")
}

func (c Config) encode(v reflect.Value, name string, pairs *[]string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c.encode(v.Elem(), name, pairs)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := c.wireName(v.Type(), v.Type().Field(i).Name)
			if name != "" {
				field = name + "." + field
			}
			c.encode(v.Field(i), field, pairs)
		}
	case reflect.Slice:
		if !v.IsNil() && v.Len() == 0 {
			*pairs = append(*pairs, name+"=")
		}
		for i := range v.Len() {
			c.encode(v.Index(i), name+".member."+strconv.Itoa(i+1), pairs)
		}
	default:
		*pairs = append(*pairs, name+"="+formText(text(v)))
	}
}

// formText escapes every byte that is not a letter or a digit.
func formText(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ':
			b.WriteByte('+')
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
			b.WriteByte(c)
		default:
			b.WriteString("%")
			b.WriteString(strconv.FormatUint(uint64(c)+0x100, 16)[1:])
		}
	}
	return b.String()
}

// text is the wire form of a simple value.
func text(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int32:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	}
	panic("wiretest: no wire form for " + v.Type().String())
}

var alphabet = []rune("abcXYZ019 /:._-+=@%&<>\"'\r\n\t\\{}~\u00e9\u20ac\u2028\U0001F511")

// maxDepth bounds structures that contain themselves.
const maxDepth = 8

// fill sets a value at random. The first field of a structure is always there, because a form cannot
// carry an empty structure.
func fill(rnd *rand.Rand, v reflect.Value) { fillTo(rnd, v, maxDepth) }

func fillTo(rnd *rand.Rand, v reflect.Value, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillTo(rnd, v.Elem(), depth-1)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(rnd.Int64N(4e9), 0).UTC()))
			return
		}
		for i := range v.NumField() {
			switch v.Field(i).Kind() {
			case reflect.Pointer, reflect.Slice, reflect.Map:
				if i > 0 && rnd.IntN(3) == 0 {
					continue
				}
			}
			fillTo(rnd, v.Field(i), depth-1)
		}
	case reflect.Slice:
		n := rnd.IntN(13)
		if depth < maxDepth-3 {
			n = rnd.IntN(2)
		}
		if depth <= 0 {
			n = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), n, 13))
		for i := range v.Len() {
			fillTo(rnd, v.Index(i), depth-1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rnd.IntN(4) {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fillTo(rnd, key, depth-1)
			fillTo(rnd, value, depth-1)
			v.SetMapIndex(key, value)
		}
	case reflect.String:
		s := make([]rune, rnd.IntN(12))
		for i := range s {
			s[i] = alphabet[rnd.IntN(len(alphabet))]
		}
		v.SetString(string(s))
	case reflect.Int32:
		v.SetInt(int64(int32(rnd.Uint32())))
	case reflect.Uint8:
		v.SetUint(uint64(rnd.IntN(256)))
	case reflect.Bool:
		v.SetBool(rnd.IntN(2) == 0)
	default:
		panic("wiretest: cannot fill " + v.Type().String())
	}
}

// Fuzz decodes arbitrary forms as each operation's input: nothing may panic, whatever is wrong is an
// error of a size in proportion, and the audit record is JSON.
func Fuzz(f *testing.F, shapes []Shape) { fuzz(f, shapes, wire.ParseForm) }

// FuzzJSON is Fuzz for bodies in JSON.
func FuzzJSON(f *testing.F, shapes []Shape) {
	fuzz(f, shapes, func(body string) (*wire.Form, error) { return wire.ParseJSON([]byte(body)) })
}

func fuzz(f *testing.F, shapes []Shape, parse func(string) (*wire.Form, error)) {
	f.Fuzz(func(t *testing.T, body string) {
		for _, s := range shapes {
			form, err := parse(body)
			if err != nil {
				return
			}
			record := s.Decode(form).AppendJSON(nil)
			if !json.Valid(record) {
				t.Fatalf("%s: AppendJSON = %q, want JSON", s.Op, record)
			}
			if max := 1000 + 20*len(body); len(record) > max {
				t.Fatalf("%s: a form of %d bytes made a record of %d, want at most %d", s.Op, len(body), len(record), max)
			}
			if err := form.Err(); err != nil && len(err.Error()) > 1<<18 {
				t.Fatalf("%s: Err() has %d bytes", s.Op, len(err.Error()))
			}
		}
	})
}
