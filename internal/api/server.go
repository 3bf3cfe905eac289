// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// MaxBody is the most that a request's body may hold, in bytes. The largest
// legal request is a policy document of 131,072 characters, percent-encoded.
const MaxBody = 1 << 20

// An Observer is told what the server did. Its methods are called on the request
// path by several goroutines at once and must return quickly.
type Observer interface {
	// Served reports an answer; code is the error code, "" for success.
	Served(service, operation, code string, took time.Duration)
	// Refused reports a request whose signature did not verify, by cause.
	Refused(cause string)
}

// A Call is one request on its way through the stages.
type Call struct {
	Caller    *authn.Caller
	View      *store.View   // the caller's account, at the revision that this request reads
	Account   arn.AccountID // the caller's
	RequestID string
	Time      time.Time // when the request arrived
	Env       authz.Env

	// Membership is the caller's place in its organization, once a target has
	// looked, so that run goes by the same. Nil: it is in none.
	Membership *orgs.Membership

	ctx     context.Context
	service *Service
	op      Op
	json    bool // the answer is in the JSON protocol
	began   bool // run was called: there may be a change, whatever came of it
	record  audit.Record
	proof   any // what the proof of an Exchange says
}

// changeLimit is how long an operation that changes something may take. It goes
// on when the client has gone: what was begun is finished and recorded.
const changeLimit = 30 * time.Second

// A Server answers the requests of its services on one endpoint. All fields but
// Observer and Log are required; it is safe for concurrent use.
type Server struct {
	Services []*Service
	Authn    *authn.Authenticator
	Authz    *authz.Authorizer
	Audit    *audit.Log
	Store    *store.Store
	IDs      *ids.Source
	Now      func() time.Time
	Observer Observer
	Log      *slog.Logger
	Region   string // reported in audit records of requests without a scope
}

// ServeHTTP answers one request. The answer is written in one piece.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &Call{ctx: r.Context(), RequestID: s.IDs.RequestID(), Time: s.Now()}
	c.Env = environment(r, c.Time)
	s.beginRecord(r, c)
	buf := buffers.Get().(*[]byte)
	defer release(buf)
	answer, err := s.guard(c, w, r, (*buf)[:0])
	fault := c.answer(err)
	if err := s.complete(c, fault); err != nil {
		fault = c.answer(unrecorded(c).Because(err))
	}
	if fault != nil {
		answer = s.refuse(c, (*buf)[:0], fault)
	}
	*buf = answer
	s.observe(c, fault)
	s.write(w, c, fault, answer)
}

// guard runs the stages and turns a panic into an internal error: the request
// fails and is recorded, the server goes on (an internal error is a deny). It
// appends the answer to b.
func (s *Server) guard(c *Call, w http.ResponseWriter, r *http.Request, b []byte) (answer []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			answer, err = nil, s.panicked(c, p)
		}
	}()
	out, err := s.stages(c, w, r)
	if err != nil {
		return nil, err
	}
	if c.op.Records {
		c.record.ResponseElements = out.AppendJSON(nil)
	}
	if c.json {
		return out.AppendResult(b), nil
	}
	return wire.AppendResponse(b, c.op.Name, c.service.Namespace, c.RequestID, out), nil
}

// stages is the one way from a request to its output. The order is part of the
// security of the system: nobody learns more than an authentication error before
// the signature is verified, and nothing runs before it is allowed and the audit
// log can take its record.
func (s *Server) stages(c *Call, w http.ResponseWriter, r *http.Request) (wire.Output, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	form, err := s.route(c, r, body)
	if err != nil {
		return nil, err
	}
	if c.op.prove == nil {
		if err := s.authenticate(c, r, body); err != nil {
			return nil, err
		}
	}
	if c.json {
		if form, err = wire.ParseJSON(body); err != nil {
			return nil, err
		}
	}
	in := c.op.decode(form)
	if err := c.service.check(form); err != nil {
		return nil, err
	}
	c.record.RequestParameters = in.AppendJSON(nil)
	if c.op.prove != nil {
		if err := s.prove(c, in); err != nil {
			return nil, err
		}
	}
	checks, err := c.op.target(c, in)
	if err != nil {
		return nil, err
	}
	if err := s.Authz.Authorize(c.ctx, &c.record, c.Caller, &c.Env, checks...); err != nil {
		return nil, err
	}
	if c.op.Changes {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), changeLimit)
		defer cancel()
		c.ctx = ctx
	}
	c.began = true
	return c.op.run(c, in)
}

func (s *Server) authenticate(c *Call, r *http.Request, body []byte) error {
	caller, err := s.Authn.Authenticate(r.Context(), r, body, c.service.Name)
	if err != nil {
		if s.Observer != nil {
			s.Observer.Refused(cause(err))
		}
		return err
	}
	c.Caller, c.View, c.Account = caller, caller.View, caller.Account
	authz.Identify(&c.record, caller)
	if err := caller.May(c.service.Name, c.op.Name); err != nil {
		return err
	}
	if id := caller.UseID(); id != "" {
		s.Store.Touch(string(caller.Account), id, store.Use{Time: c.Time, Region: caller.Region, Service: c.service.Name})
	}
	return nil
}

// prove is authenticate for an operation whose input holds the proof of who asks.
func (s *Server) prove(c *Call, in Input) error {
	if err := s.Store.Ready(); err != nil {
		return err
	}
	caller, err := c.op.prove(c, in)
	if err != nil {
		if s.Observer != nil {
			s.Observer.Refused("proof")
		}
		return err
	}
	c.Caller, c.View, c.Account = caller, caller.View, caller.Account
	authz.Identify(&c.record, caller)
	return nil
}

// environment is what the connection tells. No header says where a request came
// from: anybody can send one.
func environment(r *http.Request, now time.Time) authz.Env {
	return authz.Env{
		Time: now, SourceIP: sourceIP(r.RemoteAddr), UserAgent: r.UserAgent(), Referer: r.Referer(), Secure: r.TLS != nil,
	}
}

// sourceIP returns the address of a client in the form that policies compare:
// that of IPv4 if it is one, and without a zone. It is "" for a client without
// an address, such as one on a Unix socket.
func sourceIP(remote string) string {
	client, err := netip.ParseAddrPort(remote)
	if err != nil {
		return ""
	}
	return client.Addr().Unmap().WithZone("").String()
}

func (s *Server) observe(c *Call, fault *awserr.Error) {
	if s.Observer == nil {
		return
	}
	service, op, code := "unknown", "unknown", ""
	if c.service != nil {
		service, op = c.service.Name, c.op.Name
	}
	if fault != nil {
		code = fault.Code
	}
	s.Observer.Served(service, op, code, s.Now().Sub(c.Time))
}
