// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/catalog"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Question is about a request that somebody could make, or about one that the
// audit log has a record of. Asking does nothing and is not recorded.
type Question struct {
	// Principal is the ARN of a user, of a role's session, of a federated user
	// or of an account's root; "anonymous", "service:HOST" or
	// "federated:PROVIDER" for callers without an account.
	Principal string `json:"principal,omitempty"`

	Issuer          string `json:"issuer,omitempty"` // of a federated user: the ARN of who federated; else not used
	Action          string `json:"action,omitempty"`
	Resource        string `json:"resource,omitempty"`
	ResourceAccount string `json:"resourceAccount,omitempty"` // "" for the one in the resource's ARN, else the caller's

	// Record is one record of the audit log, in place of all other fields.
	Record json.RawMessage `json:"record,omitempty"`
}

// An Inquiry is a request with every policy in force for it now.
type Inquiry struct {
	Request  policy.Request
	Set      policy.Set
	Recorded *Recorded // nil when the question was about no record
	Notes    []string  // what to know about the request, each one sentence
}

// Recorded is what an audit record says about a request.
type Recorded struct {
	EventID string    `json:"eventId"`
	Event   string    `json:"event"` // "CreateUser"
	Time    time.Time `json:"time"`
	Outcome string    `json:"outcome"` // as policy.Outcome has it
	Layer   string    `json:"layer,omitempty"`
	Reason  string    `json:"reason,omitempty"` // one sentence
}

// Inquire gathers what a question is about: from the node that serves the data
// directory, or, when none does, from the store itself, which must exist. A
// record may be about several requests.
func Inquire(ctx context.Context, cfg config.Config, q *Question) ([]Inquiry, error) {
	var a answer
	err := callLocal(ctx, cfg.Data, "/inquiries", q, &a, maxInquiries)
	if errors.Is(err, ErrNotRunning) {
		a.Inquiries, err = inquireOffline(ctx, cfg, q)
	}
	if err != nil {
		return nil, err
	}
	if a.Error != "" {
		return nil, errors.New(a.Error)
	}
	list := make([]Inquiry, len(a.Inquiries))
	for i := range list {
		if list[i], err = a.Inquiries[i].inquiry(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func inquireOffline(ctx context.Context, cfg config.Config, q *Question) ([]wireInquiry, error) {
	n := newNode(cfg.Defaults(), Options{})
	for _, file := range []string{n.cfg.MasterKey, storeFile(n.cfg.Store)} {
		if _, err := os.Stat(file); file != "" && err != nil {
			return nil, fmt.Errorf("%s holds no store of innkeeper: %w", n.cfg.Data, err)
		}
	}
	keeper, _, err := n.masterKey()
	if err == nil {
		err = n.openStore(ctx, keeper, false)
	}
	var list []wireInquiry
	if err == nil {
		list, err = n.inquire(ctx, q)
	}
	return list, errors.Join(err, n.close())
}

// inquire gathers what a question is about.
func (n *Node) inquire(ctx context.Context, q *Question) ([]wireInquiry, error) {
	if err := n.store.Ready(); err != nil {
		return nil, err
	}
	asks := []asked{{
		principal: q.Principal, issuer: q.Issuer, action: q.Action, resource: q.Resource, resourceAccount: q.ResourceAccount,
		env: authz.Env{Time: n.now(), Secure: n.tls != nil},
	}}
	if q.Record != nil {
		var err error
		if asks, err = n.recorded(q.Record); err != nil {
			return nil, err
		}
	}
	list := make([]wireInquiry, 0, len(asks))
	for i := range asks {
		one, err := n.gather(ctx, &asks[i])
		if err != nil {
			return nil, err
		}
		list = append(list, *one)
	}
	return list, nil
}

// An asked is one request to gather the policies for.
type asked struct {
	principal, issuer, principalID    string // the id "" when it is not known
	action, resource, resourceAccount string
	claims                            *session.Claims // nil when not known
	env                               authz.Env
	region                            string
	keys                              map[string]string   // condition keys of the request
	lists                             map[string][]string // likewise
	recorded                          *Recorded
}

// gather finds the caller and the resource of a request, and the policies of
// both.
func (n *Node) gather(ctx context.Context, a *asked) (*wireInquiry, error) {
	out := &wireInquiry{Recorded: a.recorded}
	caller, other, err := n.caller(ctx, a)
	if err != nil {
		return nil, err
	}
	if caller != nil {
		caller.Region = cmp.Or(a.region, n.cfg.Region)
		if a.principalID != "" && a.principalID != caller.UserID {
			out.Notes = append(out.Notes, fmt.Sprintf("%s of the record had the unique id %s: who has this name now, %s, is another.",
				a.principal, a.principalID, caller.UserID))
		}
	}
	ck := authz.Check{Action: a.action, Resource: a.resource, Account: a.resourceAccount, Keys: make(map[string]string), Lists: a.lists}
	if parts, ok := arn.Split(a.resource); ok && ck.Account == "" && arn.IsAccountID(parts.Account) {
		ck.Account = parts.Account
	}
	bound, err := n.target(ctx, &ck, out)
	if err != nil {
		return nil, err
	}
	for key, value := range a.keys {
		ck.Keys[key] = value
	}
	z := authz.New(n.audit, nil, n.store)
	set := z.Policies(caller)
	set.Resource = ck.Policy
	r := authz.Request(caller, &a.env, &ck)
	if caller == nil {
		r.Principal = other
		foreign(r)
	}
	if err := z.Organize(ctx, set, r, caller); err != nil {
		return nil, err
	}
	out.Request = wireRequest{r.Principal, r.Action, r.Resource, r.ResourceAccount, r.Context, r.Lists}
	names, notes := named(caller, set)
	out.Set, out.Notes = wireSetOf(set, names, bound), append(out.Notes, notes...)
	return out, nil
}

// foreign adds the condition keys of a caller that belongs to no account, as far
// as they follow from who it is.
func foreign(r *policy.Request) {
	if r.ResourceAccount != "" {
		r.Context["aws:ResourceAccount"] = r.ResourceAccount
	}
	if r.Principal.Type == policy.Service {
		r.Context["aws:PrincipalIsAWSService"] = "true"
		r.Context["aws:PrincipalServiceName"] = r.Principal.ARN
	}
}

// caller finds who asks; nil with a Principal for callers without an account.
func (n *Node) caller(ctx context.Context, a *asked) (*authn.Caller, policy.Principal, error) {
	none := policy.Principal{}
	if a.principal == "anonymous" {
		return nil, none, nil
	}
	if host, ok := strings.CutPrefix(a.principal, "service:"); ok {
		return nil, policy.Principal{Type: policy.Service, ARN: host}, nil
	}
	if provider, ok := strings.CutPrefix(a.principal, "federated:"); ok {
		return nil, policy.Principal{Type: policy.WebIdentity, ARN: provider}, nil
	}
	p, err := policy.PrincipalOf(a.principal)
	if err != nil {
		return nil, none, errors.New(strings.TrimPrefix(err.Error(), "policy: "))
	}
	view, err := n.account(ctx, p.Account)
	if err != nil {
		return nil, none, err
	}
	claims, err := n.claims(view, a, p.Type)
	if err != nil {
		return nil, none, err
	}
	c, err := authn.Named(view, a.principal, claims)
	if errors.Is(err, store.ErrNotFound) {
		err = unknown(view, a.principal)
	}
	return c, none, err
}

// claims are what is known of the session that a caller acts in: nil for a user
// or the root user with a key of its own.
func (n *Node) claims(view *store.View, a *asked, kind policy.PrincipalType) (*session.Claims, error) {
	if kind != policy.RoleSession && kind != policy.FederatedUser {
		return a.claims, nil
	}
	claims := cmp.Or(a.claims, &session.Claims{Issued: a.env.Time})
	if kind == policy.RoleSession {
		claims.Kind = session.Role
		return claims, nil
	}
	claims.Kind = session.Federated
	e, ok := arn.SplitEntity(a.issuer)
	switch {
	case !ok || e.Kind != arn.KindUser && e.Kind != arn.KindRoot || e.Account != view.Account().ID:
		return nil, fmt.Errorf("%s has the permissions of who federated: name that user of account %s with --issuer", a.principal, view.Account().ID)
	case e.Kind == arn.KindRoot:
		claims.PrincipalID = e.Account
		return claims, nil
	}
	u, err := view.User(e.Name)
	if err != nil || view.UserARN(u) != a.issuer {
		return nil, unknown(view, a.issuer)
	}
	claims.PrincipalID = u.ID
	return claims, nil
}

// account returns the view of an account; the error for one that does not exist
// names those that do.
func (n *Node) account(ctx context.Context, id string) (*store.View, error) {
	view, err := n.store.View(ctx, id)
	if !errors.Is(err, store.ErrNotFound) {
		return view, err
	}
	accounts, err := n.store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(accounts))
	for i, a := range accounts {
		names[i] = a.ID
		if a.Name != "" {
			names[i] += " (" + a.Name + ")"
		}
	}
	return nil, fmt.Errorf("there is no account %s in this store: %s", id, some("account", names))
}

// tests reports whether the catalogue gives a condition key to an action.
func tests(service, operation, key string) bool {
	s, ok := catalog.Lookup(service)
	if !ok {
		return false
	}
	a, _ := s.Action(operation)
	return slices.Contains(a.ConditionKeys, key)
}

// target puts the tags, the boundary and the trust policy of an IAM entity that
// is acted upon into the check, and returns the ids that the principals of the
// trust policy are bound to. Other resources are not known here.
func (n *Node) target(ctx context.Context, ck *authz.Check, out *wireInquiry) (bound map[string]string, err error) {
	e, ok := arn.SplitEntity(ck.Resource)
	if !ok || !arn.IsAccountID(e.Account) {
		return nil, nil
	}
	view, err := n.store.View(ctx, e.Account)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	found := entity{}
	if err == nil {
		found = find(view, e, ck.Resource)
	}
	service, operation, _ := strings.Cut(ck.Action, ":")
	if !found.exists {
		switch e.Kind {
		case arn.KindUser, arn.KindGroup, arn.KindRole, arn.KindPolicy, arn.KindInstanceProfile:
			if !strings.HasPrefix(operation, "Create") && e.Name != "*" {
				out.Notes = append(out.Notes, fmt.Sprintf("%s does not exist: there are no tags and no policy of it to look at.", ck.Resource))
			}
		}
		return nil, nil
	}
	authz.Tags(ck.Keys, "aws:ResourceTag/", found.tags)
	if e.Kind == arn.KindUser || e.Kind == arn.KindRole {
		authz.Tags(ck.Keys, "iam:ResourceTag/", found.tags)
	}
	if found.boundary != "" && tests(service, operation, "iam:PermissionsBoundary") {
		ck.Keys["iam:PermissionsBoundary"] = found.boundary
	}
	if found.trust != nil && strings.EqualFold(service, "sts") {
		ck.Policy = found.trust.Compiled(policy.Trust)
		return found.trust.Bound(), nil
	}
	return nil, nil
}

// An entity is what a decision about an IAM entity looks at.
type entity struct {
	exists   bool
	tags     []store.Tag
	boundary string
	trust    *store.Document // of a role
}

// find returns the entity with exactly that ARN.
func find(view *store.View, e arn.Entity, name string) entity {
	switch e.Kind {
	case arn.KindUser:
		if u, err := view.User(e.Name); err == nil && view.UserARN(u) == name {
			return entity{exists: true, tags: u.Tags, boundary: u.Boundary}
		}
	case arn.KindGroup:
		if g, err := view.Group(e.Name); err == nil && view.GroupARN(g) == name {
			return entity{exists: true}
		}
	case arn.KindRole:
		if r, err := view.Role(e.Name); err == nil && view.RoleARN(r) == name {
			return entity{exists: true, tags: r.Tags, boundary: r.Boundary, trust: r.Trust}
		}
	case arn.KindPolicy:
		if p, err := view.Policy(name); err == nil {
			return entity{exists: true, tags: p.Tags}
		}
	case arn.KindInstanceProfile:
		if p, err := view.Profile(e.Name); err == nil && view.ProfileARN(p) == name {
			return entity{exists: true, tags: p.Tags}
		}
	}
	return entity{}
}
