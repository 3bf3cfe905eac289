// SPDX-License-Identifier: Apache-2.0

// Package iamtest runs a whole node in a test's own process: real store, real signatures, real answers.
package iamtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/mfa"
	"github.com/innkeeper-iam/innkeeper/internal/node"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Account is the id of the account that every node begins with.
const Account = "111122223333"

// Options are how a node under test differs from one in production. The zero
// value has a real clock and random identifiers.
type Options struct {
	Clock *Clock // nil: the real clock
	Fixed bool   // the identifiers, request ids included, and the public URL are the same in every run
	TLS   bool   // the API is served with TLS

	// Decided, when not nil, is told every check and its outcome, by several
	// goroutines at once.
	Decided func(*policy.Request, policy.Outcome)
}

// A Server is a node that listens on loopback until its test ends. Its methods
// end the test when they fail.
type Server struct {
	URL string // of the API

	t     testing.TB
	node  *node.Node
	dir   string
	clock *Clock
	http  *http.Client
	cert  *x509.Certificate // nil: no TLS
	admin *Client
}

// Start starts a node with an empty store in a directory of the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return Options{}.Start(t)
}

// Start starts a node with an empty store in a directory of the test.
func (o Options) Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), clock: o.Clock}
	opts := node.Options{NoSync: true, Decided: o.Decided}
	if o.Clock != nil {
		opts.Now = o.Clock.Now
	}
	if o.Fixed {
		opts.IDs = &ids.Source{Rand: rand.NewChaCha8([32]byte{})}
	}
	cfg := config.Config{Data: s.dir, Listen: "127.0.0.1:0", AccountID: Account, Drain: 5 * time.Second}
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	if o.Fixed {
		cfg.PublicURL = "https://inn.example.com"
	}
	if o.TLS {
		cfg.TLSCert, cfg.TLSKey, s.cert = certify(t, t.TempDir())
		transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool(), MinVersion: tls.VersionTLS12}
		transport.TLSClientConfig.RootCAs.AddCert(s.cert)
	}
	n, err := node.Start(t.Context(), cfg, opts)
	if err != nil {
		t.Fatalf("iamtest: starting the node: %v", err)
	}
	s.node, s.URL = n, n.URL()
	s.http = &http.Client{Transport: transport}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := n.Close(); err != nil {
			t.Errorf("iamtest: closing the node: %v", err)
		}
	})
	text, err := os.ReadFile(n.CredentialsFile())
	if err != nil {
		t.Fatalf("iamtest: %v", err)
	}
	s.admin = s.fromFile(string(text))
	return s
}

// Admin returns a client of the first administrator.
func (s *Server) Admin() *Client { return s.admin }

// Client returns a client with the given credentials; token is "" for long-term
// keys.
func (s *Server) Client(key, secret, token string) *Client {
	return &Client{Key: key, Secret: secret, Token: token, server: s}
}

// fromFile returns a client with the credentials of a shared-credentials file.
func (s *Server) fromFile(text string) *Client {
	values := make(map[string]string)
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(line, "="); ok {
			values[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	return s.Client(values["aws_access_key_id"], values["aws_secret_access_key"], "")
}

// User makes a user with an inline policy, "" for none, and returns a client
// with a key of that user.
func (s *Server) User(name, policy string) *Client {
	s.t.Helper()
	s.admin.OK("CreateUser", "UserName="+name)
	if policy != "" {
		s.admin.OK("PutUserPolicy", "UserName="+name, "PolicyName=test", "PolicyDocument="+policy)
	}
	return s.KeyOf(name)
}

// KeyOf makes a key for a user and returns a client with it.
func (s *Server) KeyOf(name string) *Client {
	s.t.Helper()
	body := s.admin.OK("CreateAccessKey", "UserName="+name)
	return s.Client(Element(body, "AccessKeyId"), Element(body, "SecretAccessKey"), "")
}

// Root makes a key for the root user of an account, which no request can do for
// the first one, and returns a client with it.
func (s *Server) Root(account string) *Client {
	s.t.Helper()
	key, secret := s.Store().NewKey(account)
	err := s.Store().Update(context.Background(), account, func(tx *store.Tx) error {
		a := tx.Account()
		a.Keys = append(a.Keys, key)
		return tx.PutAccount(a)
	})
	if err != nil {
		s.t.Fatalf("iamtest: a key of the root user: %v", err)
	}
	return s.Client(key.ID, secret, "")
}

// Code returns the code that a virtual MFA device shows some time from now, given
// its seed as an answer has it.
func (s *Server) Code(seed string, after time.Duration) string {
	s.t.Helper()
	text, err := base64.StdEncoding.DecodeString(seed)
	if err != nil {
		s.t.Fatalf("iamtest: seed: %v", err)
	}
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(string(text))
	if err != nil {
		s.t.Fatalf("iamtest: seed: %v", err)
	}
	now := time.Now()
	if s.clock != nil {
		now = s.clock.Now()
	}
	return mfa.Code(raw, mfa.Step(now.Add(after)))
}

// AddAccount makes one more account and returns a client of its administrator.
func (s *Server) AddAccount(id string) *Client {
	s.t.Helper()
	_, credentials, err := s.node.AddAccount(context.Background(), "account "+id, id, "default")
	if err != nil {
		s.t.Fatalf("iamtest: account %s: %v", id, err)
	}
	return s.fromFile(credentials)
}

// Store returns the node's store.
func (s *Server) Store() *store.Store { return s.node.Store() }

// Services returns the node's services, with all their operations.
func (s *Server) Services() []*api.Service { return s.node.Services() }

// Records returns the audit records written so far, oldest first.
func (s *Server) Records() []audit.Record {
	s.t.Helper()
	var records []audit.Record
	for r, err := range audit.Records(filepath.Join(s.dir, "audit")) {
		if err != nil {
			s.t.Fatalf("iamtest: reading the audit log: %v", err)
		}
		records = append(records, r)
	}
	return records
}

// LastRecord returns the latest audit record.
func (s *Server) LastRecord() audit.Record {
	s.t.Helper()
	records := s.Records()
	if len(records) == 0 {
		s.t.Fatal("iamtest: the audit log is empty")
	}
	return records[len(records)-1]
}

// A Clock is a clock that stands still until it is advanced. It is safe for
// concurrent use.
type Clock struct {
	mu  sync.Mutex // guards below
	now time.Time
}

// NewClock returns a clock that stands at 2026-01-02T03:04:05Z.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

// Now returns the time that the clock stands at.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
