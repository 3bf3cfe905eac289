// SPDX-License-Identifier: Apache-2.0

package orgs

import (
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Types of organization policies that have an effect here or that rules of the
// store name. There are more.
const (
	TypeSCP = "SERVICE_CONTROL_POLICY"
	TypeRCP = "RESOURCE_CONTROL_POLICY"
)

// Feature sets of an organization.
const (
	FeaturesAll     = "ALL"
	FeaturesBilling = "CONSOLIDATED_BILLING" // without policies
)

// States of a member account.
const (
	MemberActive  = "ACTIVE"
	MemberClosing = "PENDING_CLOSURE"
	MemberClosed  = "SUSPENDED"
)

// An Organization is an organization with what belongs to its root. Every change
// of an organization writes this record, so that changes come one after another
// and rules about several records hold.
type Organization struct {
	ID       string          `json:"id"`   // o-…
	Root     string          `json:"root"` // r-…
	Features string          `json:"features"`
	Created  time.Time       `json:"created"`
	Types    []PolicyType    `json:"types,omitempty"`
	Services []ServiceAccess `json:"services,omitempty"` // AWS services that may act in the organization; sorted by principal
	Tags     []store.Tag     `json:"tags,omitempty"`     // of the root
	Attached Attachments     `json:"attached,omitempty"` // to the root

	RootCredentials bool `json:"rootCredentials,omitempty"` // the credentials of member accounts' root users are managed from above
	RootSessions    bool `json:"rootSessions,omitempty"`    // so are tasks that only a member account's root user may do

	Policy     *store.Document `json:"policy,omitempty"` // the organization's resource policy, which delegates; nil: none
	PolicyID   string          `json:"policyId,omitempty"`
	PolicyTags []store.Tag     `json:"policyTags,omitempty"`
}

// A PolicyType is a type of policies that is or was enabled.
type PolicyType struct {
	Name    string `json:"name"`
	Enabled bool   `json:"enabled,omitempty"`
	Epoch   int    `json:"epoch"` // how often it was enabled
}

// A ServiceAccess is a service that was let in, or that an account administers.
type ServiceAccess struct {
	Principal string    `json:"principal"`
	Since     time.Time `json:"since"`
}

// Attachments are the policies of one target, by type. A list that was made
// before its type was last enabled does not count: enabling a type gives every
// target the default.
type Attachments []Attached

// An Attached is the policies of one type.
type Attached struct {
	Type     string   `json:"type"`
	Epoch    int      `json:"epoch"`
	Policies []string `json:"policies,omitempty"` // ids, in order of attaching
}

// A Unit is an organizational unit.
type Unit struct {
	ID       string      `json:"id"`     // ou-…
	Name     string      `json:"name"`   // unique within its parent
	Parent   string      `json:"parent"` // id of the root or of a unit
	Tags     []store.Tag `json:"tags,omitempty"`
	Attached Attachments `json:"attached,omitempty"`
}

// A Member is an account in an organization, the management account included.
type Member struct {
	ID        string          `json:"id"` // twelve digits
	Name      string          `json:"name"`
	Email     string          `json:"email"`
	Parent    string          `json:"parent"` // id of the root or of a unit
	Invited   bool            `json:"invited,omitempty"`
	Joined    time.Time       `json:"joined"`
	State     string          `json:"state"`
	Tags      []store.Tag     `json:"tags,omitempty"`
	Attached  Attachments     `json:"attached,omitempty"`
	Delegated []ServiceAccess `json:"delegated,omitempty"` // services that it administers; sorted by principal
}

// A Policy is a policy of an organization.
type Policy struct {
	ID          string          `json:"id"` // p-…
	Type        string          `json:"type"`
	Name        string          `json:"name"` // unique within its type
	Description string          `json:"description,omitempty"`
	Updated     time.Time       `json:"updated"`
	Tags        []store.Tag     `json:"tags,omitempty"`
	Document    *store.Document `json:"document"`
	Provided    bool            `json:"-"` // by AWS, and read-only
}

// States of an AccountRequest.
const (
	RequestPending = "IN_PROGRESS"
	RequestDone    = "SUCCEEDED"
	RequestFailed  = "FAILED"
)

// An AccountRequest is a request to create an account.
type AccountRequest struct {
	ID        string      `json:"id"` // car-…
	Name      string      `json:"name"`
	Email     string      `json:"email"`
	Role      string      `json:"role"`
	Tags      []store.Tag `json:"tags,omitempty"`
	Account   string      `json:"account"` // the id that the account gets
	State     string      `json:"state"`
	Failure   string      `json:"failure,omitempty"`
	Requested time.Time   `json:"requested"`
	Completed time.Time   `json:"completed,omitzero"`
}

// A Handshake is an invitation, or a change that others have to agree to.
type Handshake struct {
	ID        string      `json:"id"` // h-…
	Action    string      `json:"action"`
	State     string      `json:"state"`
	Account   string      `json:"account"` // whose answer it waits for
	Email     string      `json:"email,omitempty"`
	Notes     string      `json:"notes,omitempty"`
	Tags      []store.Tag `json:"tags,omitempty"`
	Parent    string      `json:"parent,omitempty"` // of the handshake that this one is part of
	Requested time.Time   `json:"requested"`
	Expires   time.Time   `json:"expires"`
}

// Type returns the type of that name, or nil if it is not enabled.
func (o *Organization) Type(name string) *PolicyType {
	for i := range o.Types {
		if o.Types[i].Name == name && o.Types[i].Enabled {
			return &o.Types[i]
		}
	}
	return nil
}

// of returns the ids of a target's policies of a type: none if that is not
// enabled.
func (a Attachments) of(t *PolicyType) []string {
	if t == nil {
		return nil
	}
	for i := range a {
		if a[i].Type == t.Name && a[i].Epoch == t.Epoch {
			return a[i].Policies
		}
	}
	return defaultPolicies[t.Name]
}

// with returns a copy of a with other policies of a type.
func (a Attachments) with(t *PolicyType, ids []string) Attachments {
	out := slices.DeleteFunc(slices.Clone(a), func(x Attached) bool { return x.Type == t.Name })
	return append(out, Attached{Type: t.Name, Epoch: t.Epoch, Policies: ids})
}

// The policies that AWS provides: what every target has from the start (User
// Guide of Organizations, "SCP evaluation" and "RCP evaluation").
const (
	FullAccess         = "p-FullAWSAccess"
	FullResourceAccess = "p-RCPFullAWSAccess"
)

var defaultPolicies = map[string][]string{TypeSCP: {FullAccess}, TypeRCP: {FullResourceAccess}}

var providedPolicies = []*Policy{
	{
		ID: FullAccess, Type: TypeSCP, Name: "FullAWSAccess", Description: "Allows access to every operation", Provided: true,
		Document: store.NewDocument(FullAccess, "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}"),
	},
	{
		ID: FullResourceAccess, Type: TypeRCP, Name: "RCPFullAWSAccess", Description: "Allows access to every operation", Provided: true,
		Document: store.NewDocument(FullResourceAccess, "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Principal\": \"*\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}"),
	},
}

func provided(id string) *Policy {
	for _, p := range providedPolicies {
		if p.ID == id {
			return p
		}
	}
	return nil
}

func (o *Organization) clone() *Organization {
	c := *o
	c.Types, c.Services, c.Tags = slices.Clone(o.Types), slices.Clone(o.Services), slices.Clone(o.Tags)
	c.Attached, c.PolicyTags = slices.Clone(o.Attached), slices.Clone(o.PolicyTags)
	return &c
}

func (u *Unit) clone() *Unit {
	c := *u
	c.Tags, c.Attached = slices.Clone(u.Tags), slices.Clone(u.Attached)
	return &c
}

func (m *Member) clone() *Member {
	c := *m
	c.Tags, c.Attached, c.Delegated = slices.Clone(m.Tags), slices.Clone(m.Attached), slices.Clone(m.Delegated)
	return &c
}

func (p *Policy) clone() *Policy {
	c := *p
	c.Tags = slices.Clone(p.Tags)
	return &c
}

func (r *AccountRequest) clone() *AccountRequest {
	c := *r
	c.Tags = slices.Clone(r.Tags)
	return &c
}

func (h *Handshake) clone() *Handshake {
	c := *h
	c.Tags = slices.Clone(h.Tags)
	return &c
}
