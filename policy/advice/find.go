// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// For returns what would let r pass under the policies of s: a change of the
// request's circumstances where conditions alone stand against it, else the least
// change of the policy that stands in its way, and if one is not enough, every
// change that is needed. It decides and explains many times over: it is for people
// who ask, not for every refusal.
func For(r *policy.Request, s *policy.Set) Advice {
	st := newState(r, s)
	a := Advice{request: r, set: s, Changes: []Change{}}
	if st.allowed() {
		a.Allowed, a.Summary = true, "The request is allowed as it is."
		return a
	}
	first := st
	for range maxSteps {
		next, ok := st.step()
		if !ok {
			break
		}
		a.add(next.changes)
		if st = next.state; st.allowed() {
			a.request, a.set = st.r, st.s
			a.Summary = a.sentence(first)
			return a
		}
	}
	a.Changes, a.Summary = a.Changes[:0], first.hopeless()
	return a
}

// Bounds of the search.
const (
	maxSteps      = 64
	maxCandidates = 256 // of one step
)

// add appends changes; a later value of a context key replaces an earlier one.
func (a *Advice) add(changes []Change) {
	for _, c := range changes {
		a.Changes = slices.DeleteFunc(a.Changes, func(old Change) bool {
			return c.Kind == Circumstances && old.Kind == Circumstances && strings.EqualFold(old.Key, c.Key)
		})
		a.Changes = append(a.Changes, c)
	}
}

// A state is a request under policies, as they are or with some changes made.
type state struct {
	r *policy.Request
	s *policy.Set
	t *policy.Trace
}

func newState(r *policy.Request, s *policy.Set) state { return state{r, s, policy.Explain(r, s)} }

// allowed asks the engine itself.
func (st state) allowed() bool { return policy.Decide(st.r, st.s).Outcome == policy.Allowed }

// A move is a change, or several that only help together, and the state it leads to.
type move struct {
	changes []Change
	state   state
}

// step returns the best move: one that lets the request pass, else one that takes
// away the first thing that stands in its way.
func (st state) step() (move, bool) {
	var closer *move
	for _, list := range [](func() []move){st.circumstances, st.policies} {
		var best *move
		for _, m := range list() {
			switch {
			case m.state.allowed():
				if best == nil || len(m.changes) < len(best.changes) {
					best = &m
				}
			case closer == nil && m.state.closer(st):
				closer = &m
			}
		}
		if best != nil {
			return *best, true
		}
	}
	if closer == nil {
		return move{}, false
	}
	return *closer, true
}

// closer reports whether less stands in the way of the request than in st: fewer
// denies, or none and what is silent comes later in the order of the layers.
func (st state) closer(than state) bool {
	have, had := st.denies(), than.denies()
	if have != had {
		return have < had
	}
	return have == 0 && st.silent() > than.silent()
}

// denies counts what denies the request: statements and broken policies.
func (st state) denies() (n int) {
	for i := range st.t.Layers {
		for j := range st.t.Layers[i].Policies {
			p := &st.t.Layers[i].Policies[j]
			if p.Error != "" {
				n++
			}
			for k := range p.Statements {
				if p.Statements[k].Applies && p.Statements[k].Effect == policy.Deny {
					n++
				}
			}
		}
	}
	return n
}

// order is that of policy.Decision.Layer, by layer.
var order = [...]int{policy.RCPLayer: 1, policy.SCPLayer: 2, policy.EndpointLayer: 3, policy.ResourceLayer: 4,
	policy.IdentityLayer: 5, policy.BoundaryLayer: 6, policy.SessionLayer: 7}

// silent returns how far down the order the layer is that does not allow.
func (st state) silent() int { return order[st.t.Decision.Layer]*1000 + st.level() }

// level returns the level at which the deciding layer is silent, 0 if it has none.
func (st state) level() int {
	for i := range st.t.Layers {
		if l := &st.t.Layers[i]; l.Layer == st.t.Decision.Layer && l.Verdict == policy.ImplicitDeny {
			return l.Level
		}
	}
	return 0
}
