// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestRender also tests Q090.
func TestRender(t *testing.T) {
	one := func(name, value string) Parameter { return Parameter{name, TypeString, []string{value}} }
	list := func(name string, values ...string) Parameter { return Parameter{name, TypeList, values} }
	for _, tc := range []struct {
		name     string
		template string
		params   []Parameter
		want     string
		wrong    string // part of the error
	}{
		{"without-placeholders-as-it-is", `{ "a" : 1 }`, nil, `{ "a" : 1 }`, ""},
		{"in-the-order-of-the-template", `{"z":"@{bucket}","a":[1.50,true,null,{"b":"x"}]}`, []Parameter{one("bucket", "b")}, `{"z":"b","a":[1.50,true,null,{"b":"x"}]}`, ""},
		{"twice-in-one-text", `["@{bucket}-@{bucket}"]`, []Parameter{one("bucket", "b")}, `["b-b"]`, ""},
		{"a-list-in-a-list", `["x","arn:@{names}/*","y"]`, []Parameter{list("names", "a", "b")}, `["x","arn:a/*","arn:b/*","y"]`, ""},
		{"a-list-in-place-of-a-text", `{"Resource":"arn:@{names}"}`, []Parameter{list("names", "a", "b")}, `{"Resource":["arn:a","arn:b"]}`, ""},
		{"a-list-of-one", `{"Resource":"arn:@{names}"}`, []Parameter{list("names", "a")}, `{"Resource":"arn:a"}`, ""},
		{"lists-multiply", `["@{first}@{second}"]`, []Parameter{list("first", "a", "b"), list("second", "1", "2")}, `["a1","a2","b1","b2"]`, ""},
		{"a-value-adds-no-structure", `{"Action":"@{action}"}`, []Parameter{one("action", `x","Resource":"*`)}, `{"Action":"x\",\"Resource\":\"*"}`, ""},
		{"a-value-is-not-looked-into", `["@{first}"]`, []Parameter{one("first", "@{first}")}, `["@{first}"]`, ""},
		{"markup-stays", `["@{first}"]`, []Parameter{one("first", "<&>")}, `["<&>"]`, ""},
		{"variables-stay", `["${aws:username}/@{first}"]`, []Parameter{one("first", "x")}, `["${aws:username}/x"]`, ""},
		{"no-value", `["@{bucket}"]`, nil, "", "needs a value for the parameter bucket"},
		{"no-place", `["x"]`, []Parameter{one("bucket", "b")}, "", "has no parameter bucket"},
		{"a-place-in-a-name", `{"@{bucket}":1}`, []Parameter{one("bucket", "b")}, "", "cannot stand in a name"},
		{"twice-given", `["@{bucket}"]`, []Parameter{one("bucket", "b"), one("bucket", "c")}, "", "there twice"},
		{"several-values-of-a-string", `["@{bucket}"]`, []Parameter{{"bucket", TypeString, []string{"a", "b"}}}, "", "several values"},
		{"several-values-of-no-type", `["@{bucket}"]`, []Parameter{{"bucket", "", []string{"a", "b"}}}, "", "several values"},
		{"no-values", `["@{bucket}"]`, []Parameter{{"bucket", TypeList, nil}}, "", "has no value"},
		{"no-name", `["@{bucket}"]`, []Parameter{one("", "b")}, "", "has no name"},
		{"too-many", `["` + strings.Repeat("@{names}", 12) + `"]`, []Parameter{list("names", "aaaa", "bbbb", "cccc", "dddd")}, "", "more than 2048"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Render(tc.template, tc.params)
			if tc.wrong == "" && (err != nil || got != tc.want) {
				t.Errorf("Render = %s, %v, want %s", got, err, tc.want)
			}
			if tc.wrong != "" && (err == nil || !strings.Contains(err.Error(), tc.wrong)) {
				t.Errorf("Render = %s, %v, want an error with %q", got, err, tc.wrong)
			}
		})
	}
}

// FuzzRender checks that a value never changes anything of a policy but the text
// that it stands in.
func FuzzRender(f *testing.F) {
	f.Add("b", `x","Resource":"*`)
	f.Add("@{second}", "\\")
	f.Fuzz(func(t *testing.T, first, second string) {
		if !utf8.ValidString(first) || !utf8.ValidString(second) {
			return
		}
		text, err := Render(`{"Effect":"Allow","Action":["s3:@{first}","x"],"Resource":"arn:@{second}"}`, []Parameter{
			{"first", TypeString, []string{first}}, {"second", TypeList, []string{second, "z"}},
		})
		if err != nil {
			if len(first)+2*len(second) < maxRendered/4 {
				t.Fatal(err)
			}
			return
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		actions, resources := got["Action"].([]any), got["Resource"].([]any)
		if len(got) != 3 || got["Effect"] != "Allow" || len(actions) != 2 || actions[0] != "s3:"+first || actions[1] != "x" ||
			len(resources) != 2 || resources[0] != "arn:"+second || resources[1] != "arn:z" {
			t.Fatalf("Render(%q, %q) = %s", first, second, text)
		}
	})
}
