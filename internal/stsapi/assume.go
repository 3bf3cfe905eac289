// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// chainLimit is how long a role assumed with the credentials of another role may
// last, in seconds (IAM User Guide, "Role chaining").
const chainLimit = 3600

// assumeRoleTarget names the role with its trust policy. A role that does not
// exist has none, and is refused in the same words as one that does not trust
// the caller.
func (s *sts) assumeRoleTarget(c *api.Call, in *AssumeRoleInput) ([]authz.Check, error) {
	entity, ok := arn.SplitEntity(in.RoleArn)
	if !ok || entity.Kind != arn.KindRole {
		return nil, awserr.ValidationError.Msg("%s is invalid", in.RoleArn)
	}
	if c.Caller.Root() {
		return nil, awserr.AccessDenied.Msg("Roles may not be assumed by root accounts.")
	}
	shown, err := s.secondFactor(c, in.SerialNumber, in.TokenCode)
	if err != nil {
		return nil, err
	}
	ck := authz.Check{Resource: in.RoleArn, Account: entity.Account, MFA: shown, Keys: make(map[string]string)}
	role, _, err := s.role(c.Context(), in.RoleArn)
	if err != nil {
		return nil, err
	}
	if role != nil {
		ck.Policy = role.Trust.Compiled(policy.Trust)
		authz.Tags(ck.Keys, "aws:ResourceTag/", role.Tags)
		authz.Tags(ck.Keys, "iam:ResourceTag/", role.Tags)
	}
	assumeKeys(&ck, in)
	return sessionChecks(c, ck, in.Tags, in.SourceIdentity), nil
}

// role finds a role by its exact ARN; nil when there is none.
func (s *sts) role(ctx context.Context, roleARN string) (*store.Role, *store.View, error) {
	entity, _ := arn.SplitEntity(roleARN)
	view, err := s.store.View(ctx, entity.Account)
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	role, err := view.Role(entity.Name)
	if err != nil || view.RoleARN(role) != roleARN || view.Account().Closed() {
		return nil, view, nil
	}
	return role, view, nil
}

// assumeKeys adds the condition keys of AssumeRole (Service Authorization
// Reference, "AWS Security Token Service").
func assumeKeys(ck *authz.Check, in *AssumeRoleInput) {
	ck.Keys["sts:RoleSessionName"] = in.RoleSessionName
	for key, value := range map[string]*string{"sts:ExternalId": in.ExternalId, "sts:SourceIdentity": in.SourceIdentity} {
		if value != nil {
			ck.Keys[key] = *value
		}
	}
	if in.DurationSeconds != nil {
		ck.Keys["sts:DurationSeconds"] = strconv.Itoa(int(*in.DurationSeconds))
	}
	for _, t := range in.Tags {
		ck.Keys["aws:RequestTag/"+t.Key] = t.Value
	}
	ck.Lists = make(map[string][]string)
	if keys := tagKeys(in.Tags); len(keys) > 0 {
		ck.Lists["aws:TagKeys"] = keys
	}
	if len(in.TransitiveTagKeys) > 0 {
		ck.Lists["sts:TransitiveTagKeys"] = in.TransitiveTagKeys
	}
}

// sessionChecks adds to a check the ones for tagging the session and for
// setting its source identity, which are permissions of their own, also when
// they are inherited through role chaining (IAM User Guide, "Pass session tags
// in AWS STS" and "Monitor and control actions taken with assumed roles").
func sessionChecks(c *api.Call, ck authz.Check, tags []Tag, sourceIdentity *string) []authz.Check {
	checks := []authz.Check{ck}
	inherited, identity := inherit(c)
	if len(tags) > 0 || len(inherited.Transitive) > 0 {
		tag := ck
		tag.Action = "sts:TagSession"
		checks = append(checks, tag)
	}
	if sourceIdentity != nil || identity != "" {
		set := ck
		set.Action = "sts:SetSourceIdentity"
		checks = append(checks, set)
	}
	return checks
}

func (s *sts) assumeRole(c *api.Call, in *AssumeRoleInput) (*AssumeRoleOutput, error) {
	role, view, err := s.role(c.Context(), in.RoleArn)
	if err != nil {
		return nil, err
	}
	if role == nil { // deleted since it was authorized
		return nil, awserr.AccessDenied.Msg("User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.Caller.ARN, in.RoleArn)
	}
	seconds, err := roleDuration(c, role, in.DurationSeconds)
	if err != nil {
		return nil, err
	}
	limit, err := sessionPolicy(view, in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	claims := session.Claims{
		Account: view.Account().ID, Kind: session.Role, Name: in.RoleSessionName,
		PrincipalID: role.ID, RoleName: role.Name, RolePath: role.Path,
		Policy: limit.text, PolicyARNs: limit.arns, MFA: s.factorTime(in.TokenCode),
		Issued: s.now(), Expires: s.now().Add(time.Duration(seconds) * time.Second), Chained: chained(c),
	}
	if err := inheritInto(&claims, c, in.Tags, in.TransitiveTagKeys, in.SourceIdentity); err != nil {
		return nil, err
	}
	packed, err := packedSize(&claims)
	if err != nil {
		return nil, err
	}
	cred, err := s.ring.Mint(claims)
	if err != nil {
		return nil, err
	}
	return &AssumeRoleOutput{
		Credentials: credentials(cred),
		AssumedRoleUser: &AssumedRoleUser{
			AssumedRoleId: role.ID + ":" + in.RoleSessionName,
			Arn:           arn.AssumedRole(arn.AccountID(claims.Account), role.Name, in.RoleSessionName).String(),
		},
		PackedPolicySize: wire.NonZero(packed),
		SourceIdentity:   wire.NonZero(claims.SourceIdentity),
	}, nil
}

// chained reports whether the caller is itself a session of a role.
func chained(c *api.Call) bool { return c.Caller.Role != nil }

func roleDuration(c *api.Call, role *store.Role, want *int32) (int, error) {
	seconds := int(wire.Value(want, 3600))
	switch {
	case chained(c) && seconds > chainLimit:
		return 0, awserr.ValidationError.Msg("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
	case seconds > role.MaxSession:
		return 0, awserr.ValidationError.Msg("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return seconds, nil
}

func tagKeys(tags []Tag) []string {
	keys := make([]string, len(tags))
	for i, t := range tags {
		keys[i] = t.Key
	}
	return keys
}

func credentials(c session.Credentials) *Credentials {
	return &Credentials{
		AccessKeyId: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken, Expiration: c.Expires,
	}
}

// packedSize is the share of the session's packed policies and tags in what a
// token may carry, in percent.
func packedSize(claims *session.Claims) (int32, error) {
	percent := session.PackedSize(claims.Policy, claims.PolicyARNs, claims.Tags)
	if percent > 100 {
		return 0, awserr.PackedPolicyTooLarge.Msg("The packed size of the session policies and tags is %d%% of the limit.", percent)
	}
	return int32(percent), nil
}
