// SPDX-License-Identifier: Apache-2.0

// Package audit writes and reads the record of every request, in CloudTrail's form, in an append-only file.
package audit

import (
	"encoding/json"
	"time"
)

// A Record is one event in CloudTrail's form (UG-CloudTrail, "record contents",
// version 1.11), and what innkeeper decided about it. Empty fields are left out,
// except the ones that CloudTrail always has. Strings of more than 2 KiB, and an
// error message or a user agent of more than 1 KiB, are cut. A record must hold
// no secret: its maker leaves them out of the raw fields.
type Record struct {
	Time        time.Time // to the second
	Identity    Identity
	EventSource string // "iam.amazonaws.com"
	EventName   string // "CreateUser"
	EventType   string // "" means "AwsApiCall"
	Region      string
	SourceIP    string // the client's address, or a service's name
	UserAgent   string

	ErrorCode    string // "" means success
	ErrorMessage string

	// The raw fields hold a JSON value, nil meaning null. One of more than
	// 100 KiB is replaced by a note of its size, one that is not JSON by a string.
	RequestParameters   json.RawMessage
	ResponseElements    json.RawMessage
	AdditionalEventData json.RawMessage

	RequestID     string
	EventID       string
	SharedEventID string // the same in the records of two accounts about one event
	ReadOnly      bool
	Data          bool // a data event, about what is in a resource, such as an object; else a management event
	Resources     []Resource
	Recipient     string // the account that the event happened in

	Decision Decision
}

// An Identity is who made a request.
type Identity struct {
	Type             string // Root, IAMUser, AssumedRole, FederatedUser, WebIdentityUser, SAMLUser, AWSAccount, AWSService, Unknown
	PrincipalID      string
	ARN              string
	AccountID        string
	AccessKeyID      string
	UserName         string
	IdentityProvider string
	InvokedBy        string
	Delegate         string   // the account that acts in the identity's name (invokedByDelegate); "" for none
	Session          *Session // nil for long-lived credentials
}

// A Session is what a record says about temporary credentials.
type Session struct {
	Issuer         Issuer // of a role session or a federated user
	Created        time.Time
	MFA            bool
	SourceIdentity string
	Provider       string // federated provider of a web identity
	AssumedRoot    bool   // of AssumeRoot
}

// An Issuer is the role or user that a session comes from.
type Issuer struct {
	Type        string // Role, User or Root
	PrincipalID string
	ARN         string
	AccountID   string
	UserName    string
}

// A Resource is something that a request was about.
type Resource struct {
	ARN       string
	AccountID string
	Type      string // "AWS::IAM::Role"
}

// The outcomes of a check.
const (
	Allow        = "allow"
	ExplicitDeny = "explicit-deny"
	ImplicitDeny = "implicit-deny"
)

// A Decision is why a request was let through or refused. The zero Decision
// means that none was made, as when the signature is wrong.
type Decision struct {
	Check
	Checks []Check // every permission asked for, if more than the deciding one; at most 100
}

// A Check is the answer to one question: may the principal do this.
type Check struct {
	Action    string // "iam:CreateUser"
	Resource  string
	Outcome   string // Allow, ExplicitDeny or ImplicitDeny
	Layer     string // which type of policy decided: "identity", "boundary", …
	Policy    string // ARN or name of the policy that decided
	Sid       string
	Statement int // its number in the policy, from 1; 0 when no statement decided
	Line      int // where the statement begins, from 1; 0 when unknown
	Column    int
	Reason    string // one sentence

	// Learned says that Outcome is a denial that learning mode waived: the request
	// went on all the same.
	Learned bool
}
