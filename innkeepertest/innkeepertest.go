// SPDX-License-Identifier: Apache-2.0

// Package innkeepertest runs an innkeeper server in a test's own process: IAM, STS and Organizations for the AWS SDKs.
//
// The server is what "innkeeper dev" runs: on loopback, in memory, with signatures checked and policies enforced. Each
// call of Start makes one of its own, in milliseconds, so that tests may run in parallel.
//
//	srv := innkeepertest.Start(t, innkeepertest.Options{})
//	key := srv.RootKey("123456789012")
//	client := iam.New(iam.Options{
//		BaseEndpoint: &srv.URL, Region: srv.Region,
//		Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret, ""),
//	})
package innkeepertest

import (
	"context"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/dev"
)

// DefaultAccount is the account of a server for which none was chosen.
const DefaultAccount = dev.DefaultAccount

// TB is what a test, a benchmark or a fuzz test has: any [testing.TB], or what
// another test framework has in its place.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// A RootKey is the access key of an account's root user, whom no policy of the
// account restrains.
type RootKey struct {
	Account string
	ID      string
	Secret  string
}

// Options are what can be chosen about a server. The zero value is good.
type Options struct {
	Accounts []string  // ids of twelve digits; nil means DefaultAccount
	RootKeys []RootKey // of some of the accounts; the others have a key that RootKey tells
	Region   string    // "" means us-east-1

	// Seed makes ids and secrets the same in every run that makes the same things
	// in the same order. 0 means that they are made by chance.
	Seed uint64

	// Delay is how long a change takes to be visible, as in AWS. 0 means none.
	Delay time.Duration

	// NoEnforce lets everything happen that policies refuse. Signatures are checked.
	NoEnforce bool
}

// A Server is a running server. It may be used by several goroutines at once. Its
// methods end the test when they fail.
type Server struct {
	URL    string // for AWS_ENDPOINT_URL, or an SDK's BaseEndpoint
	Region string

	t      TB
	server *dev.Server
}

// Start starts a server, which ends with the test.
func Start(t TB, o Options) *Server {
	t.Helper()
	opts := dev.Options{
		Listen: "127.0.0.1:0", Accounts: o.Accounts, Region: o.Region, Seed: o.Seed, Delay: o.Delay, Unchecked: o.NoEnforce, Version: "in process",
	}
	for _, k := range o.RootKeys {
		opts.RootKeys = append(opts.RootKeys, dev.RootKey(k))
	}
	server, err := dev.Start(context.Background(), opts)
	if err != nil {
		t.Fatalf("innkeepertest: %v", err)
	}
	s := &Server{URL: server.URL(), Region: server.Region(), t: t, server: server}
	t.Cleanup(func() { s.must(server.Close()) })
	return s
}

func (s *Server) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("innkeepertest: %v", err)
	}
}

// RootKey returns the root key of one of the accounts that the server began with.
func (s *Server) RootKey(account string) RootKey {
	s.t.Helper()
	k, ok := s.server.RootKey(account)
	if !ok {
		s.t.Fatalf("innkeepertest: the server did not begin with an account %q", account)
	}
	return RootKey(k)
}

// Env returns the environment that points a process with the AWS CLI or an SDK at
// the server, with the root key of the first account: "NAME=value" each, to append
// to [os.Environ].
func (s *Server) Env() []string { return s.server.Env() }

// Reset empties everything but the accounts and their root keys, and puts the
// clock right.
func (s *Server) Reset() {
	s.t.Helper()
	s.must(s.server.Reset(context.Background()))
}

// Now returns what the server's clock shows.
func (s *Server) Now() time.Time { return s.server.Now() }

// Advance moves the server's clock on: sessions expire, codes of MFA devices
// change, delays pass. Clients may go on signing by the real clock.
func (s *Server) Advance(d time.Duration) {
	s.t.Helper()
	s.must(s.server.Advance(context.Background(), d))
}
