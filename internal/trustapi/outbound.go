// SPDX-License-Identifier: Apache-2.0

package trustapi

import (
	"errors"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
)

// noURL is the answer where the server does not know at which URL others reach
// it, which AWS always does.
func noURL(err error) error {
	return awserr.InvalidInput.Msg("This server does not know at which URL others reach it, which is part of the issuer's: it must be started with --public-url.").Because(err)
}

func (s *service) enableOutbound(c *api.Call, _ *EnableOutboundWebIdentityFederationInput) (*EnableOutboundWebIdentityFederationOutput, error) {
	url, err := s.issuer.Enable(c.Context(), string(c.Account))
	switch {
	case errors.Is(err, issuer.ErrEnabled):
		return nil, awserr.FeatureEnabled.Msg("Outbound identity federation is already enabled for account %s", c.Account).Because(err)
	case errors.Is(err, issuer.ErrNoURL):
		return nil, noURL(err)
	case err != nil:
		return nil, err
	}
	return &EnableOutboundWebIdentityFederationOutput{IssuerIdentifier: &url}, nil
}

func (s *service) disableOutbound(c *api.Call, _ *DisableOutboundWebIdentityFederationInput) error {
	err := s.issuer.Disable(c.Context(), string(c.Account))
	if errors.Is(err, issuer.ErrDisabled) {
		return awserr.FeatureDisabled.Msg("Outbound identity federation is already disabled for account %s", c.Account).Because(err)
	}
	return err
}

func (s *service) getOutboundInfo(c *api.Call, _ *GetOutboundWebIdentityFederationInfoInput) (*GetOutboundWebIdentityFederationInfoOutput, error) {
	url, err := s.issuer.Issuer(c.View)
	switch {
	case errors.Is(err, issuer.ErrDisabled):
		return nil, awserr.FeatureDisabled.Msg("Outbound identity federation is disabled for account %s", c.Account).Because(err)
	case errors.Is(err, issuer.ErrNoURL):
		return nil, noURL(err)
	case err != nil:
		return nil, err
	}
	return &GetOutboundWebIdentityFederationInfoOutput{IssuerIdentifier: &url, JwtVendingEnabled: true}, nil
}
