// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func TestGeneratedFilesAreCurrent(t *testing.T) {
	for service := range sources {
		current(t, service+"api", service)
	}
	current(t, "credapi", "iam", directive(t, filepath.Join("..", "..", "credapi", "credapi.go"))...)
}

// directive returns the operations in the go:generate line of a file.
func directive(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n//go:generate go run ../gen/shapes -package credapi iam ")
	if !ok {
		t.Fatalf("%s has no go:generate line", file)
	}
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Fields(line)
}

// current compares the files of a package with what would be generated.
func current(t *testing.T, pkg, service string, ops ...string) {
	t.Helper()
	files, err := generate(pkg, service, ops...)
	if err != nil {
		t.Fatalf("generate(%s) = %v, want no error", pkg, err)
	}
	for name, want := range files {
		file := filepath.Join("..", "..", pkg, name)
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is stale: run go generate", file)
		}
	}
}

// TestModelsAreCanonical: a model file is what text would write, so that a refresh shows only what AWS changed.
func TestModelsAreCanonical(t *testing.T) {
	entries, err := models.ReadDir("models")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		raw, err := models.ReadFile("models/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		m, err := parse(raw)
		if err != nil {
			t.Fatalf("%s: %v", entry.Name(), err)
		}
		text, err := m.text()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(text, raw) {
			t.Errorf("models/%s is not as text writes it", entry.Name())
		}
	}
}

func TestModelsAreComplete(t *testing.T) {
	for service, want := range map[string]int{"iam": 176, "sts": 11, "org": 63} {
		m, err := load(models, service)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(m.Operations); got != want {
			t.Errorf("%s has %d operations, want %d", service, got, want)
		}
	}
}

// TestUnknownMeansNo: what the generator does not understand stops it, rather than come out wrong.
func TestUnknownMeansNo(t *testing.T) {
	const frame = `{"metadata":{"apiVersion":"1","protocol":"query","serviceId":"X","xmlNamespace":"x"},
		"operations":{"Do":{"name":"Do","input":{"shape":"In"},"output":{"shape":"Out","resultWrapper":"DoResult"}}},
		"shapes":{"In":{"type":"structure","members":{MEMBERS}},"Out":{"type":"structure","members":{}},"S":{"type":"string"},SHAPES}}`
	tests := []struct{ name, members, shapes, want string }{
		{"control", `"A":{"shape":"S"}`, `"T":{"type":"string"}`, ""},
		{"a-shape-that-is-not-there", `"A":{"shape":"Gone"}`, `"T":{"type":"string"}`, "no shape Gone"},
		{"a-structure-within-itself", `"A":{"shape":"L"}`, `"L":{"type":"list","member":{"shape":"R"}},"R":{"type":"structure","members":{"Again":{"shape":"L"}}}`, "contains itself"},
		{"a-flattened-list", `"A":{"shape":"L"}`, `"L":{"type":"list","flattened":true,"member":{"shape":"S"}}`, "flattened"},
		{"a-type-of-another-protocol", `"A":{"shape":"T"}`, `"T":{"type":"double"}`, "type double is not supported"},
		{"a-map-in-an-input", `"A":{"shape":"M"}`, `"M":{"type":"map","key":{"shape":"S"},"value":{"shape":"S"}}`, "an input of type map is not supported"},
		{"a-number-with-one-bound", `"A":{"shape":"N"}`, `"N":{"type":"integer","min":1}`, "one bound"},
		{"a-trait-of-another-protocol", `"A":{"shape":"T"}`, `"T":{"type":"string","streaming":true}`, "unknown field"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.NewReplacer("MEMBERS", tt.members, "SHAPES", tt.shapes).Replace(frame)
			err := generateFrom(text)
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("generating = %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func generateFrom(model string) error {
	m, err := load(fstest.MapFS{"models/x.json": {Data: []byte(model)}}, "x")
	if err != nil {
		return err
	}
	g, err := newGenerator("xapi", m)
	if err != nil {
		return err
	}
	_, err = g.source()
	return err
}

func TestIdentifier(t *testing.T) {
	for in, want := range map[string]string{
		"Active": "Active", "text/csv": "TextCsv", "IN_PROGRESS": "InProgress", "SUCCEEDED": "Succeeded", "SSH": "SSH",
		"aws-managed": "AwsManaged", "v2Token": "V2Token", "AWSManagedPolicy": "AWSManagedPolicy",
	} {
		if got := identifier(in); got != want {
			t.Errorf("identifier(%q) = %q, want %q", in, got, want)
		}
	}
}
