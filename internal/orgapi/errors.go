// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"errors"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// invalid is the service's error for a parameter that violates a constraint: what
// the API reference says about its reason, then what was wrong where.
func invalid(first wire.Constraint, detail string) error {
	e := violations[first]
	return badInput(e.reason, e.text+" ("+detail+")")
}

var violations = map[wire.Constraint]struct{ reason, text string }{
	wire.NotNull:   {InvalidInputExceptionReasonInputRequired, "You must include a value for all required parameters."},
	wire.MaxLength: {InvalidInputExceptionReasonMaxLengthExceeded, "You provided a string parameter that is longer than allowed."},
	wire.MinLength: {InvalidInputExceptionReasonMinLengthExceeded, "You provided a string parameter that is shorter than allowed."},
	wire.MaxValue:  {InvalidInputExceptionReasonMaxValueExceeded, "You provided a numeric parameter that has a larger value than allowed."},
	wire.MinValue:  {InvalidInputExceptionReasonMinValueExceeded, "You provided a numeric parameter that has a smaller value than allowed."},
	wire.Pattern:   {InvalidInputExceptionReasonInvalidPattern, "You provided a value that does not match the required pattern."},
	wire.Enum:      {InvalidInputExceptionReasonInvalidEnum, "You specified an invalid value."},
	wire.Element:   {InvalidInputExceptionReasonInvalidListMember, "You provided a list to a parameter that contains at least one invalid value."},
}

func badInput(reason, text string) error {
	return awserr.InvalidInputException.Msg("%s", text).With("Reason", reason)
}

func constraint(reason, text string) *awserr.Error {
	return awserr.ConstraintViolationException.Msg("%s", text).With("Reason", reason)
}

func handshakeConstraint(reason, text string) error {
	return awserr.HandshakeConstraintViolationException.Msg("%s", text).With("Reason", reason)
}

// fail maps an error of the store to AWS's, with AWS's text; any other error
// stays as it is. fail(nil) is nil.
func fail(err error) error {
	var known *awserr.Error
	if e, ok := errors.AsType[*store.NotFoundError](err); ok {
		known = missing[e.Kind]
	} else if e, ok := errors.AsType[*store.ExistsError](err); ok {
		known = taken[e.Kind]
	} else if e, ok := errors.AsType[*store.InUseError](err); ok {
		known = inUse[e.Kind]
	} else if e, ok := errors.AsType[*store.LimitError](err); ok {
		known = limits[e.Quota]
	} else if errors.Is(err, orgs.ErrLastPolicy) {
		known = lastPolicy
	} else if errors.Is(err, store.ErrReadOnly) {
		known = immutable
	}
	if known == nil {
		return err
	}
	return known.Because(err)
}

var missing = map[store.Kind]*awserr.Error{
	store.KindOrganization:   awserr.AWSOrganizationsNotInUseException,
	store.KindUnit:           awserr.OrganizationalUnitNotFoundException,
	store.KindOrgAccount:     awserr.AccountNotFoundException,
	store.KindOrgPolicy:      awserr.PolicyNotFoundException,
	store.KindPolicyType:     awserr.PolicyTypeNotEnabledException,
	store.KindAttachment:     awserr.PolicyNotAttachedException,
	store.KindTarget:         awserr.TargetNotFoundException,
	store.KindParent:         awserr.ParentNotFoundException,
	store.KindSource:         awserr.SourceParentNotFoundException,
	store.KindAccountRequest: awserr.CreateAccountStatusNotFoundException,
	store.KindHandshake:      awserr.HandshakeNotFoundException,
}

var taken = map[store.Kind]*awserr.Error{
	store.KindOrganization: awserr.AlreadyInOrganizationException,
	store.KindUnit:         awserr.DuplicateOrganizationalUnitException,
	store.KindOrgAccount:   awserr.DuplicateAccountException,
	store.KindOrgPolicy:    awserr.DuplicatePolicyException,
	store.KindPolicyType:   awserr.PolicyTypeAlreadyEnabledException,
	store.KindAttachment:   awserr.DuplicatePolicyAttachmentException,
}

var inUse = map[store.Kind]*awserr.Error{
	store.KindOrganization: awserr.OrganizationNotEmptyException,
	store.KindUnit:         awserr.OrganizationalUnitNotEmptyException,
	store.KindOrgPolicy:    awserr.PolicyInUseException,
}

var (
	tooLarge = constraint(ConstraintViolationExceptionReasonPolicyContentLimitExceeded, "You have exceeded the maximum policy size.")

	lastPolicy = constraint(ConstraintViolationExceptionReasonMinPolicyTypeAttachmentLimitExceeded,
		"You cannot remove the last policy attached to the specified target. You must have at least one attached at all times.")

	immutable = awserr.InvalidInputException.Msg("You specified a policy that is managed by AWS and can't be modified.").
			With("Reason", InvalidInputExceptionReasonImmutablePolicy)
)

var limits = map[string]*awserr.Error{
	quota.OrgAccounts:    constraint(ConstraintViolationExceptionReasonAccountNumberLimitExceeded, "You have exceeded the allowed number of AWS accounts."),
	quota.OrgUnits:       constraint(ConstraintViolationExceptionReasonOuNumberLimitExceeded, "You have exceeded the number of organizational units that you can have in an organization."),
	quota.OrgDepth:       constraint(ConstraintViolationExceptionReasonOuDepthLimitExceeded, "You have exceeded the number of levels of organizational units that you can have."),
	quota.OrgPolicies:    constraint(ConstraintViolationExceptionReasonPolicyNumberLimitExceeded, "You have exceeded the number of policies that you can have in an organization."),
	quota.OrgAttachments: constraint(ConstraintViolationExceptionReasonMaxPolicyTypeAttachmentLimitExceeded, "You have attached the maximum number of policies of this type to the specified target."),
	quota.Tags:           constraint(ConstraintViolationExceptionReasonMaxTagLimitExceeded, "You have exceeded the number of tags allowed on this resource."),
	quota.SCPSize:        tooLarge,
	quota.RCPSize:        tooLarge,
	quota.AIPolicySize:   tooLarge,
	quota.OrgPolicySize:  tooLarge,
	quota.RecordSize:     tooLarge,
}
