// SPDX-License-Identifier: Apache-2.0

package doctest

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A runner is the shell and the folder of one page.
type runner struct {
	env        Env
	file, dir  string
	scratch    string            // outside dir: the command at hand
	mean, show *strings.Replacer // from the page to this run, and back
	timeout    time.Duration

	shell  *exec.Cmd
	stdin  io.Writer
	pipe   *os.File // the shell's standard output and error
	stdout *bufio.Reader
	marker string // printed by the shell after each command, with its exit status

	server *server
	edits  []edit
}

func newRunner(t *testing.T, file string, env Env) *runner {
	t.Helper()
	r := &runner{env: env, file: file, dir: t.TempDir(), scratch: filepath.Join(t.TempDir(), "command"),
		timeout: cmp.Or(env.Timeout, time.Minute), marker: "--" + rand.Text()}
	back := make([]string, len(env.Rewrite))
	for i := 0; i+1 < len(back); i += 2 {
		back[i], back[i+1] = env.Rewrite[i+1], env.Rewrite[i]
	}
	r.mean, r.show = strings.NewReplacer(env.Rewrite...), strings.NewReplacer(back...)

	r.shell = r.bash("-O", "expand_aliases") // as at a prompt
	stdin, err := r.shell.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.stdin, r.pipe, r.stdout = stdin, out, bufio.NewReader(out)
	r.shell.Stdout, r.shell.Stderr = in, in
	if err := r.shell.Start(); err != nil {
		t.Fatal(err)
	}
	in.Close()
	t.Cleanup(func() {
		r.server.stop(t)
		r.shell.Process.Kill()
		r.shell.Wait()
		out.Close()
	})
	return r
}

// bash returns a shell in the page's folder that reads no start-up file.
func (r *runner) bash(args ...string) *exec.Cmd {
	cmd := exec.Command("bash", append([]string{"--noprofile", "--norc"}, args...)...)
	cmd.Dir = r.dir
	cmd.Env = append(append(os.Environ(), "PWD="+r.dir), r.env.Vars...)
	return cmd
}

// run runs one block and reports whether it went as printed.
func (r *runner) run(t *testing.T, b block) bool {
	return t.Run("line="+strconv.Itoa(b.line), func(t *testing.T) {
		switch b.kind {
		case kindFile:
			r.write(t, b)
		case kindServer:
			r.serve(t, b.commands[0])
		default:
			for _, c := range b.commands {
				r.command(t, c)
			}
		}
	})
}

// command runs c in the shell and compares.
func (r *runner) command(t *testing.T, c command) {
	got, status := r.execute(t, c)
	got = trim(got)
	where := fmt.Sprintf("%s:%d: $ %s", r.file, c.line, c.script)
	switch {
	case matchLines(c.want, got) && (status == 0 || len(got) > 0):
	case *update && (status == 0 || len(got) > 0):
		r.edits = append(r.edits, edit{c, got})
	default:
		t.Fatalf("%s\nexit status %d, printed\n%s\nwant\n%s", where, status, indent(got), indent(c.want))
	}
}

// execute runs c and returns what it printed and its exit status.
func (r *runner) execute(t *testing.T, c command) (got []string, status int) {
	if err := os.WriteFile(r.scratch, []byte(r.mean.Replace(c.script)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.pipe.SetReadDeadline(time.Now().Add(r.timeout))
	// The leading newline ends a last line that has none.
	fmt.Fprintf(r.stdin, ". '%s' </dev/null; printf '\\n%%s %%d\\n' '%s' $?\n", r.scratch, r.marker)
	var printed strings.Builder
	for {
		line, err := r.stdout.ReadString('\n')
		if err != nil {
			t.Fatalf("%s:%d: the shell ended or took over %v at\n$ %s\nprinted\n%s%s", r.file, c.line, r.timeout, c.script, printed.String(), line)
		}
		if rest, ok := strings.CutPrefix(line, r.marker+" "); ok {
			status, _ = strconv.Atoi(strings.TrimSpace(rest))
			return strings.Split(r.show.Replace(printed.String()), "\n"), status
		}
		printed.WriteString(line)
	}
}

// serve starts c, in place of the server before it, and waits until it has
// printed what the page shows.
func (r *runner) serve(t *testing.T, c command) {
	r.server.stop(t)
	script := c.script
	if r.env.Server != nil {
		script = r.env.Server(script)
	}
	r.server = &server{ended: make(chan struct{})}
	r.server.cmd = r.bash("-c", "exec "+r.mean.Replace(script))
	r.server.cmd.Stdout, r.server.cmd.Stderr = &r.server.out, &r.server.out
	if err := r.server.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		r.server.err = r.server.cmd.Wait()
		close(r.server.ended)
	}()

	if got, failure := r.server.await(append(trim(c.want), ellipses[0]), r.show, r.timeout); failure != "" {
		if *update && len(trim(got)) > 0 {
			r.edits = append(r.edits, edit{c, got})
			return
		}
		t.Fatalf("%s:%d: the server of $ %s\n%s, printed\n%s\nwant\n%s", r.file, c.line, c.script, failure, indent(got), indent(c.want))
	}
}

// await waits until s has printed want, and returns what it has printed and
// why that is not what is wanted, if so.
func (s *server) await(want []string, show *strings.Replacer, timeout time.Duration) (got []string, failure string) {
	deadline := time.After(timeout)
	for {
		select {
		case <-s.ended:
			failure = fmt.Sprint("ended: ", s.err)
		case <-deadline:
			failure = fmt.Sprint("did not print what the page shows in ", timeout)
		case <-time.After(20 * time.Millisecond):
		}
		got = strings.Split(show.Replace(s.out.String()), "\n")
		if matchLines(want, got) {
			return got, ""
		}
		if failure != "" {
			return got, failure
		}
	}
}

// A server is a process that a server block started. A nil server is none.
type server struct {
	cmd   *exec.Cmd
	out   output
	ended chan struct{}
	err   error // of the process; set when ended is closed
}

// stop ends the server with an interrupt and waits for it to drain; it must
// end well.
func (s *server) stop(t *testing.T) {
	if s == nil {
		return
	}
	s.cmd.Process.Signal(os.Interrupt)
	select {
	case <-s.ended:
	case <-time.After(30 * time.Second):
		s.cmd.Process.Kill()
		<-s.ended
	}
	if s.err != nil {
		t.Errorf("the server ended with: %v\n%s", s.err, s.out.String())
	}
}

// An output collects what a process prints. It is safe for concurrent use.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func indent(lines []string) string {
	return "\t" + strings.Join(trim(lines), "\n\t")
}
