// SPDX-License-Identifier: Apache-2.0

package doctest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// page returns text with every ”' as a fence.
func page(text string) string { return strings.ReplaceAll(text, "'''", "```") }

// pages are run by TestPages in a process of their own, so that the outcome of
// each can be looked at.
var pages = []struct {
	name, page string
	want       string // in what the failing test prints; "" means that it passes
}{
	{"one-shell-for-the-page", `
'''console
$ cd /; export WHO=fred
$ WHERE=$(pwd)
'''
Between.
'''console
$ echo "$WHO in $WHERE"
fred in /
'''`, ""},
	{"output-differs", "'''console\n$ echo one; echo two\none\ntoo\n'''", "page.md:2: $ echo one; echo two\n"},
	{"output-missing", "'''console\n$ echo one\n'''", "want\n"},
	{"standard-error-counts", "'''console\n$ echo oops >&2; false\noops\n'''", ""},
	{"silent-failure", "'''console\n$ false\n'''", "exit status 1, printed"},
	{"no-newline-at-the-end", "'''console\n$ printf one\none\n\n$ printf two\ntwo\n'''", ""},
	{"input-is-empty", "'''console\n$ cat\n$ echo still here\nstill here\n'''", ""},
	{"continued-lines", "'''console\n$ echo one \\\n>   two \\\n    three\none two three\n'''", ""},
	{"second-prompts", "'''console\n$ echo 'one\n>   two'\none\n  two\n'''", ""},
	{"here-document", "'''console\n$ cat > a.json <<'EOF'\n> {\"a\": 1}\n{\"b\": 2}\nEOF\n$ cat a.json\n{\"a\": 1}\n{\"b\": 2}\n'''", ""},
	{"here-string", "'''console\n$ cat <<<one\none\n'''", ""},
	{"an-alias", "'''console\n$ alias hi='echo hello'\n$ hi there\nhello there\n'''", ""},
	{"the-shell-ends", "'''console\n$ exit 3\n'''", "the shell ended or took over"},
	{"a-command-hangs", "'''console\n$ sleep 20\n'''", "the shell ended or took over 1s"},
	{"rewritten-address", "'''console\n$ echo http://127.0.0.1:4280\nhttp://127.0.0.1:4280\n$ echo http://127.0.0.1:4280 | wc -c | tr -d ' '\n19\n'''", ""},
	{"files", `
<!-- doctest: file sub/a.yaml -->
'''yaml
at: 127.0.0.1:4280
$ not a prompt
'''

'''console
$ cat sub/a.yaml
at: [..]
$ not a prompt
'''`, "a prompt"}, // the second prompt is one, and no command
	{"a-file", `
<!-- doctest: file sub/a.yaml -->

'''yaml
at: 127.0.0.1:4280
'''
'''console
$ cat sub/a.yaml; wc -c < sub/a.yaml | tr -d ' '
at: 127.0.0.1:4280
16
'''`, ""},
	{"a-server", `
<!-- doctest: server -->
'''console
$ serve 4280
ready on … port
'''
'''console
$ cat served
yes
$ test ! -e drained
'''
<!-- doctest: server -->
'''console
$ serve again
…
'''
'''console
$ cat drained
yes
'''`, ""},
	{"a-server-that-ends", "<!-- doctest: server -->\n'''console\n$ fail\nready\n'''", "ended: exit status 7, printed"},
	{"a-server-that-says-something-else", "<!-- doctest: server -->\n'''console\n$ serve x\nsteady\n'''", "did not print what the page shows in 1s"},
	{"an-unexpected-skip", "<!-- doctest: skip needs root -->\n'''console\n$ reboot\n'''", `skipped blocks ["needs root"], want []`},
	{"a-hidden-command", "'''sh\n$ aws iam list-users\n'''", `line 2: a prompt in a "sh" block is never run`},
	{"a-hidden-fence", "1. Do\n   '''console\n   $ false\n   '''", "line 2: a fence is three backticks"},
	{"an-unknown-comment", "<!-- doctest: maybe -->\n'''console\n$ true\n'''", "line 1: unknown: doctest: maybe"},
	{"a-file-elsewhere", "<!-- doctest: file ../a -->\n'''\n'''", "line 1: unknown: doctest: file ../a"},
	{"a-comment-far-from-its-block", "<!-- doctest: skip x -->\ntext\n'''console\n$ true\n'''", "line 2: a doctest comment stands right above"},
	{"an-open-block", "'''console\n$ true\n", "line 1: the block is not closed"},
	{"an-open-command", "'''console\n$ true \\\n'''", "line 2: the command does not end"},
	{"no-prompt", "'''console\ntrue\n'''", "line 2: a console block starts with a prompt"},
	{"two-servers-in-a-block", "<!-- doctest: server -->\n'''console\n$ true\n$ true\n'''", "line 2: a server block has one command"},
}

// stand is what "serve …" and "fail" of the pages above become: a server that
// drains, and a program that ends.
func stand(command string) string {
	if command == "fail" {
		return `bash -c 'echo no such luck; exit 7'`
	}
	return `bash -c 'trap "echo yes > drained; exit 0" INT; echo yes > served; echo "ready on a port"; ` +
		`while :; do sleep 0.02; done'`
}

func TestPages(t *testing.T) {
	if file := os.Getenv("DOCTEST_PAGE"); file != "" {
		timeout, _ := time.ParseDuration(os.Getenv("DOCTEST_TIMEOUT"))
		Run(t, file, Env{
			Vars:    []string{"TZ=UTC"},
			Rewrite: []string{"127.0.0.1:4280", "localhost:1"},
			Server:  stand,
			Timeout: timeout,
		})
		return
	}
	for _, tt := range pages {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			timeout := time.Minute
			if strings.HasSuffix(tt.want, " 1s") {
				timeout = time.Second
			}
			out, failed := runPage(t, page(tt.page), timeout)
			switch {
			case tt.want == "" && failed:
				t.Errorf("the page fails:\n%s", out)
			case tt.want != "" && (!failed || !strings.Contains(out, tt.want)):
				t.Errorf("the page failed = %v, printed\n%s\nwant %q in it", failed, out, tt.want)
			}
		})
	}
}

// runPage runs TestPages on text in a process of its own and returns what it
// printed. The page is the file page.md.
func runPage(t *testing.T, text string, timeout time.Duration, args ...string) (out string, failed bool) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], append([]string{"-test.run=^TestPages$"}, args...)...)
	cmd.Env = append(os.Environ(), "DOCTEST_PAGE="+file, "DOCTEST_TIMEOUT="+timeout.String())
	printed, err := cmd.CombinedOutput()
	if len(args) > 0 {
		after, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(after), err != nil
	}
	return regexp.MustCompile(`/\S*/page\.md`).ReplaceAllString(string(printed), "page.md"), err != nil
}

func TestUpdateKeepsWhatStillMatches(t *testing.T) {
	before := page(`# Title
'''console
$ printf 'a1\nb\nc3\n'
a…
wrong
c[..]
$ echo same
s…
$ echo new
$ true
gone

'''
End.
`)
	want := page(`# Title
'''console
$ printf 'a1\nb\nc3\n'
a…
b
c[..]
$ echo same
s…
$ echo new
new
$ true
'''
End.
`)
	got, _ := runPage(t, before, time.Minute, "-update")
	if got != want {
		t.Errorf("after -update the page is\n%s\nwant\n%s", got, want)
	}
	if again, failed := runPage(t, got, time.Minute); failed {
		t.Errorf("the updated page fails:\n%s", again)
	}
}

func TestMatchLines(t *testing.T) {
	for _, tt := range []struct {
		name, want, got string
		match           bool
	}{
		{"equal", "a\nb", "a\nb", true},
		{"blanks-at-the-ends", "a  \nb\n\n", "\na\nb\r\n", true},
		{"a-blank-line-within", "a\n\nb", "a\nb", false},
		{"nothing", "", "", true},
		{"nothing-expected", "", "a", false},
		{"ellipsis-in-the-middle", "a…c", "abbc", true},
		{"ellipsis-for-nothing", "a…c", "ac", true},
		{"ellipsis-needs-both-ends", "ab…ba", "aba", false},
		{"two-ellipses", "a[..]b…c", "axbxbxc", true},
		{"order-matters", "a…b…c", "acb", false},
		{"ellipsis-stays-in-its-line", "a…\nb", "a\nx\nb", false},
		{"lone-ellipsis-for-lines", "a\n…\nb", "a\nx\ny\nb", true},
		{"lone-ellipsis-for-no-line", "a\n…\nb", "a\nb", true},
		{"lone-ellipsis-at-the-end", "a\n…", "a\nb\nc", true},
		{"lone-ellipsis-tries-again", "…\na\nb", "a\nx\na\nb", true},
		{"after-a-lone-ellipsis", "…\nz", "a\nb", false},
		{"got-is-shorter", "a\nb", "a", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := matchLines(strings.Split(tt.want, "\n"), strings.Split(tt.got, "\n")); got != tt.match {
				t.Errorf("matchLines(%q, %q) = %v, want %v", tt.want, tt.got, got, tt.match)
			}
		})
	}
}
