// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"crypto/rsa"
	"errors"
	"maps"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/federate"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A proof is what a provider of identities said, verified.
type proof struct {
	*federate.Identity
	provider string // ARN
}

// roleAccount returns the account in the ARN of a role.
func roleAccount(roleARN string) (string, error) {
	entity, ok := arn.SplitEntity(roleARN)
	if !ok || entity.Kind != arn.KindRole {
		return "", awserr.ValidationError.Msg("%s is invalid", roleARN)
	}
	return entity.Account, nil
}

// refused maps a refusal of package federate to AWS's error; any other error
// stays as it is.
func refused(err error) error {
	e, ok := errors.AsType[*federate.RefusedError](err)
	if !ok {
		return err
	}
	code := map[federate.Fault]*awserr.Error{
		federate.Invalid: awserr.InvalidIdentityToken, federate.Expired: awserr.ExpiredTokenException,
		federate.Unreachable: awserr.IDPCommunicationError, federate.Rejected: awserr.IDPRejectedClaim,
	}[e.Fault]
	return code.Msg("%s", e.Text).Because(err)
}

// proveWebIdentity verifies a token with the provider that the role's account
// has registered for its issuer.
//
// quirk Q080: the issuer may be another account of this server.
func (s *sts) proveWebIdentity(c *api.Call, in *AssumeRoleWithWebIdentityInput) (*authn.Caller, *proof, error) {
	account, err := roleAccount(in.RoleArn)
	if err != nil {
		return nil, nil, err
	}
	if in.ProviderId != nil {
		return nil, nil, awserr.ValidationError.Msg("The ProviderId %s is not supported: it is for OAuth 2.0 access tokens, and left out for OpenID Connect", *in.ProviderId)
	}
	token, err := federate.ParseToken(in.WebIdentityToken)
	if err != nil {
		return nil, nil, refused(err)
	}
	view, err := s.store.View(c.Context(), account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, nil, err
	}
	p := oidcProvider(view, token.Issuer)
	if p == nil {
		return nil, nil, awserr.InvalidIdentityToken.Msg("No OpenIDConnect provider found in your account for %.256s", token.Issuer)
	}
	id, err := s.issuers.Verify(c.Context(), token, &federate.Issuer{URL: p.URL, ClientIDs: p.ClientIDs, Thumbprints: p.Thumbprints})
	if err != nil {
		return nil, nil, refused(err)
	}
	provider := view.OIDCProviderARN(p)
	caller := authn.Federated(view, provider+":"+id.Audience+":"+id.Subject, authn.Proof{Provider: provider, Name: id.Subject, Issuer: provider})
	return caller, &proof{id, provider}, nil
}

// oidcProvider returns the provider that an account has registered for an
// issuer, compared exactly; nil if there is none or the view is nil.
func oidcProvider(view *store.View, issuer string) *store.OIDCProvider {
	url, ok := strings.CutPrefix(issuer, "https://")
	if view == nil || !ok {
		return nil
	}
	p, err := view.OIDCProvider(url)
	if err != nil || p.URL != url {
		return nil
	}
	return p
}

func (s *sts) webIdentityTarget(c *api.Call, in *AssumeRoleWithWebIdentityInput, p *proof) ([]authz.Check, error) {
	return s.federatedTarget(c, in.RoleArn, in.RoleSessionName, p)
}

func (s *sts) federatedTarget(c *api.Call, roleARN, name string, p *proof) ([]authz.Check, error) {
	role, _, err := s.role(c.Context(), roleARN)
	if err != nil {
		return nil, err
	}
	return federatedChecks(c.Account, roleARN, role, name, p.Identity), nil
}

// federatedChecks returns what must be allowed for an identity to assume a role:
// that, and tagging the session and setting its source identity if the proof
// asks for it. Actions are left out where they are those of the operation. role
// is nil if there is none.
func federatedChecks(account arn.AccountID, roleARN string, role *store.Role, name string, id *federate.Identity) []authz.Check {
	ck := authz.Check{Resource: roleARN, Account: string(account), Keys: maps.Clone(id.Keys), Lists: maps.Clone(id.Lists)}
	if role != nil {
		ck.Policy = role.Trust.Compiled(policy.Trust)
		authz.Tags(ck.Keys, "aws:ResourceTag/", role.Tags)
		authz.Tags(ck.Keys, "iam:ResourceTag/", role.Tags)
	}
	ck.Keys["sts:RoleSessionName"] = name
	keys := make([]string, len(id.Tags))
	for i, t := range id.Tags {
		ck.Keys["aws:RequestTag/"+t.Key] = t.Value
		keys[i] = t.Key
	}
	if len(keys) > 0 {
		ck.Lists["aws:TagKeys"] = keys
	}
	if len(id.Transitive) > 0 {
		ck.Lists["sts:TransitiveTagKeys"] = id.Transitive
	}
	if id.SourceIdentity != "" {
		ck.Keys["sts:SourceIdentity"] = id.SourceIdentity
	}
	checks := []authz.Check{ck}
	if len(id.Tags) > 0 {
		tag := ck
		tag.Action = "sts:TagSession"
		checks = append(checks, tag)
	}
	if id.SourceIdentity != "" {
		set := ck
		set.Action = "sts:SetSourceIdentity"
		checks = append(checks, set)
	}
	return checks
}

func (s *sts) assumeRoleWithWebIdentity(c *api.Call, in *AssumeRoleWithWebIdentityInput, p *proof) (*AssumeRoleWithWebIdentityOutput, error) {
	made, err := s.federated(c, request{"sts:AssumeRoleWithWebIdentity", in.RoleArn, in.RoleSessionName, in.DurationSeconds, in.Policy, in.PolicyArns}, p)
	if err != nil {
		return nil, err
	}
	return &AssumeRoleWithWebIdentityOutput{
		Credentials: made.credentials, AssumedRoleUser: made.user, PackedPolicySize: made.packed,
		SubjectFromWebIdentityToken: &p.Subject, Provider: &p.provider, Audience: &p.Audience,
		SourceIdentity: wire.NonZero(p.SourceIdentity),
	}, nil
}

// A request is what both operations of federation are asked for.
type request struct {
	action     string
	role, name string
	seconds    *int32
	policy     *string
	policyARNs []PolicyDescriptorType
}

// A made is the session that they answer with.
type made struct {
	credentials *Credentials
	user        *AssumedRoleUser
	packed      *int32
}

// federated makes a session for an identity, which is authorized.
func (s *sts) federated(c *api.Call, r request, p *proof) (*made, error) {
	role, view, err := s.role(c.Context(), r.role)
	if err != nil {
		return nil, err
	}
	if role == nil { // deleted since it was authorized
		return nil, awserr.AccessDenied.Msg("Not authorized to perform %s", r.action)
	}
	seconds, err := roleDuration(c, role, r.seconds)
	if err != nil {
		return nil, err
	}
	if p.MaxSeconds > 0 {
		seconds = min(seconds, p.MaxSeconds)
	}
	limit, err := sessionPolicy(view, r.policy, r.policyARNs)
	if err != nil {
		return nil, err
	}
	claims := session.Claims{
		Account: view.Account().ID, Kind: session.Role, Name: r.name,
		PrincipalID: role.ID, RoleName: role.Name, RolePath: role.Path, Provider: p.provider,
		Policy: limit.text, PolicyARNs: limit.arns, Tags: p.Tags, Transitive: p.Transitive, SourceIdentity: p.SourceIdentity,
		Issued: s.now(), Expires: s.now().Add(time.Duration(seconds) * time.Second),
	}
	for _, key := range p.Lasting {
		claims.Federated = append(claims.Federated, session.Tag{Key: key, Value: p.Keys[key]})
	}
	packed, err := packedSize(&claims)
	if err != nil {
		return nil, err
	}
	cred, err := s.ring.Mint(claims)
	if err != nil {
		return nil, err
	}
	return &made{credentials(cred), &AssumedRoleUser{
		AssumedRoleId: role.ID + ":" + r.name,
		Arn:           arn.AssumedRole(arn.AccountID(claims.Account), role.Name, r.name).String(),
	}, wire.NonZero(packed)}, nil
}

// proveSAML verifies a response with the provider that the request names, which
// is one of the role's account.
func (s *sts) proveSAML(c *api.Call, in *AssumeRoleWithSAMLInput) (*authn.Caller, *proof, error) {
	account, err := roleAccount(in.RoleArn)
	if err != nil {
		return nil, nil, err
	}
	if e, ok := arn.SplitEntity(in.PrincipalArn); !ok || e.Kind != arn.KindSAMLProvider {
		return nil, nil, awserr.ValidationError.Msg("%s is invalid", in.PrincipalArn)
	}
	response, err := federate.ParseResponse(in.SAMLAssertion)
	if err != nil {
		return nil, nil, refused(err)
	}
	view, err := s.store.View(c.Context(), account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, nil, err
	}
	registered, err := samlProvider(s.store, view, in.PrincipalArn, response)
	if err != nil {
		return nil, nil, err
	}
	if registered == nil {
		return nil, nil, awserr.InvalidIdentityToken.Msg("Specified provider doesn't exist")
	}
	id, err := s.saml.Verify(response, registered, in.RoleArn)
	if err != nil {
		return nil, nil, refused(err)
	}
	caller := authn.Federated(view, id.Qualifier+":"+id.Subject, authn.Proof{Provider: in.PrincipalArn, Name: id.Subject, Issuer: id.Qualifier, SAML: true})
	return caller, &proof{id, in.PrincipalArn}, nil
}

// samlProvider returns the provider with that ARN, compared exactly, ready to
// verify a response; nil if there is none or the view is nil.
func samlProvider(st *store.Store, view *store.View, providerARN string, r *federate.Response) (*federate.SAMLProvider, error) {
	e, ok := arn.SplitEntity(providerARN)
	if view == nil || !ok {
		return nil, nil
	}
	p, err := view.SAMLProvider(e.Name)
	if err != nil || view.SAMLProviderARN(p) != providerARN {
		return nil, nil
	}
	m, err := federate.ParseMetadata(p.Metadata)
	if err != nil {
		return nil, err // it was read when it was stored
	}
	out := &federate.SAMLProvider{
		Account: e.Account, Name: p.Name, ARN: providerARN, Metadata: m, ValidUntil: p.ValidUntil, Encrypted: p.Encrypted,
	}
	if r.Encrypted() {
		out.Keys, err = privateKeys(st, e.Account, p)
	}
	return out, err
}

func privateKeys(st *store.Store, account string, p *store.SAMLProvider) ([]*rsa.PrivateKey, error) {
	var keys []*rsa.PrivateKey
	for i := range p.Keys {
		plain, err := st.OpenSAMLKey(account, &p.Keys[i])
		if err != nil {
			return nil, err
		}
		k, err := federate.ParsePrivateKey(plain)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func (s *sts) samlTarget(c *api.Call, in *AssumeRoleWithSAMLInput, p *proof) ([]authz.Check, error) {
	return s.federatedTarget(c, in.RoleArn, p.SessionName, p)
}

func (s *sts) assumeRoleWithSAML(c *api.Call, in *AssumeRoleWithSAMLInput, p *proof) (*AssumeRoleWithSAMLOutput, error) {
	made, err := s.federated(c, request{"sts:AssumeRoleWithSAML", in.RoleArn, p.SessionName, in.DurationSeconds, in.Policy, in.PolicyArns}, p)
	if err != nil {
		return nil, err
	}
	return &AssumeRoleWithSAMLOutput{
		Credentials: made.credentials, AssumedRoleUser: made.user, PackedPolicySize: made.packed,
		Subject: &p.Subject, SubjectType: wire.NonZero(p.SubjectType), Issuer: &p.Issuer, Audience: &p.Audience,
		NameQualifier: &p.Qualifier, SourceIdentity: wire.NonZero(p.SourceIdentity),
	}, nil
}
