// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
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

	ctx     context.Context
	service *Service
	op      Op
	record  *audit.Record
}

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
	c.record = s.newRecord(r, c)
	out, err := s.guard(c, w, r)
	fault := c.answer(err)
	if rerr := s.complete(c, out, fault); rerr != nil {
		out, fault = nil, awserr.ServiceFailure.Msg("The request could not be recorded.").Because(rerr)
	}
	s.observe(c, fault)
	s.write(w, c, out, fault)
}

// guard runs the stages and turns a panic into an internal error: the request
// fails, the server goes on (an internal error is a deny).
func (s *Server) guard(c *Call, w http.ResponseWriter, r *http.Request) (out wire.Output, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = nil, s.panicked(c, p)
		}
	}()
	return s.stages(c, w, r)
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
	form, err := parseForm(r, body)
	if err != nil {
		return nil, err
	}
	if err := s.route(c, form); err != nil {
		return nil, err
	}
	in := c.op.decode(form)
	if err := s.authenticate(c, r, body); err != nil {
		return nil, err
	}
	if err := form.Err(); err != nil {
		return nil, err
	}
	c.record.RequestParameters = in.AppendJSON(nil)
	checks, err := c.op.target(c, in)
	if err != nil {
		return nil, err
	}
	if err := s.authorize(c, checks); err != nil {
		return nil, err
	}
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
	identify(c.record, caller)
	if err := caller.May(c.service.Name, c.op.Name); err != nil {
		return err
	}
	if id := caller.UseID(); id != "" {
		s.Store.Touch(string(caller.Account), id, store.Use{Time: c.Time, Region: caller.Region, Service: c.service.Name})
	}
	return nil
}

// authorize decides the checks. An operation that names none is a defect of the
// operation and is refused.
func (s *Server) authorize(c *Call, checks []authz.Check) error {
	if len(checks) == 0 {
		return errors.New("api: operation " + c.op.Name + " has no target")
	}
	return s.Authz.Authorize(c.record, c.Caller, &c.Env, checks...)
}

func environment(r *http.Request, now time.Time) authz.Env {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = ""
	}
	return authz.Env{
		Time: now, SourceIP: ip, UserAgent: r.UserAgent(), Referer: r.Referer(), Secure: r.TLS != nil,
	}
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
