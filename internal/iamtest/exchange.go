// SPDX-License-Identifier: Apache-2.0

package iamtest

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/innkeeper-iam/innkeeper/internal/mfa"
)

// Exchanges replays the exchanges in the txtar files that match pattern, each on
// a node of its own with fixed identifiers and a clock that stands still, and
// compares the answers as bytes. If update is true it writes the answers into
// the files instead.
//
// The comment of a file says what it shows. Its sections are, in order:
//
//	-- request --        a request of the administrator: the operation, then a
//	                     parameter a line, "Name=value". A value that begins with
//	                     a quotation mark is a Go string; <<Element>> stands for
//	                     the text of the latest such element of an answer, and
//	                     <<Code-1>> for what the latest virtual MFA device shows,
//	                     here a period ago. Of a service with the JSON protocol:
//	                     "service:Operation", then the body; <<Member>> stands
//	                     for the first such member of an answer.
//	-- request ann --    a request of the user ann with a key made before, of the
//	                     role session or federated user ann, of "session" (made by
//	                     GetSessionToken), of "task" (made by AssumeRoot), or of
//	                     "root".
//	-- response --       status and body of the answer. Line breaks between a tag
//	                     and the next are not part of it. Session tokens, their
//	                     secrets, web identity tokens and encoded messages, which
//	                     are never the same, are in brackets.
//	-- advance --        how far the clock moves on, such as 1h.
func Exchanges(t *testing.T, pattern string, update bool) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("iamtest: no exchanges match %s: %v", pattern, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if len(strings.TrimSpace(string(archive.Comment))) == 0 {
				t.Errorf("%s: no comment says what it shows", file)
			}
			played := Options{}.replay(t, archive)
			if update {
				if err := os.WriteFile(file, txtar.Format(played), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			compare(t, file, archive, played)
		})
	}
}

// compare reports the first answer that differs.
func compare(t *testing.T, file string, want, got *txtar.Archive) {
	if len(want.Files) != len(got.Files) {
		t.Fatalf("%s: %d sections, want %d: run the test with -update", file, len(want.Files), len(got.Files))
	}
	for i, w := range want.Files {
		if g := got.Files[i]; string(g.Data) != string(w.Data) {
			t.Fatalf("%s: step %d\n%s\ngot\n%s\nwant\n%s", file, i/2+1, got.Files[i-1].Data, g.Data, w.Data)
		}
	}
}

// A player replays one file.
type player struct {
	server  *Server
	clients map[string]*Client
	answers []string // bodies, oldest first
}

// Replay makes the requests of the exchanges in a file, as Exchanges does, on a
// node of o with fixed identifiers and a clock that stands still. The answers are
// not compared.
func (o Options) Replay(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	o.replay(t, archive)
}

func (o Options) replay(t *testing.T, archive *txtar.Archive) *txtar.Archive {
	clock := NewClock()
	o.Clock, o.Fixed = clock, true
	s := o.Start(t)
	p := &player{server: s, clients: map[string]*Client{"": s.Admin()}}
	out := &txtar.Archive{Comment: archive.Comment}
	for _, f := range archive.Files {
		kind, who, _ := strings.Cut(f.Name, " ")
		switch kind {
		case "response":
		case "advance":
			d, err := time.ParseDuration(strings.TrimSpace(string(f.Data)))
			if err != nil {
				t.Fatal(err)
			}
			clock.Advance(d)
			out.Files = append(out.Files, f)
		case "request":
			out.Files = append(out.Files, f, txtar.File{Name: "response", Data: []byte(p.request(who, string(f.Data)))})
		default:
			t.Fatalf("iamtest: section %q is not known", f.Name)
		}
	}
	return out
}

// request makes one request and returns its answer as the file has it.
func (p *player) request(who, text string) string {
	t := p.server.t
	lines := strings.Split(strings.TrimSpace(text), "\n")
	action, params := lines[0], lines[1:]
	if service, op, ok := strings.Cut(action, ":"); ok {
		return p.requestJSON(who, service, op, strings.Join(params, "\n"))
	}
	values := make(map[string]string)
	for i, line := range params {
		name, value, _ := strings.Cut(line, "=")
		if strings.HasPrefix(value, `"`) {
			plain, err := strconv.Unquote(value)
			if err != nil {
				t.Fatalf("iamtest: %s: %s: %v", action, line, err)
			}
			value = plain
		}
		value = placeholder.ReplaceAllStringFunc(value, p.lookup)
		params[i], values[name] = name+"="+value, value
	}
	status, body := p.client(who).Call(action, params...)
	p.answers = append(p.answers, body)
	p.remember(action, values, status, body)
	if strings.Contains(body, ">\n<") {
		t.Fatalf("iamtest: %s: the answer has a line break between tags", action)
	}
	body = strings.ReplaceAll(mask(body), "><", ">\n<")
	return fmt.Sprintf("%d\n%s\n", status, body)
}

// requestJSON is request for a service with the JSON protocol.
func (p *player) requestJSON(who, service, op, body string) string {
	status, answer := p.client(who).CallJSON(service, op, placeholder.ReplaceAllStringFunc(body, p.lookup))
	p.answers = append(p.answers, answer)
	return fmt.Sprintf("%d\n%s\n", status, mask(answer))
}

var placeholder = regexp.MustCompile(`<<\w+([+-]\d+)?>>`)

// lookup returns what a placeholder stands for.
func (p *player) lookup(text string) string {
	name := strings.Trim(text, "<>")
	if by, ok := strings.CutPrefix(name, "Code"); ok {
		return p.code(by)
	}
	for i := len(p.answers) - 1; i >= 0; i-- {
		if v := cmp.Or(Element(p.answers[i], name), Member(p.answers[i], name)); v != "" {
			return v
		}
	}
	p.server.t.Fatalf("iamtest: no answer has had an element %s", name)
	return ""
}

// code returns the code of the latest virtual MFA device, by a number of periods
// from now.
func (p *player) code(by string) string {
	periods, err := strconv.Atoi(cmp.Or(by, "0"))
	if err != nil {
		p.server.t.Fatalf("iamtest: Code%s: %v", by, err)
	}
	return p.server.Code(p.lookup("<<Base32StringSeed>>"), time.Duration(periods)*mfa.Period)
}

func (p *player) client(who string) *Client {
	if who == "root" && p.clients[who] == nil {
		p.clients[who] = p.server.Root(Account)
	}
	c := p.clients[who]
	if c == nil {
		p.server.t.Fatalf("iamtest: nobody is called %q yet", who)
	}
	return c
}

// remember keeps the credentials that an answer hands out.
func (p *player) remember(action string, params map[string]string, status int, body string) {
	var who string
	switch action {
	case "CreateAccessKey":
		who = params["UserName"]
	case "AssumeRole":
		who = params["RoleSessionName"]
	case "GetFederationToken":
		who = params["Name"]
	case "GetSessionToken":
		who = "session"
	case "AssumeRoot":
		who = "task"
	}
	if who != "" && status == http.StatusOK {
		p.clients[who] = p.server.Client(Element(body, "AccessKeyId"), Element(body, "SecretAccessKey"), Element(body, "SessionToken"))
	}
}

var (
	token   = regexp.MustCompile(`(<SessionToken>)[^<]*`)
	signed  = regexp.MustCompile(`(<WebIdentityToken>)[^<]*`)
	secret  = regexp.MustCompile(`(<SecretAccessKey>)[^<]*`)
	message = regexp.MustCompile(`(Encoded authorization failure message: )[\w-]+`)
)

// mask hides what is never the same.
func mask(body string) string {
	if token.MatchString(body) {
		body = secret.ReplaceAllString(token.ReplaceAllString(body, "${1}[token]"), "${1}[secret]")
	}
	body = signed.ReplaceAllString(body, "${1}[token]")
	return message.ReplaceAllString(body, "${1}[message]")
}
