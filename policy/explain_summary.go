// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/prose"
	"github.com/innkeeper-iam/innkeeper/policy/internal/textbook"
)

// summary puts the decision into one sentence.
func (x *explainer) summary() string {
	c := prose.Case{Who: x.caller.ARN, Provider: x.caller.Type == textbook.WebIdentity, Account: x.caller.Account, Action: x.r.Action, Resource: x.r.Resource}
	if x.t.CrossAccount {
		c.Owner = x.t.ResourceAccount
	}
	d := &x.t.Decision
	switch {
	case x.exempt != "":
		return c.Exempt(x.exempt)
	case len(x.blockers) > 0:
		silent := make([]prose.Layer, len(x.blockers))
		for i, l := range x.blockers {
			silent[i] = x.spoken(l)
		}
		grant, by := x.grant()
		return c.Silent(silent, grant, by, prose.Nearest(x.blockers[0].allowing(), x.r.Action))
	}
	for i := range x.t.Layers {
		switch l := &x.t.Layers[i]; {
		case l.Layer != d.Layer:
		case d.Err != nil && l.err == d.Err:
			i := slices.IndexFunc(l.Policies, func(p PolicyTrace) bool { return p.Error != "" })
			return c.Failed(x.spoken(l), l.Policies[i].Policy, l.Policies[i].Error)
		case d.Statement != nil && l.statement(d.Statement) != nil:
			return c.Decided(d.Outcome == Allowed, x.spoken(l), stated(l.statement(d.Statement)))
		}
	}
	return ""
}

// grant returns a layer that allows what others do not, and by which statement:
// of the caller's own policies, else of the resource's.
func (x *explainer) grant() (*prose.Layer, *prose.Stated) {
	for _, layer := range []Layer{IdentityLayer, ResourceLayer} {
		for _, l := range x.find(layer) {
			if st := l.statement(l.granted); st != nil && !slices.Contains(x.blockers, l) {
				spoken := x.spoken(l)
				return &spoken, stated(st)
			}
		}
	}
	return nil, nil
}

// spoken returns a layer as sentences need it.
func (x *explainer) spoken(l *LayerTrace) prose.Layer {
	s := prose.Layer{Level: l.Level, Kind: prose.Kind(l.Layer)}
	switch {
	case l.Layer != ResourceLayer:
	case x.s.Resource == nil && strings.HasPrefix(textbook.Lower(x.r.Action), "sts:assumerole"), x.s.Resource != nil && x.s.Resource.kind == Trust:
		s.Kind = prose.Trust
	case x.s.Resource != nil && x.s.Resource.kind == Key:
		s.Kind = prose.Key
	}
	for i := range l.Policies {
		s.Policies = append(s.Policies, l.Policies[i].Policy)
	}
	return s
}

// statement returns the statement with a reference, nil if ref is nil.
func (l *LayerTrace) statement(ref *StatementRef) *StatementTrace {
	for i := range l.Policies {
		for j := range l.Policies[i].Statements {
			if st := &l.Policies[i].Statements[j]; &st.StatementRef == ref {
				return st
			}
		}
	}
	return nil
}

// allowing returns the statements that would allow.
func (l *LayerTrace) allowing() (list []*prose.Stated) {
	for i := range l.Policies {
		for j := range l.Policies[i].Statements {
			if st := &l.Policies[i].Statements[j]; st.Effect == Allow {
				list = append(list, stated(st))
			}
		}
	}
	return list
}

// stated returns a statement as sentences need it, nil for nil.
func stated(st *StatementTrace) *prose.Stated {
	if st == nil {
		return nil
	}
	s := &prose.Stated{Name: prose.Statement(st.Policy, st.Sid, st.Index, st.Start.Line, st.Start.Column), Elements: make([]prose.Element, len(st.Elements))}
	for i := range st.Elements {
		s.Elements[i] = st.Elements[i].prose()
	}
	return s
}

func (e *ElementTrace) prose() prose.Element {
	return prose.Element{Name: e.Element, Operator: e.Operator, Key: e.Key, Matched: e.Matched, Wants: texts(e.Wants), Has: e.Has, By: e.By}
}
