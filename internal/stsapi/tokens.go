// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// Durations of GetSessionToken and GetFederationToken, in seconds; sessions of
// the root user last an hour at most, whatever was asked for (API reference of
// both).
const (
	tokenDuration = 43_200
	rootLimit     = 3_600
)

func tokenLife(c *api.Call, want *int32) time.Duration {
	seconds := wire.Value(want, tokenDuration)
	if c.Caller.Root() {
		seconds = min(seconds, rootLimit)
	}
	return time.Duration(seconds) * time.Second
}

// getSessionTokenTarget: no permission is needed (IAM User Guide, "Permissions
// for GetSessionToken").
func (s *sts) getSessionTokenTarget(c *api.Call, in *GetSessionTokenInput) ([]authz.Check, error) {
	shown, err := s.secondFactor(c, in.SerialNumber, in.TokenCode)
	return []authz.Check{{Resource: "*", Open: true, MFA: shown}}, err
}

func (s *sts) getSessionToken(c *api.Call, in *GetSessionTokenInput) (*GetSessionTokenOutput, error) {
	claims := session.Claims{
		Account: string(c.Account), Kind: session.User, PrincipalID: c.Caller.UserID, MFA: s.factorTime(in.TokenCode),
		Issued: s.now(), Expires: s.now().Add(tokenLife(c, in.DurationSeconds)),
	}
	if c.Caller.Root() {
		claims.Kind = session.Root
	} else {
		claims.Name = c.Caller.User.Name
	}
	cred, err := s.ring.Mint(claims)
	if err != nil {
		return nil, err
	}
	return &GetSessionTokenOutput{Credentials: credentials(cred)}, nil
}

func getFederationTokenTarget(c *api.Call, in *GetFederationTokenInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: arn.FederatedUser(c.Account, in.Name).String(), Keys: make(map[string]string)}
	for _, t := range in.Tags {
		ck.Keys["aws:RequestTag/"+t.Key] = t.Value
	}
	if len(in.Tags) > 0 {
		ck.Lists = map[string][]string{"aws:TagKeys": tagKeys(in.Tags)}
	}
	return sessionChecks(c, ck, in.Tags, nil), nil
}

func (s *sts) getFederationToken(c *api.Call, in *GetFederationTokenInput) (*GetFederationTokenOutput, error) {
	limit, err := sessionPolicy(c.View, in.Policy, in.PolicyArns)
	if err != nil {
		return nil, err
	}
	claims := session.Claims{
		Account: string(c.Account), Kind: session.Federated, Name: in.Name, PrincipalID: c.Caller.UserID,
		Policy: limit.text, PolicyARNs: limit.arns,
		Issued: s.now(), Expires: s.now().Add(tokenLife(c, in.DurationSeconds)),
	}
	if err := inheritInto(&claims, c, in.Tags, nil, nil); err != nil {
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
	return &GetFederationTokenOutput{
		Credentials: credentials(cred),
		FederatedUser: &FederatedUser{
			FederatedUserId: string(c.Account) + ":" + in.Name, Arn: arn.FederatedUser(c.Account, in.Name).String(),
		},
		PackedPolicySize: &packed,
	}, nil
}
