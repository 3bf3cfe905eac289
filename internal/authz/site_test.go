// SPDX-License-Identifier: Apache-2.0

package authz_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const account = "111122223333"

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// The account's policies: ann may read by a policy of her own, list by that of
// her group, tag by one attached to the group, and never delete.
const (
	read     = `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow","Action":"iam:Get*","Resource":"*"}]}`
	list     = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:List*","iam:Delete*","iam:Get*"],"Resource":"*"}}`
	tag      = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Tag*","Resource":"*"}}`
	noDelete = `{"Version":"2012-10-17","Statement":{"Sid":"Keep","Effect":"Deny","Action":"iam:Delete*","Resource":"*"}}`
	all      = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	trust    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}}`

	tagARN  = "arn:aws:iam::111122223333:policy/tag"
	readARN = "arn:aws:iam::111122223333:policy/read"
	goneARN = "arn:aws:iam::111122223333:policy/gone"
)

// A site is an account with the users ann and max (who is within a boundary),
// the role app, and what decides about them.
type site struct {
	*authz.Authorizer
	log   *audit.Log
	store *store.Store
	ring  *session.Ring
	authn *authn.Authenticator
	keys  map[string]sigv4.Signer // long-term keys of "ann", "max" and "root"
}

func open(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "db"), NoSync: true})
	must(t, err)
	keeper, err := seal.Create(filepath.Join(dir, "key"))
	must(t, err)
	s := &site{keys: make(map[string]sigv4.Signer)}
	s.store, err = store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
	must(t, err)
	s.log, err = audit.Open(audit.Options{Dir: filepath.Join(dir, "audit")})
	must(t, err)
	t.Cleanup(func() {
		if err := s.log.Close(); err != nil && !errors.Is(err, audit.ErrClosed) {
			t.Errorf("closing the audit log: %v", err)
		}
		if err := errors.Join(s.store.Close(), db.Close()); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	s.ring, err = session.NewRing(new(ids.Source), session.NewKey())
	must(t, err)
	s.Authorizer = authz.New(s.log, s.ring, s.store)
	s.authn = authn.New(s.store, s.ring, func() time.Time { return now }, "iam", "sts")
	root := s.newKey("root")
	_, err = s.store.CreateAccount(t.Context(), store.Account{ID: account, Keys: []store.AccessKey{root}})
	must(t, err)
	must(t, s.store.Update(t.Context(), account, s.fill))
	return s
}

func (s *site) fill(tx *store.Tx) error {
	return errors.Join(
		tx.CreatePolicy(&store.Policy{Name: "tag", Path: "/"}, store.NewDocument(tagARN, tag)),
		tx.CreatePolicy(&store.Policy{Name: "read", Path: "/"}, store.NewDocument(readARN, read)),
		tx.CreateGroup(&store.Group{Name: "staff", Path: "/", Grants: store.Grants{Inline: []store.Inline{
			{Name: "list", Document: store.NewDocument("list", list)},
			{Name: "no-delete", Document: store.NewDocument("no-delete", noDelete)},
		}}}),
		tx.Attach(store.GroupHolder("staff"), tagARN),
		tx.CreateUser(&store.User{
			Name: "ann", Path: "/staff/", Keys: []store.AccessKey{s.newKey("ann")},
			Tags:   []store.Tag{{Key: "Team", Value: "red"}, {Key: "floor", Value: "2"}},
			Grants: store.Grants{Inline: []store.Inline{{Name: "read", Document: store.NewDocument("read", read)}}},
		}),
		tx.AddMember("staff", "ann"),
		tx.CreateUser(&store.User{
			Name: "max", Path: "/", Keys: []store.AccessKey{s.newKey("max")}, Boundary: readARN,
			Grants: store.Grants{Inline: []store.Inline{{Name: "all", Document: store.NewDocument("all", all)}}},
		}),
		tx.CreateRole(&store.Role{
			Name: "app", Path: "/svc/", Trust: store.NewTrust(trust, nil),
			Tags:   []store.Tag{{Key: "Team", Value: "red"}, {Key: "floor", Value: "2"}},
			Grants: store.Grants{Inline: []store.Inline{{Name: "all", Document: store.NewDocument("all", all)}}},
		}),
	)
}

// newKey makes the key that the named caller signs with.
func (s *site) newKey(name string) store.AccessKey {
	key, secret := s.store.NewKey(account)
	s.keys[name] = signer(key.ID, secret, "")
	return key
}

func signer(id, secret, token string) sigv4.Signer {
	return sigv4.Signer{
		AccessKeyID: id, SecretAccessKey: secret, SessionToken: token,
		Region: "eu-north-1", Service: "iam", Now: func() time.Time { return now },
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// caller returns who signs with by.
func (s *site) caller(t testing.TB, by sigv4.Signer) *authn.Caller {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "http://inn.test/", nil)
	must(t, by.Sign(r, ""))
	c, err := s.authn.Authenticate(t.Context(), r, nil, "iam")
	must(t, err)
	return c
}

// session returns the caller of a session of "ann", "app", "root", of the user
// "bob" whom ann federated, or of "guest" whom root federated.
func (s *site) session(t testing.TB, who string, c session.Claims) *authn.Caller {
	t.Helper()
	v, err := s.store.View(t.Context(), account)
	must(t, err)
	ann, err := v.User("ann")
	must(t, err)
	app, err := v.Role("app")
	must(t, err)
	c.Account, c.Issued, c.Expires = account, now.Add(-time.Hour), now.Add(time.Hour)
	switch who {
	case "ann":
		c.Kind, c.Name, c.PrincipalID = session.User, "ann", ann.ID
	case "app":
		c.Kind, c.Name, c.PrincipalID, c.RoleName, c.RolePath = session.Role, "job", app.ID, "app", "/svc/"
	case "root":
		c.Kind, c.PrincipalID = session.Root, account
	case "bob":
		c.Kind, c.Name, c.PrincipalID = session.Federated, "bob", ann.ID
	case "guest":
		c.Kind, c.Name, c.PrincipalID = session.Federated, "guest", account
	}
	cred, err := s.ring.Mint(c)
	must(t, err)
	return s.caller(t, signer(cred.AccessKeyID, cred.SecretAccessKey, cred.SessionToken))
}

// key returns the caller of a long-term key.
func (s *site) key(t testing.TB, who string) *authn.Caller {
	t.Helper()
	return s.caller(t, s.keys[who])
}

// ask returns the outcome of one action on any resource.
func (s *site) ask(c *authn.Caller, action string) policy.Outcome {
	rec := new(audit.Record)
	err := s.Authorize(context.Background(), rec, c, &authz.Env{Time: now}, authz.Check{Action: action, Resource: "arn:aws:iam::" + account + ":user/x"})
	if e, ok := errors.AsType[*authz.DeniedError](err); ok {
		return e.Decision.Outcome
	}
	if err != nil {
		panic(err)
	}
	return policy.Allowed
}
