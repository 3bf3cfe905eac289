// SPDX-License-Identifier: Apache-2.0

package policy

// Position is a place in a policy's source text. Line and Column count from 1;
// Column counts bytes. The zero Position means "unknown".
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Effect is what a statement does when it applies.
type Effect uint8

// The effects. The zero Effect is invalid.
const (
	Allow Effect = iota + 1
	Deny
)

// A Document is a parsed policy: the syntax tree with a position on every part.
// It is shared and must not be modified; Compile copies what it needs, so a
// compiled Policy never changes. Make one with Parse.
type Document struct {
	Name       string   // where it came from, for messages: a file, an ARN, an inline policy's name
	Source     string   // the text it was parsed from
	Version    string   // "2012-10-17", "2008-10-17" or "" when absent (which means 2008-10-17)
	ID         string   // the Id element
	VersionPos Position // of the Version element's value; zero when absent
	Statements []Statement

	parsed *Document // itself, if Parse made it
}

// A Statement is one statement of a Document.
type Statement struct {
	Index      int    // place in the document, from 0
	Sid        string // "" when absent
	Effect     Effect
	Start, End Position // of its opening brace, and just after its closing one

	// Where the names of these elements stand; zero when absent.
	SidPos, EffectPos, ActionPos, ResourcePos Position

	Principal *PrincipalBlock // Principal or NotPrincipal; nil when absent

	Action    []Value
	NotAction bool // Action holds the NotAction element

	Resource    []Value
	NotResource bool // Resource holds the NotResource element
	HasResource bool // Resource or NotResource is present, though its list may be empty

	Condition []Condition // in source order; empty when absent or {}
}

// A PrincipalBlock is a Principal or NotPrincipal element.
type PrincipalBlock struct {
	Pos       Position
	Not       bool    // it is NotPrincipal
	Everyone  bool    // it is the lone string "*"
	AWS       []Value // account ids, ARNs, unique ids or "*"
	Service   []Value
	Federated []Value
	Canonical []Value // CanonicalUser
}

// A Condition is one key of a condition block under its operator.
type Condition struct {
	Operator string // as written, with qualifier and suffix: "ForAllValues:StringLikeIfExists"
	OpPos    Position
	Key      string // as written
	KeyPos   Position
	Values   []Value // numbers and booleans as their text
}

// A Value is one string of a document with its position.
type Value struct {
	Text string
	Pos  Position
}

// Kind says what a document is used as; it decides which elements are legal
// (Validate) and, for Trust and Key, how it combines with identity policies.
type Kind uint8

// The kinds of policy. The zero Kind is invalid.
const (
	Identity Kind = iota + 1 // of a user, group or role; inline or managed
	Boundary                 // permissions boundary
	Session                  // session policy
	SCP                      // service control policy
	RCP                      // resource control policy
	Resource                 // on a resource, such as a bucket
	Trust                    // role trust policy: must allow even in the same account
	Key                      // KMS-style: identity policies count only when it delegates to the account
	Endpoint                 // VPC endpoint policy
)
