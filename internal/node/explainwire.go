// SPDX-License-Identifier: Apache-2.0

package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Limits of what the local socket carries for an inquiry, in bytes.
const (
	maxQuestion  = 1 << 20
	maxInquiries = 64 << 20
)

// An answer is what the local socket carries for a Question: policies as their
// texts, so that whoever asked compiles and decides.
type answer struct {
	Inquiries []wireInquiry `json:"inquiries,omitempty"`
	Error     string        `json:"error,omitempty"`
}

type wireInquiry struct {
	Request  wireRequest `json:"request"`
	Set      wireSet     `json:"set"`
	Recorded *Recorded   `json:"recorded,omitempty"`
	Notes    []string    `json:"notes,omitempty"`
}

type wireRequest struct {
	Principal       policy.Principal    `json:"principal"`
	Action          string              `json:"action"`
	Resource        string              `json:"resource"`
	ResourceAccount string              `json:"resourceAccount"`
	Context         map[string]string   `json:"context"`
	Lists           map[string][]string `json:"lists"`
}

type wireSet struct {
	Identity    []wirePolicy   `json:"identity"`
	Session     []wirePolicy   `json:"session"`
	SCPs        [][]wirePolicy `json:"scps,omitempty"`
	RCPs        [][]wirePolicy `json:"rcps,omitempty"`
	Boundary    *wirePolicy    `json:"boundary,omitempty"`
	Resource    *wirePolicy    `json:"resource,omitempty"`
	HasBoundary bool           `json:"hasBoundary"`
	HasSession  bool           `json:"hasSession"`
}

type wirePolicy struct {
	Name   string            `json:"name"`
	Kind   policy.Kind       `json:"kind,omitempty"` // 0 for a broken policy
	Text   string            `json:"text,omitempty"`
	Bound  map[string]string `json:"bound,omitempty"`  // as for policy.CompileBound
	Broken string            `json:"broken,omitempty"` // why it is
}

func (n *Node) postInquiry(w http.ResponseWriter, r *http.Request) {
	var q Question
	var a answer
	err := json.NewDecoder(io.LimitReader(r.Body, maxQuestion)).Decode(&q)
	if err == nil {
		a.Inquiries, err = n.inquire(r.Context(), &q)
	}
	if err != nil {
		a.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(a)
}

func wireSetOf(set *policy.Set, names []string, bound map[string]string) wireSet {
	w := wireSet{
		Identity: wireList(set.Identity), Session: wireList(set.Session), SCPs: wireLevels(set.SCPs), RCPs: wireLevels(set.RCPs),
		HasBoundary: set.HasBoundary, HasSession: set.HasSession,
	}
	for i, name := range names {
		w.Identity[i].Name = name
	}
	if set.Boundary != nil {
		b := wireOf(set.Boundary)
		w.Boundary = &b
	}
	if set.Resource != nil {
		r := wireOf(set.Resource)
		r.Bound = bound
		w.Resource = &r
	}
	return w
}

func wireList(policies []*policy.Policy) []wirePolicy {
	list := make([]wirePolicy, len(policies))
	for i, p := range policies {
		list[i] = wireOf(p)
	}
	return list
}

func wireLevels(levels [][]*policy.Policy) [][]wirePolicy {
	list := make([][]wirePolicy, len(levels))
	for i, level := range levels {
		list[i] = wireList(level)
	}
	return list
}

func wireOf(p *policy.Policy) wirePolicy {
	d := p.Document()
	w := wirePolicy{Name: d.Name, Kind: p.Kind(), Text: d.Source}
	if w.Kind == 0 { // a broken policy says why only when it denies
		w.Broken = policy.Decide(new(policy.Request), &policy.Set{Identity: []*policy.Policy{p}}).Err.Error()
	}
	return w
}

// compile returns the policy. One that does not compile here, though it did
// where it came from, is an error: no answer may rest on something else.
func (w *wirePolicy) compile() (*policy.Policy, error) {
	if w.Broken != "" {
		return policy.Broken(w.Name, errors.New(w.Broken)), nil
	}
	d, err := policy.Parse(w.Name, []byte(w.Text))
	if err != nil {
		return nil, err
	}
	return policy.CompileBound(d, w.Kind, w.Bound)
}

func (w *wireInquiry) inquiry() (Inquiry, error) {
	q := Inquiry{Recorded: w.Recorded, Notes: w.Notes, Request: policy.Request(w.Request)}
	q.Set.HasBoundary, q.Set.HasSession = w.Set.HasBoundary, w.Set.HasSession
	var errs []error
	one := func(w *wirePolicy) *policy.Policy {
		if w == nil {
			return nil
		}
		p, err := w.compile()
		errs = append(errs, err)
		return p
	}
	list := func(w []wirePolicy) (policies []*policy.Policy) {
		for i := range w {
			policies = append(policies, one(&w[i]))
		}
		return policies
	}
	levels := func(w [][]wirePolicy) (levels [][]*policy.Policy) {
		for _, level := range w {
			levels = append(levels, list(level))
		}
		return levels
	}
	q.Set.Identity, q.Set.Session = list(w.Set.Identity), list(w.Set.Session)
	q.Set.SCPs, q.Set.RCPs = levels(w.Set.SCPs), levels(w.Set.RCPs)
	q.Set.Boundary, q.Set.Resource = one(w.Set.Boundary), one(w.Set.Resource)
	return q, errors.Join(errs...)
}

// named returns the names of a caller's identity policies, and where those come
// from whose name does not say it. The inline policy make-users of the group devs
// is group/devs/make-users, so that it is not taken for one of the caller's own.
func named(c *authn.Caller, set *policy.Set) (names, notes []string) {
	for _, p := range set.Identity {
		names = append(names, p.Document().Name)
	}
	if c == nil || c.User == nil || c.Role != nil {
		return names, nil
	}
	own := new(policy.Set)
	authz.Gather(own, c.View, c.User.Grants, "")
	i := len(own.Identity) // those of groups follow, as GatherUser gathers them
	for _, g := range c.View.GroupsOf(c.User) {
		of := new(policy.Set)
		authz.Gather(of, c.View, g.Grants, "")
		var attached []string
		for range of.Identity {
			if strings.HasPrefix(names[i], "arn:") {
				attached = append(attached, policyName(names[i]))
			} else {
				names[i] = "group/" + g.Name + "/" + names[i]
			}
			i++
		}
		if len(attached) > 0 {
			notes = append(notes, fmt.Sprintf("Attached to group %s: %s.", g.Name, strings.Join(attached, ", ")))
		}
	}
	return names, notes
}

// policyName returns the name in a policy's ARN.
func policyName(policyARN string) string { return policyARN[strings.LastIndexByte(policyARN, '/')+1:] }

// maxNamed is how many names an error lists.
const maxNamed = 8

// unknown is the error about a principal that does not exist. It says what does.
func unknown(view *store.View, principal string) error {
	e, _ := arn.SplitEntity(principal)
	account := view.Account().ID
	switch e.Kind {
	case arn.KindUser:
		if u, err := view.User(e.Name); err == nil {
			return fmt.Errorf("there is no %s: the user %s is %s", principal, u.Name, view.UserARN(u))
		}
		var names []string
		for u := range view.Users("") {
			if names = append(names, u.Name); len(names) > maxNamed {
				break
			}
		}
		return fmt.Errorf("there is no user %s in account %s: %s", e.Name, account, some("user", names))
	case arn.KindAssumedRole:
		if r, err := view.Role(e.Name); err == nil {
			return fmt.Errorf("there is no %s: the role's name is %s", principal, r.Name)
		}
		var names []string
		for r := range view.Roles("") {
			if names = append(names, r.Name); len(names) > maxNamed {
				break
			}
		}
		return fmt.Errorf("there is no role %s in account %s: %s", e.Name, account, some("role", names))
	}
	return fmt.Errorf("there is no %s", principal)
}

// some tells names that could have been meant.
func some(what string, names []string) string {
	switch {
	case len(names) == 0:
		return fmt.Sprintf("it has no %s", what)
	case len(names) == 1:
		return fmt.Sprintf("its only %s is %s", what, names[0])
	case len(names) > maxNamed:
		return fmt.Sprintf("it has the %ss %s and others", what, strings.Join(names[:maxNamed], ", "))
	}
	return fmt.Sprintf("it has the %ss %s", what, strings.Join(names, ", "))
}
