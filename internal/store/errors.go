// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
)

// Errors, always wrapped with what was sought.
var (
	ErrNotFound = errors.New("not found")
	ErrExists   = errors.New("already exists")
	ErrConflict = errors.New("changed by others at the same time, again and again")
	ErrReadOnly = errors.New("provided by AWS and read-only")
	ErrInvalid  = errors.New("invalid")                      // a caller's mistake that validation should have caught
	ErrFormat   = errors.New("written by a newer innkeeper") // the data cannot be read by this version
	ErrStale    = errors.New("out of touch with the store")
)

// A Kind says what an error is about.
type Kind string

// The kinds.
const (
	KindAccount  Kind = "account"
	KindAlias    Kind = "account alias"
	KindUser     Kind = "user"
	KindGroup    Kind = "group"
	KindRole     Kind = "role"
	KindPolicy   Kind = "policy" // managed; its name is the ARN, or the bare name where that was asked for
	KindVersion  Kind = "policy version"
	KindInline   Kind = "inline policy"
	KindProfile  Kind = "instance profile"
	KindKey      Kind = "access key"
	KindMember   Kind = "member"               // its name is "USER in GROUP"
	KindBoundary Kind = "permissions boundary" // its name is that of the user or role
	KindOIDC     Kind = "OIDC provider"        // its name is the URL without "https://"
	KindSAML     Kind = "SAML provider"
	KindSystem   Kind = "system value"

	KindOrganization   Kind = "organization" // its name is an id or the account that has none
	KindUnit           Kind = "organizational unit"
	KindOrgAccount     Kind = "organization account"
	KindOrgPolicy      Kind = "organization policy"
	KindPolicyType     Kind = "policy type"
	KindAttachment     Kind = "attached policy"
	KindTarget         Kind = "target of policies"
	KindParent         Kind = "parent"
	KindSource         Kind = "source parent"
	KindAccountRequest Kind = "account request"
	KindHandshake      Kind = "handshake"
	KindMail           Kind = "e-mail address"

	KindDevice      Kind = "MFA device" // its name is the serial number
	KindServerCert  Kind = "server certificate"
	KindSSHKey      Kind = "SSH public key"
	KindSigningCert Kind = "signing certificate"
	KindServiceCred Kind = "service-specific credential"

	KindBucket       Kind = "bucket"
	KindBucketPolicy Kind = "bucket policy" // its name is the bucket
)

// A NotFoundError says what was not found. It is ErrNotFound.
type NotFoundError struct {
	Kind Kind
	Name string // as sought
}

func (e *NotFoundError) Error() string        { return fmt.Sprintf("%s %q: %v", e.Kind, e.Name, ErrNotFound) }
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// An ExistsError says what is there already. It is ErrExists.
type ExistsError struct {
	Kind Kind
	Name string // as sought
}

func (e *ExistsError) Error() string        { return fmt.Sprintf("%s %q: %v", e.Kind, e.Name, ErrExists) }
func (e *ExistsError) Is(target error) bool { return target == ErrExists }

// A LimitError says which quota would be exceeded; see package quota.
type LimitError struct {
	Quota string
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("quota %s: %d would be exceeded", e.Quota, e.Limit)
}

// An InUseError says why something cannot be deleted. Reason is in AWS's words
// and has no full stop: "must detach all policies first" for what AWS words as
// "Cannot delete entity, …", a whole sentence for policies and their versions.
type InUseError struct {
	Kind   Kind
	Name   string
	Reason string
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s %q cannot be deleted: %s", e.Kind, e.Name, e.Reason)
}

// The reasons of InUseError.
const (
	ReasonAttached  = "must detach all policies first"
	ReasonInline    = "must delete policies first"
	ReasonKeys      = "must delete access keys first"
	ReasonLogin     = "must delete login profile first"
	ReasonDevice    = "must delete MFA device first"
	ReasonCerts     = "must delete certificates first"
	ReasonOthers    = "must remove referenced objects first"
	ReasonAssigned  = "MFA VirtualDevice in use. Must deactivate first"
	ReasonMember    = "must remove users from group first"
	ReasonProfile   = "must remove roles from instance profile first"
	ReasonHolders   = "Cannot delete a policy attached to entities"
	ReasonVersions  = "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy"
	ReasonMembers   = "it has other accounts"
	ReasonChildren  = "it holds accounts or units"
	ReasonTargets   = "it is attached"
	ReasonInDefault = "Cannot delete the default version of a policy"
)

func notFound(kind Kind, name string) error { return &NotFoundError{Kind: kind, Name: name} }
func exists(kind Kind, name string) error   { return &ExistsError{Kind: kind, Name: name} }

func invalid(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, ErrInvalid)...)
}
