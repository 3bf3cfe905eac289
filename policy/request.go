// SPDX-License-Identifier: Apache-2.0

package policy

// A Request is one question: may Principal do Action on Resource?
// Decide only reads it. A request with several resources is several Requests
// (every one must be allowed).
type Request struct {
	Principal Principal
	Action    string // "service:Name", in any letter case
	Resource  string // full ARN text, or "*" for actions without resources

	// ResourceAccount is the account that owns the resource. When empty, it is
	// the account in the ARN, else the principal's account.
	ResourceAccount string

	// Context holds the single-valued condition keys, Lists the multivalued
	// ones. Key names compare without regard to letter case. A key that is in
	// both is read from Lists. Nil maps are empty.
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
type Principal struct {
	Type    PrincipalType
	ARN     string // user, assumed-role session, federated-user or root ARN; provider ARN for WebIdentity; host name for Service
	Account string // twelve digits; "" for Anonymous, Service and WebIdentity
	ID      string // unique id without session name (AIDA…, AROA…); "" when unknown: then names alone are compared

	Role string // RoleSession: the role's ARN with its path; "" means a role without a path
	User string // FederatedUser: the ARN of the user who federated, "" when unknown or root
}

// A Set is every policy in force for one request, layer by layer. Nil or empty
// slices and nil pointers mean that the layer does not apply, with one
// exception that HasSession exists for. Decide only reads it; it may be shared.
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
	Policy     string `json:"policy"` // Document.Name
	Sid        string `json:"sid,omitempty"`
	Index      int    `json:"index"` // from 0
	Start, End Position
}

// A Decision is the answer with its reason. The zero Decision is an implicit deny.
type Decision struct {
	Outcome Outcome

	// Layer is the layer that decided: for Allowed the one that granted, for
	// ExplicitDeny the one that holds the deny, for ImplicitDeny the first one,
	// in AWS's order of reporting, that would have had to allow and did not.
	Layer Layer

	// Statement is the statement that granted or denied; nil for an implicit
	// deny and for a grant that needs no statement (root, GetCallerIdentity).
	Statement *StatementRef

	// Err is set when the evaluation failed; the Outcome is then a deny.
	Err error
}
