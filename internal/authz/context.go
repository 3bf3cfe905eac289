// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"cmp"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

const iso8601 = "2006-01-02T15:04:05Z"

// Request puts one check into the engine's form, with the condition keys of the
// caller, the connection and the check. A nil caller is anonymous.
// Which principal keys exist for whom: IAM User Guide, "AWS global condition
// context keys" and "IAM policy elements: variables".
func Request(c *authn.Caller, env *Env, ck *Check) *policy.Request {
	ctx := make(map[string]string, 24+len(ck.Keys))
	connection(ctx, env)
	r := &policy.Request{
		Action: ck.Action, Resource: ck.Resource, ResourceAccount: ck.Account,
		Context: ctx, Lists: ck.Lists,
	}
	if c != nil {
		r.Principal = c.Principal
		r.ResourceAccount = cmp.Or(ck.Account, string(c.Account))
		ctx["aws:ResourceAccount"] = r.ResourceAccount
		if c.Region != "" {
			ctx["aws:RequestedRegion"] = c.Region
		}
		principal(ctx, c, env.Time)
	}
	maps.Copy(ctx, ck.Keys)
	return r
}

func connection(ctx map[string]string, env *Env) {
	ctx["aws:CurrentTime"] = env.Time.UTC().Format(iso8601)
	ctx["aws:EpochTime"] = strconv.FormatInt(env.Time.Unix(), 10)
	ctx["aws:SecureTransport"] = strconv.FormatBool(env.Secure)
	ctx["aws:ViaAWSService"] = "false"
	for key, value := range map[string]string{
		"aws:SourceIp": env.SourceIP, "aws:UserAgent": env.UserAgent, "aws:Referer": env.Referer,
	} {
		if value != "" {
			ctx[key] = value
		}
	}
}

func principal(ctx map[string]string, c *authn.Caller, now time.Time) {
	ctx["aws:PrincipalArn"] = cmp.Or(c.Principal.Role, c.ARN)
	ctx["aws:PrincipalAccount"] = string(c.Account)
	ctx["aws:PrincipalIsAWSService"] = "false"
	ctx["aws:userid"] = c.UserID
	switch c.Principal.Type {
	case policy.User:
		ctx["aws:PrincipalType"] = "User"
		ctx["aws:username"] = c.User.Name
		Tags(ctx, "aws:PrincipalTag/", c.User.Tags)
	case policy.RoleSession:
		ctx["aws:PrincipalType"] = "AssumedRole"
		Tags(ctx, "aws:PrincipalTag/", c.Role.Tags)
	case policy.FederatedUser:
		ctx["aws:PrincipalType"] = "FederatedUser"
	case policy.Root:
		ctx["aws:PrincipalType"] = "Account"
	}
	s := c.Session
	if s == nil {
		return
	}
	SessionTags(ctx, s.Tags)
	ctx["aws:TokenIssueTime"] = s.Issued.UTC().Format(iso8601)
	mfa, ok := c.MFA()
	ctx["aws:MultiFactorAuthPresent"] = strconv.FormatBool(ok)
	if ok {
		ctx["aws:MultiFactorAuthAge"] = strconv.FormatInt(int64(now.Sub(mfa)/time.Second), 10)
	}
	if s.SourceIdentity != "" {
		ctx["aws:SourceIdentity"] = s.SourceIdentity
	}
}

// Tags adds a key per tag, under prefix, to ctx.
func Tags(ctx map[string]string, prefix string, tags []store.Tag) {
	for _, t := range tags {
		ctx[prefix+t.Key] = t.Value
	}
}

// SessionTags adds session tags to the principal's own. A session tag replaces
// the principal's tag with the same key whatever its letter case (STS, "Pass
// session tags").
func SessionTags(ctx map[string]string, tags []session.Tag) {
	for _, t := range tags {
		key := "aws:PrincipalTag/" + t.Key
		for have := range ctx {
			if have != key && strings.EqualFold(have, key) {
				delete(ctx, have)
			}
		}
		ctx[key] = t.Value
	}
}
