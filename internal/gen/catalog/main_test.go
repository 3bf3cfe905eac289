// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// sources is the least that a package can be: one service of everything.
func sources() map[string][]byte {
	files := map[string]string{
		packageFile: `{"updatedAt": "2026-09-26T04:46:59.905Z"}`,
		namesFile:   `{"notes": "Amazon Notes"}`,
		globalsFile: "export const globalConditionKeys = [\n    {\n        key: 'aws:PrincipalTag/tag-key',\n        category: 'principal',\n        type: 'String',\n        description: ''\n    },\n];",
		keysDir + "notes.json": `{"notes:kind": {"key": "notes:Kind", "description": "prose", "type": "ArrayOfString"},
			"notes:tag/<key>": {"key": "notes:Tag/<key>", "type": "String"}}`,
		typesDir + "notes.json": `{"note": {"key": "note", "arn": "arn:${Partition}:notes:::a/${N}, arn:${Partition}:notes:::b/${N}", "conditionKeys": ["notes:tag/<key>"]}}`,
		actionsDir + "notes.json": `{"write": {"name": "Write", "description": "prose", "accessLevel": "Tagging, Write", "conditionKeys": ["notes:Kind"],
			"resourceTypes": [{"name": "Note", "required": false, "conditionKeys": ["notes:Kind"]}, {"name": "note", "required": true, "conditionKeys": []}]}}`,
	}
	b := make(map[string][]byte, len(files))
	for name, text := range files {
		b[name] = []byte(text)
	}
	return b
}

func TestDecode(t *testing.T) {
	c, err := decode(sources())
	if err != nil {
		t.Fatal(err)
	}
	old := sources()
	old[actionsDir+"notes.json"] = []byte(`{"write": {"name": "Write", "accessLevel": "Write", "dependentActions": ["notes:WRITE", "notes:Gone"],
		"resourceTypes": [{"name": "note", "dependentActions": ["notes:Write"]}, {"name": "gone", "dependentActions": ["notes:Write"]}]}, "gone": {"name": "Gone"}}`)
	before, err := decodeSources(old)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.depend(before); err != nil {
		t.Fatal(err)
	}
	const want = "key\tnotes:Kind\tArrayOfString\n" +
		"key\tnotes:Tag/${TagKey}\tString\n" +
		"type\tnote\tarn:${Partition}:notes:::a/${N},arn:${Partition}:notes:::b/${N}\tnotes:Tag/${TagKey}\n" +
		"action\tWrite\tTagging\tnotes:Kind\tnotes:Write\n" +
		"on\tnote\trequired\tnotes:Kind\tnotes:Write\n"
	if got := string(c.services[0].text()); got != want {
		t.Errorf("text = %s\nwant %s", got, want)
	}
	if len(c.globals) != 1 || c.globals[0] != (key{"aws:PrincipalTag/${TagKey}", "String"}) {
		t.Errorf("globals = %v", c.globals)
	}
	if err := c.depend(map[string]*source{}); err == nil {
		t.Error("depend(nothing) = nil, want an error")
	}
}

func TestDecodeRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, test := range []struct{ name, file, old, new string }{
		{"no-date", packageFile, "updatedAt", "madeAt"},
		{"not-json", namesFile, "{", "["},
		{"service-without-files", namesFile, "notes", "letters"},
		{"name-with-a-tab", namesFile, "Amazon Notes", `Amazon\tNotes`},
		{"access-level", actionsDir + "notes.json", "Tagging, Write", "Tagging, Read"},
		{"action-name", actionsDir + "notes.json", `"Write"`, `"Wri te"`},
		{"resource-type-of-nowhere", actionsDir + "notes.json", `"name": "note"`, `"name": "book"`},
		{"condition-key-of-nowhere", actionsDir + "notes.json", `["notes:Kind"],`, `["notes:Sort"],`},
		{"condition-key-of-a-type-of-nowhere", typesDir + "notes.json", "notes:tag/<key>", "notes:sort"},
		{"arn", typesDir + "notes.json", ", arn:", ", urn:"},
		{"type-of-a-key", keysDir + "notes.json", "ArrayOfString", "ArrayOfText"},
		{"global-key-in-another-form", globalsFile, "type: 'String'", `type: "String"`},
		{"no-global-keys", globalsFile, "category", "kind"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := sources()
			changed := strings.Replace(string(in[test.file]), test.old, test.new, 1)
			if changed == string(in[test.file]) {
				t.Fatal("the case changes nothing")
			}
			in[test.file] = []byte(changed)
			if _, err := decode(in); err == nil {
				t.Error("decode succeeded, want an error")
			}
		})
	}
}

func TestReview(t *testing.T) {
	dir := t.TempDir()
	c, err := decode(sources())
	if err != nil {
		t.Fatal(err)
	}
	if err := review(t.Output(), dir, c, false); err != nil {
		t.Errorf("review(no files) = %v, want nil", err)
	}
	files, err := c.files()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := review(&out, dir, c, false); err != nil || out.String() != "" {
		t.Errorf("review(the same) = %v, printed %q", err, out.String())
	}
	c.services[0].actions[0].name = "Rewrite"
	err = review(&out, dir, c, false)
	if err == nil || out.String() != "+ notes:Rewrite\n- notes:Write\n" {
		t.Errorf("review(all actions gone) = %v, printed %q", err, out.String())
	}
	if err := review(&out, dir, c, true); err != nil {
		t.Errorf("review(all actions gone, accepted) = %v, want nil", err)
	}
}
