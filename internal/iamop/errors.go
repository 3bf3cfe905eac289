// SPDX-License-Identifier: Apache-2.0

package iamop

import (
	"errors"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Fail maps an error of the store to AWS's, with AWS's text; any other error
// stays as it is. Fail(nil) is nil.
func Fail(err error) error {
	if e, ok := errors.AsType[*store.NotFoundError](err); ok {
		return awserr.NoSuchEntity.Msg("%s", missing(e)).Because(err)
	}
	if e, ok := errors.AsType[*store.ExistsError](err); ok {
		return awserr.EntityAlreadyExists.Msg("%s", taken(e)).Because(err)
	}
	if e, ok := errors.AsType[*store.LimitError](err); ok {
		return limit(e).Because(err)
	}
	if e, ok := errors.AsType[*store.InUseError](err); ok {
		if strings.HasPrefix(e.Reason, "must ") {
			return awserr.DeleteConflict.Msg("Cannot delete entity, %s.", e.Reason).Because(err)
		}
		return awserr.DeleteConflict.Msg("%s.", e.Reason).Because(err)
	}
	if errors.Is(err, store.ErrReadOnly) {
		return awserr.AccessDenied.Msg("Cannot perform the operation on a policy that AWS manages.").Because(err)
	}
	return err
}

func missing(e *store.NotFoundError) string {
	switch e.Kind {
	case store.KindUser, store.KindGroup, store.KindRole:
		return "The " + string(e.Kind) + " with name " + e.Name + " cannot be found."
	case store.KindPolicy:
		return "Policy " + e.Name + " was not found."
	case store.KindVersion:
		return "Policy version " + e.Name + " does not exist."
	case store.KindInline:
		return "The policy with name " + e.Name + " cannot be found."
	case store.KindProfile:
		return "Instance Profile " + e.Name + " cannot be found."
	case store.KindKey:
		return "The Access Key with id " + e.Name + " cannot be found."
	case store.KindDevice:
		return "VirtualMFADevice with serial number " + e.Name + " doesn't exist."
	case store.KindServerCert:
		return "The Server Certificate with name " + e.Name + " cannot be found."
	case store.KindMember:
		user, group, _ := strings.Cut(e.Name, " in ")
		return "The user with name " + user + " cannot be found in the group with name " + group + "."
	}
	return "The " + string(e.Kind) + " " + e.Name + " cannot be found."
}

func taken(e *store.ExistsError) string {
	switch e.Kind {
	case store.KindUser:
		return "User with name " + e.Name + " already exists."
	case store.KindGroup:
		return "Group with name " + e.Name + " already exists."
	case store.KindRole:
		return "Role with name " + e.Name + " already exists."
	case store.KindPolicy:
		return "A policy called " + e.Name + " already exists. Duplicate names are not allowed."
	case store.KindProfile:
		return "Instance Profile " + e.Name + " already exists."
	case store.KindOIDC:
		return "Provider with url https://" + e.Name + " already exists."
	case store.KindSAML:
		return "SAMLProvider " + e.Name + " already exists."
	case store.KindDevice:
		return "MFADevice entity at the same path and name already exists."
	case store.KindServerCert:
		return "The Server Certificate with name " + e.Name + " already exists."
	}
	return "The " + string(e.Kind) + " " + e.Name + " already exists."
}

// limit returns LimitExceeded in AWS's words for the quota.
func limit(e *store.LimitError) *awserr.Error {
	switch e.Quota {
	case quota.Thumbprints:
		return awserr.InvalidInput.Msg("Thumbprint list must contain fewer than %d entries.", e.Limit)
	case quota.SAMLKeys:
		return awserr.LimitExceeded.Msg("Private key limit of %d is reached.", e.Limit)
	case quota.Versions:
		return awserr.LimitExceeded.Msg("A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", e.Limit)
	}
	return awserr.LimitExceeded.Msg("Cannot exceed quota for %s: %d", e.Quota, e.Limit)
}
