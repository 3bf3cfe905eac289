// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy"
)

var innkeeperStrings = engine{
	name:    "innkeeper",
	licence: "Apache-2.0",
	form:    "IAM's JSON; policy.Decide on plain strings and a map of strings",
	write:   writeJSON,
	load: func(docs []document) (prepare, error) {
		sets, err := loadSets(docs)
		return func(requests []request) (ask, error) {
			questions, in, err := sets.questions(requests)
			return func(i int) policy.Outcome { return policy.Decide(questions[i], in[i]).Outcome }, err
		}, err
	},
}

var innkeeperLowered = engine{
	name:    "innkeeper-lowered",
	licence: "Apache-2.0",
	form:    "the same, with requests made ready by policy.Lower",
	write:   writeJSON,
	load: func(docs []document) (prepare, error) {
		sets, err := loadSets(docs)
		return func(requests []request) (ask, error) {
			questions, in, err := sets.questions(requests)
			lowered := make([]*policy.Lowered, len(questions))
			for i, q := range questions {
				lowered[i] = policy.Lower(q)
			}
			return func(i int) policy.Outcome { return lowered[i].Decide(in[i]).Outcome }, err
		}, err
	},
}

func writeJSON(w *workload) ([]document, error) {
	var docs []document
	for _, o := range w.owners {
		for _, p := range o.policies {
			docs = append(docs, document{o.name, string(p)})
		}
	}
	return docs, nil
}

// sets are the policies in force by owner. Those of "" are the resource's.
type sets map[string]*policy.Set

func loadSets(docs []document) (sets, error) {
	all := sets{}
	for _, d := range docs {
		kind := policy.Identity
		if d.owner == "" {
			kind = policy.Resource
		}
		p, err := compile(d.owner, d.text, kind)
		if err != nil {
			return nil, err
		}
		s := all[d.owner]
		if s == nil {
			s = &policy.Set{}
			all[d.owner] = s
		}
		if kind == policy.Resource {
			s.Resource = p
		} else {
			s.Identity = append(s.Identity, p)
		}
	}
	return all, nil
}

func compile(name, text string, kind policy.Kind) (*policy.Policy, error) {
	doc, err := policy.Parse(name, []byte(text))
	if err != nil {
		return nil, err
	}
	return policy.Compile(doc, kind)
}

// questions returns the requests in our form, each with the set in force.
func (all sets) questions(requests []request) ([]*policy.Request, []*policy.Set, error) {
	var questions []*policy.Request
	var in []*policy.Set
	for _, q := range requests {
		p, err := principal(q.principal)
		if err != nil {
			return nil, nil, err
		}
		s, ok := all[q.principal]
		if !ok {
			s, ok = all[""]
		}
		if !ok {
			return nil, nil, fmt.Errorf("%s has no policy", q.principal)
		}
		questions = append(questions, &policy.Request{
			Principal: p, Action: q.action, Resource: q.resource,
			ResourceAccount: p.Account, Context: q.context,
		})
		in = append(in, s)
	}
	return questions, in, nil
}

// principal returns a user, or a session of a role.
func principal(arn string) (policy.Principal, error) {
	head, role, isRole := strings.Cut(arn, ":role/")
	if !isRole {
		return policy.PrincipalOf(arn)
	}
	account := strings.TrimPrefix(head, "arn:aws:iam::")
	return policy.Principal{
		Type: policy.RoleSession, Account: account, Role: arn,
		ARN: "arn:aws:sts::" + account + ":assumed-role/" + role + "/session",
	}, nil
}
