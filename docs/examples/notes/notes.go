// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// maxBody is the longest note or policy, in bytes.
const maxBody = 20 << 10

// A service keeps the notes: in memory, where yours has a database.
type service struct {
	guard *guard

	mu        sync.Mutex           // guards below
	notebooks map[string]*notebook // by account and name
}

// A notebook has notes by name, and the policy that its owner gave it.
type notebook struct {
	notes  map[string]note
	policy *policy.Policy // nil for none
}

type note struct {
	text   string
	labels []string
}

// A visit is a request that was allowed, and what it is about.
type visit struct {
	caller   *subject
	question *policy.Request
	place    place
	notebook *notebook // nil for a place that is in none
	labels   []string  // that the request brings
	body     []byte
}

// A reply is a status and a line of text.
type reply struct {
	status int
	text   string
}

// newService returns the service's handler. Each route names its action, so that
// there is none without a question to the guard.
func newService(g *guard) http.Handler {
	s := &service{guard: g, notebooks: make(map[string]*notebook)}
	for name, u := range users {
		s.notebooks[u.account+"/"+name] = &notebook{notes: make(map[string]note)}
	}
	mux := http.NewServeMux()
	route := func(pattern, action string, do func(*visit) reply) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer := s.answer(w, r, action, do)
			if answer.status == http.StatusUnauthorized {
				w.Header().Set("WWW-Authenticate", `Basic realm="notes"`)
			}
			w.WriteHeader(answer.status)
			fmt.Fprintln(w, answer.text)
		})
	}
	route("GET /{account}/{notebook}/notes", "notes:List", list)
	route("GET /{account}/{notebook}/notes/{note}", "notes:Read", read)
	route("PUT /{account}/{notebook}/notes/{note}", "notes:Write", write)
	route("DELETE /{account}/{notebook}/notes/{note}", "notes:Delete", remove)
	route("PUT /{account}/{notebook}/policy", "notes:Share", share)
	route("POST /reload", "notes:Reload", func(*visit) reply { return reload(g) })
	return mux
}

// answer authenticates, decides and only then acts. It does the last two under one
// lock, so that what was decided about is what is acted on.
func (s *service) answer(w http.ResponseWriter, r *http.Request, action string, do func(*visit) reply) reply {
	caller, ok := s.guard.who(r)
	if !ok {
		return reply{http.StatusUnauthorized, "wrong user or password"}
	}
	at, ok := placeOf(r)
	if !ok {
		return reply{http.StatusBadRequest, "an account is twelve digits, a name a-z, 0-9 and '-'"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return reply{http.StatusRequestEntityTooLarge, err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v := &visit{caller: &caller, place: at, notebook: s.notebooks[at.account+"/"+at.notebook], labels: r.URL.Query()["label"], body: body}
	var stored []string // labels
	var shared *policy.Policy
	if v.notebook != nil {
		stored = v.notebook.notes[at.note].labels
		if action != "notes:Share" { // which a notebook's policy can neither give away nor take from the owner
			shared = v.notebook.policy
		}
	}
	v.question = caller.question(r, action, at.arn(), stored)
	switch ok, id := s.guard.decide(&caller, v.question, shared); {
	case !ok && caller.principal.Type == policy.Anonymous:
		return reply{http.StatusUnauthorized, "not allowed without signing in, decision " + id}
	case !ok:
		return reply{http.StatusForbidden, "not allowed, decision " + id}
	case v.notebook == nil && at.notebook != "":
		return reply{http.StatusNotFound, "no such notebook"}
	}
	return do(v)
}

// list names the notes that the caller may read.
func list(v *visit) reply {
	q, set := *v.question, v.caller.set
	q.Action, set.Resource = "notes:Read", v.notebook.policy
	var names []string
	for _, name := range slices.Sorted(maps.Keys(v.notebook.notes)) {
		q.Resource = place{v.place.account, v.place.notebook, name}.arn()
		q.Lists = map[string][]string{"notes:Label": v.notebook.notes[name].labels}
		if policy.Decide(&q, &set).Outcome == policy.Allowed {
			names = append(names, name)
		}
	}
	return reply{http.StatusOK, strings.Join(names, "\n")}
}

func read(v *visit) reply {
	n, ok := v.notebook.notes[v.place.note]
	if !ok {
		return reply{http.StatusNotFound, "no such note"}
	}
	return reply{http.StatusOK, n.text}
}

func write(v *visit) reply {
	v.notebook.notes[v.place.note] = note{string(v.body), v.labels}
	return reply{http.StatusOK, "written"}
}

func remove(v *visit) reply {
	delete(v.notebook.notes, v.place.note)
	return reply{http.StatusOK, "deleted"}
}

// share gives the notebook a policy, or says what is wrong with it, and where.
func share(v *visit) reply {
	p, err := compile(v.place.arn(), v.body, policy.Resource)
	problems := policy.Problems(err)
	if err == nil {
		problems = foreign(p.Document(), v.place)
	}
	if len(problems) > 0 {
		text, _ := json.Marshal(map[string]any{"problems": problems}) // plain structs
		return reply{http.StatusBadRequest, string(text)}
	}
	v.notebook.policy = p
	return reply{http.StatusOK, "shared"}
}

// foreign returns what a notebook's policy says about anything but this notebook:
// the rules that are not AWS's but the service's own.
func foreign(doc *policy.Document, at place) []policy.Problem {
	var problems []policy.Problem
	isAction := func(pattern string) bool {
		return slices.ContainsFunc([]string{"notes:read", "notes:write", "notes:delete", "notes:list"},
			func(action string) bool { return arn.Match(strings.ToLower(pattern), action) })
	}
	notes := at.notes()
	for _, s := range doc.Statements {
		for _, a := range s.Action {
			if !isAction(a.Text) {
				problems = append(problems, policy.Problem{Pos: a.Pos, Code: policy.InvalidAction,
					Message: "nobody can share " + a.Text, Fix: "notes:Read, notes:Write, notes:Delete or notes:List"})
			}
		}
		for _, r := range s.Resource {
			if r.Text != at.arn() && !strings.HasPrefix(r.Text, notes) {
				problems = append(problems, policy.Problem{Pos: r.Pos, Code: policy.InvalidResource,
					Message: r.Text + " is not of this notebook", Fix: notes + "*, or " + at.arn()})
			}
		}
	}
	return problems
}

// reload puts changed policies in force.
func reload(g *guard) reply {
	if err := g.load(); err != nil {
		return reply{http.StatusUnprocessableEntity, err.Error()}
	}
	return reply{http.StatusOK, "reloaded"}
}

// A place is what the path of a URL names: a note, a notebook if note is "", the
// service itself if both are.
type place struct{ account, notebook, note string }

var name = regexp.MustCompile(`^[a-z0-9-]{1,64}$`)

// placeOf returns the place that r names. It is strict, because names become part
// of ARNs, and a path may hold anything, an escaped slash for one.
func placeOf(r *http.Request) (at place, ok bool) {
	at = place{r.PathValue("account"), r.PathValue("notebook"), r.PathValue("note")}
	ok = at == place{} || arn.IsAccountID(at.account) && name.MatchString(at.notebook) && (at.note == "" || name.MatchString(at.note))
	return at, ok
}

// arn returns what policies call the place.
func (at place) arn() string {
	switch {
	case at.notebook == "":
		return "*"
	case at.note == "":
		return arn.Make("aws", "notes", "", at.account, "notebook/"+at.notebook).String()
	}
	return at.notes() + at.note
}

// notes returns what the ARNs of the notes of the place's notebook begin with.
func (at place) notes() string {
	return arn.Make("aws", "notes", "", at.account, "note/"+at.notebook+"/").String()
}
