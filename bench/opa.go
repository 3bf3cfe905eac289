// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/topdown/cache"

	"github.com/innkeeper-iam/innkeeper/policy"
)

var opaEngine = engine{
	name:    "OPA",
	module:  "github.com/open-policy-agent/opa",
	licence: "Apache-2.0",
	form:    "a prepared query over data indexed by effect, principal and action; input parsed, globs cached",
	write:   writeRego,
	load:    loadRego,
}

//go:embed opa.rego
var regoModule string

// A regoIndex holds the statements of one effect, principal and action.
type regoIndex struct {
	Exact  map[string][][]regoCondition `json:"exact,omitempty"`
	Prefix []regoStatement              `json:"prefix,omitempty"`
	Glob   []regoStatement              `json:"glob,omitempty"`
}

type regoStatement struct {
	Text       string          `json:"text"`
	Conditions []regoCondition `json:"conditions"`
}

type regoCondition struct {
	Operator string   `json:"operator"`
	Key      string   `json:"key"`
	Values   []string `json:"values"`
}

// writeRego writes the data: one document whatever the owners. Wildcards in
// actions are written out.
func writeRego(w *workload) ([]document, error) {
	data := map[string]map[string]map[string]*regoIndex{"allow": {}, "deny": {}}
	for _, o := range w.owners {
		for _, s := range o.statements {
			principals := s.principals
			if o.name != "" {
				principals = []string{o.name}
			}
			byPrincipal := data["deny"]
			if s.allow {
				byPrincipal = data["allow"]
			}
			for _, p := range principals {
				if byPrincipal[p] == nil {
					byPrincipal[p] = map[string]*regoIndex{}
				}
				for _, a := range w.actions {
					if !s.names(a) {
						continue
					}
					if byPrincipal[p][a] == nil {
						byPrincipal[p][a] = &regoIndex{Exact: map[string][][]regoCondition{}}
					}
					byPrincipal[p][a].add(&s)
				}
			}
		}
	}
	text, err := json.Marshal(data)
	return []document{{"data", string(text)}}, err
}

func (x *regoIndex) add(s *statement) {
	conditions := []regoCondition{}
	for _, c := range s.conditions {
		conditions = append(conditions, regoCondition{c.operator, c.key, c.values})
	}
	for _, pattern := range s.resources {
		switch head, rest, wild := strings.Cut(pattern, "*"); {
		case !wild:
			x.Exact[pattern] = append(x.Exact[pattern], conditions)
		case rest == "":
			x.Prefix = append(x.Prefix, regoStatement{head, conditions})
		default:
			x.Glob = append(x.Glob, regoStatement{pattern, conditions})
		}
	}
}

// names reports whether the statement is about an action.
func (s *statement) names(action string) bool {
	for _, pattern := range s.actions {
		if like(pattern, action) {
			return true
		}
	}
	return false
}

func loadRego(docs []document) (prepare, error) {
	if len(docs) != 1 {
		return nil, errors.New("opa: want one document")
	}
	ctx := context.Background()
	config, err := cache.ParseCachingConfig(nil)
	if err != nil {
		return nil, err
	}
	query, err := rego.New(
		rego.Query("outcome := data.iam.outcome"),
		rego.Module("opa.rego", regoModule),
		rego.Store(inmem.NewFromReaderWithOpts(strings.NewReader(docs[0].text), inmem.OptReturnASTValuesOnRead(true))),
		rego.StoreReadAST(true),
		rego.InterQueryBuiltinValueCache(cache.NewInterQueryValueCache(ctx, config)),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	return func(requests []request) (ask, error) {
		inputs := make([]ast.Value, len(requests))
		for i, q := range requests {
			var err error
			inputs[i], err = ast.InterfaceToValue(map[string]any{
				"principal": q.principal, "action": q.action, "resource": q.resource, "context": q.context,
			})
			if err != nil {
				return nil, err
			}
		}
		return func(i int) policy.Outcome {
			results, err := query.Eval(ctx, rego.EvalParsedInput(inputs[i]))
			if err != nil || len(results) != 1 {
				return failed
			}
			switch results[0].Bindings["outcome"] {
			case "allow":
				return policy.Allowed
			case "explicit-deny":
				return policy.ExplicitDeny
			case "implicit-deny":
				return policy.ImplicitDeny
			}
			return failed
		}, nil
	}, nil
}
