// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cedar-policy/cedar-go"
	"github.com/cedar-policy/cedar-go/types"

	"github.com/innkeeper-iam/innkeeper/policy"
)

var cedarEngine = engine{
	name:    "cedar-go",
	module:  "github.com/cedar-policy/cedar-go",
	licence: "Apache-2.0",
	form:    "a policy set an owner, a permit or forbid a statement; entities with attributes, action groups for wildcards, a typed context",
	write:   writeCedar,
	load:    loadCedar,
}

func writeCedar(w *workload) ([]document, error) {
	var docs []document
	for _, o := range w.owners {
		var b strings.Builder
		for _, s := range o.statements {
			writeCedarPolicy(&b, &s)
		}
		docs = append(docs, document{o.name, b.String()})
	}
	actions, err := json.Marshal(cedarActions(w))
	return append(docs, document{actionsOwner, string(actions)}), err
}

// actionsOwner is the owner of the document that holds the actions as entities.
const actionsOwner = "actions"

// cedarActions returns every action with the groups that it is in, one for each
// pattern of the policies.
func cedarActions(w *workload) cedar.EntityMap {
	groups := map[string]bool{}
	for _, o := range w.owners {
		for _, s := range o.statements {
			for _, a := range s.actions {
				if strings.Contains(a, "*") {
					groups[a] = true
				}
			}
		}
	}
	actions := cedar.EntityMap{}
	for _, a := range w.actions {
		var parents []cedar.EntityUID
		for _, group := range slices.Sorted(maps.Keys(groups)) {
			if like(group, a) {
				parents = append(parents, cedarAction(group))
			}
		}
		actions[cedarAction(a)] = cedar.Entity{UID: cedarAction(a), Parents: cedar.NewEntityUIDSet(parents...)}
	}
	return actions
}

func cedarAction(id string) cedar.EntityUID { return cedar.NewEntityUID("Action", cedar.String(id)) }

func writeCedarPolicy(b *strings.Builder, s *statement) {
	effect := "forbid"
	if s.allow {
		effect = "permit"
	}
	principal, action := "principal", "action"
	var when []string
	switch {
	case len(s.principals) == 0 || s.principals[0] == "*":
	case len(s.principals) == 1:
		principal = cedarIs("principal", "Principal", s.principals[0])
	default:
		when = append(when, cedarOne("principal", "Principal", s.principals))
	}
	if len(s.actions) == 1 {
		action = cedarIs("action", "Action", s.actions[0])
	} else {
		when = append(when, cedarOne("action", "Action", s.actions))
	}
	resource := "resource"
	if len(s.resources) == 1 && !strings.Contains(s.resources[0], "*") {
		resource = "resource == " + cedarEntity("Resource", s.resources[0])
	} else {
		when = append(when, cedarLike("resource.arn", s.resources))
	}
	for _, c := range s.conditions {
		when = append(when, cedarCondition(&c))
	}
	fmt.Fprintf(b, "%s (%s, %s, %s)", effect, principal, action, resource)
	if len(when) > 0 {
		fmt.Fprintf(b, " when { %s }", strings.Join(when, " && "))
	}
	b.WriteString(";\n")
}

func cedarCondition(c *condition) string {
	name := attribute(c.key)
	value := "context." + name
	var test string
	switch c.operator {
	case "Bool":
		test = value + " == " + c.values[0]
	case "StringEquals":
		quoted := make([]string, len(c.values))
		for i, v := range c.values {
			quoted[i] = strconv.Quote(v)
		}
		test = "[" + strings.Join(quoted, ", ") + "].contains(" + value + ")"
	case "StringLike":
		test = cedarLike(value, c.values)
	case "IpAddress", "NotIpAddress":
		var tests []string
		for _, v := range c.values {
			tests = append(tests, fmt.Sprintf("%s.isInRange(ip(%q))", value, v))
		}
		test = "(" + strings.Join(tests, " || ") + ")"
	}
	if c.operator == "NotIpAddress" {
		return fmt.Sprintf("!(context has %s && %s)", name, test)
	}
	return fmt.Sprintf("context has %s && %s", name, test)
}

func cedarLike(value string, patterns []string) string {
	tests := make([]string, len(patterns))
	for i, p := range patterns {
		tests[i] = fmt.Sprintf("%s like %q", value, p)
	}
	return "(" + strings.Join(tests, " || ") + ")"
}

func cedarEntity(kind, id string) string { return kind + "::" + strconv.Quote(id) }

// cedarIs writes that a variable is an entity, or is in a group.
func cedarIs(variable, kind, id string) string {
	if strings.Contains(id, "*") {
		return variable + " in " + cedarEntity(kind, id)
	}
	return variable + " == " + cedarEntity(kind, id)
}

// cedarOne writes that a variable is one of several. "in [ … ]" would read
// better, but cedar-go then builds the set on every call, which takes several
// times as long.
func cedarOne(variable, kind string, ids []string) string {
	tests := make([]string, len(ids))
	for i, id := range ids {
		tests[i] = cedarIs(variable, kind, id)
	}
	return "(" + strings.Join(tests, " || ") + ")"
}

func loadCedar(docs []document) (prepare, error) {
	all := map[string]*cedar.PolicySet{}
	actions := cedar.EntityMap{}
	for _, d := range docs {
		if d.owner == actionsOwner {
			if err := json.Unmarshal([]byte(d.text), &actions); err != nil {
				return nil, err
			}
			continue
		}
		set, err := cedar.NewPolicySetFromBytes(d.owner, []byte(d.text))
		if err != nil {
			return nil, err
		}
		all[d.owner] = set
	}
	return func(requests []request) (ask, error) {
		sets := make([]*cedar.PolicySet, len(requests))
		entities := make([]cedar.EntityMap, len(requests))
		questions := make([]cedar.Request, len(requests))
		for i := range requests {
			q := &requests[i]
			if sets[i] = all[q.principal]; sets[i] == nil {
				sets[i] = all[""]
			}
			var err error
			if questions[i], err = cedarRequest(q); err != nil {
				return nil, err
			}
			resource := cedar.Entity{UID: questions[i].Resource, Attributes: cedar.NewRecord(cedar.RecordMap{"arn": cedar.String(q.resource)})}
			entities[i] = cedar.EntityMap{resource.UID: resource, questions[i].Action: actions[questions[i].Action]}
		}
		return func(i int) policy.Outcome {
			decision, why := cedar.Authorize(sets[i], entities[i], questions[i])
			switch {
			case len(why.Errors) > 0:
				return failed
			case decision == cedar.Allow:
				return policy.Allowed
			case len(why.Reasons) > 0:
				return policy.ExplicitDeny
			}
			return policy.ImplicitDeny
		}, nil
	}, nil
}

func cedarRequest(q *request) (cedar.Request, error) {
	context := cedar.RecordMap{}
	for key, value := range q.context {
		var v cedar.Value = cedar.String(value)
		switch key {
		case "aws:SourceIp":
			ip, err := types.ParseIPAddr(value)
			if err != nil {
				return cedar.Request{}, err
			}
			v = ip
		case "aws:SecureTransport":
			v = cedar.Boolean(value == "true")
		}
		context[cedar.String(attribute(key))] = v
	}
	return cedar.Request{
		Principal: cedar.NewEntityUID("Principal", cedar.String(q.principal)),
		Action:    cedarAction(q.action),
		Resource:  cedar.NewEntityUID("Resource", cedar.String(q.resource)),
		Context:   cedar.NewRecord(context),
	}, nil
}
