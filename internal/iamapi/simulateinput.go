// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// complete adds what the request says to the policies gathered so far.
func (m *simulation) complete(c *api.Call, in *simulated) error {
	for i, text := range in.policies {
		if err := m.input("PolicyInputList."+strconv.Itoa(i+1), sourceIdentity, policy.IdentityLayer, policy.Identity, text); err != nil {
			return err
		}
	}
	if err := m.boundaryInput(in.boundaries); err != nil {
		return err
	}
	if err := m.callerInput(c, in); err != nil {
		return err
	}
	if err := m.resourceInput(in); err != nil {
		return err
	}
	for _, a := range in.actions {
		if !validAction(a) {
			return awserr.InvalidInput.Msg("ActionNames are not in a valid format: %s.", a)
		}
	}
	m.actions = in.actions
	return m.contextInput(in.entries)
}

// input adds a policy of the request.
func (m *simulation) input(id, from string, layer policy.Layer, kind policy.Kind, text string) error {
	d, err := policy.Parse(id, []byte(text))
	if err == nil {
		err = d.Validate(kind)
	}
	var p *policy.Policy
	if err == nil {
		p, err = policy.Compile(d, kind)
	}
	if err != nil {
		return awserr.InvalidInput.Msg("Invalid policy %s: %s", id, api.Fault(err, kind)).Because(err)
	}
	m.add(layer, source{id: id, kind: from}, p)
	return nil
}

// boundaryInput replaces the boundary in force by the one that the request
// brings.
func (m *simulation) boundaryInput(texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	if len(texts) > 1 {
		return awserr.InvalidInput.Msg("PermissionsBoundaryPolicyInputList can hold one policy only.")
	}
	delete(m.sources, policy.BoundaryLayer)
	return m.input("PermissionsBoundaryPolicyInputList.1", sourceBoundary, policy.BoundaryLayer, policy.Boundary, texts[0])
}

// callerInput sets the caller that the request names, who has the policies of the
// principal simulated: "as if Bob had David's policies" (IAM API Reference,
// SimulatePrincipalPolicy, CallerArn). Without any, the caller is some user of the
// account.
func (m *simulation) callerInput(c *api.Call, in *simulated) error {
	switch {
	case in.caller != nil:
		return m.namedCaller(c, *in.caller)
	case in.resourcePolicy != nil && !m.gathered:
		return awserr.InvalidInput.Msg("CallerArn is required when a ResourcePolicy is given.")
	case m.caller.Account == "":
		m.caller = policy.Principal{Type: policy.User, Account: string(c.Account)}
	}
	return nil
}

// namedCaller makes a user, a session of a role, or some user of a group's account
// the caller.
func (m *simulation) namedCaller(c *api.Call, name string) error {
	e, _ := arn.SplitEntity(name)
	if !arn.IsAccountID(e.Account) {
		e.Kind = ""
	}
	m.context = nil
	switch e.Kind {
	case arn.KindUser:
		m.caller = policy.Principal{Type: policy.User, ARN: name, Account: e.Account}
		if u, err := c.View.User(e.Name); err == nil && c.View.UserARN(u) == name {
			m.asUser(c, u)
		}
	case arn.KindRole:
		m.caller = policy.Principal{Type: policy.RoleSession, Account: e.Account, Role: name,
			ARN: string(arn.Make(e.Partition, "sts", "", e.Account, "assumed-role/"+e.Name+"/simulation"))}
		if r, err := c.View.Role(e.Name); err == nil && c.View.RoleARN(r) == name {
			m.asRole(c, r)
		}
	case arn.KindGroup:
		m.caller = policy.Principal{Type: policy.User, Account: e.Account}
	default:
		return awserr.InvalidInput.Msg("CallerArn must be the ARN of a user, group or role: %s.", name)
	}
	return nil
}

// resourceInput sets the resources with their policy and owner.
func (m *simulation) resourceInput(in *simulated) error {
	if m.resources = in.resources; len(m.resources) == 0 {
		m.resources = []string{"*"}
	}
	m.every = len(m.resources) == 1 && m.resources[0] == "*"
	for _, r := range m.resources {
		if _, ok := arn.Split(r); !ok && r != "*" {
			return awserr.InvalidInput.Msg("ResourceNames are not in a valid ARN format: %s.", r)
		}
	}
	if in.owner != nil {
		e, ok := arn.SplitEntity(*in.owner)
		switch {
		case arn.IsAccountID(*in.owner):
			m.owner = *in.owner
		case ok && e.Kind == arn.KindRoot:
			m.owner = e.Account
		default:
			return awserr.InvalidInput.Msg("ResourceOwner must be the ARN of an account: %s.", *in.owner)
		}
	}
	if in.resourcePolicy == nil {
		return nil
	}
	return m.input("ResourcePolicy", sourceResource, policy.ResourceLayer, resourceKind(*in.resourcePolicy), *in.resourcePolicy)
}

// resourceKind tells a role's trust policy, whose statements have no resource,
// from other resource policies.
func resourceKind(text string) policy.Kind {
	d, err := policy.Parse("", []byte(text))
	if err != nil || len(d.Statements) == 0 {
		return policy.Resource
	}
	for i := range d.Statements {
		if d.Statements[i].HasResource {
			return policy.Resource
		}
	}
	return policy.Trust
}

// validAction reports whether an action is "service:Name" without wildcards.
func validAction(action string) bool {
	service, name, ok := strings.Cut(action, ":")
	return ok && service != "" && name != "" && strings.IndexFunc(service+name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	}) < 0
}

// contextInput sets the condition keys. Those of the request replace the ones
// known of the caller.
func (m *simulation) contextInput(entries []ContextEntry) error {
	context := make(map[string]string)
	m.lists = make(map[string][]string)
	given := make(map[string]bool)
	for _, e := range entries {
		key, typ := wire.Value(e.ContextKeyName, ""), wire.Value(e.ContextKeyType, ContextKeyTypeEnumString)
		if key == "" || given[strings.ToLower(key)] {
			return awserr.InvalidInput.Msg("ContextEntries must each have a ContextKeyName of its own: %q.", key)
		}
		given[strings.ToLower(key)] = true
		single, list := strings.CutSuffix(typ, "List")
		for _, v := range e.ContextKeyValues {
			if !validContext(single, v) {
				return awserr.InvalidInput.Msg("Invalid value of context key %s: %q is no %s.", key, v, single)
			}
		}
		switch {
		case list:
			m.lists[key] = e.ContextKeyValues
		case len(e.ContextKeyValues) == 1:
			context[key] = e.ContextKeyValues[0]
		case len(e.ContextKeyValues) > 1:
			return awserr.InvalidInput.Msg("Context key %s of type %s has %d values: use %sList.", key, typ, len(e.ContextKeyValues), typ)
		}
	}
	if m.place != nil {
		if m.context == nil {
			m.context = make(map[string]string)
		}
		m.context["aws:PrincipalOrgID"] = m.place.Org.Record().ID
		if !given["aws:principalorgpaths"] {
			m.lists["aws:PrincipalOrgPaths"] = []string{m.place.Path}
		}
	}
	for key, value := range m.context {
		if !given[strings.ToLower(key)] {
			context[key] = value
		}
	}
	m.context = context
	return nil
}

// validContext reports whether a value has a ContextKeyType.
func validContext(typ, value string) bool {
	var err error
	switch typ {
	case ContextKeyTypeEnumNumeric:
		_, err = strconv.ParseFloat(value, 64)
	case ContextKeyTypeEnumBoolean:
		return strings.EqualFold(value, "true") || strings.EqualFold(value, "false")
	case ContextKeyTypeEnumIp:
		if _, err = netip.ParseAddr(value); err != nil {
			_, err = netip.ParsePrefix(value)
		}
	case ContextKeyTypeEnumBinary:
		_, err = base64.StdEncoding.DecodeString(value)
	case ContextKeyTypeEnumDate:
		return validDate(value)
	}
	return err == nil
}

// validDate reports whether a value is a date of ISO 8601 or a number of seconds.
func validDate(value string) bool {
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return true
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02"} {
		if _, err := time.Parse(layout, value); err == nil {
			return true
		}
	}
	return false
}
