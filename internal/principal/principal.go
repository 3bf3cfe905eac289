// SPDX-License-Identifier: Apache-2.0

// Package principal finds the users and roles that policies of other accounts and resources name, and binds their names to them.
//
// A user or role deleted and made anew is another principal (IAM User Guide, "AWS
// JSON policy elements: Principal"). So a policy that names one is stored with the
// unique id that the name stood for, and shows that id once the name stands for it
// no more.
package principal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// An UnknownError says which principal of a policy does not exist.
type UnknownError struct {
	Name string // as the policy has it, under "AWS"
	Pos  policy.Position
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("principal %q (%d:%d) does not exist", e.Name, e.Pos.Line, e.Pos.Column)
}

// Bind returns the unique ids of the users and roles that a policy names, by the
// names as written. The error is an *UnknownError, or of the store.
func Bind(ctx context.Context, s *store.Store, d *policy.Document) (map[string]string, error) {
	bound := make(map[string]string)
	for _, st := range d.Statements {
		if st.Principal == nil {
			continue
		}
		for _, p := range st.Principal.AWS {
			id, ok, err := find(ctx, s, p.Text)
			switch {
			case err != nil:
				return nil, err
			case !ok:
				return nil, &UnknownError{p.Text, p.Pos}
			case id != "":
				bound[p.Text] = id
			}
		}
	}
	return bound, nil
}

// Show returns the text of a policy that was stored with what Bind returned: byte
// for byte, except that a principal that is gone appears as its unique id.
func Show(ctx context.Context, s *store.Store, d *store.Document) string {
	text := d.Text()
	for name, id := range d.Bound() {
		now, ok, err := find(ctx, s, name)
		if err == nil && (!ok || now != id) {
			text = strings.ReplaceAll(text, quoted(name), quoted(id))
		}
	}
	return text
}

// find reports whether an AWS principal exists and, for users and roles, its
// unique id. Accounts, sessions and "*" have none.
func find(ctx context.Context, s *store.Store, name string) (id string, ok bool, err error) {
	if name == "*" {
		return "", true, nil
	}
	account, entity := name, arn.Entity{Kind: arn.KindRoot}
	if !arn.IsAccountID(name) {
		if entity, ok = arn.SplitEntity(name); !ok {
			return "", hasID(ctx, s, name), nil // as shown for a principal that is gone
		}
		account = entity.Account
	}
	view, err := s.View(ctx, account)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	switch entity.Kind {
	case arn.KindRoot, arn.KindFederatedUser:
		return "", true, nil
	case arn.KindUser:
		u, err := view.User(entity.Name)
		if err != nil || view.UserARN(u) != name {
			return "", false, nil
		}
		return u.ID, true, nil
	case arn.KindRole:
		r, err := view.Role(entity.Name)
		if err != nil || view.RoleARN(r) != name {
			return "", false, nil
		}
		return r.ID, true, nil
	case arn.KindAssumedRole:
		_, err := view.Role(entity.Name)
		return "", err == nil, nil
	}
	return "", false, nil
}

// hasID reports whether text is the unique id of a user or role that exists.
func hasID(ctx context.Context, s *store.Store, text string) bool {
	account, ok := ids.Account(text)
	if !ok {
		return false
	}
	view, err := s.View(ctx, account)
	if err != nil {
		return false
	}
	_, user := view.UserByID(text)
	_, role := view.RoleByID(text)
	return user == nil || role == nil
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return s
	}
	return string(b)
}
