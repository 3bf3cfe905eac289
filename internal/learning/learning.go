// SPDX-License-Identifier: Apache-2.0

// Package learning knows for whom gateways let denials pass, for a while, while policies are being written.
//
// An account, or a principal of it, learns until a time that lies at most Max
// ahead. What would be denied then happens, and the audit log has a record of it
// that says so. Package authz has the rules about what is never let pass.
//
// The rows of an account are its annex [store.AnnexLearning]: "account", or "id/"
// and the unique id of a user or a role, or of the account for its root user. So
// whoever is made anew under an old name does not learn.
package learning

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Max is the longest that learning may go on without being asked for again.
const Max = 90 * 24 * time.Hour

// maxRows is how many principals of an account may be learning or have learned.
const maxRows = 1000

// A Mode is how something learns. It does while Until lies ahead, but by no more
// than Max.
type Mode struct {
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
	Explicit bool      `json:"includeExplicit,omitempty"` // explicit denies pass, too
}

// Active reports whether learning goes on at a time, which must not be zero.
func (m *Mode) Active(now time.Time) bool {
	left := m.Until.Sub(now)
	return !now.IsZero() && left > 0 && left <= Max
}

// An Entry is an account or a principal that learns, or that did.
type Entry struct {
	Account   string `json:"account"`
	Principal string `json:"principal,omitempty"` // ARN, as it was at the start; "" for the whole account
	Mode
	Active bool `json:"active"`
}

const (
	whole = "account"
	byID  = "id/"
)

// A row is what the annex holds. A row of another form is nobody's.
type row struct {
	Principal string `json:"principal,omitempty"` // ARN
	Mode
}

// table is what an annex says, by key.
type table map[string]row

// read returns what the annex of a view says. It is the view's own.
func read(v *store.View) table {
	a := v.Annex(store.AnnexLearning)
	if a.Len() == 0 {
		return nil
	}
	return a.Derive(func(any) any {
		t := make(table, a.Len())
		for r := range a.Rows() {
			var one row
			if json.Unmarshal(r.Value, &one) == nil {
				t[r.Key] = one
			}
		}
		return t
	}).(table)
}

// Of returns how a caller learns, and false if it does not: from the view of the
// caller's account, without I/O. Nobody (nil) never learns, and neither does who is
// vouched for by a provider or acts for another account. Of the modes of the
// caller and of its account that are active, the one that ends later counts, and
// explicit denies pass if either says so.
//
// quirk Q157: sessions of GetFederationToken learn with their account only, not
// with the user who federated.
func Of(c *authn.Caller, now time.Time) (m Mode, ok bool) {
	if c == nil || c.Proof != nil || c.View == nil || c.Delegate() != "" {
		return Mode{}, false
	}
	t := read(c.View)
	if t == nil {
		return Mode{}, false
	}
	for _, key := range [...]string{whole, byID + principalID(c)} {
		r, found := t[key]
		if !found || !r.Active(now) {
			continue
		}
		r.Explicit = r.Explicit || m.Explicit
		if ok && m.Until.After(r.Until) {
			r.Since, r.Until = m.Since, m.Until
		}
		m, ok = r.Mode, true
	}
	return m, ok
}

// principalID is the id under which a caller learns for itself; "" if it cannot.
func principalID(c *authn.Caller) string {
	switch {
	case c.Principal.Type == policy.Root:
		return string(c.Account)
	case c.Principal.Type == policy.User && c.User != nil:
		return c.User.ID
	case c.Principal.Type == policy.RoleSession && c.Role != nil:
		return c.Role.ID
	}
	return ""
}

// List returns who of an account learns or did, the whole account first, and then
// in the order of the ARNs.
func List(v *store.View, now time.Time) []Entry {
	var list []Entry
	for _, r := range read(v) {
		list = append(list, Entry{v.Account().ID, r.Principal, r.Mode, r.Active(now)})
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Principal, b.Principal) })
	return list
}

// Check reports why somebody cannot learn in a way, or nil.
func (m *Mode) Check() error {
	switch left := m.Until.Sub(m.Since); {
	case left <= 0:
		return errors.New("the end of learning must lie ahead")
	case left > Max:
		return fmt.Errorf("the end of learning may lie at most %d days ahead", Max/(24*time.Hour))
	}
	return nil
}

// Start makes a principal of the transaction's account learn, or the whole account
// if principal is "". It is an ARN, or the name of a user or a role. What was said
// about it before is replaced.
func Start(tx *store.Tx, principal string, m Mode) (Entry, error) {
	if err := m.Check(); err != nil {
		return Entry{}, err
	}
	v := tx.View()
	key, id, err := find(v, principal)
	if err != nil {
		return Entry{}, err
	}
	if _, there := read(v)[key]; !there && v.Annex(store.AnnexLearning).Len() >= maxRows {
		return Entry{}, fmt.Errorf("account %s has %d entries about learning already: stop some", v.Account().ID, maxRows)
	}
	value, err := json.Marshal(row{id, m})
	if err != nil {
		return Entry{}, err
	}
	tx.PutAnnexed(store.AnnexLearning, key, value)
	return Entry{v.Account().ID, id, m, true}, nil
}

// Stop takes back what Start did. principal may also be the ARN of a principal that
// is gone.
func Stop(tx *store.Tx, principal string) (Entry, error) {
	v := tx.View()
	t := read(v)
	key, id, err := find(v, principal)
	if err != nil {
		for k, r := range t {
			if r.Principal == principal && principal != "" {
				key, id, err = k, r.Principal, nil
			}
		}
	}
	if err != nil {
		return Entry{}, err
	}
	r, ok := t[key]
	if !ok {
		if id == "" {
			id = "account " + v.Account().ID
		}
		return Entry{}, fmt.Errorf("%s is not learning", id)
	}
	tx.DeleteAnnexed(store.AnnexLearning, key)
	return Entry{v.Account().ID, r.Principal, r.Mode, false}, nil
}

// find returns the key and the ARN of a principal.
func find(v *store.View, principal string) (key, id string, err error) {
	if principal == "" {
		return whole, "", nil
	}
	account := v.Account().ID
	e, ok := arn.SplitEntity(principal)
	if !ok && strings.Contains(principal, ":") {
		return "", "", fmt.Errorf("%q is neither the ARN of a user, a role or the root user, nor a name", principal)
	}
	if ok && e.Account != account {
		return "", "", fmt.Errorf("%s is not of account %s", principal, account)
	}
	name, isUser, isRole := e.Name, e.Kind == arn.KindUser, e.Kind == arn.KindRole || e.Kind == arn.KindAssumedRole
	if !ok {
		name, isUser, isRole = principal, true, true
	}
	user, noUser := v.User(name)
	role, noRole := v.Role(name)
	isUser, isRole = isUser && noUser == nil, isRole && noRole == nil
	switch {
	case e.Kind == arn.KindRoot:
		return byID + account, principal, nil
	case isUser && isRole:
		return "", "", fmt.Errorf("%s is a user and a role: give the ARN of the one that is meant, %s or %s", name, v.UserARN(user), v.RoleARN(role))
	case isUser && (!ok || v.UserARN(user) == principal):
		return byID + user.ID, v.UserARN(user), nil
	case isRole && (!ok || e.Kind == arn.KindAssumedRole || v.RoleARN(role) == principal):
		return byID + role.ID, v.RoleARN(role), nil
	}
	return "", "", fmt.Errorf("account %s has no user and no role %s", account, principal)
}
