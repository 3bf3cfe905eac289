// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/doctest"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

// TestWalk starts the command and does what README.md tells people to type.
func TestWalk(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	const goRun, here = "go run ./docs/examples/notes", "docs/examples/notes/policies"
	const address = "127.0.0.1:8080"
	binary := filepath.Join(t.TempDir(), "notes")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	policies, err := filepath.Abs("policies")
	if err != nil {
		t.Fatal(err)
	}
	doctest.Run(t, "README.md", doctest.Env{
		Rewrite: []string{address, freeAddress(t), here, policies},
		Server: func(command string) string {
			return strings.Replace(command, goRun, binary+" -listen "+address, 1)
		},
	})
}

// freeAddress returns a loopback address that nothing listens on at the moment.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestRunRefusesOtherThanLoopback(t *testing.T) {
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:80", "example.com:80"} {
		if err := run(listen, "policies"); err == nil || !strings.Contains(err.Error(), "no address on loopback") {
			t.Errorf("run(%q) = %v, want that it is no address on loopback", listen, err)
		}
	}
}

// TestAccess puts the questions of access.json to the policies.
func TestAccess(t *testing.T) {
	data, err := os.ReadFile("access.json")
	if err != nil {
		t.Fatal(err)
	}
	file, err := policytest.Read("access.json", data, os.ReadFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range file.Cases {
		t.Run(c.Name, func(t *testing.T) {
			if got := c.Run(policy.Decide); !got.Passed {
				t.Errorf("access.json:%d: %s", got.Line, got.Failure)
				got.Trace.Write(t.Output())
			}
		})
	}
}

// A record is a log to read while it is written.
type record struct {
	mu   sync.Mutex
	text strings.Builder
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// start serves on loopback and returns where, and what is recorded.
func start(t *testing.T) (url string, log *record, g *guard) {
	log = new(record)
	g = &guard{folder: os.DirFS("policies"), log: slog.New(slog.NewJSONHandler(log, nil))}
	if err := g.load(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newService(g))
	t.Cleanup(server.Close)
	return server.URL, log, g
}

// do sends a request as a user, with a password after a colon if it is not the
// user's own, or as nobody for "". It returns the answer's status and text.
func do(t *testing.T, user, method, url, body string) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if name, password, ok := strings.Cut(user, ":"); ok {
		r.SetBasicAuth(name, password)
	} else if user != "" {
		r.SetBasicAuth(user, "demo-"+user)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, strings.TrimSpace(string(got))
}

const everyone = `{"Version": "2012-10-17", "Statement": [
  {"Effect": "Allow", "Principal": "*", "Action": "notes:*", "Resource": ["arn:aws:notes::111122223333:note/fred/*", "arn:aws:notes::111122223333:notebook/fred"]}]}`

// TestRequests is one story; each step depends on those before.
func TestRequests(t *testing.T) {
	url, log, _ := start(t)
	const fred = "/111122223333/fred"
	for _, tt := range []struct {
		name, user, method, path, body string
		status                         int
		text                           string // within the answer
	}{
		{"own-note", "fred", "PUT", fred + "/notes/a", "one", 200, "written"},
		{"own-note-again", "fred", "GET", fred + "/notes/a", "", 200, "one"},
		{"no-such-note", "fred", "GET", fred + "/notes/b", "", 404, "no such note"},
		{"nobody-asks", "", "GET", fred + "/notes/a", "", 401, "not allowed without signing in"},
		{"wrong-password", "fred:demo-ann", "GET", fred + "/notes/a", "", 401, "wrong user or password"},
		{"unknown-user", "fran:", "GET", fred + "/notes/a", "", 401, "wrong user or password"},
		{"someone-elses-note", "ann", "GET", fred + "/notes/a", "", 403, "not allowed, decision "},
		{"whether-it-exists-is-not-told", "ann", "GET", fred + "/notes/b", "", 403, "not allowed, decision "},
		{"nor-which-notebooks-do", "ann", "GET", "/111122223333/fran/notes", "", 403, "not allowed, decision "},
		{"the-same-name-in-another-account", "fred", "GET", "/444455556666/fred/notes/a", "", 403, "not allowed"},
		{"escaped-slash", "fred", "GET", fred + "/notes/a%2Fb", "", 400, "a name a-z"},
		{"wildcard", "fred", "GET", fred + "/notes/*", "", 400, "a name a-z"},
		{"account-of-letters", "fred", "GET", "/me/fred/notes/a", "", 400, "twelve digits"},
		{"long-note", "fred", "PUT", fred + "/notes/a", strings.Repeat("x", maxBody+1), 413, "too large"},

		{"broken-json", "fred", "PUT", fred + "/policy", `{"Version"`, 400, `{"problems":[{"position":{"line":1,`},
		{"unknown-operator", "fred", "PUT", fred + "/policy", strings.Replace(everyone, `"Action"`, `"Condition": {"StringEqual": {"a:b": "c"}}, "Action"`, 1),
			400, `"code":"unknown-operator"`},
		{"someone-elses-resource", "fred", "PUT", fred + "/policy", strings.ReplaceAll(everyone, "/fred", "/ann"), 400, `is not of this notebook`},
		{"more-than-the-notebook", "fred", "PUT", fred + "/policy", strings.ReplaceAll(everyone, "/fred", "/fred*"), 400, `is not of this notebook`},
		{"sharing-is-not-shared", "fred", "PUT", fred + "/policy", strings.ReplaceAll(everyone, "notes:*", "notes:Share"), 400, `"position":{"line":2,"column":51},"code":"invalid-action"`},
		{"a-policy-for-a-note", "fred", "PUT", fred + "/notes/a/policy", everyone, 404, "not found"},
		{"ann-does-not-share-for-fred", "ann", "PUT", fred + "/policy", everyone, 403, "not allowed"},
		{"shared-with-everyone", "fred", "PUT", fred + "/policy", everyone, 200, "shared"},
		{"ann-still-does-not", "ann", "PUT", fred + "/policy", everyone, 403, "not allowed"},
		{"nobody-reads", "", "GET", fred + "/notes/a", "", 200, "one"},
		{"nobody-lists", "", "GET", fred + "/notes", "", 200, "a"},
		{"another-account-needs-its-own-policies-too", "carl", "GET", fred + "/notes/a", "", 403, "not allowed"},
		{"another-account-that-has-them", "bob", "GET", fred + "/notes/a", "", 200, "one"},

		{"carl-writes", "carl", "PUT", "/444455556666/carl/notes/a", "mine", 200, "written"},
		{"what-opens-other-accounts-opens-nothing-at-home", "bob", "GET", "/444455556666/carl/notes/a", "", 403, "not allowed"},

		{"held", "fred", "PUT", fred + "/notes/kept?label=hold", "k", 200, "written"},
		{"the-hold-cannot-be-written-away", "fred", "PUT", fred + "/notes/kept", "", 403, "not allowed"},
		{"nor-by-nobody-in-particular", "", "DELETE", fred + "/notes/kept", "", 401, "not allowed"},

		{"deny-everyone", "fred", "PUT", fred + "/policy", strings.ReplaceAll(everyone, "Allow", "Deny"), 200, "shared"},
		{"the-owner-too", "fred", "GET", fred + "/notes/a", "", 403, "not allowed"},
		{"who-can-undo-it", "fred", "PUT", fred + "/policy", everyone, 200, "shared"},
		{"and-reads-again", "fred", "GET", fred + "/notes/a", "", 200, "one"},

		{"users-do-not-reload", "fred", "POST", "/reload", "", 403, "not allowed"},
		{"operators-do", "ops", "POST", "/reload", "", 200, "reloaded"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := len(log.String())
			status, text := do(t, tt.user, tt.method, url+tt.path, tt.body)
			if status != tt.status || !strings.Contains(text, tt.text) {
				t.Errorf("%s %s as %q = %d %q, want %d %q", tt.method, tt.path, tt.user, status, text, tt.status, tt.text)
			}
			_, id, decided := strings.Cut(text, "decision ")
			if got := log.String()[before:]; decided && !strings.Contains(got, `"id":"`+id+`","trace":{"summary":"Denied`) {
				t.Errorf("recorded %q, want a trace with id %s", got, id)
			}
		})
	}
}

// TestReloadWhileDeciding is for the race detector, and that no answer is of half
// a reload.
func TestReloadWhileDeciding(t *testing.T) {
	url, _, g := start(t)
	do(t, "fred", "PUT", url+"/111122223333/fred/notes/a", "one")
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for range 50 {
				if status, text := do(t, "fred", "GET", url+"/111122223333/fred/notes/a", ""); status != 200 {
					t.Errorf("GET = %d %s, want 200", status, text)
					return
				}
			}
		})
	}
	for range 50 {
		if err := g.load(); err != nil {
			t.Error(err)
		}
	}
	asking.Wait()
}

// change returns a guard of a copy of the policies in which one file has another
// text, or is gone if that is "". The old ones are in force.
func change(t *testing.T, file, text string) *guard {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS("policies")); err != nil {
		t.Fatal(err)
	}
	g := &guard{folder: os.DirFS(folder), log: slog.New(slog.DiscardHandler)}
	if err := g.load(); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(folder, file)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if text != "" {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

// TestFaultyPolicies is what becomes of policies that cannot be put in force.
func TestFaultyPolicies(t *testing.T) {
	for _, tt := range []struct{ name, file, text, want string }{
		{"unknown-element", "own-notebook.json", `{"Statment": []}`, "own-notebook.json:1:2: "},
		{"identity-with-a-principal", "visitor.json", everyone, "visitor.json:2:23: "},
		{"fence-that-allows", "fence.json", everyone, "fence.json:2:"},
		{"missing", "operator.json", "", "operator.json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			g := change(t, tt.file, tt.text)
			before := g.subjects.Load()
			if err := g.load(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("load() = %v, want %q in it", err, tt.want)
			}
			if g.subjects.Load() != before {
				t.Error("load() has put something in force, want what was")
			}
		})
	}
}

// TestOtherPolicies is of what the policies here allow nobody.
func TestOtherPolicies(t *testing.T) {
	g := change(t, "operator.json", `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "notes:*", "Resource": "*"}}`)
	if err := g.load(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newService(g))
	defer server.Close()
	for path, want := range map[string]int{"/111122223333/none/notes": 404, "/111122223333/fred/notes": 200, "/444455556666/bob/notes": 403} {
		if status, text := do(t, "ops", "GET", server.URL+path, ""); status != want {
			t.Errorf("GET %s = %d %s, want %d", path, status, text, want)
		}
	}
}

// TestEmbeddingTakesOneLine checks what the packages bring into the module of a
// program that imports them: themselves, without any module from anywhere else.
func TestEmbeddingTakesOneLine(t *testing.T) {
	const ours = "github.com/innkeeper-iam/innkeeper"
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module example.com/notes\n\ngo 1.26\n\nreplace " + ours + " => " + strconv.Quote(root) + "\n\nrequire " + ours + " v0.0.0\n",
		"main.go": "package main\n\nimport (\n\t_ \"" + ours + "/arn\"\n\t_ \"" + ours + "/policy\"\n\t_ \"" +
			ours + "/policy/policytest\"\n)\n\nfunc main() {}\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tidy := exec.Command("go", "mod", "tidy")
	tidy.Dir = folder
	tidy.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := tidy.CombinedOutput(); err != nil {
		t.Fatalf("go mod tidy: %v\n%s", err, out)
	}
	if mod := readFile(t, filepath.Join(folder, "go.mod")); strings.Count(mod, "require") != 1 || strings.Contains(mod, "indirect") {
		t.Errorf("go.mod = %s, want one requirement", mod)
	}
	if sums, err := os.ReadFile(filepath.Join(folder, "go.sum")); err == nil && len(sums) > 0 {
		t.Errorf("go.sum = %s, want none", sums)
	}
}

// TestPagesQuoteTestedCode checks that the Go on the pages about embedding is cut
// from code that tests run: the lines of a block, where "…" leaves some out, stand
// in one file in their order, whatever their indentation.
func TestPagesQuoteTestedCode(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	var files []string
	for _, pattern := range []string{"policy/example*_test.go", "docs/examples/notes/*.go"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: no such file (%v)", pattern, err)
		}
		for _, name := range names {
			files = append(files, flat(readFile(t, name)))
		}
	}
	for _, page := range []string{"README.md", "docs/embedding.md"} {
		text := readFile(t, filepath.Join(root, page))
		blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```").FindAllStringSubmatch(text, -1)
		if len(blocks) == 0 {
			t.Errorf("%s has no Go", page)
		}
		for _, b := range blocks {
			if !slices.ContainsFunc(files, func(file string) bool { return quotes(flat(b[1]), file) }) {
				t.Errorf("%s: no tested file holds\n%s", page, b[1])
			}
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// flat returns text without indentation, with a line break at both ends.
func flat(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimSpace(line)
	}
	return "\n" + strings.Join(lines, "\n") + "\n"
}

// quotes reports whether the parts of block between lines of "…" stand in file.
func quotes(block, file string) bool {
	for part := range strings.SplitSeq(block, "\n…\n") {
		_, rest, found := strings.Cut(file, flat(part))
		if !found {
			return false
		}
		file = "\n" + rest
	}
	return true
}
