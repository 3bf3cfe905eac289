// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

// request returns the request of the flags, without any condition key.
func (e *explain) request() (*policy.Request, error) {
	p, err := principal(e.principal, e.issuer)
	if err != nil {
		return nil, err
	}
	r := &policy.Request{Principal: p, Action: e.action, Resource: e.resource, ResourceAccount: e.resourceAccount}
	return r, errors.Join(checkAction(e.action), checkResource(e.resource), checkAccount(e.resourceAccount))
}

// principal reads --principal with --issuer.
func principal(name, issuer string) (policy.Principal, error) {
	host, isService := strings.CutPrefix(name, "service:")
	provider, isProvider := strings.CutPrefix(name, "federated:")
	var p policy.Principal
	switch {
	case name == "anonymous":
	case isService && host != "":
		p = policy.Principal{Type: policy.Service, ARN: host}
	case isProvider && provider != "":
		p = policy.Principal{Type: policy.WebIdentity, ARN: provider}
	default:
		var err error
		if p, err = policy.PrincipalOf(name); err != nil {
			return p, badPrincipal(name)
		}
	}
	if issuer == "" {
		return p, nil
	}
	from, ok := arn.SplitEntity(issuer)
	of, _ := arn.SplitEntity(p.ARN)
	switch {
	case p.Type == policy.RoleSession && ok && from.Kind == arn.KindRole && from.Account == of.Account && from.Name == of.Name:
		p.Role = issuer
	case p.Type == policy.RoleSession:
		return p, fmt.Errorf("--issuer %q: must be the ARN of the role %s of account %s, with its path", issuer, of.Name, of.Account)
	case p.Type == policy.FederatedUser && ok && from.Kind == arn.KindUser && from.Account == of.Account:
		p.User = issuer
	case p.Type == policy.FederatedUser && ok && from.Kind == arn.KindRoot && from.Account == of.Account:
	case p.Type == policy.FederatedUser:
		return p, fmt.Errorf("--issuer %q: must be the ARN of the user of account %s who federated, or of its root", issuer, of.Account)
	default:
		return p, fmt.Errorf("--issuer stands only with the session of a role or a federated user as --principal, not with %s", name)
	}
	return p, nil
}

// badPrincipal says what a principal that is none should have been.
func badPrincipal(name string) error {
	entity, ok := arn.SplitEntity(name)
	_, isARN := arn.Split(name)
	switch {
	case ok && entity.Kind == arn.KindRole && arn.IsAccountID(entity.Account):
		return fmt.Errorf("--principal %s is a role, which acts through its sessions: give one, such as arn:%s:sts::%s:assumed-role/%s/SESSION",
			name, entity.Partition, entity.Account, entity.Name)
	case ok && entity.Kind == arn.KindGroup:
		return fmt.Errorf("--principal %s is a group, which asks for nothing: give one of its users", name)
	case arn.IsAccountID(name):
		return fmt.Errorf("--principal %s is an account: give a principal of it, such as arn:aws:iam::%[1]s:user/NAME, or its root, arn:aws:iam::%[1]s:root", name)
	case strings.HasSuffix(name, ".amazonaws.com"):
		return fmt.Errorf("--principal %s: a service is given as service:%[1]s", name)
	case isARN:
		return fmt.Errorf("--principal %s is not the ARN of a principal: give that of a user (arn:aws:iam::ACCOUNT:user/NAME), "+
			"a role's session (arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION) or an account's root (arn:aws:iam::ACCOUNT:root)", name)
	}
	return fmt.Errorf("--principal %q: must be an ARN such as arn:aws:iam::111122223333:user/fred, anonymous, service:HOST or federated:PROVIDER", name)
}

var actionForm = regexp.MustCompile(`^[A-Za-z0-9_-]+:[A-Za-z0-9_-]+$`)

func checkAction(action string) error {
	switch {
	case actionForm.MatchString(action):
		return nil
	case strings.ContainsAny(action, "*?"):
		return fmt.Errorf("--action %q: a request has one action, without wildcards, such as s3:GetObject", action)
	}
	return fmt.Errorf("--action %q: must be SERVICE:NAME, such as s3:GetObject", action)
}

func checkResource(resource string) error {
	if _, ok := arn.Split(resource); ok || resource == "*" {
		return nil
	}
	return fmt.Errorf("--resource %q: must be an ARN, such as arn:aws:s3:::bucket/key, or * for an action without resources", resource)
}

func checkAccount(id string) error {
	if id == "" || arn.IsAccountID(id) {
		return nil
	}
	return fmt.Errorf("--resource-account %q: must be twelve digits", id)
}

// under explains a request under the policies of a set with those of the flags,
// which set gets, as r gets the condition keys of the flags.
func (e *explain) under(r *policy.Request, set *policy.Set) (*explanation, error) {
	if err := e.setContext(r); err != nil {
		return nil, err
	}
	if err := e.addPolicies(r, set); err != nil {
		return nil, err
	}
	return explained(r, set), nil
}

// setContext puts the condition keys of the flags in place of those in r that
// have the same name but for letter case.
func (e *explain) setContext(r *policy.Request) error {
	values := make(map[string][]string)
	var isList = make(map[string]bool)
	for _, text := range e.context {
		key, value, ok := strings.Cut(text, "=")
		prefix, name, hasPrefix := strings.Cut(key, ":")
		switch {
		case !ok || key == "":
			return fmt.Errorf("--context %q: must be KEY=VALUE, such as aws:SourceIp=203.0.113.7", text)
		case !hasPrefix:
			return fmt.Errorf("--context %q: a condition key begins with a service, such as aws:%s=%s", text, key, value)
		case prefix == "" || name == "":
			return fmt.Errorf("--context %q: the condition key %q is not of the form SERVICE:NAME, such as aws:SourceIp", text, key)
		}
		for given := range values {
			if strings.EqualFold(given, key) {
				key = given
			}
		}
		var list []string
		if strings.HasPrefix(value, "[") && json.Unmarshal([]byte(value), &list) == nil {
			values[key], isList[key] = append(values[key], list...), true
			continue
		}
		values[key] = append(values[key], value)
	}
	for key, list := range values {
		maps.DeleteFunc(r.Context, func(k, _ string) bool { return strings.EqualFold(k, key) })
		maps.DeleteFunc(r.Lists, func(k string, _ []string) bool { return strings.EqualFold(k, key) })
		if len(list) == 1 && !isList[key] {
			if r.Context == nil {
				r.Context = make(map[string]string)
			}
			r.Context[key] = list[0]
			continue
		}
		if r.Lists == nil {
			r.Lists = make(map[string][]string)
		}
		r.Lists[key] = list
	}
	return nil
}

// addPolicies adds the policies in files to a set; a boundary, resource or
// endpoint policy takes the place of the set's.
func (e *explain) addPolicies(r *policy.Request, set *policy.Set) error {
	var errs []error
	list := func(names []string, kind policy.Kind) (policies []*policy.Policy) {
		for _, name := range names {
			p, err := readPolicy(name, kind)
			policies, errs = append(policies, p), append(errs, err)
		}
		return policies
	}
	levels := func(names []string, kind policy.Kind) (levels [][]*policy.Policy) {
		for _, level := range names {
			levels = append(levels, list(strings.Split(level, ","), kind))
		}
		return levels
	}
	one := func(to **policy.Policy, name string, kind policy.Kind) {
		if name != "" {
			*to = list([]string{name}, kind)[0]
		}
	}
	set.Identity = slices.Concat(set.Identity, list(e.identity, policy.Identity))
	set.Session = slices.Concat(set.Session, list(e.session, policy.Session))
	set.SCPs = append(set.SCPs, levels(e.scps, policy.SCP)...)
	set.RCPs = append(set.RCPs, levels(e.rcps, policy.RCP)...)
	one(&set.Boundary, e.boundary, policy.Boundary)
	one(&set.Resource, e.resourcePolicy, policytest.ResourceKind(r))
	one(&set.Endpoint, e.endpoint, policy.Endpoint)
	return errors.Join(errs...)
}

// readPolicy reads and compiles the policy in a file.
func readPolicy(name string, kind policy.Kind) (*policy.Policy, error) {
	data, err := readFile(name)
	if err != nil {
		return nil, err
	}
	d, err := policy.Parse(name, data)
	if err != nil {
		return nil, err
	}
	return policy.Compile(d, kind)
}
