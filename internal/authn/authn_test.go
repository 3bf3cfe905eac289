// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const (
	account = "111122223333"
	other   = "444455556666"
	form    = "Action=ListUsers&Version=2010-05-08"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// A site is a store with a user ann, a role app and a root key, and what checks
// requests against it.
type site struct {
	*authn.Authenticator
	store *store.Store
	ring  *session.Ring
	ann   *store.User
	app   *store.Role

	key, root sigv4.Signer // long-term keys of ann and of the root user
}

func open(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "db"), NoSync: true})
	must(t, err)
	keeper, err := seal.Create(filepath.Join(dir, "key"))
	must(t, err)
	s := new(site)
	s.store, err = store.Open(t.Context(), store.Options{DB: db, Keeper: keeper})
	must(t, err)
	t.Cleanup(func() {
		if err := errors.Join(s.store.Close(), db.Close()); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	for _, id := range []string{account, other} {
		_, err := s.store.CreateAccount(t.Context(), store.Account{ID: id})
		must(t, err)
	}
	s.ring, err = session.NewRing(new(ids.Source), session.NewKey())
	must(t, err)
	s.Authenticator = authn.New(s.store, s.ring, func() time.Time { return now }, "iam", "sts")
	s.update(t, func(tx *store.Tx) error {
		trust := store.NewTrust(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}}`, nil)
		return errors.Join(
			tx.CreateUser(&store.User{Name: "ann", Path: "/staff/"}),
			tx.CreateRole(&store.Role{Name: "app", Path: "/svc/", Trust: trust}),
		)
	})
	s.key, s.root = s.addKey(t, "ann"), s.addKey(t, "")
	v := s.view(t)
	s.ann, err = v.User("ann")
	must(t, err)
	s.app, err = v.Role("app")
	must(t, err)
	return s
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) update(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	must(t, s.store.Update(t.Context(), account, fn))
}

func (s *site) view(t testing.TB) *store.View {
	t.Helper()
	v, err := s.store.View(t.Context(), account)
	must(t, err)
	return v
}

// addKey makes a key of a user, or of the root user when name is "".
func (s *site) addKey(t testing.TB, name string) sigv4.Signer {
	t.Helper()
	key, secret := s.store.NewKey(account)
	s.update(t, func(tx *store.Tx) error {
		if name == "" {
			a := tx.Account()
			a.Keys = append(a.Keys, key)
			return tx.PutAccount(a)
		}
		u, err := tx.User(name)
		if err != nil {
			return err
		}
		u.Keys = append(u.Keys, key)
		return tx.PutUser(u)
	})
	return signer(key.ID, secret, "")
}

// inactivate makes every key of ann inactive.
func inactivate(tx *store.Tx) error {
	u, err := tx.User("ann")
	if err != nil {
		return err
	}
	for i := range u.Keys {
		u.Keys[i].Inactive = true
	}
	return tx.PutUser(u)
}

// removeAnn deletes ann with her keys; recreate makes another ann.
func removeAnn(tx *store.Tx) error {
	u, err := tx.User("ann")
	if err != nil {
		return err
	}
	u.Keys = nil
	return errors.Join(tx.PutUser(u), tx.DeleteUser("ann"))
}

func recreate(tx *store.Tx) error {
	return errors.Join(removeAnn(tx), tx.CreateUser(&store.User{Name: "ann", Path: "/staff/"}))
}

func recreateApp(tx *store.Tx) error {
	r, err := tx.Role("app")
	if err != nil {
		return err
	}
	return errors.Join(tx.DeleteRole("app"), tx.CreateRole(&store.Role{Name: "app", Path: "/svc/", Trust: r.Trust}))
}

func signer(id, secret, token string) sigv4.Signer {
	return sigv4.Signer{
		AccessKeyID: id, SecretAccessKey: secret, SessionToken: token,
		Region: "eu-north-1", Service: "iam", Now: func() time.Time { return now },
	}
}

// mint returns what signs for a session that has an hour to go unless c says
// otherwise.
func (s *site) mint(t testing.TB, c session.Claims) sigv4.Signer {
	t.Helper()
	if c.Account == "" {
		c.Account = account
	}
	if c.Issued.IsZero() {
		c.Issued = now.Add(-time.Hour)
	}
	if c.Expires.IsZero() {
		c.Expires = now.Add(time.Hour)
	}
	cred, err := s.ring.Mint(c)
	must(t, err)
	return signer(cred.AccessKeyID, cred.SecretAccessKey, cred.SessionToken)
}

func (s *site) roleSession() session.Claims {
	return session.Claims{Kind: session.Role, Name: "job", PrincipalID: s.app.ID, RoleName: "app", RolePath: "/svc/"}
}

func (s *site) userSession() session.Claims {
	return session.Claims{Kind: session.User, Name: "ann", PrincipalID: s.ann.ID}
}

func (s *site) federated() session.Claims {
	return session.Claims{Kind: session.Federated, Name: "bob", PrincipalID: s.ann.ID}
}

func post(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://inn.test/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

func signed(t testing.TB, by sigv4.Signer) *http.Request {
	t.Helper()
	r := post(form)
	must(t, by.Sign(r, sigv4.HashPayload([]byte(form))))
	return r
}

// fault names the kind of an error: what the API answers by.
func fault(err error) string {
	for name, kind := range map[string]error{
		"unknown key": authn.ErrUnknownKey, "expired": authn.ErrExpired, "not signed": sigv4.ErrMissing,
		"two signatures": sigv4.ErrTwoForms, "signature version 2": sigv4.ErrSigV2, "stale": store.ErrStale,
	} {
		if errors.Is(err, kind) {
			return name
		}
	}
	if err == nil {
		return ""
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", err), "*sigv4.")
}

// An attempt is a request that is refused.
type attempt struct {
	by      sigv4.Signer
	body    string // as it arrives; "" means as signed
	service string // "" means iam
	change  func(*store.Tx) error
	tamper  func(*http.Request)
}

// flip returns s with another last letter.
func flip(s string) string {
	last := byte('A')
	if s[len(s)-1] == last {
		last = 'B'
	}
	return s[:len(s)-1] + string(last)
}

var refusals = []struct {
	name string
	try  func(*testing.T, *site) attempt
	want string
}{
	{"nothing-is-signed", func(*testing.T, *site) attempt {
		return attempt{tamper: func(r *http.Request) { r.Header.Del("Authorization") }}
	}, "not signed"},
	{"the-body-is-another", func(_ *testing.T, s *site) attempt {
		return attempt{by: s.key, body: "Action=DeleteUser&Version=2010-05-08"}
	}, "MismatchError"},
	{"the-query-is-another", func(_ *testing.T, s *site) attempt {
		return attempt{by: s.key, tamper: func(r *http.Request) { r.RequestURI = "/?Action=DeleteUser" }}
	}, "MismatchError"},
	{"the-host-is-another", func(_ *testing.T, s *site) attempt {
		return attempt{by: s.key, tamper: func(r *http.Request) { r.Host = "other.test" }}
	}, "MismatchError"},
	{"the-method-is-another", func(_ *testing.T, s *site) attempt {
		return attempt{by: s.key, tamper: func(r *http.Request) { r.Method = http.MethodGet }}
	}, "MismatchError"},
	{"the-body-is-declared-unsigned", func(_ *testing.T, s *site) attempt {
		return attempt{by: s.key, tamper: func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", sigv4.UnsignedPayload) }}
	}, "UnsignedError"},
	{"the-secret-is-wrong", func(_ *testing.T, s *site) attempt {
		s.key.SecretAccessKey = flip(s.key.SecretAccessKey)
		return attempt{by: s.key}
	}, "MismatchError"},
	{"the-scope-is-of-another-service", func(_ *testing.T, s *site) attempt {
		return attempt{by: s.key, service: "sts"}
	}, "ScopeError"},
	{"the-scope-is-s3", func(_ *testing.T, s *site) attempt {
		s.key.Service = "s3"
		return attempt{by: s.key}
	}, "ScopeError"},
	{"the-clock-is-off", func(_ *testing.T, s *site) attempt {
		s.key.Now = func() time.Time { return now.Add(-6 * time.Minute) }
		return attempt{by: s.key}
	}, "SkewError"},
	{"signed-twice", func(_ *testing.T, s *site) attempt {
		return attempt{by: s.key, tamper: func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }}
	}, "two signatures"},
	{"an-id-that-is-no-key", func(*testing.T, *site) attempt {
		return attempt{by: signer("nobody", "secret", "")}
	}, "unknown key"},
	{"a-key-of-an-unknown-account", func(*testing.T, *site) attempt {
		return attempt{by: signer(new(ids.Source).AccessKeyID(ids.LongLivedKey, "999999999999"), "secret", "")}
	}, "unknown key"},
	{"a-key-that-was-never-made", func(*testing.T, *site) attempt {
		return attempt{by: signer(new(ids.Source).AccessKeyID(ids.LongLivedKey, account), "secret", "")}
	}, "unknown key"},
	{"the-unique-id-of-the-user", func(_ *testing.T, s *site) attempt {
		s.key.AccessKeyID = s.ann.ID
		return attempt{by: s.key}
	}, "unknown key"},
	{"the-key-in-lower-case", func(_ *testing.T, s *site) attempt {
		s.key.AccessKeyID = strings.ToLower(s.key.AccessKeyID)
		return attempt{by: s.key}
	}, "unknown key"},
	{"an-inactive-key", func(_ *testing.T, s *site) attempt { return attempt{by: s.key, change: inactivate} }, "unknown key"},
	{"a-key-of-a-deleted-user", func(_ *testing.T, s *site) attempt { return attempt{by: s.key, change: removeAnn} }, "unknown key"},
	{"a-long-term-key-with-a-token", func(t *testing.T, s *site) attempt {
		s.key.SessionToken = s.mint(t, s.userSession()).SessionToken
		return attempt{by: s.key}
	}, "unknown key"},
	{"a-session-without-its-token", func(t *testing.T, s *site) attempt {
		by := s.mint(t, s.roleSession())
		by.SessionToken = ""
		return attempt{by: by}
	}, "unknown key"},
	{"a-session-with-the-token-of-another", func(t *testing.T, s *site) attempt {
		by := s.mint(t, s.roleSession())
		by.SessionToken = s.mint(t, s.userSession()).SessionToken
		return attempt{by: by}
	}, "unknown key"},
	{"a-token-altered", func(t *testing.T, s *site) attempt {
		by := s.mint(t, s.roleSession())
		by.SessionToken = flip(by.SessionToken)
		return attempt{by: by}
	}, "unknown key"},
	{"a-message-for-a-token", func(t *testing.T, s *site) attempt {
		by := s.mint(t, s.roleSession())
		by.SessionToken = s.ring.SealMessage([]byte("{}"))
		return attempt{by: by}
	}, "unknown key"},
	{"a-token-of-another-ring", func(t *testing.T, s *site) attempt {
		ring, err := session.NewRing(new(ids.Source), session.NewKey())
		must(t, err)
		s.ring = ring
		return attempt{by: s.mint(t, s.roleSession())}
	}, "unknown key"},
	{"a-token-under-a-key-of-another-account", func(t *testing.T, s *site) attempt {
		by := s.mint(t, s.userSession())
		by.AccessKeyID = new(ids.Source).AccessKeyID(ids.SessionKey, other)
		return attempt{by: by}
	}, "unknown key"},
	{"a-session-of-a-role-of-another-account", func(t *testing.T, s *site) attempt {
		c := s.roleSession()
		c.Account = other
		return attempt{by: s.mint(t, c)}
	}, "unknown key"},
	{"a-role-session-of-a-user", func(t *testing.T, s *site) attempt {
		c := s.roleSession()
		c.PrincipalID = s.ann.ID
		return attempt{by: s.mint(t, c)}
	}, "unknown key"},
	{"a-session-of-a-role-made-anew", func(t *testing.T, s *site) attempt {
		return attempt{by: s.mint(t, s.roleSession()), change: recreateApp}
	}, "unknown key"},
	{"a-session-of-a-user-made-anew", func(t *testing.T, s *site) attempt {
		return attempt{by: s.mint(t, s.userSession()), change: recreate}
	}, "unknown key"},
	{"a-federated-session-of-a-user-made-anew", func(t *testing.T, s *site) attempt {
		return attempt{by: s.mint(t, s.federated()), change: recreate}
	}, "unknown key"},
	{"a-session-at-the-second-of-its-expiry", func(t *testing.T, s *site) attempt {
		c := s.roleSession()
		c.Expires = now
		return attempt{by: s.mint(t, c)}
	}, "expired"},
	{"an-expired-session-with-a-wrong-secret", func(t *testing.T, s *site) attempt {
		c := s.roleSession()
		c.Expires = now.Add(-time.Minute)
		by := s.mint(t, c)
		by.SecretAccessKey = flip(by.SecretAccessKey)
		return attempt{by: by}
	}, "MismatchError"},
	{"an-expired-session-of-a-deleted-user", func(t *testing.T, s *site) attempt {
		c := s.userSession()
		c.Expires = now.Add(-time.Minute)
		return attempt{by: s.mint(t, c), change: removeAnn}
	}, "unknown key"},
}

func TestAuthenticateRefuses(t *testing.T) {
	for _, tc := range refusals {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			a := tc.try(t, s)
			if a.change != nil {
				s.update(t, a.change)
			}
			if a.by.AccessKeyID == "" {
				a.by = s.key
			}
			r := signed(t, a.by)
			if a.tamper != nil {
				a.tamper(r)
			}
			body, service := form, "iam"
			if a.body != "" {
				body = a.body
			}
			if a.service != "" {
				service = a.service
			}
			c, err := s.Authenticate(t.Context(), r, []byte(body), service)
			if got := fault(err); got != tc.want {
				t.Errorf("Authenticate = %v (%s), want %s", err, got, tc.want)
			}
			if c != nil {
				t.Errorf("Authenticate = %+v with an error, want nil", c)
			}
			gateRefuses(t, s, r, body, tc.want)
		})
	}
}

// TestBodyIsCovered: the empty body is one, too.
func TestBodyIsCovered(t *testing.T) {
	s := open(t)
	r := httptest.NewRequest(http.MethodGet, "http://inn.test/?"+form, nil)
	must(t, s.key.Sign(r, ""))
	if _, err := s.Authenticate(t.Context(), r, nil, "iam"); err != nil {
		t.Errorf("Authenticate(GET without a body) = %v", err)
	}
	if _, err := s.Authenticate(t.Context(), r, []byte("x"), "iam"); fault(err) != "MismatchError" {
		t.Errorf("Authenticate(GET with a body added) = %v, want a mismatch", err)
	}
	url, err := s.key.Presign(httptest.NewRequest(http.MethodGet, "http://inn.test/?"+form, nil), time.Hour, "")
	must(t, err)
	r = httptest.NewRequest(http.MethodGet, url, nil)
	if _, err := s.Authenticate(t.Context(), r, nil, "iam"); err != nil {
		t.Errorf("Authenticate(presigned) = %v", err)
	}
	if _, err := s.Authenticate(t.Context(), r, []byte("x"), "iam"); fault(err) != "MismatchError" {
		t.Errorf("Authenticate(presigned, with a body added) = %v, want a mismatch", err)
	}
	r = httptest.NewRequest(http.MethodGet, strings.Replace(url, "ListUsers", "DeleteUser", 1), nil)
	if _, err := s.Authenticate(t.Context(), r, nil, "iam"); fault(err) != "MismatchError" {
		t.Errorf("Authenticate(presigned, another action) = %v, want a mismatch", err)
	}
}

func TestAuthenticateKnows(t *testing.T) {
	s := open(t)
	annARN, appARN := "arn:aws:iam::111122223333:user/staff/ann", "arn:aws:iam::111122223333:role/svc/app"
	fromRoot := s.federated()
	fromRoot.PrincipalID = account
	for _, tc := range []struct {
		name   string
		by     sigv4.Signer
		id     string
		want   policy.Principal
		useful bool // its use is counted
	}{
		{"a-user", s.key, s.ann.ID,
			policy.Principal{Type: policy.User, ARN: annARN, Account: account, ID: s.ann.ID}, true},
		{"root", s.root, account,
			policy.Principal{Type: policy.Root, ARN: "arn:aws:iam::111122223333:root", Account: account, ID: account}, true},
		{"a-session-of-a-role", s.mint(t, s.roleSession()), s.app.ID + ":job", policy.Principal{
			Type: policy.RoleSession, ARN: "arn:aws:sts::111122223333:assumed-role/app/job", Account: account, ID: s.app.ID, Role: appARN,
		}, true},
		{"a-session-of-a-user", s.mint(t, s.userSession()), s.ann.ID,
			policy.Principal{Type: policy.User, ARN: annARN, Account: account, ID: s.ann.ID}, false},
		{"a-session-of-root", s.mint(t, session.Claims{Kind: session.Root, PrincipalID: account}), account,
			policy.Principal{Type: policy.Root, ARN: "arn:aws:iam::111122223333:root", Account: account, ID: account}, false},
		{"a-federated-user", s.mint(t, s.federated()), account + ":bob", policy.Principal{
			Type: policy.FederatedUser, ARN: "arn:aws:sts::111122223333:federated-user/bob", Account: account, ID: s.ann.ID, User: annARN,
		}, false},
		{"a-user-federated-by-root", s.mint(t, fromRoot), account + ":bob", policy.Principal{
			Type: policy.FederatedUser, ARN: "arn:aws:sts::111122223333:federated-user/bob", Account: account,
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, err := s.Authenticate(t.Context(), signed(t, tc.by), []byte(form), "iam")
			if err != nil {
				t.Fatalf("Authenticate = %v", err)
			}
			if !reflect.DeepEqual(c.Principal, tc.want) {
				t.Errorf("Principal = %+v, want %+v", c.Principal, tc.want)
			}
			if c.UserID != tc.id || c.ARN != tc.want.ARN || c.Region != "eu-north-1" || c.AccessKeyID != tc.by.AccessKeyID {
				t.Errorf("Caller = %s, %s, %s, %s, want id %s", c.UserID, c.ARN, c.Region, c.AccessKeyID, tc.id)
			}
			if c.Root() != (tc.want.Type == policy.Root) || c.Temporary() != (tc.by.SessionToken != "") {
				t.Errorf("Root = %v, Temporary = %v", c.Root(), c.Temporary())
			}
			if got := c.UseID() != ""; got != tc.useful {
				t.Errorf("UseID = %q, want one: %v", c.UseID(), tc.useful)
			}
			if _, mfa := c.MFA(); mfa {
				t.Error("MFA = true, want false")
			}
		})
	}
}

// TestRename: sessions stay good when their user gets another name, and act
// under the new one.
func TestRename(t *testing.T) {
	s := open(t)
	by := s.mint(t, s.userSession())
	s.update(t, func(tx *store.Tx) error { return tx.RenameUser("ann", "anna", "/") })
	c, err := s.Authenticate(t.Context(), signed(t, by), []byte(form), "iam")
	if want := "arn:aws:iam::111122223333:user/anna"; err != nil || c.ARN != want {
		t.Errorf("Authenticate = %+v, %v, want %s", c, err, want)
	}
}

// TestStale: a node that is out of touch with the store knows nobody.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "db"), NoSync: true})
	must(t, err)
	defer db.Close()
	keeper, err := seal.Create(filepath.Join(dir, "key"))
	must(t, err)
	st, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper, StaleAfter: time.Nanosecond})
	must(t, err)
	defer st.Close()
	ring, err := session.NewRing(new(ids.Source), session.NewKey())
	must(t, err)
	a := authn.New(st, ring, func() time.Time { return now }, "iam")
	key := new(ids.Source).AccessKeyID(ids.LongLivedKey, account)
	if _, err := a.Authenticate(t.Context(), signed(t, signer(key, "secret", "")), []byte(form), "iam"); fault(err) != "stale" {
		t.Errorf("Authenticate = %v, want %v", err, store.ErrStale)
	}
}

// TestMay: IAM User Guide, "Compare AWS STS credentials"; Q093 for delegates.
func TestMay(t *testing.T) {
	s := open(t)
	mfa := func(c session.Claims) session.Claims {
		c.MFA = now.Add(-time.Hour)
		return c
	}
	lent := func(c session.Claims) session.Claims {
		c.Delegate, c.Policy = "444455556666", "{}"
		return c
	}
	root := session.Claims{Kind: session.Root, PrincipalID: account}
	task := session.Claims{Kind: session.RootTask, PrincipalID: account, PolicyARNs: []string{"arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}}
	callers := map[string]sigv4.Signer{
		"key": s.key, "root-key": s.root, "role": s.mint(t, s.roleSession()), "federated": s.mint(t, s.federated()),
		"user": s.mint(t, s.userSession()), "user-mfa": s.mint(t, mfa(s.userSession())),
		"root": s.mint(t, root), "root-mfa": s.mint(t, mfa(root)), "root-task": s.mint(t, task),
		"delegate": s.mint(t, lent(s.userSession())), "delegate-of-role": s.mint(t, lent(s.roleSession())),
	}
	const refuse, unknown = "refused", "unknown key"
	for _, tc := range []struct {
		operation string
		want      map[string]string // by caller; "" for those not named
	}{
		{"iam:ListUsers", map[string]string{"federated": unknown, "user": unknown, "root": unknown}},
		{"sts:GetCallerIdentity", nil},
		{"sts:AssumeRole", map[string]string{"federated": refuse, "delegate": refuse, "delegate-of-role": refuse}},
		{"sts:AssumeRoot", map[string]string{
			"federated": refuse, "user": refuse, "user-mfa": refuse, "root": refuse, "root-mfa": refuse, "delegate": refuse, "delegate-of-role": refuse}},
		{"sts:GetWebIdentityToken", map[string]string{"delegate": refuse, "delegate-of-role": refuse}},
		{"sts:DecodeAuthorizationMessage", map[string]string{
			"federated": refuse, "user": refuse, "user-mfa": refuse, "root": refuse, "root-mfa": refuse}},
		{"sts:GetSessionToken", map[string]string{
			"role": refuse, "root-task": refuse, "federated": refuse, "user": refuse, "user-mfa": refuse, "root": refuse, "root-mfa": refuse, "delegate": refuse, "delegate-of-role": refuse}},
		{"sts:GetFederationToken", map[string]string{
			"role": refuse, "root-task": refuse, "federated": refuse, "user": refuse, "user-mfa": refuse, "root": refuse, "root-mfa": refuse, "delegate": refuse, "delegate-of-role": refuse}},
	} {
		for name, by := range callers {
			t.Run(tc.operation+"/"+name, func(t *testing.T) {
				c, err := s.Authenticate(t.Context(), signed(t, by), []byte(form), "iam")
				if err != nil {
					t.Fatalf("Authenticate = %v", err)
				}
				service, op, _ := strings.Cut(tc.operation, ":")
				got := ""
				switch err := c.May(service, op); {
				case errors.Is(err, authn.ErrUnknownKey):
					got = unknown
				case errors.Is(err, authn.ErrSessionCall):
					got = refuse
				case err != nil:
					got = err.Error()
				}
				if got != tc.want[name] {
					t.Errorf("May(%s) = %q, want %q", tc.operation, got, tc.want[name])
				}
			})
		}
	}
}

func BenchmarkAuthenticate(b *testing.B) {
	s := open(b)
	role := s.roleSession()
	role.Tags = []session.Tag{{Key: "team", Value: "red"}}
	for _, bc := range []struct {
		name string
		by   sigv4.Signer
	}{{"key", s.key}, {"session", s.mint(b, role)}} {
		b.Run("credentials="+bc.name, func(b *testing.B) {
			r := signed(b, bc.by)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Authenticate(b.Context(), r, []byte(form), "iam"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
