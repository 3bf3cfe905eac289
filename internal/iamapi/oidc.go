// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Issuers looks at OpenID Connect issuers; *federate.OIDC does.
type Issuers interface {
	// TopThumbprint returns the SHA-1 of the last certificate that an issuer
	// presents, given by its URL without "https://".
	TopThumbprint(ctx context.Context, issuer string) (string, error)
}

// issuerName checks the URL of an issuer and returns it without "https://",
// which is its name from then on.
//
// The name is the prefix of condition keys, and so may not be one of those that
// come from elsewhere.
//
// quirk Q042: a port is accepted.
func issuerName(text string) (string, error) {
	name, https := strings.CutPrefix(text, "https://")
	switch strings.ToLower(name) {
	case "aws", "iam", "sts", "saml", "innkeeper":
		https = false
	}
	u, err := url.Parse(text)
	if !https || err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsAny(name, "?#@\\ \"<>^`{|}*") || !isASCII(name) || badPort(u) {
		return "", awserr.ValidationError.Msg("Invalid Open ID Connect Provider URL")
	}
	return name, nil
}

func badPort(u *url.URL) bool {
	if u.Port() == "" {
		return strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err != nil || n == 0
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// oidcName returns the name in the ARN of a provider: its URL without
// "https://".
func oidcName(providerARN string) (string, error) {
	e, ok := arn.SplitEntity(providerARN)
	if !ok || e.Kind != arn.KindOIDCProvider {
		return "", awserr.ValidationError.Msg("Invalid ARN:  Could not be parsed!")
	}
	return e.Name, nil
}

// oidcProvider returns the provider of an ARN, compared exactly.
func oidcProvider(c *api.Call, providerARN string) (*store.OIDCProvider, error) {
	name, err := oidcName(providerARN)
	if err != nil {
		return nil, err
	}
	p, err := c.View.OIDCProvider(name)
	if err != nil || c.View.OIDCProviderARN(p) != providerARN {
		return nil, noOIDCProvider(providerARN)
	}
	return p, nil
}

func noOIDCProvider(providerARN string) error {
	return awserr.NoSuchEntity.Msg("OpenIDConnect Provider not found for arn %s", providerARN)
}

func oidcTarget(c *api.Call, providerARN string) ([]authz.Check, error) {
	if _, err := oidcName(providerARN); err != nil {
		return nil, err
	}
	ck := authz.Check{Resource: providerARN}
	if p, err := oidcProvider(c, providerARN); err == nil {
		iamop.ResourceTags(&ck, p.Tags)
	}
	return []authz.Check{ck}, nil
}

// changeOIDC applies change, which may run more than once, to a provider.
func (s *iam) changeOIDC(c *api.Call, providerARN string, change func(*store.OIDCProvider) error) error {
	if _, err := oidcProvider(c, providerARN); err != nil {
		return err
	}
	name, err := oidcName(providerARN)
	if err != nil {
		return err
	}
	err = s.update(c, func(tx *store.Tx) error {
		p, err := tx.OIDCProvider(name)
		if err != nil {
			return err
		}
		if err := change(p); err != nil {
			return err
		}
		return tx.PutOIDCProvider(p)
	})
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Is(awserr.NoSuchEntity) {
		return noOIDCProvider(providerARN)
	}
	return err
}

func createOpenIDConnectProviderTarget(c *api.Call, in *CreateOpenIDConnectProviderInput) ([]authz.Check, error) {
	name, err := issuerName(in.Url)
	if err != nil {
		return nil, err
	}
	ck := authz.Check{Resource: string(arn.Make(arn.Partition, "iam", "", string(c.Account), string(arn.KindOIDCProvider)+"/"+name))}
	return iamop.WithTags(ck, "iam:TagOpenIDConnectProvider", in.Tags), nil
}

// createOpenIDConnectProvider stores a provider. Without thumbprints it asks the
// issuer for its certificates and takes the last one's (API reference of
// CreateOpenIDConnectProvider, ThumbprintList).
func (s *iam) createOpenIDConnectProvider(c *api.Call, in *CreateOpenIDConnectProviderInput) (*CreateOpenIDConnectProviderOutput, error) {
	name, err := issuerName(in.Url)
	if err != nil {
		return nil, err
	}
	tags, err := iamop.NewTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	prints, err := thumbprints(in.ThumbprintList)
	if err != nil {
		return nil, err
	}
	if _, err := c.View.OIDCProvider(name); err == nil {
		return nil, iamop.Fail(&store.ExistsError{Kind: store.KindOIDC, Name: name})
	}
	if len(prints) == 0 {
		top, err := s.issuers.TopThumbprint(c.Context(), name)
		if err != nil {
			return nil, awserr.OpenIdIdpCommunicationError.Msg("The certificate of %s could not be retrieved. Check that the issuer answers, or give its thumbprint.", in.Url).Because(err)
		}
		prints = []string{top}
	}
	made := &store.OIDCProvider{URL: name, ClientIDs: distinct(in.ClientIDList), Thumbprints: prints, Tags: tags}
	if err := s.update(c, func(tx *store.Tx) error { return tx.CreateOIDCProvider(made) }); err != nil {
		return nil, err
	}
	return &CreateOpenIDConnectProviderOutput{
		OpenIDConnectProviderArn: new(c.View.OIDCProviderARN(made)), Tags: iamop.ShowTags[Tag](made.Tags),
	}, nil
}

// thumbprints checks a list of thumbprints and returns it in lower case.
func thumbprints(list []string) ([]string, error) {
	out := make([]string, 0, len(list))
	for _, t := range list {
		t = strings.ToLower(t)
		if len(t) != 40 || strings.Trim(t, "0123456789abcdef") != "" {
			return nil, awserr.InvalidInput.Msg("Thumbprint %s is not valid: it must have 40 hexadecimal digits.", t)
		}
		out = append(out, t)
	}
	return distinct(out), nil
}

// distinct returns the strings of a list, each once, in order.
func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func getOpenIDConnectProviderTarget(c *api.Call, in *GetOpenIDConnectProviderInput) ([]authz.Check, error) {
	return oidcTarget(c, in.OpenIDConnectProviderArn)
}

func (s *iam) getOpenIDConnectProvider(c *api.Call, in *GetOpenIDConnectProviderInput) (*GetOpenIDConnectProviderOutput, error) {
	p, err := oidcProvider(c, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	return &GetOpenIDConnectProviderOutput{
		Url: &p.URL, ClientIDList: listed(p.ClientIDs), ThumbprintList: listed(p.Thumbprints), CreateDate: p.Created,
		Tags: append([]Tag{}, iamop.ShowTags[Tag](p.Tags)...),
	}, nil
}

// listed returns a list that is there even if it is empty.
func listed(list []string) []string { return append([]string{}, list...) }

func listOpenIDConnectProvidersTarget(c *api.Call, _ *ListOpenIDConnectProvidersInput) ([]authz.Check, error) {
	return iamop.List(c, "oidc-provider/")
}

func (s *iam) listOpenIDConnectProviders(c *api.Call, _ *ListOpenIDConnectProvidersInput) (*ListOpenIDConnectProvidersOutput, error) {
	out := &ListOpenIDConnectProvidersOutput{OpenIDConnectProviderList: []OpenIDConnectProviderListEntry{}}
	for p := range c.View.OIDCProviders("") {
		out.OpenIDConnectProviderList = append(out.OpenIDConnectProviderList, OpenIDConnectProviderListEntry{Arn: new(c.View.OIDCProviderARN(p))})
	}
	return out, nil
}

func deleteOpenIDConnectProviderTarget(c *api.Call, in *DeleteOpenIDConnectProviderInput) ([]authz.Check, error) {
	return oidcTarget(c, in.OpenIDConnectProviderArn)
}

// deleteOpenIDConnectProvider succeeds for a provider that is not there (its API
// reference).
func (s *iam) deleteOpenIDConnectProvider(c *api.Call, in *DeleteOpenIDConnectProviderInput) error {
	p, err := oidcProvider(c, in.OpenIDConnectProviderArn)
	if errors.Is(err, awserr.NoSuchEntity) {
		return nil
	}
	if err != nil {
		return err
	}
	err = s.store.Update(c.Context(), string(c.Account), func(tx *store.Tx) error { return tx.DeleteOIDCProvider(p.URL) })
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return iamop.Fail(err)
}

func updateOpenIDConnectProviderThumbprintTarget(c *api.Call, in *UpdateOpenIDConnectProviderThumbprintInput) ([]authz.Check, error) {
	return oidcTarget(c, in.OpenIDConnectProviderArn)
}

func (s *iam) updateOpenIDConnectProviderThumbprint(c *api.Call, in *UpdateOpenIDConnectProviderThumbprintInput) error {
	prints, err := thumbprints(in.ThumbprintList)
	if err != nil {
		return err
	}
	return s.changeOIDC(c, in.OpenIDConnectProviderArn, func(p *store.OIDCProvider) error {
		p.Thumbprints = prints
		return nil
	})
}

func addClientIDToOpenIDConnectProviderTarget(c *api.Call, in *AddClientIDToOpenIDConnectProviderInput) ([]authz.Check, error) {
	return oidcTarget(c, in.OpenIDConnectProviderArn)
}

func (s *iam) addClientIDToOpenIDConnectProvider(c *api.Call, in *AddClientIDToOpenIDConnectProviderInput) error {
	return s.changeOIDC(c, in.OpenIDConnectProviderArn, func(p *store.OIDCProvider) error {
		p.ClientIDs = distinct(append(p.ClientIDs, in.ClientID))
		return nil
	})
}

func removeClientIDFromOpenIDConnectProviderTarget(c *api.Call, in *RemoveClientIDFromOpenIDConnectProviderInput) ([]authz.Check, error) {
	return oidcTarget(c, in.OpenIDConnectProviderArn)
}

func (s *iam) removeClientIDFromOpenIDConnectProvider(c *api.Call, in *RemoveClientIDFromOpenIDConnectProviderInput) error {
	return s.changeOIDC(c, in.OpenIDConnectProviderArn, func(p *store.OIDCProvider) error {
		p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(id string) bool { return id == in.ClientID })
		return nil
	})
}

func tagOpenIDConnectProviderTarget(c *api.Call, in *TagOpenIDConnectProviderInput) ([]authz.Check, error) {
	checks, err := oidcTarget(c, in.OpenIDConnectProviderArn)
	return iamop.TagTarget(checks, err, in.Tags)
}

func (s *iam) tagOpenIDConnectProvider(c *api.Call, in *TagOpenIDConnectProviderInput) error {
	return s.changeOIDC(c, in.OpenIDConnectProviderArn, func(p *store.OIDCProvider) (err error) {
		p.Tags, err = iamop.NewTags(p.Tags, in.Tags)
		return err
	})
}

func untagOpenIDConnectProviderTarget(c *api.Call, in *UntagOpenIDConnectProviderInput) ([]authz.Check, error) {
	checks, err := oidcTarget(c, in.OpenIDConnectProviderArn)
	return iamop.UntagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagOpenIDConnectProvider(c *api.Call, in *UntagOpenIDConnectProviderInput) error {
	return s.changeOIDC(c, in.OpenIDConnectProviderArn, func(p *store.OIDCProvider) error {
		p.Tags = iamop.WithoutTags(p.Tags, in.TagKeys)
		return nil
	})
}

func listOpenIDConnectProviderTagsTarget(c *api.Call, in *ListOpenIDConnectProviderTagsInput) ([]authz.Check, error) {
	return oidcTarget(c, in.OpenIDConnectProviderArn)
}

func (s *iam) listOpenIDConnectProviderTags(c *api.Call, in *ListOpenIDConnectProviderTagsInput) (*ListOpenIDConnectProviderTagsOutput, error) {
	p, err := oidcProvider(c, in.OpenIDConnectProviderArn)
	if err != nil {
		return nil, err
	}
	page, err := iamop.TagPage[Tag](p.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListOpenIDConnectProviderTagsOutput{Tags: page.Items, IsTruncated: page.Truncated, Marker: page.Marker}, nil
}
