// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// rootDuration is how long a session of AssumeRoot lasts unless the request says,
// and at most, in seconds (API reference of AssumeRoot).
const rootDuration = 900

// A rootFeature is what an organization has to have switched on for a task.
type rootFeature struct {
	on  func(*orgs.Organization) bool
	off string // what AWS says if it is not
}

var (
	rootCredentials = &rootFeature{
		func(o *orgs.Organization) bool { return o.RootCredentials },
		"Root credentials management feature is not enabled for your AWS Organization.",
	}
	rootSessions = &rootFeature{
		func(o *orgs.Organization) bool { return o.RootSessions },
		"Root sessions feature is not enabled for your AWS Organization.",
	}
)

// taskPrefix begins the ARN of every policy for a task of the root user.
const taskPrefix = "arn:aws:iam::aws:policy/root-task/"

// rootTasks are the policies to which a session can be limited (API reference of
// AssumeRoot, TaskPolicyArn), with the feature that each needs.
//
// quirk Q085: which feature is for which task.
var rootTasks = map[string]*rootFeature{
	"IAMAuditRootUserCredentials":  rootCredentials,
	"IAMCreateRootUserPassword":    rootCredentials,
	"IAMDeleteRootUserCredentials": rootCredentials,
	"S3UnlockBucketPolicy":         rootSessions,
	"SQSUnlockQueuePolicy":         rootSessions,
}

// rootTask returns the feature that the policy of a task needs.
func rootTask(policyARN string) (*rootFeature, bool) {
	name, ok := strings.CutPrefix(policyARN, taskPrefix)
	f := rootTasks[name]
	return f, ok && f != nil
}

// rootTarget returns the account whose root user a TargetPrincipal means: by the
// account's id or the root user's ARN.
func rootTarget(principal string) (arn.AccountID, bool) {
	if entity, ok := arn.SplitEntity(principal); ok && entity.Kind == arn.KindRoot {
		principal = entity.Account
	}
	id := arn.AccountID(principal)
	return id, len(principal) == 12 && strings.Trim(principal, "0123456789") == ""
}

// assumeRootTarget: the member account trusts the administrators of IAM in its
// organization, and nobody else: they need the permission of their own account as
// well. Who is none of them is refused in the same words as where there is no such
// account.
func (s *sts) assumeRootTarget(c *api.Call, in *AssumeRootInput) ([]authz.Check, error) {
	target, ok := rootTarget(in.TargetPrincipal)
	if !ok {
		return nil, awserr.ValidationError.Msg("Request must contain a valid target principal")
	}
	task := wire.Value(in.TaskPolicyArn.Arn, "")
	if _, ok := rootTask(task); !ok {
		return nil, awserr.ValidationError.Msg("Request must contain valid AWS managed task policy ARN")
	}
	if c.Caller.Root() || target == c.Account {
		return nil, notRoot(c, target)
	}
	m, err := orgs.Find(c.Context(), s.store, c.View)
	if err != nil {
		return nil, err
	}
	c.Membership = m
	ck := authz.Check{
		Resource: arn.Root(target).String(), Account: string(target), Keys: map[string]string{"sts:TaskPolicyArn": task},
	}
	if m != nil && m.Org.Administers(string(c.Account), orgs.ServiceIAM) && s.entrusted(c, m.Org, target) {
		if ck.Policy, err = trustOf(c.Account); err != nil {
			return nil, err
		}
	}
	return []authz.Check{ck}, nil
}

// notRoot is the refusal of who cannot be the root user of an account, whatever
// its policies say.
func notRoot(c *api.Call, target arn.AccountID) error {
	return awserr.AccessDenied.Msg("User: %s is not authorized to perform: sts:AssumeRoot on resource: %s", c.Caller.ARN, arn.Root(target))
}

// entrusted reports whether an account is a member of an organization whose root
// user others can be: not the management account, nor one that is closed.
func (s *sts) entrusted(c *api.Call, o *orgs.Org, target arn.AccountID) bool {
	m, err := o.Member(string(target))
	if err != nil || m.State != orgs.MemberActive || string(target) == o.Management() {
		return false
	}
	v, err := s.store.View(c.Context(), string(target))
	return err == nil && !v.Account().Closed() && v.Account().Organization == o.Management()
}

// trustOf is the trust policy of a member account's root user: it trusts an account.
func trustOf(account arn.AccountID) (*policy.Policy, error) {
	const name = "central root access"
	d, err := policy.Parse(name, []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+string(account)+`"},"Action":"sts:AssumeRoot"}}`))
	if err != nil {
		return nil, err
	}
	return policy.Compile(d, policy.Trust)
}

// assumeRoot goes by the organization as the target found it. Its answers to
// those who are permitted tell what the organization has not switched on; texts
// as AWS sends them.
func (s *sts) assumeRoot(c *api.Call, in *AssumeRootInput) (*AssumeRootOutput, error) {
	target, _ := rootTarget(in.TargetPrincipal)
	task := wire.Value(in.TaskPolicyArn.Arn, "")
	feature, ok := rootTask(task)
	if c.Membership == nil || !ok { // cannot be: the check was allowed
		return nil, notRoot(c, target)
	}
	o := c.Membership.Org.Record()
	switch {
	case o.Features != orgs.FeaturesAll, !o.Trusts(orgs.ServiceIAM):
		return nil, awserr.AccessDenied.Msg("Service not enabled for AWS Organizations.")
	case !feature.on(o):
		return nil, awserr.AccessDenied.Msg("%s", feature.off)
	}
	_, identity := inherit(c)
	cred, err := s.ring.Mint(session.Claims{
		Account: string(target), Kind: session.RootTask, PrincipalID: string(target), PolicyARNs: []string{task},
		SourceIdentity: identity, Issued: s.now(), Expires: s.now().Add(time.Duration(wire.Value(in.DurationSeconds, rootDuration)) * time.Second),
	})
	if err != nil {
		return nil, err
	}
	return &AssumeRootOutput{Credentials: credentials(cred), SourceIdentity: wire.NonZero(identity)}, nil
}
