// SPDX-License-Identifier: Apache-2.0

// Package reportapi is the operations of IAM that report: credentials, last accesses, and what grants them.
//
// Reports and jobs are rows of the account's annex ([store.AnnexReport]), so that
// every node of the store can answer:
//
//	credential    the credential report, of which an account has one
//	job/ID        a job and its result; ids sort by age
//	part/ID/N     the parts of a result that is too large for one row
//	recent        the latest jobs on organizations
package reportapi

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/usage"
)

//go:generate go run ../gen/shapes -package reportapi iam GenerateCredentialReport GenerateOrganizationsAccessReport GenerateServiceLastAccessedDetails GetCredentialReport GetOrganizationsAccessReport GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities ListPoliciesGrantingServiceAccess

// Options are what the operations need; all but Log are required.
type Options struct {
	Store *store.Store
	Usage *usage.Index
	Authz *authz.Authorizer // says whether a caller may read its organization
	IDs   *ids.Source
	Now   func() time.Time
	Log   *slog.Logger // nil: nobody is told
}

const (
	patience = 2 * time.Second // for which a request waits for the result of its own job
	stale    = time.Minute     // after which a job belongs to a node that is gone
	workers  = 2               // jobs that are computed at once
)

// Reports makes reports. Close it before the store.
type Reports struct {
	store   *store.Store
	usage   *usage.Index
	authz   *authz.Authorizer
	ids     *ids.Source
	now     func() time.Time
	log     *slog.Logger
	tracked map[string]bool // actions whose last use is known, as "iam:GetUser", and their services

	ctx   context.Context // of the work in the background
	stop  context.CancelFunc
	work  sync.WaitGroup
	slots chan struct{}

	mu      sync.Mutex
	running map[string]bool // keys of what this node computes
}

// New returns Reports that know no tracked actions yet; see Track.
func New(o Options) *Reports {
	s := &Reports{
		store: o.Store, usage: o.Usage, authz: o.Authz, ids: o.IDs, now: o.Now, log: o.Log,
		tracked: make(map[string]bool), slots: make(chan struct{}, workers), running: make(map[string]bool),
	}
	s.ctx, s.stop = context.WithCancel(context.Background())
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s
}

// Ops returns the operations in order of their names, for the IAM service.
func (s *Reports) Ops() []api.Op { return s.ops() }

// Track makes the operations of services those whose last use is reported action
// by action. It comes before the first request.
func (s *Reports) Track(services []*api.Service) {
	for _, service := range services {
		for _, op := range service.Ops() {
			prefix, _, _ := strings.Cut(op.Action, ":")
			s.tracked[op.Action], s.tracked[prefix] = true, true
		}
	}
}

// Close ends the work in the background. What is not finished another node, or
// this one after its next start, begins again when it is asked for.
func (s *Reports) Close() {
	s.stop()
	s.work.Wait()
}

// stamp is the present time as records have it.
func (s *Reports) stamp() time.Time { return s.now().UTC().Truncate(time.Second) }

// update changes an account and maps the store's errors to AWS's. fn may run more
// than once.
func (s *Reports) update(ctx context.Context, account string, fn func(*store.Tx) error) error {
	return iamop.Fail(s.store.Update(ctx, account, fn))
}

// An outcome is what work in the background came to.
type outcome[T any] struct {
	value T
	err   error
}

// compute begins work in the background, a little at a time, and keeps others
// from the same key meanwhile.
func compute[T any](s *Reports, key string, work func(context.Context) (T, error)) <-chan outcome[T] {
	out := make(chan outcome[T], 1)
	s.mu.Lock()
	s.running[key] = true
	s.mu.Unlock()
	s.work.Go(func() {
		defer func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.running, key)
		}()
		select {
		case s.slots <- struct{}{}:
			defer func() { <-s.slots }()
		case <-s.ctx.Done():
			out <- outcome[T]{err: context.Cause(s.ctx)}
			return
		}
		value, err := work(s.ctx)
		out <- outcome[T]{value, err}
	})
	return out
}

// await returns the outcome of work if it has one soon.
func await[T any](out <-chan outcome[T]) (outcome[T], bool) {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case o := <-out:
		return o, true
	case <-timer.C:
		return outcome[T]{}, false
	}
}

// later calls then with the outcome of work, in the background, unless the node
// stops first.
func later[T any](s *Reports, out <-chan outcome[T], then func(context.Context, outcome[T]) error) {
	s.work.Go(func() {
		o := <-out
		if s.ctx.Err() != nil {
			return
		}
		if err := then(s.ctx, o); err != nil {
			s.log.Warn("reportapi: a report is not stored", "error", err)
		}
	})
}

// idle reports whether this node computes nothing under that key.
func (s *Reports) idle(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.running[key]
}
