// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// minPassword is the least length of passwords in an account's own policy that
// does not say (API reference of UpdateAccountPasswordPolicy).
const minPassword = 6

// getAccountPasswordPolicyTarget: where users may change their own passwords,
// every user may read the rules too (IAM User Guide, "Set an account password
// policy", "Allow users to change their own password").
func getAccountPasswordPolicyTarget(c *api.Call, _ *GetAccountPasswordPolicyInput) ([]authz.Check, error) {
	open := usersMayChange(c) && c.Caller.Principal.Type == policy.User
	return []authz.Check{{Resource: "*", Open: open}}, nil
}

// usersMayChange reports whether every user of the account may change its own
// password.
func usersMayChange(c *api.Call) bool {
	rules := c.View.Account().Rules
	return rules != nil && rules.MayChange
}

func (s *service) getAccountPasswordPolicy(c *api.Call, _ *GetAccountPasswordPolicyInput) (*GetAccountPasswordPolicyOutput, error) {
	r := c.View.Account().Rules
	if r == nil {
		return nil, noRules(c)
	}
	return &GetAccountPasswordPolicyOutput{PasswordPolicy: PasswordPolicy{
		MinimumPasswordLength: new(int32(r.MinLength)),
		RequireSymbols:        r.Symbols, RequireNumbers: r.Numbers,
		RequireUppercaseCharacters: r.Uppercase, RequireLowercaseCharacters: r.Lowercase,
		AllowUsersToChangePassword: r.MayChange, ExpirePasswords: r.MaxAge > 0,
		MaxPasswordAge: wire.NonZero(int32(r.MaxAge)), PasswordReusePrevention: wire.NonZero(int32(r.Reuse)), HardExpiry: r.HardExpiry,
	}}, nil
}

func noRules(c *api.Call) error {
	return awserr.NoSuchEntity.Msg("The Password Policy with domain name %s cannot be found.", c.Account)
}

// updateAccountPasswordPolicy replaces the whole policy: what the request does
// not have gets its default.
func (s *service) updateAccountPasswordPolicy(c *api.Call, in *UpdateAccountPasswordPolicyInput) error {
	rules := &store.PasswordRules{
		MinLength: int(wire.Value(in.MinimumPasswordLength, minPassword)),
		Symbols:   in.RequireSymbols, Numbers: in.RequireNumbers,
		Uppercase: in.RequireUppercaseCharacters, Lowercase: in.RequireLowercaseCharacters,
		MayChange: in.AllowUsersToChangePassword,
		MaxAge:    int(wire.Value(in.MaxPasswordAge, 0)), Reuse: int(wire.Value(in.PasswordReusePrevention, 0)), HardExpiry: in.HardExpiry,
	}
	return s.update(c, func(tx *store.Tx) error {
		a := tx.Account()
		a.Rules = rules
		return tx.PutAccount(a)
	})
}

func (s *service) deleteAccountPasswordPolicy(c *api.Call, _ *DeleteAccountPasswordPolicyInput) error {
	return s.update(c, func(tx *store.Tx) error {
		a := tx.Account()
		if a.Rules == nil {
			return noRules(c)
		}
		a.Rules = nil
		return tx.PutAccount(a)
	})
}
