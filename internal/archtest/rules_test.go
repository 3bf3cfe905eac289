// SPDX-License-Identifier: Apache-2.0

package archtest

import (
	"fmt"
	"go/ast"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A rule looks at the whole tree and reports what breaks it, one "place:
// what is wrong" each. Each has an entry in the fixtures that it catches.
type rule struct {
	name  string
	check func(t *tree, report func(format string, args ...any))
}

var rules = []rule{
	{"imports", imports},
	{"list", listed},
	{"libraries", standardLibraryOnly},
	{"purity", purity},
	{"testing", noTesting},
	{"comments", packageComments},
	{"names", names},
	{"header", header},
	{"file-budget", fileBudget},
	{"function-budget", functionBudget},
	{"package-budget", packageBudget},
	{"interface-budget", interfaceBudget},
	{"main-budget", mainBudget},
	{"makefile", makefile},
	{"replace", noReplace},
	{"machine-paths", machinePaths},
	{"links", links},
	{"fuzz-targets", fuzzTargets},
}

// imported returns the import path of spec, and its folder if it is ours.
func imported(spec *ast.ImportSpec) (importPath, local string, ours, std bool) {
	importPath, _ = strconv.Unquote(spec.Path.Value)
	if importPath == module {
		return importPath, ".", true, false
	}
	local, ours = strings.CutPrefix(importPath, module+"/")
	first, _, _ := strings.Cut(importPath, "/")
	return importPath, local, ours, !strings.Contains(first, ".")
}

// production yields every import of a file of the main module that is not a test.
func (t *tree) production(yield func(f *goFile, spec *ast.ImportSpec)) {
	for _, f := range t.goFiles {
		if f.test || f.nested {
			continue
		}
		for _, spec := range f.syntax.Imports {
			yield(f, spec)
		}
	}
}

func isGenerator(pkg string) bool { return strings.HasPrefix(pkg, generators+"/") }

func imports(t *tree, report func(string, ...any)) {
	unknown := map[string]bool{}
	for _, f := range t.goFiles {
		if _, ok := allowed[f.pkg]; !ok && !f.nested && !isGenerator(f.pkg) && !unknown[f.pkg] {
			unknown[f.pkg] = true
			report("%s: the package is not in the list", f.pkg)
		}
	}
	t.production(func(f *goFile, spec *ast.ImportSpec) {
		importPath, local, ours, std := imported(spec)
		switch {
		case std || unknown[f.pkg]:
		case ours && isGenerator(local) && !isGenerator(f.pkg):
			report("%s: %s may not import the generator %s", t.at(spec), f.pkg, local)
		case isGenerator(f.pkg):
		case ours && !mayImport(f.pkg, local):
			report("%s: %s may not import %s", t.at(spec), f.pkg, local)
		case !ours && !mayImport(f.pkg, importPath):
			report("%s: %s may not import %s", t.at(spec), f.pkg, importPath)
		}
	})
}

// listed looks for packages of the list that are gone, or may import one that
// is.
func listed(t *tree, report func(string, ...any)) {
	exists := map[string]bool{}
	for _, f := range t.goFiles {
		exists[f.pkg] = true
	}
	for _, pkg := range slices.Sorted(maps.Keys(allowed)) {
		if !exists[pkg] {
			report("%s: the list has a package that does not exist", pkg)
		}
		for _, may := range strings.Fields(allowed[pkg]) {
			if _, ok := allowed[may]; !ok && !strings.Contains(may, ".") {
				report("%s: the list lets it import %s, which is not in the list", pkg, may)
			}
		}
	}
}

func mayImport(pkg, target string) bool {
	for _, may := range strings.Fields(allowed[pkg]) {
		root, tree := strings.CutSuffix(may, "/...")
		if target == root || tree && strings.HasPrefix(target, root+"/") {
			return true
		}
	}
	return false
}

func standardLibraryOnly(t *tree, report func(string, ...any)) {
	t.production(func(f *goFile, spec *ast.ImportSpec) {
		importPath, local, ours, std := imported(spec)
		if libraries[f.pkg] && !std && !(ours && libraries[local]) {
			report("%s: %s is a library and may not import %s", t.at(spec), f.pkg, importPath)
		}
	})
}

func purity(t *tree, report func(string, ...any)) {
	t.production(func(f *goFile, spec *ast.ImportSpec) {
		if importPath, _, _, _ := imported(spec); pure[f.pkg] && impureImports[importPath] {
			report("%s: %s is pure and may not import %s", t.at(spec), f.pkg, importPath)
		}
	})
	for _, f := range t.goFiles {
		if f.test || !pure[f.pkg] {
			continue
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				report("%s: %s is pure and may not start a goroutine", t.at(n), f.pkg)
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && impureCalls[x.Name+"."+n.Sel.Name] {
					report("%s: %s is pure and may not use %s.%s", t.at(n), f.pkg, x.Name, n.Sel.Name)
				}
			}
			return true
		})
	}
}

func noTesting(t *tree, report func(string, ...any)) {
	t.production(func(f *goFile, spec *ast.ImportSpec) {
		importPath, local, ours, _ := imported(spec)
		if testers[f.pkg] {
			return
		}
		if importPath == "testing" || strings.HasPrefix(importPath, "testing/") {
			report("%s: production code may not import %s", t.at(spec), importPath)
		}
		if ours && testers[local] {
			report("%s: only tests may import %s", t.at(spec), local)
		}
	})
}

func packageComments(t *tree, report func(string, ...any)) {
	documented := map[string]bool{}
	for _, f := range t.goFiles {
		name := strings.TrimSuffix(f.syntax.Name.Name, "_test")
		doc := f.syntax.Doc.Text()
		documented[f.pkg] = documented[f.pkg] || strings.HasPrefix(doc, "Package "+name+" ") || name == "main" && doc != ""
	}
	for _, pkg := range slices.Sorted(maps.Keys(documented)) {
		if !documented[pkg] {
			report("%s: no comment says what the package is", pkg)
		}
	}
}

func names(t *tree, report func(string, ...any)) {
	seen := map[string]bool{}
	for _, f := range t.goFiles {
		for _, name := range append(strings.Split(f.pkg, "/"), f.syntax.Name.Name) {
			if forbiddenNames[name] && !seen[f.pkg] {
				seen[f.pkg] = true
				report("%s: %q does not say what is in it", f.pkg, name)
			}
		}
	}
}

func header(t *tree, report func(string, ...any)) {
	for _, f := range t.goFiles {
		if !strings.HasPrefix(f.text, "// SPDX-License-Identifier: Apache-2.0\n\n") {
			report("%s: does not start with the licence line and a blank one", f.name)
		}
	}
}

func fileBudget(t *tree, report func(string, ...any)) {
	for _, f := range t.goFiles {
		if n := countLines(f.text); n > maxFileLines && !f.generated {
			report("%s: %d lines, at most %d", f.name, n, maxFileLines)
		}
	}
}

func functionBudget(t *tree, report func(string, ...any)) {
	for _, f := range t.goFiles {
		for _, decl := range f.syntax.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || f.generated {
				continue
			}
			if n := t.lines(fn); n > maxFuncLines {
				report("%s: %s has %d lines, at most %d", t.at(fn), fn.Name.Name, n, maxFuncLines)
			}
		}
	}
}

func packageBudget(t *tree, report func(string, ...any)) {
	size := map[string]int{}
	for _, f := range t.goFiles {
		if !f.test && !f.generated {
			size[f.pkg] += countLines(f.text)
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(size)) {
		if size[pkg] > maxPackageLines {
			report("%s: %d lines, at most %d", pkg, size[pkg], maxPackageLines)
		}
	}
}

// interfaceBudget counts the methods of each interface, with those of the
// interfaces of the same package that it embeds; a foreign one counts as one.
func interfaceBudget(t *tree, report func(string, ...any)) {
	declared := map[string]*ast.InterfaceType{} // by package and name
	for _, f := range t.goFiles {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if it, ok := spec.Type.(*ast.InterfaceType); ok && !f.generated {
					declared[f.pkg+" "+spec.Name.Name] = it
				}
			}
			return true
		})
	}
	var count func(pkg string, it *ast.InterfaceType, depth int) int
	count = func(pkg string, it *ast.InterfaceType, depth int) (n int) {
		for _, field := range it.Methods.List {
			embedded, ok := field.Type.(*ast.Ident)
			if inner := declared[pkg+" "+fmt.Sprint(embedded)]; ok && inner != nil && depth < 10 {
				n += count(pkg, inner, depth+1)
			} else {
				n += max(1, len(field.Names))
			}
		}
		return n
	}
	for _, key := range slices.Sorted(maps.Keys(declared)) {
		pkg, name, _ := strings.Cut(key, " ")
		if n := count(pkg, declared[key], 0); n > maxMethods {
			report("%s: %s has %d methods, at most %d", t.at(declared[key]), name, n, maxMethods)
		}
	}
}

func mainBudget(t *tree, report func(string, ...any)) {
	for _, f := range t.goFiles {
		if n := countLines(f.text); strings.HasPrefix(f.name, "cmd/") && path.Base(f.name) == "main.go" && n > maxMainLines {
			report("%s: %d lines, at most %d", f.name, n, maxMainLines)
		}
	}
}

var goal = regexp.MustCompile(`(?m)^([a-z][a-z0-9_-]*)\s*:([^=]|$)`)

func makefile(t *tree, report func(string, ...any)) {
	if n := len(goal.FindAllString(t.texts["Makefile"], -1)); n > maxMakefileGoals {
		report("Makefile: %d targets, at most %d", n, maxMakefileGoals)
	}
}

var replaceDirective = regexp.MustCompile(`(?m)^\s*replace\b`)

// noReplace keeps the main module usable by others: a replace only counts in
// the module that is built.
func noReplace(t *tree, report func(string, ...any)) {
	if replaceDirective.MatchString(t.texts["go.mod"]) {
		report("go.mod: the main module may not replace another")
	}
}

var machinePath = regexp.MustCompile(`(?m)(?:^|[^A-Za-z0-9_./-])(/(?:work|root|farm)/)`)

func machinePaths(t *tree, report func(string, ...any)) {
	for _, name := range slices.Sorted(maps.Keys(t.texts)) {
		text := t.texts[name]
		if at := machinePath.FindStringSubmatchIndex(text); at != nil {
			report("%s:%d: names the path %s of one machine", name, 1+strings.Count(text[:at[2]], "\n"), text[at[2]:at[3]])
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)\s]+)\)`)

// links looks for links from a page to a file that is not there.
func links(t *tree, report func(string, ...any)) {
	exists := set(".")
	for name := range t.texts {
		for ; name != "."; name = path.Dir(name) {
			exists[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(t.texts)) {
		if path.Ext(name) != ".md" || strings.Contains(name, "testdata/") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(t.texts[name], -1) {
			target, _, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, ":") || target == "" {
				continue // a URL, or a place on the same page
			}
			if !exists[path.Join(path.Dir(name), target)] {
				report("%s: links to %s, which is not there", name, target)
			}
		}
	}
}

// fuzzList is the file that names every fuzz target, "folder FuzzName" a line.
// The fuzz run goes by it, so that no target is forgotten and none is lost.
const fuzzList = "test/fuzz-targets.txt"

func fuzzTargets(t *tree, report func(string, ...any)) {
	found := fuzzers(t)
	listed := set(strings.Split(strings.TrimSpace(t.texts[fuzzList]), "\n")...)
	delete(listed, "")
	for _, target := range slices.Sorted(maps.Keys(found)) {
		if !listed[target] {
			report("%s: does not list %s", fuzzList, target)
		}
	}
	for _, target := range slices.Sorted(maps.Keys(listed)) {
		if !found[target] {
			report("%s: lists %s, which does not exist", fuzzList, target)
		}
	}
}

// fuzzers returns the fuzz targets of the tree in the form of the list.
func fuzzers(t *tree) map[string]bool {
	found := map[string]bool{}
	for _, f := range t.goFiles {
		for _, decl := range f.syntax.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && f.test && fn.Recv == nil && strings.HasPrefix(fn.Name.Name, "Fuzz") {
				found[f.pkg+" "+fn.Name.Name] = true
			}
		}
	}
	return found
}
