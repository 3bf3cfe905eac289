// SPDX-License-Identifier: Apache-2.0

package store

import (
	"strings"
	"time"
)

// Records returned by a View are shared and must not be modified; those
// returned by a Tx are the transaction's own copies.

// A Tag is one tag. Keys compare without regard to letter case and keep the
// spelling they were first given.
type Tag struct {
	Key   string `json:"k"`
	Value string `json:"v"`
}

// An Account is the unit of naming, of loading and of placement.
type Account struct {
	ID      string         `json:"id"` // twelve digits
	Name    string         `json:"name,omitempty"`
	Alias   string         `json:"alias,omitempty"` // unique in the whole store
	Created time.Time      `json:"created"`
	Keys    []AccessKey    `json:"keys,omitempty"`   // of the root user
	Login   *LoginProfile  `json:"login,omitempty"`  // of the root user
	Certs   []SigningCert  `json:"certs,omitempty"`  // of the root user
	Rules   *PasswordRules `json:"rules,omitempty"`  // for the users' passwords; nil: AWS's default ones
	Quotas  map[string]int `json:"quotas,omitempty"` // overrides by quota name; see package quota

	Email        string       `json:"email,omitempty"`        // unique in the whole store; see Mail
	Organization string       `json:"organization,omitempty"` // the management account of its organization; see Store.Membership
	Invitations  []Invitation `json:"invitations,omitempty"`
	ClosedAt     time.Time    `json:"closedAt,omitzero"` // zero: it is not closed
}

// A User is an IAM user with everything that belongs to it alone, so that each
// of its invariants holds within one record.
type User struct {
	Name     string    `json:"name"` // as typed; unique without regard to letter case
	Path     string    `json:"path"`
	ID       string    `json:"id"` // AIDA…
	Created  time.Time `json:"created"`
	Tags     []Tag     `json:"tags,omitempty"`
	Boundary string    `json:"boundary,omitempty"` // ARN of a managed policy
	Grants
	Groups []string      `json:"groups,omitempty"` // ids of the groups, in order of joining; see View.GroupsOf
	Keys   []AccessKey   `json:"keys,omitempty"`   // in order of creation
	Login  *LoginProfile `json:"login,omitempty"`

	SSHKeys  []SSHKey            `json:"sshKeys,omitempty"` // these three in order of creation
	Certs    []SigningCert       `json:"certs,omitempty"`
	Services []ServiceCredential `json:"services,omitempty"`
}

// A Group is an IAM group. Its members are the users that hold its id.
type Group struct {
	Name    string    `json:"name"`
	Path    string    `json:"path"`
	ID      string    `json:"id"` // AGPA…
	Created time.Time `json:"created"`
	Grants
}

// A Role is an IAM role.
type Role struct {
	Name        string    `json:"name"`
	Path        string    `json:"path"`
	ID          string    `json:"id"` // AROA…
	Created     time.Time `json:"created"`
	Description string    `json:"description,omitempty"`
	MaxSession  int       `json:"maxSession"` // seconds, 3600 to 43200
	Tags        []Tag     `json:"tags,omitempty"`
	Boundary    string    `json:"boundary,omitempty"`
	Trust       *Document `json:"trust"`
	Grants
}

// ServiceLinked reports whether the role is linked to a service of AWS.
func (r *Role) ServiceLinked() bool { return strings.HasPrefix(r.Path, ServiceLinkedPath) }

// ServiceLinkedPath begins the paths of roles that are linked to services, and
// of the policies for them.
const ServiceLinkedPath = "/aws-service-role/"

// Grants are the policies that a user, group or role holds.
type Grants struct {
	Inline   []Inline `json:"inline,omitempty"`   // sorted by name
	Attached []string `json:"attached,omitempty"` // ARNs of managed policies, in order of attaching
}

// An Inline is an inline policy.
type Inline struct {
	Name     string    `json:"name"`
	Document *Document `json:"document"`
}

// A Policy is a managed policy; the provider's own (arn:aws:iam::aws:policy/…)
// have Account "aws" and are read-only.
type Policy struct {
	Account     string          `json:"-"` // its owner: twelve digits, or "aws"
	Name        string          `json:"name"`
	Path        string          `json:"path"`
	ID          string          `json:"id"` // ANPA…
	Description string          `json:"description,omitempty"`
	Created     time.Time       `json:"created"`
	Updated     time.Time       `json:"updated"`
	Tags        []Tag           `json:"tags,omitempty"`
	Default     string          `json:"default"`  // id of the version in force
	Versions    []PolicyVersion `json:"versions"` // oldest first
	Last        int             `json:"last"`     // number of the newest version ever made
}

// A PolicyVersion is one version of a managed policy.
type PolicyVersion struct {
	ID       string    `json:"id"` // "v1"
	Created  time.Time `json:"created"`
	Document *Document `json:"document"`
}

// An InstanceProfile is a container for at most one role.
type InstanceProfile struct {
	Name    string    `json:"name"`
	Path    string    `json:"path"`
	ID      string    `json:"id"` // AIPA…
	Created time.Time `json:"created"`
	Role    string    `json:"role,omitempty"` // the role's name; "" when empty
	Tags    []Tag     `json:"tags,omitempty"`
}

// An AccessKey is a long-lived key; its secret is sealed under the master key.
type AccessKey struct {
	ID       string    `json:"id"` // AKIA…
	Inactive bool      `json:"inactive,omitempty"`
	Created  time.Time `json:"created"`
	Sealed   []byte    `json:"sealed"`
}

// A LoginProfile is a console password, as an argon2id hash.
type LoginProfile struct {
	Hash          string    `json:"hash"`
	Created       time.Time `json:"created"`
	Changed       time.Time `json:"changed,omitzero"` // when the password was set; zero: when it was created
	ResetRequired bool      `json:"resetRequired,omitempty"`
	Past          []string  `json:"past,omitempty"` // hashes of the passwords before, newest first, as far as the rules ask for them
	Tries                   // at the password
}

// Use says when and where a credential was last used. The zero Use means never.
type Use struct {
	Time    time.Time `json:"time"` // to the minute
	Region  string    `json:"region,omitempty"`
	Service string    `json:"service,omitempty"`
}

// InlineNamed returns the inline policy of that name, or nil.
func (g *Grants) InlineNamed(name string) *Document {
	for i := range g.Inline {
		if g.Inline[i].Name == name {
			return g.Inline[i].Document
		}
	}
	return nil
}

// Version returns the version with that id, or nil.
func (p *Policy) Version(id string) *PolicyVersion {
	for i := range p.Versions {
		if p.Versions[i].ID == id {
			return &p.Versions[i]
		}
	}
	return nil
}

// DefaultVersion returns the version in force. Every stored policy has one.
func (p *Policy) DefaultVersion() *PolicyVersion { return p.Version(p.Default) }

// Key returns the access key of that id, or nil.
func (u *User) Key(id string) *AccessKey { return findKey(u.Keys, id) }

// Key returns the root user's access key of that id, or nil.
func (a *Account) Key(id string) *AccessKey { return findKey(a.Keys, id) }

func findKey(keys []AccessKey, id string) *AccessKey {
	for i := range keys {
		if keys[i].ID == id {
			return &keys[i]
		}
	}
	return nil
}
