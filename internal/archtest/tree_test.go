// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A tree is the repository as the rules see it.
type tree struct {
	fset    *token.FileSet
	goFiles []*goFile         // sorted by name; none from testdata
	texts   map[string]string // every other text file, and the Go files too, by name
	nested  map[string]bool   // folders with a go.mod of their own
}

// A goFile is one Go source file.
type goFile struct {
	name      string // slash-separated, relative to the repository
	pkg       string // its folder; "." for the root
	text      string
	syntax    *ast.File
	test      bool
	generated bool
	nested    bool // belongs to another module than the main one
}

// skipped are the folders that are not part of the repository: what
// .gitignore lists, and git's own.
var skipped = set(".git", "bin", "data", "dist", "test/.tmp")

const maxTextSize = 4 << 20 // larger files are data, whatever their bytes

func load(fsys fs.FS) (*tree, error) {
	t := &tree{fset: token.NewFileSet(), texts: map[string]string{}, nested: map[string]bool{}}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && skipped[name]:
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if len(data) > maxTextSize || bytes.IndexByte(data, 0) >= 0 {
			return nil
		}
		t.texts[name] = string(data)
		if path.Base(name) == "go.mod" && path.Dir(name) != "." {
			t.nested[path.Dir(name)] = true
		}
		if path.Ext(name) == ".go" && !slices.Contains(strings.Split(path.Dir(name), "/"), "testdata") {
			return t.addGo(name, data)
		}
		return nil
	})
	for _, f := range t.goFiles {
		f.nested = t.inNested(f.pkg)
	}
	return t, err
}

func (t *tree) addGo(name string, data []byte) error {
	syntax, err := parser.ParseFile(t.fset, name, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	t.goFiles = append(t.goFiles, &goFile{
		name:      name,
		pkg:       path.Dir(name),
		text:      string(data),
		syntax:    syntax,
		test:      strings.HasSuffix(name, "_test.go"),
		generated: ast.IsGenerated(syntax),
	})
	return nil
}

func (t *tree) inNested(pkg string) bool {
	for ; pkg != "."; pkg = path.Dir(pkg) {
		if t.nested[pkg] {
			return true
		}
	}
	return false
}

// lines returns how many lines n spans, its first and last included.
func (t *tree) lines(n ast.Node) int {
	return t.fset.Position(n.End()).Line - t.fset.Position(n.Pos()).Line + 1
}

// at returns the place of n as file:line.
func (t *tree) at(n ast.Node) string {
	p := t.fset.Position(n.Pos())
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

func countLines(text string) int {
	n := strings.Count(text, "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		n++
	}
	return n
}
