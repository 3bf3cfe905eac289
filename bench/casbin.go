// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/csv"
	"fmt"
	"net/netip"
	"strings"

	"github.com/casbin/casbin/v3"
	"github.com/casbin/casbin/v3/model"
	stringadapter "github.com/casbin/casbin/v3/persist/string-adapter"

	"github.com/innkeeper-iam/innkeeper/policy"
)

var casbinEngine = engine{
	name:    "casbin",
	module:  "github.com/casbin/casbin/v3",
	licence: "Apache-2.0",
	form:    "an enforcer an owner, a row a statement; a matcher of three functions written for it in Go, context parsed",
	write:   writeCasbin,
	load:    loadCasbin,
}

// The model's effect is IAM's: a deny overrides, and nothing is allowed unless
// by a row. %s is for what a resource's policy adds.
const casbinModel = `[request_definition]
r = sub, act, obj, ctx

[policy_definition]
p = sub, act, obj, cond, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = %smatches(r.act, p.act) && matches(r.obj, p.obj) && holds(r.ctx, p.cond)
`

// Of a row, each field but the last is a list with "|" between its parts; a
// condition is an operator, a key and values with spaces between them.
func writeCasbin(w *workload) ([]document, error) {
	var docs []document
	for _, o := range w.owners {
		var b strings.Builder
		rows := csv.NewWriter(&b)
		for _, s := range o.statements {
			effect := "deny"
			if s.allow {
				effect = "allow"
			}
			var conditions []string
			for _, c := range s.conditions {
				conditions = append(conditions, strings.Join(append([]string{c.operator, c.key}, c.values...), " "))
			}
			row := []string{"p", strings.Join(s.principals, "|"), strings.Join(s.actions, "|"), strings.Join(s.resources, "|"),
				strings.Join(conditions, "|"), effect}
			if err := rows.Write(row); err != nil {
				return nil, err
			}
		}
		rows.Flush()
		docs = append(docs, document{o.name, b.String()})
	}
	return docs, nil
}

func loadCasbin(docs []document) (prepare, error) {
	all := map[string]*casbin.Enforcer{}
	for _, d := range docs {
		e, err := newEnforcer(d)
		if err != nil {
			return nil, err
		}
		all[d.owner] = e
	}
	return func(requests []request) (ask, error) {
		enforcers := make([]*casbin.Enforcer, len(requests))
		questions := make([][]any, len(requests))
		for i, q := range requests {
			if enforcers[i] = all[q.principal]; enforcers[i] == nil {
				enforcers[i] = all[""]
			}
			ip, err := netip.ParseAddr(q.context["aws:SourceIp"])
			if err != nil {
				return nil, err
			}
			questions[i] = []any{q.principal, q.action, q.resource, &casbinContext{q.context, ip}}
		}
		return func(i int) policy.Outcome {
			allowed, row, err := enforcers[i].EnforceEx(questions[i]...)
			switch {
			case err != nil:
				return failed
			case allowed:
				return policy.Allowed
			case len(row) > 0:
				return policy.ExplicitDeny
			}
			return policy.ImplicitDeny
		}, nil
	}, nil
}

func newEnforcer(d document) (*casbin.Enforcer, error) {
	principals := ""
	if d.owner == "" {
		principals = "matches(r.sub, p.sub) && "
	}
	m, err := model.NewModelFromString(fmt.Sprintf(casbinModel, principals))
	if err != nil {
		return nil, err
	}
	e, err := casbin.NewEnforcer(m, stringadapter.NewAdapter(d.text))
	if err != nil {
		return nil, err
	}
	rows, err := e.GetPolicy()
	if err != nil {
		return nil, err
	}
	conditions := map[string][]casbinCondition{}
	for _, row := range rows {
		if conditions[row[3]], err = readCasbinConditions(row[3]); err != nil {
			return nil, err
		}
	}
	e.AddFunction("matches", func(args ...any) (any, error) {
		return matchesAny(args[0].(string), args[1].(string)), nil
	})
	e.AddFunction("holds", func(args ...any) (any, error) {
		for i, all := 0, conditions[args[1].(string)]; i < len(all); i++ {
			if !all[i].holds(args[0].(*casbinContext)) {
				return false, nil
			}
		}
		return true, nil
	})
	return e, nil
}

// matchesAny reports whether value matches one of the patterns of a list.
func matchesAny(value, list string) bool {
	for pattern := range strings.SplitSeq(list, "|") {
		if like(pattern, value) {
			return true
		}
	}
	return false
}

type casbinContext struct {
	values map[string]string
	ip     netip.Addr // of aws:SourceIp
}

type casbinCondition struct {
	condition
	ranges []netip.Prefix
}

func readCasbinConditions(text string) ([]casbinCondition, error) {
	if text == "" {
		return nil, nil
	}
	var list []casbinCondition
	for part := range strings.SplitSeq(text, "|") {
		words := strings.Split(part, " ")
		c := casbinCondition{condition: condition{words[0], words[1], words[2:]}}
		if strings.HasSuffix(c.operator, "IpAddress") {
			for _, v := range c.values {
				p, err := netip.ParsePrefix(v)
				if err != nil {
					return nil, err
				}
				c.ranges = append(c.ranges, p)
			}
		}
		list = append(list, c)
	}
	return list, nil
}

func (c *casbinCondition) holds(ctx *casbinContext) bool {
	value, ok := ctx.values[c.key]
	if !ok {
		return c.operator == "NotIpAddress"
	}
	switch c.operator {
	case "IpAddress", "NotIpAddress":
		for _, p := range c.ranges {
			if p.Contains(ctx.ip) {
				return c.operator == "IpAddress"
			}
		}
		return c.operator == "NotIpAddress"
	case "StringLike":
		for _, pattern := range c.values {
			if like(pattern, value) {
				return true
			}
		}
		return false
	}
	for _, v := range c.values {
		if v == value {
			return true
		}
	}
	return false
}
