// SPDX-License-Identifier: Apache-2.0

// Package session mints and opens temporary credentials, whose token carries everything about the session.
package session

import (
	"errors"
	"time"
)

// ErrInvalid says that a token or a message was not made by this ring for this
// use, or was altered. It never says why.
var ErrInvalid = errors.New("session: invalid token")

// Kind says whose session it is.
type Kind uint8

// The kinds of session. The zero Kind is invalid. The numbers are part of the
// token's format.
const (
	Role      Kind = 1 // AssumeRole and its variants
	User      Kind = 2 // GetSessionToken by a user
	Federated Kind = 3 // GetFederationToken
	Root      Kind = 4 // GetSessionToken by the root user
	RootTask  Kind = 5 // AssumeRoot: the root user of a member account, for a task
)

// Claims are what a session token says. Times have a precision of seconds and
// come back in UTC. Empty lists come back nil.
type Claims struct {
	Account string // twelve digits; the access key id carries it
	Kind    Kind
	Name    string // the role session's or federated name, or the user's name

	// PrincipalID is the unique id of what the permissions come from: the role
	// (AROA…), the user (AIDA…; for Federated, the one that called), or the
	// account for root.
	PrincipalID string
	RoleName    string // Role only
	RolePath    string // Role only; begins and ends with a slash

	// Provider is the identity provider that vouched for a Role session: an ARN,
	// or a name such as accounts.google.com. "" means that AWS credentials did.
	Provider string

	// Federated are condition keys that the provider's proof gave, such as
	// saml:sub, in the form of tags; requests of the session have them.
	Federated []Tag

	Policy     string   // inline session policy; "" means none
	PolicyARNs []string // managed session policies
	Tags       []Tag    // session tags, inherited ones included
	Transitive []string // keys of Tags that roles assumed from here inherit; in the order of Tags

	SourceIdentity string
	MFA            time.Time // when the second factor was shown; zero means it was not
	Issued         time.Time
	Expires        time.Time
	Chained        bool // the role was assumed with the credentials of another role

	// Delegate is the account to which the principal lent its identity, and which
	// got the session for an accepted delegation request; "" means that it is the
	// principal's own. Such a session does what its session policies say and no more.
	Delegate string
}

// A Tag is a session tag.
type Tag struct {
	Key, Value string
}

// Credentials are what a client signs with.
type Credentials struct {
	AccessKeyID     string // ASIA…
	SecretAccessKey string
	SessionToken    string
	Expires         time.Time
}
