// SPDX-License-Identifier: Apache-2.0

package policy

import "fmt"

// A Request is one question: may Principal do Action on Resource?
// Decide only reads it. A request with several resources is several Requests
// (every one must be allowed).
type Request struct {
	Principal Principal
	Action    string // "service:Name", in any letter case
	Resource  string // full ARN text, or "*" for actions without resources

	// ResourceAccount is the account that owns the resource. When empty, it is
	// the account in the ARN if that is twelve digits, else the principal's.
	ResourceAccount string

	// Context holds the single-valued condition keys, Lists the multivalued
	// ones. Key names compare without regard to letter case. A key that is in
	// both is read from Lists. Of keys that differ only in letter case the one
	// spelt as in the policy is read, else the first in byte order. Nil maps
	// are empty.
	Context map[string]string
	Lists   map[string][]string
}

// PrincipalType says what kind of caller a Principal is.
type PrincipalType uint8

// The kinds of caller.
const (
	Anonymous     PrincipalType = iota // nobody: the zero Principal
	User                               // an IAM user
	RoleSession                        // a session of a role
	FederatedUser                      // a session made by GetFederationToken
	Root                               // an account's root user
	Service                            // an AWS-style service principal
	WebIdentity                        // a caller proven by a federated provider, before it has a role
)

// A Principal is the caller of a Request. The zero Principal is anonymous.
// PrincipalOf makes one from an ARN.
type Principal struct {
	Type    PrincipalType
	ARN     string // user, assumed-role session, federated-user or root ARN; provider ARN for WebIdentity; host name for Service
	Account string // twelve digits; "" for Anonymous, Service and WebIdentity

	// ID is the unique id of the user or role (AIDA…, AROA…), without session
	// name; for a FederatedUser that of the user who federated. "" when
	// unknown: then names alone are compared.
	ID string

	Role string // RoleSession: the role's ARN with its path; "" when unknown: then account and name alone are compared
	User string // FederatedUser: the ARN of the user who federated, "" when unknown or root

	// CanonicalID is the S3 canonical user id of Account. "" when unknown:
	// then no CanonicalUser element matches.
	CanonicalID string
}

// A Set is every policy in force for one request, layer by layer. Nil or empty
// slices and nil pointers mean that the layer does not apply, with one
// exception that HasBoundary and HasSession exist for. Decide only reads it; it
// may be shared.
//
// What is in the Set is in force: the caller leaves SCPs empty for the
// management account, service-linked roles and principals that are not of an
// organization's account, and RCPs empty for resources of the management
// account, service-linked roles and services without RCPs (D-3, D-4). A level
// without policies allows nothing.
type Set struct {
	Identity []*Policy   // user or role policies, inline and attached, groups included
	Boundary *Policy     // permissions boundary
	Session  []*Policy   // session policies; their union is the session policy
	SCPs     [][]*Policy // one list a level, organization root first
	RCPs     [][]*Policy // likewise
	Resource *Policy     // resource policy, trust policy or key policy, by its kind
	Endpoint *Policy     // VPC endpoint policy

	// HasBoundary and HasSession say that the layer is in force even though it
	// holds no policy, and so allows nothing (a boundary whose policy is gone,
	// a session limited to nothing).
	HasBoundary bool
	HasSession  bool
}

// bounded reports whether the caller has a permissions boundary.
func (s *Set) bounded() bool { return s.Boundary != nil || s.HasBoundary }

// Outcome is the answer to a Request.
type Outcome uint8

// The outcomes. The zero Outcome refuses.
const (
	ImplicitDeny Outcome = iota
	ExplicitDeny
	Allowed
)

// Layer names a policy layer; it is part of the answer.
type Layer uint8

// The layers.
const (
	NoLayer Layer = iota
	IdentityLayer
	BoundaryLayer
	SessionLayer
	SCPLayer
	RCPLayer
	ResourceLayer
	EndpointLayer
)

// A StatementRef says which statement decided. It belongs to a compiled Policy
// and must not be modified.
type StatementRef struct {
	Policy string   `json:"policy"` // Document.Name
	Sid    string   `json:"sid,omitempty"`
	Index  int      `json:"index"` // from 0
	Start  Position `json:"start"`
}

// String returns the statement's name for messages: its Sid or number, its
// policy and its place, as in `statement ReadOwn of readers (3:5)`.
func (r *StatementRef) String() string {
	name := r.Sid
	if name == "" {
		name = fmt.Sprintf("%d", r.Index+1)
	}
	s := "statement " + name
	if r.Policy != "" {
		s += " of " + r.Policy
	}
	if r.Start != (Position{}) {
		s += fmt.Sprintf(" (%d:%d)", r.Start.Line, r.Start.Column)
	}
	return s
}

// A Decision is the answer with its reason. The zero Decision is an implicit deny.
type Decision struct {
	Outcome Outcome

	// Layer is the layer that decided, in AWS's order of reporting (resource
	// control, service control, endpoint, resource-based, identity-based,
	// boundary, session): for Allowed the first one whose grant the answer
	// rests on, for ExplicitDeny the first that holds a deny, for ImplicitDeny
	// the first that would have had to allow and did not.
	Layer Layer

	// Statement is the statement that granted or denied: the first one of its
	// layer, or for a resource-based grant the first that names the caller most
	// closely. It is nil for an implicit deny and for a grant that needs no
	// statement (root, GetCallerIdentity).
	Statement *StatementRef

	// Err is set when the evaluation failed; the Outcome is then ExplicitDeny.
	Err error
}
