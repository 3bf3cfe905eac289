// SPDX-License-Identifier: Apache-2.0

package authn_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// put is a signed request to store an object.
func put(t testing.TB, by sigv4.Signer, payload string) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPut, "http://gate.test/b/k", strings.NewReader("hello"))
	must(t, by.Sign(r, payload))
	return r
}

// gate asks s who made r, whose body is not read.
func gate(s *site, r *http.Request) (*authn.Caller, *sigv4.Signature, error) {
	sig, err := sigv4.Parse(r)
	if err != nil {
		return nil, nil, err
	}
	c, err := s.Gate(context.Background(), r, sig, nil)
	return c, sig, err
}

// gateRefuses checks that a gateway refuses what the API does. It takes requests for any
// service, though.
func gateRefuses(t *testing.T, s *site, r *http.Request, body, want string) {
	t.Helper()
	if want == "ScopeError" {
		return
	}
	var c *authn.Caller
	sig, err := sigv4.Parse(r)
	if err == nil {
		c, err = s.Gate(t.Context(), r, sig, []byte(body))
	}
	if got := fault(err); got != want || c != nil {
		t.Errorf("Gate = %+v, %v (%s), want nil and %s", c, err, got, want)
	}
}

func TestGate(t *testing.T) {
	s := open(t)
	s3 := func(by sigv4.Signer) sigv4.Signer {
		by.Service = "s3"
		return by
	}
	for _, tt := range []struct {
		name    string
		by      sigv4.Signer
		payload string
		want    string // ARN
	}{
		{"a-user-with-an-unsigned-body", s3(s.key), sigv4.UnsignedPayload, "arn:aws:iam::111122223333:user/staff/ann"},
		{"a-user-with-chunks", s3(s.key), sigv4.StreamingSigned, "arn:aws:iam::111122223333:user/staff/ann"},
		{"a-role-session", s3(s.mint(t, s.roleSession())), sigv4.HashPayload([]byte("hello")), "arn:aws:sts::111122223333:assumed-role/app/job"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := put(t, tt.by, tt.payload)
			c, sig, err := gate(s, r)
			if err != nil || c.ARN != tt.want || c.Region != "eu-north-1" {
				t.Fatalf("Gate = %+v, %v, want %s", c, err, tt.want)
			}
			body, err := sig.Body(r)
			must(t, err)
			if got, err := io.ReadAll(body); string(got) != "hello" || err != nil {
				t.Errorf("the body is %q, %v", got, err)
			}
		})
	}
	t.Run("s3-bears-a-clock-that-is-off-by-fourteen-minutes", func(t *testing.T) {
		by := s3(s.key)
		by.Now = func() time.Time { return now.Add(-14 * time.Minute) }
		if _, _, err := gate(s, put(t, by, sigv4.UnsignedPayload)); err != nil {
			t.Errorf("Gate = %v", err)
		}
		by.Now = func() time.Time { return now.Add(-16 * time.Minute) }
		if _, _, err := gate(s, put(t, by, sigv4.UnsignedPayload)); fault(err) != "SkewError" {
			t.Errorf("Gate, 16 minutes off = %v, want SkewError", err)
		}
	})
	t.Run("a-body-that-nobody-covers", func(t *testing.T) {
		by := s.key
		by.Service = "sqs"
		if c, _, err := gate(s, signed(t, by)); err == nil || c != nil {
			t.Errorf("Gate without the body = %v, %v, want an error", c, err)
		}
	})
	t.Run("a-presigned-request-dies-with-its-session", func(t *testing.T) {
		by := s3(s.mint(t, session.Claims{Kind: session.Role, Name: "job", PrincipalID: s.app.ID, Issued: now.Add(-2 * time.Hour), Expires: now.Add(-time.Second)}))
		by.Now = func() time.Time { return now.Add(-time.Hour) }
		plain := httptest.NewRequest(http.MethodGet, "http://gate.test/b/k", nil)
		url, err := by.Presign(plain, 24*time.Hour, "")
		must(t, err)
		if _, _, err := gate(s, httptest.NewRequest(http.MethodGet, url, nil)); !errors.Is(err, authn.ErrExpired) {
			t.Errorf("Gate = %v, want ErrExpired", err)
		}
	})
}

func TestGateForm(t *testing.T) {
	s := open(t)
	const policy = "eyJjb25kaXRpb25zIjpbXX0="
	day, at := now.Format("20060102"), now.Format("20060102T150405Z")
	form := func(key sigv4.Key) *sigv4.Signature {
		mac := hmac.New(sha256.New, key[:])
		io.WriteString(mac, policy)
		sig, err := sigv4.ParseForm(map[string][]string{
			"policy": {policy}, "x-amz-algorithm": {"AWS4-HMAC-SHA256"}, "x-amz-date": {at},
			"x-amz-credential": {s.key.AccessKeyID + "/" + day + "/eu-north-1/s3/aws4_request"},
			"x-amz-signature":  {hex.EncodeToString(mac.Sum(nil))},
		})
		must(t, err)
		return sig
	}
	right := sigv4.DeriveKey(s.key.SecretAccessKey, day, "eu-north-1", "s3")
	wrong := sigv4.DeriveKey("another", day, "eu-north-1", "s3")
	check := func(what string, key sigv4.Key, policy, want string) {
		t.Helper()
		c, err := s.GateForm(t.Context(), form(key), policy)
		if fault(err) != want || (c != nil) != (want == "") {
			t.Errorf("GateForm, %s = %+v, %v, want %q", what, c, err, want)
		}
	}
	check("by the user's key", right, policy, "")
	check("by another key", wrong, policy, "MismatchError")
	check("of another policy", right, policy+"=", "MismatchError")
	s.Keyring = &derived{secret: s.key.SecretAccessKey}
	check("by a derived key", right, policy, "")
	check("by another key than the derived one", wrong, policy, "MismatchError")
	s.Keyring = nil
	s.update(t, inactivate)
	check("by an inactive key", right, policy, "unknown key")
}

// A derived is a Keyring that knows one secret, and says what it was asked.
type derived struct {
	secret string
	claims *session.Claims
	err    error
}

func (d *derived) LongTerm(_ context.Context, _ string, _ *store.AccessKey, scope sigv4.Credential) (sigv4.Key, error) {
	return sigv4.DeriveKey(d.secret, scope.Date, scope.Region, scope.Service), d.err
}

func (d *derived) Session(_ context.Context, scope sigv4.Credential, _ string) (*session.Claims, sigv4.Key, error) {
	return d.claims, sigv4.DeriveKey(d.secret, scope.Date, scope.Region, scope.Service), d.err
}

func TestKeyring(t *testing.T) {
	s := open(t)
	by := s.key
	by.Service = "s3"
	ring := &derived{secret: by.SecretAccessKey}
	s.Keyring = ring
	if c, _, err := gate(s, put(t, by, sigv4.UnsignedPayload)); err != nil || c.User == nil {
		t.Errorf("Gate by a derived key = %v, %v", c, err)
	}
	ring.secret = "another"
	if _, _, err := gate(s, put(t, by, sigv4.UnsignedPayload)); fault(err) != "MismatchError" {
		t.Errorf("Gate by the key of another secret = %v, want MismatchError", err)
	}
	ring.err = errors.New("the server is away")
	if _, _, err := gate(s, put(t, by, sigv4.UnsignedPayload)); !errors.Is(err, ring.err) {
		t.Errorf("Gate = %v, want the error of the keyring", err)
	}
	ring.err = nil
	s.update(t, inactivate)
	ring.secret = by.SecretAccessKey
	if _, _, err := gate(s, put(t, by, sigv4.UnsignedPayload)); !errors.Is(err, authn.ErrUnknownKey) {
		t.Errorf("Gate by an inactive key = %v, want ErrUnknownKey", err)
	}

	by = s.mint(t, s.roleSession())
	by.Service = "s3"
	claims := s.roleSession()
	claims.Account, claims.Expires = account, now.Add(time.Minute)
	ring.secret, ring.claims = by.SecretAccessKey, &claims
	if c, _, err := gate(s, put(t, by, sigv4.UnsignedPayload)); err != nil || c.Role == nil {
		t.Errorf("Gate of a session by a derived key = %v, %v", c, err)
	}
	claims.Account = other
	if _, _, err := gate(s, put(t, by, sigv4.UnsignedPayload)); !errors.Is(err, authn.ErrUnknownKey) {
		t.Errorf("Gate of a session of another account = %v, want ErrUnknownKey", err)
	}
}
