// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

func parse(t *testing.T, body string) *Form {
	t.Helper()
	f, err := ParseForm(body)
	if err != nil {
		t.Fatalf("ParseForm(%q) = %v, want no error", body, err)
	}
	return f
}

func TestParseForm(t *testing.T) {
	tests := []struct {
		name, body string
		want       map[string]string // nil: refused
	}{
		{"empty", "", map[string]string{}},
		{"plus-and-percent", "Action=List+Users&Path=%2Fa%20b%2F", map[string]string{"Action": "List Users", "Path": "/a b/"}},
		{"a-name-alone-is-empty", "Tags&X=", map[string]string{"Tags": "", "X": ""}},
		{"empty-pairs-are-skipped", "&A=1&&B=2&", map[string]string{"A": "1", "B": "2"}},
		{"a-semicolon-is-text", "A=1;B=2", map[string]string{"A": "1;B=2"}},
		{"further-equals-signs-are-text", "A=b=c==", map[string]string{"A": "b=c=="}},
		{"escaped-names", "Tags%2Emember.1.Key=k", map[string]string{"Tags.member.1.Key": "k"}},
		{"raw-utf-8", "A=é", map[string]string{"A": "é"}},
		{"truncated-escape", "A=%2", nil},
		{"bad-escape", "A=%zz", nil},
		{"bad-escape-in-name", "A%zz=1", nil},
		{"not-utf-8", "A=%ff", nil},
		{"name-not-utf-8", "%ff=1", nil},
		{"no-name", "=1", nil},
		{"twice", "A=1&B=2&A=1", nil},
		{"twice-by-another-spelling", "A=1&%41=2", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := ParseForm(tt.body)
			if tt.want == nil {
				if !errors.Is(err, awserr.MalformedQueryString) {
					t.Errorf("ParseForm(%q) = %v, want MalformedQueryString", tt.body, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("ParseForm(%q) = %v, want no error", tt.body, err)
			}
			if f.Len() != len(tt.want) {
				t.Errorf("ParseForm(%q).Len() = %d, want %d", tt.body, f.Len(), len(tt.want))
			}
			for name, want := range tt.want {
				if got, ok := f.Get(name); !ok || got != want {
					t.Errorf("Get(%q) = %q, %v, want %q", name, got, ok, want)
				}
			}
			if got, ok := f.Get("Absent"); ok {
				t.Errorf("Get(Absent) = %q, true, want false", got)
			}
		})
	}
}

func TestParseFormLimitsParameters(t *testing.T) {
	body := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString("&p" + strconv.Itoa(i) + "=")
		}
		return b.String()[1:]
	}
	if f := parse(t, body(MaxParameters)); f.Len() != MaxParameters {
		t.Errorf("Len() = %d, want %d", f.Len(), MaxParameters)
	}
	if _, err := ParseForm(body(MaxParameters + 1)); !errors.Is(err, awserr.MalformedQueryString) {
		t.Errorf("ParseForm(%d parameters) = %v, want MalformedQueryString", MaxParameters+1, err)
	}
}

type tag struct{ key, value string }

func decodeTag(f *Form) tag { return tag{f.Required("Key", nil), f.Required("Value", nil)} }

func TestLists(t *testing.T) {
	tests := []struct {
		name, body string
		want       []string // of List as strings
		malformed  bool
	}{
		{"absent", "Other=1&Listing=2&List2.member.1=x", nil, false},
		{"empty", "List=", []string{}, false},
		{"in-order-of-numbers-not-text", "List.member.10=j&List.member.9=i&List.member.1=a", []string{"a", "i", "j"}, false},
		{"gaps", "List.member.7=b&List.member.2000000000=c&List.member.3=a", []string{"a", "b", "c"}, false},
		{"empty-marker-beside-elements", "List=&List.member.1=a", []string{"a"}, false},
		{"empty-string-is-an-element", "List.member.1=", []string{""}, false},
		{"neighbours-in-sorting", "List-x=1&List.member.1=a&List.member2.1=b&List.members=c", []string{"a"}, false},
		{"text-is-no-list", "List=a", nil, true},
		{"structure-is-no-string", "List.member.1.Key=a", nil, true},
		{"leading-zero", "List.member.01=a", nil, true},
		{"zero", "List.member.0=a", nil, true},
		{"negative", "List.member.-1=a", nil, true},
		{"no-number", "List.member.=a", nil, true},
		{"word", "List.member.x=a", nil, true},
		{"number-beyond-measure", "List.member.99999999999999999999=a", nil, true},
		{"string-and-structure", "List.member.1=a&List.member.1.Key=b", nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := parse(t, tt.body)
			got := f.OptionalStrings("List", nil, nil)
			err := f.Err()
			if tt.malformed {
				if !errors.Is(err, awserr.MalformedInput) {
					t.Errorf("OptionalStrings(%q) = %q, Err %v, want MalformedInput", tt.body, got, err)
				}
				return
			}
			if err != nil || !slices.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
				t.Errorf("OptionalStrings(%q) = %#v, Err %v, want %#v", tt.body, got, err, tt.want)
			}
		})
	}
}

func TestListsOfStructures(t *testing.T) {
	f := parse(t, "Tags.member.12.Key=b&Tags.member.2.Value=1&Tags.member.2.Key=a&Tags.member.12.Value=2&Tags.member.1.Key=z&Tags.member.1.Value=0")
	got := OptionalList(f, "Tags", nil, decodeTag)
	want := []tag{{"z", "0"}, {"a", "1"}, {"b", "2"}}
	if err := f.Err(); err != nil || !slices.Equal(got, want) {
		t.Errorf("OptionalList = %v, Err %v, want %v", got, err, want)
	}

	f = parse(t, "Tags.member.1=a")
	if got := OptionalList(f, "Tags", nil, decodeTag); !errors.Is(f.Err(), awserr.MalformedInput) {
		t.Errorf("OptionalList(a string) = %v, Err %v, want MalformedInput", got, f.Err())
	}

	f = parse(t, "Tags=")
	if got := OptionalList(f, "Tags", nil, decodeTag); got == nil || len(got) != 0 || f.Err() != nil {
		t.Errorf("OptionalList(empty) = %#v, Err %v, want an empty list", got, f.Err())
	}
	if got := OptionalList(f, "Absent", nil, decodeTag); got != nil {
		t.Errorf("OptionalList(absent) = %#v, want nil", got)
	}
}

func TestListsWithinLists(t *testing.T) {
	f := parse(t, "E.member.3.V.member.2=d&E.member.1.V.member.10=b&E.member.1.V.member.9=a&E.member.3.V.member.1=c")
	got := OptionalList(f, "E", nil, func(f *Form) []string { return f.RequiredStrings("V", nil, nil) })
	want := [][]string{{"a", "b"}, {"c", "d"}}
	if err := f.Err(); err != nil || !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("OptionalList = %v, Err %v, want %v", got, err, want)
	}
}

func TestStructures(t *testing.T) {
	f := parse(t, "Tag=x&Tag.Key=k&Tag.Value=v&Tagged.Key=no&Outer.member.1.Tag.Key=a&Outer.member.1.Tag.Value=b")
	if got, want := OptionalStruct(f, "Tag", decodeTag), (tag{"k", "v"}); got == nil || *got != want {
		t.Errorf("OptionalStruct(Tag) = %v, want %v", got, want)
	}
	got := OptionalList(f, "Outer", nil, func(f *Form) tag { return RequiredStruct(f, "Tag", decodeTag) })
	if want := []tag{{"a", "b"}}; !slices.Equal(got, want) {
		t.Errorf("OptionalList(Outer) = %v, want %v", got, want)
	}
	if got := OptionalStruct(f, "Absent", decodeTag); got != nil {
		t.Errorf("OptionalStruct(Absent) = %v, want nil", *got)
	}
	if err := f.Err(); err != nil {
		t.Errorf("Err() = %v, want nil", err)
	}
}

// TestHostileListIsCheap: what a list costs follows from the parameters that came, not from their numbers.
func TestHostileListIsCheap(t *testing.T) {
	f := parse(t, "Tags.member.2000000000.Key=k&Tags.member.2000000000.Value=v")
	allocs := testing.AllocsPerRun(10, func() { OptionalList(f, "Tags", nil, decodeTag) })
	if allocs > 4 {
		t.Errorf("OptionalList made %v allocations, want at most 4", allocs)
	}
}

func TestScalars(t *testing.T) {
	f := parse(t, "N=42&Neg=-7&T=true&F=False&S=x&Empty=")
	if got := f.OptionalInt("N", nil); got == nil || *got != 42 {
		t.Errorf("OptionalInt(N) = %v, want 42", got)
	}
	if got := f.RequiredInt("Neg", nil); got != -7 {
		t.Errorf("RequiredInt(Neg) = %d, want -7", got)
	}
	if got := f.OptionalInt("Absent", nil); got != nil {
		t.Errorf("OptionalInt(Absent) = %v, want nil", *got)
	}
	if !f.Bool("T") || f.Bool("F") || f.Bool("Absent") {
		t.Errorf("Bool = %v, %v, %v, want true, false, false", f.Bool("T"), f.Bool("F"), f.Bool("Absent"))
	}
	if got := f.OptionalBool("Absent"); got != nil {
		t.Errorf("OptionalBool(Absent) = %v, want nil", *got)
	}
	if got := f.Optional("Empty", nil); got == nil || *got != "" {
		t.Errorf("Optional(Empty) = %v, want a pointer to an empty string", got)
	}
	if err := f.Err(); err != nil {
		t.Errorf("Err() = %v, want nil", err)
	}
	for _, bad := range []string{"N=4x", "N=", "N=2147483648", "N=1.0", "N=0x10"} {
		f := parse(t, bad)
		if f.OptionalInt("N", nil); !errors.Is(f.Err(), awserr.MalformedInput) {
			t.Errorf("OptionalInt(%q): Err() = %v, want MalformedInput", bad, f.Err())
		}
	}
	for _, bad := range []string{"B=yes", "B=", "B=1"} {
		f := parse(t, bad)
		if f.OptionalBool("B"); !errors.Is(f.Err(), awserr.MalformedInput) {
			t.Errorf("OptionalBool(%q): Err() = %v, want MalformedInput", bad, f.Err())
		}
	}
}

func TestOptionalHelpers(t *testing.T) {
	if got := NonZero(""); got != nil {
		t.Errorf("NonZero(\"\") = %q, want nil", *got)
	}
	if got := NonZero("x"); got == nil || *got != "x" {
		t.Errorf("NonZero(x) = %v, want a pointer to x", got)
	}
	if got := Value(nil, "/"); got != "/" {
		t.Errorf("Value(nil, /) = %q, want /", got)
	}
	if got := Value(new(""), "/"); got != "" {
		t.Errorf("Value(pointer to empty, /) = %q, want empty", got)
	}
}

// FuzzForm compares with net/url where both accept, and bounds what a decoder can be made to do.
func FuzzForm(f *testing.F) {
	f.Add("Action=CreateUser&UserName=ann&Tags.member.1.Key=k&Tags.member.1.Value=v")
	f.Add("Tags.member.2000000000.Key=&Tags.member.1=&Tags=&Tags.member.01.Key=x")
	f.Add("A=%zz&%41=%ff&=&&;")
	f.Add("List.member.1=a&List.member.1.Key=b&List.member.10=c&N=99&B=true")
	c := &Text{Min: 2, Max: 3, Pattern: `[\w+=,.@-]+`}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := ParseForm(body)
		if err != nil {
			if !errors.Is(err, awserr.MalformedQueryString) {
				t.Fatalf("ParseForm = %v, want MalformedQueryString", err)
			}
			return
		}
		if want, err := url.ParseQuery(strings.ReplaceAll(body, ";", "%3B")); err == nil {
			if form.Len() != len(want) {
				t.Fatalf("Len() = %d, want %d", form.Len(), len(want))
			}
			for name, values := range want {
				if got, ok := form.Get(name); !ok || got != values[0] {
					t.Fatalf("Get(%q) = %q, %v, want %q", name, got, ok, values[0])
				}
			}
		}
		tags := OptionalList(form, "Tags", &Size{Max: 2}, decodeTag)
		list := form.OptionalStrings("List", &Size{Min: 1}, c)
		form.Required("Action", c)
		form.RequiredInt("N", &Range{1, 10})
		form.OptionalBool("B")
		if len(tags)+len(list) > form.Len() {
			t.Fatalf("%d list elements from %d parameters", len(tags)+len(list), form.Len())
		}
		if err := form.Err(); err != nil && len(err.Error()) > maxFailures*(maxEcho+1000) {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
	})
}
