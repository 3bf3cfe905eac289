// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"errors"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/delegation"
)

// getDelegatedAccessToken exchanges the token of a delegation request that the
// caller's account made. Nobody learns from an error what requests there are.
func (s *sts) getDelegatedAccessToken(c *api.Call, in *GetDelegatedAccessTokenInput) (*GetDelegatedAccessTokenOutput, error) {
	claims, principal, err := delegation.Exchange(c.Context(), s.store, string(c.Account), in.TradeInToken, s.now())
	switch {
	case errors.Is(err, delegation.ErrToken):
		return nil, awserr.ValidationError.Msg("The trade-in token is not valid.").Because(err)
	case errors.Is(err, delegation.ErrOver):
		return nil, awserr.ExpiredTradeInTokenException.Msg("The trade-in token has expired.").Because(err)
	case errors.Is(err, delegation.ErrTooLarge):
		return nil, awserr.PackedPolicyTooLarge.Msg("The session policy and the session tags of the approver do not fit a session.").Because(err)
	case err != nil:
		return nil, err
	}
	cred, err := s.ring.Mint(claims)
	if err != nil {
		return nil, err
	}
	return &GetDelegatedAccessTokenOutput{AssumedPrincipal: &principal, Credentials: credentials(cred)}, nil
}
