// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/annex"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// A State is where a request stands.
type State string

// The states, in the order of their usual course (IAM User Guide, "Building your
// integration", request states).
const (
	Unassigned State = "UNASSIGNED" // made, and nobody has taken it up
	Assigned   State = "ASSIGNED"   // an identity of the owner's account has
	Pending    State = "PENDING_APPROVAL"
	Accepted   State = "ACCEPTED"
	Finalized  State = "FINALIZED" // the token may be exchanged
	Rejected   State = "REJECTED"
	Expired    State = "EXPIRED"
)

const day = 24 * time.Hour

// lives is how long a request stays in a state if nobody does anything (the same
// page, "Expiration path").
var lives = map[State]time.Duration{
	Unassigned: day, Assigned: 7 * day, Pending: 7 * day, Accepted: 7 * day, Finalized: 7 * day, Rejected: 7 * day,
}

// retention is how long an expired request is kept. AWS gives no figure.
const retention = 30 * day

// RootLimit is the longest session that a root user may approve (IAM User Guide,
// "IAM temporary delegation").
const RootLimit = 4 * time.Hour

// A Request is a request of one account to act in another.
type Request struct {
	ID            string    `json:"id"`
	Requestor     string    `json:"requestor"` // account
	RequestorName string    `json:"requestorName,omitempty"`
	Workflow      string    `json:"workflow"` // the requestor's own name for it, unique among its requests
	Description   string    `json:"description"`
	Message       string    `json:"message,omitempty"`
	Redirect      string    `json:"redirect,omitempty"` // URL
	Channel       string    `json:"channel"`            // where AWS would send what becomes of it
	Seconds       int       `json:"seconds"`            // how long the sessions may last together, from Finalized on
	OwnerSends    bool      `json:"ownerSends,omitempty"`
	Created       time.Time `json:"created"`

	Template   string      `json:"template"` // ARN of a managed policy
	Parameters []Parameter `json:"parameters,omitempty"`
	Policy     string      `json:"policy"`            // the template with the parameters in place, as it was when the request was made
	Managed    bool        `json:"managed,omitempty"` // Policy is one of AWS's, which sessions name instead of carrying it

	Account   string    `json:"account,omitempty"`  // the owner's; "" until it is known
	Owner     *Party    `json:"owner,omitempty"`    // nil until the request is associated
	Approver  *Identity `json:"approver,omitempty"` // nil until it is accepted
	Notes     string    `json:"notes,omitempty"`    // to the approver
	Rejection string    `json:"rejection,omitempty"`

	Last    State     `json:"state"`   // see State
	Entered time.Time `json:"entered"` // when it came to be in Last
	Updated time.Time `json:"updated"`
}

// A Parameter gives a value, or a list of them, to a placeholder of a template.
type Parameter struct {
	Name   string   `json:"name"`
	Type   string   `json:"type,omitempty"` // as the request has it; "" if it does not say
	Values []string `json:"values"`
}

// A Party is a principal by name and by unique id, so that one made later under
// the same name is not taken for it.
type Party struct {
	ARN string `json:"arn"`
	ID  string `json:"id"`
}

// PartyOf returns the caller as a party.
func PartyOf(c *authn.Caller) Party { return Party{c.ARN, c.UserID} }

// An Identity is who approved a request, as it was then: what a delegate's session
// is made of.
type Identity struct {
	Party
	Kind           session.Kind  `json:"kind"`
	PrincipalID    string        `json:"principal"` // as in session.Claims, and so are these
	Name           string        `json:"name,omitempty"`
	RoleName       string        `json:"roleName,omitempty"`
	RolePath       string        `json:"rolePath,omitempty"`
	Provider       string        `json:"provider,omitempty"`
	Federated      []session.Tag `json:"federated,omitempty"`
	Tags           []session.Tag `json:"tags,omitempty"`
	Transitive     []string      `json:"transitive,omitempty"`
	SourceIdentity string        `json:"sourceIdentity,omitempty"`
	Chained        bool          `json:"chained,omitempty"`
}

// IdentityOf returns the caller as an approver; ok is false for one that cannot be:
// a federated user, a delegate, or another whose own session is limited by a
// session policy, which a delegate's session could not keep to.
//
// quirk Q094: limited sessions cannot approve.
func IdentityOf(c *authn.Caller) (id *Identity, ok bool) {
	id = &Identity{Party: PartyOf(c)}
	s := c.Session
	switch {
	case s != nil && (s.Policy != "" || len(s.PolicyARNs) > 0 || s.Delegate != "" || s.Kind == session.Federated):
		return nil, false
	case c.Role != nil && s != nil:
		id.Kind, id.PrincipalID, id.Name, id.RoleName, id.RolePath = session.Role, c.Role.ID, s.Name, c.Role.Name, c.Role.Path
		id.Provider, id.Federated, id.Tags, id.Transitive = s.Provider, s.Federated, s.Tags, s.Transitive
		id.SourceIdentity, id.Chained = s.SourceIdentity, s.Chained
	case c.User != nil:
		id.Kind, id.PrincipalID, id.Name = session.User, c.User.ID, c.User.Name
	case c.Root():
		id.Kind, id.PrincipalID = session.Root, string(c.Account)
	default:
		return nil, false
	}
	return id, true
}

// State returns the state at a time: expiring takes no one to do it.
func (r *Request) State(now time.Time) State {
	if r.Last != Expired && !now.Before(r.Expires()) {
		return Expired
	}
	return r.Last
}

// Expires returns when the request leaves its state by itself.
func (r *Request) Expires() time.Time { return r.Entered.Add(lives[r.Last]) }

// Ends returns when the delegation ends that began when the token was released.
func (r *Request) Ends() time.Time { return r.Entered.Add(r.Session()) }

// Session returns how long the delegation lasts.
func (r *Request) Session() time.Duration { return time.Duration(r.Seconds) * time.Second }

// OwnedBy reports whether p is the owner.
func (r *Request) OwnedBy(p Party) bool { return r.Owner != nil && *r.Owner == p }

// Concerns reports whether the request is for an account to decide about: it is
// the owner's, or any may still be.
func (r *Request) Concerns(account string) bool { return r.Account == "" || r.Account == account }

// enter moves the request to a state.
func (r *Request) enter(s State, now time.Time) {
	if r.Last != s {
		r.Last, r.Entered = s, now
	}
	r.Updated = now
}

// newID returns the id of a new request: a UUID that ends with the requestor's
// account, which so tells where the request is kept.
func newID(random, account string) string { return random[:len(random)-12] + account }

// home returns the account that an id names.
func home(id string) (string, bool) {
	parts := strings.Split(id, "-")
	last := parts[len(parts)-1]
	return last, len(parts) == 5 && len(last) == 12 && strings.Trim(last, "0123456789") == ""
}

const (
	dirRequest  = "request/"
	dirWorkflow = "workflow/"
	dirOwned    = "owned/"
)

// read returns the request of an id among those that a view's account made.
func read(v *store.View, id string) (*Request, error) {
	row, ok := v.Annex(store.AnnexDelegation).Row(dirRequest + id)
	if !ok {
		return nil, notFound(id)
	}
	return decode(row)
}

func decode(row annex.Row) (*Request, error) {
	r := new(Request)
	if err := json.Unmarshal(row.Value, r); err != nil {
		return nil, store.ErrFormat
	}
	return r, nil
}

// under lists the ids of the rows in one folder of an annex, in order.
func under(v *store.View, dir string) []string {
	var list []string
	for row := range v.Annex(store.AnnexDelegation).Rows() {
		if id, ok := strings.CutPrefix(row.Key, dir); ok {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list
}
