// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net/netip"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"

	"github.com/innkeeper-iam/innkeeper/policy"
)

var celEngine = engine{
	name:    "cel-go",
	module:  "cel.dev/cel-go",
	licence: "Apache-2.0",
	form:    "two compiled expressions an owner, what denies and what allows; typed variables",
	write:   writeCEL,
	load:    loadCEL,
}

// celVariables are the variables of an expression. Context keys have their
// name after the colon.
var celVariables = []cel.EnvOption{
	cel.Variable("principal", cel.StringType),
	cel.Variable("action", cel.StringType),
	cel.Variable("resource", cel.StringType),
	cel.Variable("SourceIp", ext.IPType),
	cel.Variable("SecureTransport", cel.BoolType),
	cel.Variable("username", cel.StringType),
	cel.Variable("prefix", cel.StringType), // "" if the request has none
}

// writeCEL writes two expressions an owner, on a line each.
func writeCEL(w *workload) ([]document, error) {
	var docs []document
	for _, o := range w.owners {
		deny, allow := []string{}, []string{}
		for _, s := range o.statements {
			test, err := celStatement(&s, w.actions)
			if err != nil {
				return nil, err
			}
			if s.allow {
				allow = append(allow, test)
			} else {
				deny = append(deny, test)
			}
		}
		docs = append(docs, document{o.name, celAny(deny) + "\n" + celAny(allow)})
	}
	return docs, nil
}

// celAny is true if one of the tests is.
func celAny(tests []string) string {
	if len(tests) == 0 {
		return "false"
	}
	return strings.Join(tests, " || ")
}

// celStatement writes a statement; wildcards in actions are written out.
func celStatement(s *statement, actions []string) (string, error) {
	var tests []string
	if len(s.principals) > 0 && s.principals[0] != "*" {
		tests = append(tests, celIn("principal", s.principals))
	}
	var named []string
	for _, a := range actions {
		if s.names(a) {
			named = append(named, a)
		}
	}
	tests = append(tests, celIn("action", named), celLike("resource", s.resources))
	for _, c := range s.conditions {
		name := attribute(c.key)
		if strings.HasPrefix(c.operator, "String") && matchesAny("", strings.Join(c.values, "|")) {
			return "", fmt.Errorf("%s %s %q: a key that is absent cannot be told from one that is empty", c.key, c.operator, c.values)
		}
		switch c.operator {
		case "Bool":
			tests = append(tests, name+" == "+c.values[0])
		case "StringEquals":
			tests = append(tests, celIn(name, c.values))
		case "StringLike":
			tests = append(tests, celLike(name, c.values))
		case "IpAddress", "NotIpAddress":
			var in []string
			for _, v := range c.values {
				in = append(in, fmt.Sprintf("cidr(%q).containsIP(%s)", v, name))
			}
			test := "(" + strings.Join(in, " || ") + ")"
			if c.operator == "NotIpAddress" {
				test = "!" + test
			}
			tests = append(tests, test)
		default:
			return "", fmt.Errorf("no such operator: %s", c.operator)
		}
	}
	return strings.Join(tests, " && "), nil
}

func celIn(name string, values []string) string {
	if len(values) == 1 {
		return fmt.Sprintf("%s == %q", name, values[0])
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	return name + " in [" + strings.Join(quoted, ", ") + "]"
}

// celLike writes a pattern as the cheapest test there is for it, a regular
// expression at worst.
func celLike(name string, patterns []string) string {
	var tests []string
	for _, p := range patterns {
		switch head, rest, wild := strings.Cut(p, "*"); {
		case !wild:
			tests = append(tests, fmt.Sprintf("%s == %q", name, p))
		case rest == "":
			tests = append(tests, fmt.Sprintf("%s.startsWith(%q)", name, head))
		default:
			var parts []string
			for part := range strings.SplitSeq(p, "*") {
				parts = append(parts, strings.ReplaceAll(part, ".", "[.]"))
			}
			tests = append(tests, fmt.Sprintf("%s.matches(%q)", name, "(?s)^"+strings.Join(parts, ".*")+"$"))
		}
	}
	if len(tests) == 1 {
		return tests[0]
	}
	return "(" + strings.Join(tests, " || ") + ")"
}

// celPrograms are one owner's.
type celPrograms struct{ deny, allow cel.Program }

func loadCEL(docs []document) (prepare, error) {
	env, err := cel.NewEnv(append(celVariables, ext.Network(), cel.ParserExpressionSizeLimit(1<<24))...)
	if err != nil {
		return nil, err
	}
	all := map[string]*celPrograms{}
	for _, d := range docs {
		deny, allow, _ := strings.Cut(d.text, "\n")
		p := &celPrograms{}
		if p.deny, err = celProgram(env, deny); err != nil {
			return nil, err
		}
		if p.allow, err = celProgram(env, allow); err != nil {
			return nil, err
		}
		all[d.owner] = p
	}
	return func(requests []request) (ask, error) {
		programs := make([]*celPrograms, len(requests))
		inputs := make([]cel.Activation, len(requests))
		for i := range requests {
			q := &requests[i]
			if programs[i] = all[q.principal]; programs[i] == nil {
				programs[i] = all[""]
			}
			var err error
			if inputs[i], err = celInput(q); err != nil {
				return nil, err
			}
		}
		return func(i int) policy.Outcome {
			if v, _, err := programs[i].deny.Eval(inputs[i]); err != nil {
				return failed
			} else if v == types.True {
				return policy.ExplicitDeny
			}
			if v, _, err := programs[i].allow.Eval(inputs[i]); err != nil {
				return failed
			} else if v == types.True {
				return policy.Allowed
			}
			return policy.ImplicitDeny
		}, nil
	}, nil
}

func celProgram(env *cel.Env, text string) (cel.Program, error) {
	checked, issues := env.Compile(text)
	if err := issues.Err(); err != nil {
		return nil, err
	}
	return env.Program(checked, cel.EvalOptions(cel.OptOptimize))
}

func celInput(q *request) (cel.Activation, error) {
	ip, err := netip.ParseAddr(q.context["aws:SourceIp"])
	if err != nil {
		return nil, err
	}
	return cel.NewActivation(map[string]any{
		"principal": types.String(q.principal), "action": types.String(q.action), "resource": types.String(q.resource),
		"SourceIp": ext.IP{Addr: ip}, "SecureTransport": types.Bool(q.context["aws:SecureTransport"] == "true"),
		"username": types.String(q.context["aws:username"]), "prefix": types.String(q.context["s3:prefix"]),
	})
}
