// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// users stands for the sign-in that you have. The policies are files of the
// policies folder.
var users = map[string]struct {
	account, password string
	policies          []string
}{
	"fred": {"111122223333", "demo-fred", []string{"own-notebook.json"}},
	"ann":  {"111122223333", "demo-ann", []string{"own-notebook.json"}},
	"bob":  {"444455556666", "demo-bob", []string{"own-notebook.json", "visitor.json"}},
	"carl": {"444455556666", "demo-carl", []string{"own-notebook.json"}},
	"ops":  {"111122223333", "demo-ops", []string{"operator.json"}},
}

// A subject is a caller, with what a request needs to say about it and the
// policies that are in force whatever the resource.
type subject struct {
	principal policy.Principal
	context   map[string]string // the condition keys that follow from the caller
	set       policy.Set        // without the resource's policy
}

// A guard knows the callers and their policies, decides, and keeps the record.
// It is safe for concurrent use once it is loaded.
type guard struct {
	folder   fs.FS
	log      *slog.Logger
	subjects atomic.Pointer[map[string]subject] // by user; "" is nobody in particular
}

// load reads the policies and puts them in force together. If one is faulty it
// says what is wrong with each, and those before stay in force.
func (g *guard) load() error {
	var errs []error
	compiled := make(map[string]*policy.Policy) // by file, shared by all who have it
	read := func(file string, kind policy.Kind) *policy.Policy {
		if p, ok := compiled[file]; ok {
			return p
		}
		text, err := fs.ReadFile(g.folder, file)
		if err == nil {
			compiled[file], err = compile(file, text, kind)
		}
		errs = append(errs, err)
		return compiled[file]
	}

	// The fence applies to every request, whoever sends it. A control policy only
	// takes away; what it takes from is the other policy of its level, as in AWS.
	doc, err := policy.Parse("open", []byte(`{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}`))
	if err != nil {
		return err
	}
	open, err := policy.Compile(doc, policy.RCP)
	errs = append(errs, err)
	fence := [][]*policy.Policy{{open, read("fence.json", policy.RCP)}}

	subjects := map[string]subject{"": {set: policy.Set{RCPs: fence}}}
	for name, u := range users {
		s := subject{set: policy.Set{RCPs: fence}}
		for _, file := range u.policies {
			s.set.Identity = append(s.set.Identity, read(file, policy.Identity))
		}
		s.principal, err = policy.PrincipalOf("arn:aws:iam::" + u.account + ":user/" + name)
		errs = append(errs, err)
		s.context = map[string]string{
			"aws:username":         name,
			"aws:PrincipalArn":     s.principal.ARN,
			"aws:PrincipalAccount": s.principal.Account,
		}
		subjects[name] = s
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	g.subjects.Store(&subjects)
	return nil
}

// compile makes a policy of a text that somebody wrote.
func compile(name string, text []byte, kind policy.Kind) (*policy.Policy, error) {
	doc, err := policy.Parse(name, text)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(kind); err != nil {
		return nil, err
	}
	return policy.Compile(doc, kind)
}

// who returns the caller of r, which is nobody in particular without
// credentials. It returns false for wrong ones.
func (g *guard) who(r *http.Request) (subject, bool) {
	name, password, given := r.BasicAuth()
	if !given {
		name = ""
	} else {
		u, known := users[name]
		want, got := sha256.Sum256([]byte(u.password)), sha256.Sum256([]byte(password))
		if subtle.ConstantTimeCompare(want[:], got[:]) != 1 || !known {
			return subject{}, false
		}
	}
	return (*g.subjects.Load())[name], true
}

// question puts an HTTP request into the terms of policies. Labels are those of
// the note as it is stored; a note without labels has no such key.
func (s *subject) question(r *http.Request, action, resource string, labels []string) *policy.Request {
	q := &policy.Request{
		Principal: s.principal,
		Action:    action,
		Resource:  resource,
		Context:   map[string]string{"aws:CurrentTime": time.Now().UTC().Format(time.RFC3339)},
		Lists:     map[string][]string{"notes:Label": labels},
	}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		q.Context["aws:SourceIp"] = host
	}
	if account := q.Account(); account != "" {
		q.Context["aws:ResourceAccount"] = account
	}
	maps.Copy(q.Context, s.context)
	return q
}

// decide answers q under the caller's policies and that of the resource, which may
// be nil. The record has the id of the decision, and for a refusal all that led to
// it; the caller gets to know the id.
func (g *guard) decide(s *subject, q *policy.Request, resource *policy.Policy) (ok bool, id string) {
	set := s.set // a copy
	set.Resource = resource
	id = rand.Text()
	d := policy.Decide(q, &set)
	if d.Outcome == policy.Allowed {
		g.log.Info("allowed", "id", id, "principal", q.Principal.ARN, "action", q.Action, "resource", q.Resource, "decision", d)
		return true, id
	}
	g.log.Warn("denied", "id", id, "trace", policy.Explain(q, &set))
	return false, id
}
