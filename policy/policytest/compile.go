// SPDX-License-Identifier: Apache-2.0

package policytest

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// policies compiles the policies of a case into its Set.
func (r *reader) policies(raw *rawCase, c *Case) {
	c.Set.Identity = r.list(raw.identity, policy.Identity, "identity")
	c.Set.Session = r.list(raw.session, policy.Session, "session")
	c.Set.HasSession = raw.session.kind != 0
	c.Set.SCPs = r.levels(raw.scps, policy.SCP, "scps")
	c.Set.RCPs = r.levels(raw.rcps, policy.RCP, "rcps")
	c.Set.Boundary = r.one(raw.boundary, policy.Boundary, "boundary")
	c.Set.Endpoint = r.one(raw.endpoint, policy.Endpoint, "endpoint_policy")
	c.Set.Resource = r.one(raw.resourcePolicy, ResourceKind(&c.Request), "resource_policy")
}

// ResourceKind returns the kind of the policy of a request's resource: a trust
// policy for what STS does with a role, a key policy for what KMS does with a
// key, a resource policy for everything else.
func ResourceKind(q *policy.Request) policy.Kind {
	service, _, _ := strings.Cut(strings.ToLower(q.Action), ":")
	if entity, ok := arn.SplitEntity(q.Resource); ok && entity.Kind == arn.KindRole && service == "sts" {
		return policy.Trust
	}
	if parts, ok := arn.Split(q.Resource); ok && parts.Service == "kms" && strings.HasPrefix(parts.Resource, "key/") && service == "kms" {
		return policy.Key
	}
	return policy.Resource
}

// levels reads a list of levels, each a list of policies.
func (r *reader) levels(n node, kind policy.Kind, what string) [][]*policy.Policy {
	var levels [][]*policy.Policy
	for i, level := range r.array(n, what) {
		name := fmt.Sprintf("%s[%d]", what, i)
		if level.kind != jsontext.Array {
			r.fail(level, "%s must be a list of one level's policies", name)
			continue
		}
		levels = append(levels, r.list(level, kind, name))
	}
	return levels
}

// list reads a policy or a list of policies.
func (r *reader) list(n node, kind policy.Kind, what string) []*policy.Policy {
	if n.kind == 0 {
		return nil
	}
	if n.kind != jsontext.Array {
		return []*policy.Policy{r.one(n, kind, what)}
	}
	list := make([]*policy.Policy, 0, len(n.items))
	for i, item := range n.items {
		list = append(list, r.one(item, kind, fmt.Sprintf("%s[%d]", what, i)))
	}
	return list
}

// one reads a policy: a name in policies, or a document. It returns nil for none
// and after a fault.
func (r *reader) one(n node, kind policy.Kind, what string) *policy.Policy {
	switch n.kind {
	case 0:
		return nil
	case jsontext.Object:
		return r.compile(n, what, kind)
	case jsontext.String:
	default:
		r.fail(n, "%s must be the name of a policy or a document", what)
		return nil
	}
	key := compiledKey{n.text, kind}
	if p, ok := r.compiled[key]; ok {
		return p
	}
	named, ok := r.named[n.text]
	var p *policy.Policy
	switch {
	case !ok:
		r.fail(n, "there is no policy %q in policies", n.text)
	case named.kind == jsontext.String:
		p = r.loadFile(named, n.text, kind)
	case named.kind == jsontext.Object:
		p = r.compile(named, n.text, kind)
	default:
		r.fail(named, "policy %q must be a document or the path of one", n.text)
	}
	r.compiled[key] = p
	return p
}

// compile compiles a document of the file. Blanks before it make the positions
// in the Policy those in the file.
func (r *reader) compile(n node, name string, kind policy.Kind) *policy.Policy {
	src := strings.Repeat("\n", n.pos.Line-1) + strings.Repeat(" ", n.pos.Column-1) + n.source
	return r.compileText(name, r.source.Name, src, kind, r.source.Place)
}

func (r *reader) loadFile(n node, name string, kind policy.Kind) *policy.Policy {
	if r.source.Load == nil {
		r.fail(n, "policy %q is a path, and there is no place to read it from", name)
		return nil
	}
	path := n.text
	if !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(r.source.Name), path)
	}
	src, err := r.source.Load(path)
	if err != nil {
		r.fail(n, "policy %q: %v", name, err)
		return nil
	}
	return r.compileText(name, path, string(src), kind, nil)
}

// compileText compiles a text, whose places place may change. Its faults name the
// file, the Policy its own name. It returns nil after a fault.
func (r *reader) compileText(name, file, src string, kind policy.Kind, place func(policy.Position) policy.Position) *policy.Policy {
	d, err := policy.Parse(name, []byte(src))
	var p *policy.Policy
	if err == nil {
		if place != nil {
			move(d, place)
		}
		p, err = policy.Compile(d, kind)
	}
	var problems []policy.Problem
	if e, ok := errors.AsType[*policy.ParseError](err); ok {
		problems = slices.Clone(e.Problems)
		for i := range problems {
			if place != nil && problems[i].Pos != (policy.Position{}) {
				problems[i].Pos = place(problems[i].Pos)
			}
		}
	} else if e, ok := errors.AsType[*policy.CompileError](err); ok {
		problems = e.Problems
	} else if err != nil {
		r.faults.add(file, policy.Position{}, err.Error())
	}
	for _, problem := range problems {
		pos := problem.Pos
		problem.Pos = policy.Position{}
		r.faults.add(file, pos, problem.String())
	}
	return p
}
