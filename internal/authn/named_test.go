// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// TestNamedIsWhoAuthenticates holds that the caller made for a question is the
// one that a request of that principal has.
func TestNamedIsWhoAuthenticates(t *testing.T) {
	s := open(t)
	rootFederated := s.federated()
	rootFederated.PrincipalID = account
	for name, by := range map[string]sigv4.Signer{
		"a-user": s.key, "root": s.root, "a-role-session": s.mint(t, s.roleSession()), "a-user-session": s.mint(t, s.userSession()),
		"a-federated-user": s.mint(t, s.federated()), "a-federated-user-of-root": s.mint(t, rootFederated),
	} {
		t.Run(name, func(t *testing.T) {
			want, err := s.Authenticate(t.Context(), signed(t, by), []byte(form), "iam")
			must(t, err)
			got, err := authn.Named(want.View, want.ARN, want.Session)
			must(t, err)
			got.AccessKeyID, got.Region = want.AccessKeyID, want.Region
			if !reflect.DeepEqual(got, want) {
				t.Errorf("Named(%s) = %+v, want %+v", want.ARN, got, want)
			}
		})
	}
}

func TestNamedRefuses(t *testing.T) {
	s := open(t)
	for _, tt := range []struct {
		name, principal string
		session         *session.Claims
		missing         bool // a *store.NotFoundError
	}{
		{"nobody", "", nil, false},
		{"another-account", "arn:aws:iam::" + other + ":root", nil, false},
		{"a-role", "arn:aws:iam::" + account + ":role/svc/app", nil, false},
		{"an-unknown-user", "arn:aws:iam::" + account + ":user/bob", nil, true},
		{"a-user-under-another-path", "arn:aws:iam::" + account + ":user/ann", nil, true},
		{"a-user-in-another-letter-case", "arn:aws:iam::" + account + ":user/staff/Ann", nil, true},
		{"an-unknown-role", "arn:aws:sts::" + account + ":assumed-role/web/x", nil, true},
		{"a-federated-user-of-nobody", "arn:aws:sts::" + account + ":federated-user/bob", nil, false},
		{"a-federated-user-of-an-unknown-user", "arn:aws:sts::" + account + ":federated-user/bob", &session.Claims{PrincipalID: "AIDAX"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := authn.Named(s.view(t), tt.principal, tt.session)
			if _, missing := errors.AsType[*store.NotFoundError](err); err == nil || missing != tt.missing {
				t.Errorf("Named(%s) = %+v, %v, want an error, one about what is missing: %v", tt.principal, c, err, tt.missing)
			}
		})
	}
}
