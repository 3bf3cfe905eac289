// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"encoding/json"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

// whole is the target of an operation without a resource.
func whole[I any](*api.Call, I) ([]authz.Check, error) {
	return []authz.Check{{Resource: "*"}}, nil
}

func (s *sts) getCallerIdentity(c *api.Call, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	return &GetCallerIdentityOutput{
		UserId: new(c.Caller.UserID), Account: new(string(c.Account)), Arn: new(c.Caller.ARN),
	}, nil
}

func (s *sts) getAccessKeyInfo(_ *api.Call, in *GetAccessKeyInfoInput) (*GetAccessKeyInfoOutput, error) {
	account, ok := s.keys.Account(in.AccessKeyId)
	if !ok {
		return nil, awserr.ValidationError.Msg("Invalid Access Key ID %s", in.AccessKeyId)
	}
	return &GetAccessKeyInfoOutput{Account: &account}, nil
}

// decodeAuthorizationMessage opens messages about requests made in the caller's
// account or for its resources; those of others are as invalid as forged ones.
func (s *sts) decodeAuthorizationMessage(c *api.Call, in *DecodeAuthorizationMessageInput) (*DecodeAuthorizationMessageOutput, error) {
	invalid := awserr.InvalidAuthorizationMessageException.Msg("Message is not valid")
	plain, err := s.ring.OpenMessage(in.EncodedMessage)
	if err != nil {
		return nil, invalid.Because(err)
	}
	var m struct {
		Context struct {
			Principal struct{ ARN arn.ARN } `json:"principal"`
		} `json:"context"`
	}
	if err := json.Unmarshal(plain, &m); err != nil {
		return nil, invalid.Because(err)
	}
	if m.Context.Principal.ARN.Account() != c.Account {
		return nil, invalid
	}
	return &DecodeAuthorizationMessageOutput{DecodedMessage: new(string(plain))}, nil
}
