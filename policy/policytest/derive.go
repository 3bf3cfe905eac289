// SPDX-License-Identifier: Apache-2.0

package policytest

import (
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// principalTypes has the values of aws:PrincipalType (UG-Variables table).
var principalTypes = map[policy.PrincipalType]string{
	policy.User: "User", policy.RoleSession: "AssumedRole", policy.FederatedUser: "FederatedUser", policy.Root: "Account",
}

// Derive puts the condition keys into a request that its caller and resource
// imply (V-7), those that every case has. Anonymous callers have none of the
// caller's. It replaces the Context.
func Derive(q *policy.Request) {
	p := &q.Principal
	q.Context = make(map[string]string)
	if account := q.Account(); account != "" {
		q.Context["aws:ResourceAccount"] = account
	}
	switch p.Type {
	case policy.User, policy.RoleSession, policy.FederatedUser, policy.Root:
		q.Context["aws:PrincipalArn"] = p.ARN
		q.Context["aws:PrincipalAccount"] = p.Account
		q.Context["aws:PrincipalType"] = principalTypes[p.Type]
		q.Context["aws:PrincipalIsAWSService"] = "false"
	case policy.Service:
		q.Context["aws:PrincipalIsAWSService"] = "true"
		q.Context["aws:PrincipalServiceName"] = p.ARN
	}
	entity, _ := arn.SplitEntity(p.ARN)
	switch p.Type {
	case policy.User:
		q.Context["aws:username"] = entity.Name
	case policy.RoleSession: // the role's ARN, not the session's
		q.Context["aws:PrincipalArn"] = p.Role
		if p.Role == "" {
			role := string(arn.KindRole) + "/" + entity.Name
			q.Context["aws:PrincipalArn"] = string(arn.Make(entity.Partition, "iam", "", p.Account, role))
		}
	}
}

// derivedKey returns the key of a request's context that is key but for letter
// case, or key itself.
func derivedKey(q *policy.Request, key string) string {
	for k := range q.Context {
		if strings.EqualFold(k, key) {
			return k
		}
	}
	return key
}
