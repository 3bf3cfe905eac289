// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"errors"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/federate"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// samlYears is how long metadata without a validUntil is valid.
const samlYears = 100

func samlName(providerARN string) (string, error) {
	e, ok := arn.SplitEntity(providerARN)
	if !ok || e.Kind != arn.KindSAMLProvider {
		return "", awserr.ValidationError.Msg("Invalid ARN:  Could not be parsed!")
	}
	return e.Name, nil
}

// samlProvider returns the provider of an ARN, compared exactly.
func samlProvider(c *api.Call, providerARN string) (*store.SAMLProvider, error) {
	name, err := samlName(providerARN)
	if err != nil {
		return nil, err
	}
	p, err := c.View.SAMLProvider(name)
	if err != nil || c.View.SAMLProviderARN(p) != providerARN {
		return nil, noSAMLProvider(providerARN)
	}
	return p, nil
}

func noSAMLProvider(providerARN string) error {
	return awserr.NoSuchEntity.Msg("SAMLProvider %s not found.", providerARN)
}

func samlTarget(c *api.Call, providerARN string) ([]authz.Check, error) {
	if _, err := samlName(providerARN); err != nil {
		return nil, err
	}
	ck := authz.Check{Resource: providerARN}
	if p, err := samlProvider(c, providerARN); err == nil {
		iamop.ResourceTags(&ck, p.Tags)
	}
	return []authz.Check{ck}, nil
}

// changeSAML applies change, which may run more than once, to a provider.
func (s *iam) changeSAML(c *api.Call, providerARN string, change func(*store.SAMLProvider) error) error {
	p, err := samlProvider(c, providerARN)
	if err != nil {
		return err
	}
	name := p.Name
	err = s.update(c, func(tx *store.Tx) error {
		p, err := tx.SAMLProvider(name)
		if err != nil {
			return err
		}
		if err := change(p); err != nil {
			return err
		}
		return tx.PutSAMLProvider(p)
	})
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Is(awserr.NoSuchEntity) {
		return noSAMLProvider(providerARN)
	}
	return err
}

// samlMetadata checks a metadata document and puts it into a provider.
func (s *iam) samlMetadata(p *store.SAMLProvider, text string) error {
	m, err := federate.ParseMetadata(text)
	if err != nil {
		return awserr.InvalidInput.Msg("Could not parse metadata (%s)", err).Because(err)
	}
	p.Metadata, p.ValidUntil = text, m.ValidUntil.UTC().Truncate(time.Second)
	if m.ValidUntil.IsZero() {
		p.ValidUntil = s.now().UTC().AddDate(samlYears, 0, 0).Truncate(time.Second)
	}
	return nil
}

// samlKey seals a private key for encrypted assertions.
func (s *iam) samlKey(c *api.Call, text string) (store.SAMLKey, error) {
	if _, err := federate.ParsePrivateKey([]byte(text)); err != nil {
		return store.SAMLKey{}, awserr.InvalidInput.Msg("Invalid private key (%s)", err)
	}
	return s.store.NewSAMLKey(string(c.Account), []byte(text)), nil
}

func createSAMLProviderTarget(c *api.Call, in *CreateSAMLProviderInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: string(arn.Make(arn.Partition, "iam", "", string(c.Account), string(arn.KindSAMLProvider)+"/"+in.Name))}
	return iamop.WithTags(ck, "iam:TagSAMLProvider", in.Tags), nil
}

func (s *iam) createSAMLProvider(c *api.Call, in *CreateSAMLProviderInput) (*CreateSAMLProviderOutput, error) {
	tags, err := iamop.NewTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	made := &store.SAMLProvider{Name: in.Name, Tags: tags, Encrypted: required(in.AssertionEncryptionMode)}
	if err := s.samlMetadata(made, in.SAMLMetadataDocument); err != nil {
		return nil, err
	}
	if in.AddPrivateKey != nil {
		key, err := s.samlKey(c, *in.AddPrivateKey)
		if err != nil {
			return nil, err
		}
		made.Keys = []store.SAMLKey{key}
	}
	if err := checkEncryption(made); err != nil {
		return nil, err
	}
	if err := s.update(c, func(tx *store.Tx) error { return tx.CreateSAMLProvider(made) }); err != nil {
		return nil, err
	}
	return &CreateSAMLProviderOutput{SAMLProviderArn: new(c.View.SAMLProviderARN(made)), Tags: iamop.ShowTags[Tag](made.Tags)}, nil
}

func required(mode *string) bool {
	return wire.Value(mode, "") == AssertionEncryptionModeTypeRequired
}

// checkEncryption refuses a provider that nobody could come in by.
func checkEncryption(p *store.SAMLProvider) error {
	if p.Encrypted && len(p.Keys) == 0 {
		return awserr.InvalidInput.Msg("Unable to set assertion encryption mode to Required because no private key is provided.")
	}
	return nil
}

func getSAMLProviderTarget(c *api.Call, in *GetSAMLProviderInput) ([]authz.Check, error) {
	return samlTarget(c, in.SAMLProviderArn)
}

// getSAMLProvider tells the encryption mode of providers that can decrypt.
func (s *iam) getSAMLProvider(c *api.Call, in *GetSAMLProviderInput) (*GetSAMLProviderOutput, error) {
	p, err := samlProvider(c, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	out := &GetSAMLProviderOutput{
		SAMLProviderUUID: &p.ID, SAMLMetadataDocument: &p.Metadata, CreateDate: p.Created, ValidUntil: p.ValidUntil,
		Tags: append([]Tag{}, iamop.ShowTags[Tag](p.Tags)...), PrivateKeyList: []SAMLPrivateKey{},
	}
	for i := range p.Keys {
		out.PrivateKeyList = append(out.PrivateKeyList, SAMLPrivateKey{KeyId: &p.Keys[i].ID, Timestamp: p.Keys[i].Created})
	}
	switch {
	case p.Encrypted:
		out.AssertionEncryptionMode = new(AssertionEncryptionModeTypeRequired)
	case len(p.Keys) > 0:
		out.AssertionEncryptionMode = new(AssertionEncryptionModeTypeAllowed)
	}
	return out, nil
}

func listSAMLProvidersTarget(c *api.Call, _ *ListSAMLProvidersInput) ([]authz.Check, error) {
	return iamop.List(c, "saml-provider/")
}

func (s *iam) listSAMLProviders(c *api.Call, _ *ListSAMLProvidersInput) (*ListSAMLProvidersOutput, error) {
	out := &ListSAMLProvidersOutput{SAMLProviderList: []SAMLProviderListEntry{}}
	for p := range c.View.SAMLProviders("") {
		out.SAMLProviderList = append(out.SAMLProviderList, SAMLProviderListEntry{
			Arn: new(c.View.SAMLProviderARN(p)), ValidUntil: p.ValidUntil, CreateDate: p.Created,
		})
	}
	return out, nil
}

func updateSAMLProviderTarget(c *api.Call, in *UpdateSAMLProviderInput) ([]authz.Check, error) {
	return samlTarget(c, in.SAMLProviderArn)
}

func (s *iam) updateSAMLProvider(c *api.Call, in *UpdateSAMLProviderInput) (*UpdateSAMLProviderOutput, error) {
	switch {
	case in.SAMLMetadataDocument == nil && in.AssertionEncryptionMode == nil && in.AddPrivateKey == nil && in.RemovePrivateKey == nil:
		return nil, awserr.InvalidInput.Msg("Unable to update identity provider. No updates are defined for metadata or encryption assertion.")
	case in.AddPrivateKey != nil && in.RemovePrivateKey != nil:
		return nil, awserr.InvalidInput.Msg("Unable to add and remove private keys in the same request. Set a value for only one of the two parameters.")
	}
	var added store.SAMLKey
	if in.AddPrivateKey != nil {
		var err error
		if added, err = s.samlKey(c, *in.AddPrivateKey); err != nil {
			return nil, err
		}
	}
	err := s.changeSAML(c, in.SAMLProviderArn, func(p *store.SAMLProvider) error {
		if in.SAMLMetadataDocument != nil {
			if err := s.samlMetadata(p, *in.SAMLMetadataDocument); err != nil {
				return err
			}
		}
		if in.AddPrivateKey != nil {
			p.Keys = append(p.Keys, added)
		}
		if in.RemovePrivateKey != nil {
			i := slices.IndexFunc(p.Keys, func(k store.SAMLKey) bool { return k.ID == *in.RemovePrivateKey })
			if i < 0 {
				return awserr.InvalidInput.Msg("Failed to remove private key because the Key ID does not match a private key.")
			}
			p.Keys = slices.Delete(p.Keys, i, i+1)
		}
		if in.AssertionEncryptionMode != nil {
			p.Encrypted = required(in.AssertionEncryptionMode)
		}
		return checkEncryption(p)
	})
	if err != nil {
		return nil, err
	}
	return &UpdateSAMLProviderOutput{SAMLProviderArn: &in.SAMLProviderArn}, nil
}

func deleteSAMLProviderTarget(c *api.Call, in *DeleteSAMLProviderInput) ([]authz.Check, error) {
	return samlTarget(c, in.SAMLProviderArn)
}

func (s *iam) deleteSAMLProvider(c *api.Call, in *DeleteSAMLProviderInput) error {
	p, err := samlProvider(c, in.SAMLProviderArn)
	if err != nil {
		return err
	}
	err = s.update(c, func(tx *store.Tx) error { return tx.DeleteSAMLProvider(p.Name) })
	if errors.Is(err, awserr.NoSuchEntity) {
		return noSAMLProvider(in.SAMLProviderArn)
	}
	return err
}

func tagSAMLProviderTarget(c *api.Call, in *TagSAMLProviderInput) ([]authz.Check, error) {
	checks, err := samlTarget(c, in.SAMLProviderArn)
	return iamop.TagTarget(checks, err, in.Tags)
}

func (s *iam) tagSAMLProvider(c *api.Call, in *TagSAMLProviderInput) error {
	return s.changeSAML(c, in.SAMLProviderArn, func(p *store.SAMLProvider) (err error) {
		p.Tags, err = iamop.NewTags(p.Tags, in.Tags)
		return err
	})
}

func untagSAMLProviderTarget(c *api.Call, in *UntagSAMLProviderInput) ([]authz.Check, error) {
	checks, err := samlTarget(c, in.SAMLProviderArn)
	return iamop.UntagTarget(checks, err, in.TagKeys)
}

func (s *iam) untagSAMLProvider(c *api.Call, in *UntagSAMLProviderInput) error {
	return s.changeSAML(c, in.SAMLProviderArn, func(p *store.SAMLProvider) error {
		p.Tags = iamop.WithoutTags(p.Tags, in.TagKeys)
		return nil
	})
}

func listSAMLProviderTagsTarget(c *api.Call, in *ListSAMLProviderTagsInput) ([]authz.Check, error) {
	return samlTarget(c, in.SAMLProviderArn)
}

func (s *iam) listSAMLProviderTags(c *api.Call, in *ListSAMLProviderTagsInput) (*ListSAMLProviderTagsOutput, error) {
	p, err := samlProvider(c, in.SAMLProviderArn)
	if err != nil {
		return nil, err
	}
	page, err := iamop.TagPage[Tag](p.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListSAMLProviderTagsOutput{Tags: page.Items, IsTruncated: page.Truncated, Marker: page.Marker}, nil
}
