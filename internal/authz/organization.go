// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Organize adds to a request what organizations have to say: the service control
// policies of the caller's account and the resource control policies of the one
// that owns the resource, level by level, and the condition keys about both
// organizations. It replaces what set has of them. A caller that is nobody, or whom
// a federated provider proves, belongs to no account.
//
// Not in force are policies over the management account, over service-linked
// roles, and resource control policies over services that know none (D-3, D-4).
func (z *Authorizer) Organize(ctx context.Context, set *policy.Set, r *policy.Request, c *authn.Caller) error {
	set.SCPs, set.RCPs = nil, nil
	var mine, theirs *orgs.Membership
	var err error
	if c != nil && c.Principal.Account != "" {
		if mine, err = orgs.Find(ctx, z.store, c.View); err != nil {
			return fmt.Errorf("authz: the caller's organization: %w", err)
		}
	}
	switch owner := r.Account(); {
	case owner == "":
	case c != nil && owner == c.Principal.Account:
		theirs = mine
	default:
		if theirs, err = z.membership(ctx, owner); err != nil {
			return fmt.Errorf("authz: the resource's organization: %w", err)
		}
	}
	exempt := c != nil && c.Role != nil && strings.HasPrefix(c.Role.Path, "/aws-service-role/")
	if mine != nil && !exempt {
		set.SCPs = mine.SCPs
	}
	if theirs != nil && !exempt && controlled(r.Action) {
		set.RCPs = theirs.RCPs
	}
	r.Lists = organizationKeys(r, "Principal", mine)
	r.Lists = organizationKeys(r, "Resource", theirs)
	return nil
}

// membership is the place of an account in its organization; nil for an account
// that is in none or does not exist.
func (z *Authorizer) membership(ctx context.Context, account string) (*orgs.Membership, error) {
	v, err := z.store.View(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return orgs.Find(ctx, z.store, v)
}

// organizationKeys sets aws:PrincipalOrgID and aws:PrincipalOrgPaths, or those of
// the resource, and returns the lists of the request with them (User Guide, "AWS
// global condition context keys"). Those that a check brought are taken away.
func organizationKeys(r *policy.Request, whose string, m *orgs.Membership) map[string][]string {
	id, paths := "aws:"+whose+"OrgID", "aws:"+whose+"OrgPaths"
	if m == nil {
		delete(r.Context, id)
		if _, ok := r.Lists[paths]; !ok {
			return r.Lists
		}
	} else {
		r.Context[id] = m.Org.Record().ID
	}
	lists := maps.Clone(r.Lists) // the check's own
	if lists == nil {
		lists = make(map[string][]string)
	}
	delete(lists, paths)
	if m != nil {
		lists[paths] = []string{m.Path}
	}
	return lists
}

// controlledServices are those that resource control policies apply to (User
// Guide of Organizations, "List of AWS services that support RCPs").
var controlledServices = map[string]bool{
	"aoss": true, "cognito-identity": true, "cognito-idp": true, "dynamodb": true, "ecr": true, "kms": true,
	"logs": true, "s3": true, "secretsmanager": true, "sqs": true, "sts": true,
}

func controlled(action string) bool {
	service, _, _ := strings.Cut(action, ":")
	return controlledServices[strings.ToLower(service)]
}
