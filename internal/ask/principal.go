// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Principal says who a question is about.
type Principal struct {
	// Name is the ARN of a user, a role, a session of a role or an account's root, a
	// unique id (AIDA…, AROA…, AROA…:session), an access key id, or the name of a
	// user of the asker's account.
	Name string

	Role  bool   // Name is the name of a role, not of a user
	Token string // the session token that goes with an access key id; "" for long-term keys

	// Caller is somebody who proved to be there. The other fields are then not used.
	Caller *authn.Caller
}

// asked is the name of the session that a role stands for (quirk Q146).
const asked = "asked"

// A subject is the principal of a question as it was found.
type subject struct {
	name    string        // ARN, or as it was asked
	arn     string        // on which the asker needs permission
	account string        // that it belongs to
	caller  *authn.Caller // nil: there is none
	set     *policy.Set   // what is in force for caller
	unknown string        // why there is none, one sentence
}

// find finds a principal in the asker's account. Of other accounts nothing is
// looked up, because nobody may ask about them.
func (v *Visit) find(p Principal) *subject {
	s := &subject{name: p.Name, account: string(v.Asker.Account)}
	s.arn = fmt.Sprintf("arn:aws:iam::%s:unknown/%s", s.account, p.Name)
	var err error
	if p.Caller != nil {
		s.caller = p.Caller
		s.account = string(p.Caller.Account)
	} else {
		s.caller, err = v.lookup(p, s)
	}
	if s.caller == nil {
		s.unknown = fmt.Sprintf("Denied: there is no principal %.128q in account %s.", p.Name, s.account)
		if err != nil && p.Token != "" {
			s.unknown = fmt.Sprintf("Denied: the session of %.128q is not known, or over.", p.Name)
		}
		return s
	}
	s.name, s.arn = s.caller.ARN, permissionARN(s.caller)
	s.set = v.desk.o.Authz.Policies(s.caller)
	return s
}

// permissionARN names a principal in the permission to ask about it: that of the
// role for its sessions.
func permissionARN(c *authn.Caller) string {
	if c.Role != nil {
		return c.View.RoleARN(c.Role)
	}
	return c.ARN
}

// lookup returns the caller that a principal's requests have, nil when there is
// none, and puts the account and the ARN to be permitted into s as far as the
// name tells them.
func (v *Visit) lookup(p Principal, s *subject) (*authn.Caller, error) {
	view := v.Asker.View
	if e, ok := arn.SplitEntity(p.Name); ok {
		s.account, s.arn = e.Account, p.Name
		if e.Account != view.Account().ID {
			return nil, nil
		}
		return v.entity(view, e, p.Name, s)
	}
	id, name, hasSession := strings.Cut(p.Name, ":")
	if account, ok := ids.Account(id); ok {
		if account != view.Account().ID {
			s.account, s.arn = account, fmt.Sprintf("arn:aws:iam::%s:unknown/%s", account, id)
			return nil, nil
		}
		return v.identified(view, id, name, hasSession, p.Token)
	}
	switch {
	case p.Role:
		r, err := view.Role(p.Name)
		if err != nil || r.Name != p.Name {
			return nil, err
		}
		return v.session(view, r, asked)
	case p.Token != "":
		return v.desk.o.Authn.Holder(view, p.Name, p.Token)
	}
	u, err := view.User(p.Name)
	if err != nil || u.Name != p.Name {
		return nil, err
	}
	return authn.Named(view, view.UserARN(u), nil)
}

// entity is lookup for an ARN.
func (v *Visit) entity(view *store.View, e arn.Entity, name string, s *subject) (*authn.Caller, error) {
	switch e.Kind {
	case arn.KindUser, arn.KindRoot:
		return authn.Named(view, name, nil)
	case arn.KindRole:
		r, err := view.Role(e.Name)
		if err != nil || view.RoleARN(r) != name {
			return nil, err
		}
		return v.session(view, r, asked)
	case arn.KindAssumedRole:
		s.arn = arn.Role(arn.AccountID(e.Account), "/", e.Name).String()
		return authn.Named(view, name, v.claims())
	}
	return nil, nil
}

// identified is lookup for a unique id or an access key id of the account.
func (v *Visit) identified(view *store.View, id, name string, hasSession bool, token string) (*authn.Caller, error) {
	switch {
	case strings.HasPrefix(id, ids.User) && !hasSession:
		u, err := view.UserByID(id)
		if err != nil {
			return nil, err
		}
		return authn.Named(view, view.UserARN(u), nil)
	case strings.HasPrefix(id, ids.Role):
		r, err := view.RoleByID(id)
		if err != nil {
			return nil, err
		}
		if !hasSession {
			name = asked
		}
		return v.session(view, r, name)
	case hasSession:
		return nil, nil
	}
	return v.desk.o.Authn.Holder(view, id, token)
}

// session returns the caller of a session that begins now.
//
// quirk Q147: one without session policy, tags and second factor.
func (v *Visit) session(view *store.View, r *store.Role, name string) (*authn.Caller, error) {
	return authn.Named(view, arn.AssumedRole(v.Asker.Account, r.Name, name).String(), v.claims())
}

func (v *Visit) claims() *session.Claims {
	return &session.Claims{Account: string(v.Asker.Account), Kind: session.Role, Issued: v.Env.Time}
}
