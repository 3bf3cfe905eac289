// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"encoding/json"
	"errors"
	"iter"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func (s *iam) createAccountAlias(c *api.Call, in *CreateAccountAliasInput) error {
	err := s.store.SetAlias(c.Context(), string(c.Account), in.AccountAlias)
	if errors.Is(err, store.ErrExists) {
		return awserr.EntityAlreadyExists.Msg("The account alias %s already exists.", in.AccountAlias).Because(err)
	}
	return iamop.Fail(err)
}

func (s *iam) deleteAccountAlias(c *api.Call, in *DeleteAccountAliasInput) error {
	err := s.store.DeleteAlias(c.Context(), string(c.Account), in.AccountAlias)
	if errors.Is(err, store.ErrNotFound) {
		return awserr.NoSuchEntity.Msg("The account alias %s cannot be found.", in.AccountAlias).Because(err)
	}
	return iamop.Fail(err)
}

func (s *iam) listAccountAliases(c *api.Call, in *ListAccountAliasesInput) (*ListAccountAliasesOutput, error) {
	var aliases []string
	if alias := c.View.Account().Alias; alias != "" {
		aliases = append(aliases, alias)
	}
	from := func(after string) iter.Seq2[string, string] {
		return iamop.Sorted(aliases, after, func(a string) string { return a })
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(a string) string { return a })
	if err != nil {
		return nil, err
	}
	return &ListAccountAliasesOutput{AccountAliases: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func (s *iam) getAccountSummary(c *api.Call, _ *GetAccountSummaryInput) (*GetAccountSummaryOutput, error) {
	v, a := c.View, c.View.Account()
	prefs, err := preferencesOf(v)
	if err != nil {
		return nil, err
	}
	m := map[string]int32{
		"Users": usage(v, quota.Users), "Groups": usage(v, quota.Groups), "Roles": usage(v, quota.Roles),
		"Policies": usage(v, quota.Policies), "InstanceProfiles": usage(v, quota.Profiles),
		"PolicyVersionsInUse": usage(v, quota.VersionsInUse),
		"ServerCertificates":  usage(v, quota.ServerCerts),
		"MFADevices":          usage(v, quota.VirtualDevices), "MFADevicesInUse": int32(v.DevicesInUse()),
		"AccountMFAEnabled":                 present(v.DeviceCount(a.ID) > 0),
		"AccountSigningCertificatesPresent": present(len(a.Certs) > 0),
		"AccountAccessKeysPresent":          present(len(a.Keys) > 0), "AccountPasswordPresent": present(a.Login != nil),
		"GlobalEndpointTokenVersion": prefs.TokenVersion,
		"Providers":                  usage(v, quota.OIDCProviders) + usage(v, quota.SAMLProviders),
	}
	for _, q := range quota.All {
		if q.Summary != "" {
			m[q.Summary] = int32(v.Quota(q.Name))
		}
	}
	return &GetAccountSummaryOutput{SummaryMap: m}, nil
}

// preferences are what an account has set about itself as a whole.
type preferences struct {
	TokenVersion int32 `json:"tokenVersion"` // of the global endpoint: 1 or 2
}

const preferencesRow = "preferences"

// preferencesOf returns what is set, or the defaults.
func preferencesOf(v *store.View) (p preferences, err error) {
	p.TokenVersion = 2
	if row, ok := v.Annex(store.AnnexIAM).Row(preferencesRow); ok {
		err = json.Unmarshal(row.Value, &p)
	}
	return p, err
}

// setSecurityTokenServicePreferences keeps the version, which GetAccountSummary
// shows.
//
// quirk Q067: tokens are valid in every region whatever the version is.
func (s *iam) setSecurityTokenServicePreferences(c *api.Call, in *SetSecurityTokenServicePreferencesInput) error {
	return s.update(c, func(tx *store.Tx) error {
		p, err := preferencesOf(tx.View())
		if err != nil {
			return err
		}
		p.TokenVersion = 2
		if in.GlobalEndpointTokenVersion == GlobalEndpointTokenVersionV1Token {
			p.TokenVersion = 1
		}
		value, err := json.Marshal(p)
		if err != nil {
			return err
		}
		tx.PutAnnexed(store.AnnexIAM, preferencesRow, value)
		return nil
	})
}

func usage(v *store.View, quota string) int32 { return int32(v.Usage(quota)) }

func present(yes bool) int32 {
	if yes {
		return 1
	}
	return 0
}
