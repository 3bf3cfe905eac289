// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"errors"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/mfa"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// secondFactor verifies and spends the one-time code of a request that has one,
// and reports whether it did. It is part of who calls, and so comes before the
// decision, which may depend on it: whoever is then refused has spent the code
// too (quirk Q060). Texts as AWS sends them.
func (s *sts) secondFactor(c *api.Call, serial, code *string) (bool, error) {
	switch {
	case serial == nil && code == nil:
		return false, nil
	case serial == nil || code == nil:
		return false, awserr.AccessDenied.Msg("MultiFactorAuthentication failed, must provide both MFA serial number and one time pass code.")
	}
	check := mfa.Check{Store: s.store, Account: string(c.Account), Serial: *serial, Now: s.now()}
	err := check.Verify(c.Context(), deviceOwner(c), *code)
	if e, ok := errors.AsType[*mfa.LockedError](err); ok {
		return false, awserr.AccessDenied.Msg("MultiFactorAuthentication failed, too many invalid one time pass codes. Try again after %s.", e.Until.UTC().Format("2006-01-02T15:04:05Z")).Because(err)
	}
	switch {
	case errors.Is(err, mfa.ErrDevice):
		return false, awserr.AccessDenied.Msg("MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.").Because(err)
	case errors.Is(err, mfa.ErrCode):
		return false, awserr.AccessDenied.Msg("MultiFactorAuthentication failed with invalid MFA one time pass code.").Because(err)
	}
	return err == nil, err
}

// deviceOwner returns whose devices the caller may show: its own, if it is a
// user or the root user, else "". Roles and federated users have none.
func deviceOwner(c *api.Call) string {
	switch c.Caller.Principal.Type {
	case policy.Root:
		return string(c.Account)
	case policy.User:
		return c.Caller.User.ID
	}
	return ""
}

// factorTime returns the time of the second factor of a request that secondFactor
// let pass: the zero time if it had none.
func (s *sts) factorTime(code *string) time.Time {
	if code == nil {
		return time.Time{}
	}
	return s.now()
}
