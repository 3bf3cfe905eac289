// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

const (
	webTokenDuration = 300    // seconds, unless the request says (API reference of GetWebIdentityToken)
	maxPayload       = 14_984 // bytes of a token's claims that AWS signs
)

func webTokenSeconds(in *GetWebIdentityTokenInput) int {
	return int(wire.Value(in.DurationSeconds, webTokenDuration))
}

// getWebIdentityTokenTarget: the resource is the account's own STS; tags in the
// request are a permission of their own (IAM User Guide, "Controlling access with
// IAM policies" for outbound identity federation). Texts as AWS sends them.
//
// quirk Q083: sts:DurationSeconds has its default if the request does not say.
func (s *sts) getWebIdentityTokenTarget(c *api.Call, in *GetWebIdentityTokenInput) ([]authz.Check, error) {
	switch {
	case c.Caller.Principal.Type == policy.FederatedUser:
		return nil, awserr.AccessDenied.Msg("GetWebIdentityToken does not support federated user sessions")
	case c.Caller.Root(): // quirk Q082
		return nil, awserr.AccessDenied.Msg("GetWebIdentityToken does not support root users")
	case in.SigningAlgorithm != issuer.RS256 && in.SigningAlgorithm != issuer.ES384:
		return nil, awserr.ValidationError.Msg("Requested SigningAlgorithm is not supported. See the GetWebIdentityToken documentation for supported algorithms")
	}
	if err := checkTags(in.Tags, nil, inherited{}); err != nil {
		return nil, err
	}
	ck := authz.Check{
		Resource: string(arn.Make(arn.Partition, "sts", "", string(c.Account), "self")),
		Keys: map[string]string{
			"sts:SigningAlgorithm": in.SigningAlgorithm, "sts:DurationSeconds": strconv.Itoa(webTokenSeconds(in)),
		},
		Lists: map[string][]string{"sts:IdentityTokenAudience": in.Audience},
	}
	if len(in.Tags) == 0 {
		return []authz.Check{ck}, nil
	}
	for _, t := range in.Tags {
		ck.Keys["aws:RequestTag/"+t.Key] = t.Value
	}
	ck.Lists["aws:TagKeys"] = tagKeys(in.Tags)
	tag := ck
	tag.Action = "sts:TagGetWebIdentityToken"
	return []authz.Check{ck, tag}, nil
}

func (s *sts) getWebIdentityToken(c *api.Call, in *GetWebIdentityTokenInput) (*GetWebIdentityTokenOutput, error) {
	now := s.now().UTC().Truncate(time.Second)
	expires := now.Add(time.Duration(webTokenSeconds(in)) * time.Second)
	if c.Caller.Session != nil && !expires.Before(c.Caller.Session.Expires) {
		return nil, awserr.SessionDurationEscalationException.Msg("Requested token expiry time must be before the original session's expiry time.")
	}
	url, err := s.issuer.Issuer(c.View)
	if err != nil {
		return nil, notIssuer(err)
	}
	claims, err := s.webClaims(c, in)
	if err != nil {
		return nil, err
	}
	claims.Issuer, claims.Issued, claims.Expires, claims.ID = url, now.Unix(), expires.Unix(), s.ids.RequestID()
	payload, err := claims.encode()
	if err != nil {
		return nil, err
	}
	token, err := s.issuer.Sign(c.Context(), c.View, in.SigningAlgorithm, payload)
	if err != nil {
		return nil, notIssuer(err)
	}
	return &GetWebIdentityTokenOutput{WebIdentityToken: &token, Expiration: expires}, nil
}

func notIssuer(err error) error {
	if errors.Is(err, issuer.ErrDisabled) || errors.Is(err, issuer.ErrNoURL) {
		return awserr.OutboundWebIdentityFederationDisabledException.Msg("OutboundWebIdentityFederation is disabled.").Because(err)
	}
	return err
}

// webClaims are the claims of a token (IAM User Guide, "Understanding token
// claims"). Those that do not apply are left out.
//
// quirk Q084: some of them are as AWS sends them, which is not as it documents them.
type webClaims struct {
	Issuer   string    `json:"iss"`
	Audience any       `json:"aud"` // a string, or a list of several
	Subject  string    `json:"sub"`
	Issued   int64     `json:"iat"`
	Expires  int64     `json:"exp"`
	ID       string    `json:"jti"`
	AWS      awsClaims `json:"https://sts.amazonaws.com/"`
}

type awsClaims struct {
	Account        string            `json:"aws_account"`
	Region         string            `json:"source_region,omitempty"`
	Principal      string            `json:"principal_id"`
	Organization   string            `json:"org_id,omitempty"`
	UnitPaths      []string          `json:"ou_path,omitempty"`
	PrincipalTags  map[string]string `json:"principal_tags,omitempty"`
	RequestTags    map[string]string `json:"request_tags,omitempty"`
	SessionExpires string            `json:"original_session_exp,omitempty"`
	SourceIdentity string            `json:"source_identity,omitempty"`
	Provider       string            `json:"federated_provider,omitempty"`
}

// webClaims returns the claims about the caller and of the request.
func (s *sts) webClaims(c *api.Call, in *GetWebIdentityTokenInput) (*webClaims, error) {
	m, err := orgs.Find(c.Context(), s.store, c.View)
	if err != nil {
		return nil, err
	}
	subject := c.Caller.ARN
	if c.Caller.Role != nil {
		subject = c.View.RoleARN(c.Caller.Role)
	}
	claims := &webClaims{Audience: in.Audience, Subject: subject, AWS: awsClaims{
		Account: string(c.Account), Region: c.Caller.Region, Principal: subject, PrincipalTags: callerTags(c),
	}}
	if len(in.Audience) == 1 {
		claims.Audience = in.Audience[0]
	}
	if m != nil {
		claims.AWS.Organization, claims.AWS.UnitPaths = m.Org.Record().ID, []string{m.Path}
	}
	if len(in.Tags) > 0 {
		claims.AWS.RequestTags = make(map[string]string, len(in.Tags))
		for _, t := range in.Tags {
			claims.AWS.RequestTags[t.Key] = t.Value
		}
	}
	if session := c.Caller.Session; session != nil {
		claims.AWS.SessionExpires = session.Expires.UTC().Format(time.RFC3339)
		claims.AWS.SourceIdentity, claims.AWS.Provider = session.SourceIdentity, session.Provider
	}
	return claims, nil
}

// callerTags are the tags of the caller: those of its session, and those of its
// user or role that they do not replace.
func callerTags(c *api.Call) map[string]string {
	var own []store.Tag
	switch {
	case c.Caller.Role != nil:
		own = c.Caller.Role.Tags
	case c.Caller.User != nil:
		own = c.Caller.User.Tags
	}
	tags := make(map[string]string, len(own))
	for _, t := range own {
		tags[t.Key] = t.Value
	}
	if c.Caller.Session == nil {
		return tags
	}
	for _, t := range c.Caller.Session.Tags {
		for key := range tags {
			if strings.EqualFold(key, t.Key) {
				delete(tags, key)
			}
		}
		tags[t.Key] = t.Value
	}
	return tags
}

// encode returns the payload of the token.
func (c *webClaims) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(c); err != nil {
		return nil, err
	}
	payload := slices.Clip(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	if len(payload) > maxPayload {
		return nil, awserr.JWTPayloadSizeExceededException.Msg("The requested token payload size exceeds the maximum allowed size. Reduce the number of request tags included in the GetWebIdentityToken API call to reduce the token payload size.")
	}
	return payload, nil
}
