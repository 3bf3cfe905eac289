// SPDX-License-Identifier: Apache-2.0

package authz

import (
	"cmp"
	"maps"
	"slices"
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
// caller, the connection and the check. A nil caller is anonymous. No key of the
// check replaces one of the caller or of the connection.
// Which principal keys exist for whom: IAM User Guide, "AWS global condition
// context keys" and "IAM policy elements: variables".
func Request(c *authn.Caller, env *Env, ck *Check) *policy.Request {
	ctx := make(map[string]string, size(c, ck))
	maps.Copy(ctx, ck.Keys)
	connection(ctx, env)
	r := &policy.Request{
		Action: ck.Action, Resource: ck.Resource, ResourceAccount: ck.Account,
		Context: ctx, Lists: ck.Lists,
	}
	if c != nil {
		r.Principal = c.Principal
		r.ResourceAccount = cmp.Or(ck.Account, string(c.Account))
		if c.Region != "" {
			ctx["aws:RequestedRegion"] = c.Region
		}
		if c.Proof == nil {
			principal(ctx, c, env.Time)
		}
	}
	set(ctx, "aws:ResourceAccount", r.ResourceAccount)
	if ck.MFA {
		ctx["aws:MultiFactorAuthPresent"], ctx["aws:MultiFactorAuthAge"] = "true", "0"
	}
	return r
}

// size is about how many condition keys a request will have.
func size(c *authn.Caller, ck *Check) int {
	n := 14 + len(ck.Keys)
	if c != nil && c.User != nil {
		n += len(c.User.Tags)
	}
	if c != nil && c.Role != nil {
		n += len(c.Role.Tags)
	}
	if c != nil && c.Session != nil {
		n += 3 + len(c.Session.Tags) + len(c.Session.Federated)
	}
	return n
}

func connection(ctx map[string]string, env *Env) {
	ctx["aws:CurrentTime"] = env.Time.UTC().Format(iso8601)
	ctx["aws:EpochTime"] = strconv.FormatInt(env.Time.Unix(), 10)
	ctx["aws:SecureTransport"] = strconv.FormatBool(env.Secure)
	ctx["aws:ViaAWSService"] = "false"
	set(ctx, "aws:SourceIp", env.SourceIP)
	set(ctx, "aws:UserAgent", env.UserAgent)
	set(ctx, "aws:Referer", env.Referer)
}

// set adds a key unless its value is empty, and takes away one of that name that
// the check brought.
func set(ctx map[string]string, key, value string) {
	if value == "" {
		delete(ctx, key)
		return
	}
	ctx[key] = value
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
	case policy.RoleSession:
		ctx["aws:PrincipalType"] = "AssumedRole"
	case policy.FederatedUser:
		ctx["aws:PrincipalType"] = "FederatedUser"
	case policy.Root:
		ctx["aws:PrincipalType"] = "Account"
	}
	principalTags(ctx, c)
	s := c.Session
	if s == nil {
		return
	}
	if s.Kind == session.RootTask {
		ctx["aws:AssumedRoot"] = "true"
	}
	ctx["aws:TokenIssueTime"] = s.Issued.UTC().Format(iso8601)
	mfa, ok := c.MFA()
	ctx["aws:MultiFactorAuthPresent"] = strconv.FormatBool(ok)
	if ok {
		ctx["aws:MultiFactorAuthAge"] = strconv.FormatInt(int64(now.Sub(mfa)/time.Second), 10)
	}
	set(ctx, "aws:SourceIdentity", s.SourceIdentity)
	set(ctx, "aws:FederatedProvider", s.Provider)
	for _, t := range s.Federated {
		ctx[t.Key] = t.Value
	}
}

// principalTags adds the tags of the role or user and those of the session. A
// session tag replaces the principal's tag with the same key whatever its letter
// case (IAM User Guide, "Pass session tags in AWS STS"); a federated user has
// the tags of the user who federated, so that nobody sheds them (API reference
// of GetFederationToken, Tags).
func principalTags(ctx map[string]string, c *authn.Caller) {
	const prefix = "aws:PrincipalTag/"
	var passed []session.Tag
	if c.Session != nil {
		passed = c.Session.Tags
	}
	var own []store.Tag
	switch {
	case c.Role != nil:
		own = c.Role.Tags
	case c.User != nil:
		own = c.User.Tags
	}
	for _, t := range own {
		if !replaced(t.Key, passed) {
			ctx[prefix+t.Key] = t.Value
		}
	}
	for _, t := range passed {
		ctx[prefix+t.Key] = t.Value
	}
}

func replaced(key string, by []session.Tag) bool {
	return slices.ContainsFunc(by, func(t session.Tag) bool { return strings.EqualFold(t.Key, key) })
}

// Tags adds a key per tag, under prefix, to ctx.
func Tags(ctx map[string]string, prefix string, tags []store.Tag) {
	for _, t := range tags {
		ctx[prefix+t.Key] = t.Value
	}
}
