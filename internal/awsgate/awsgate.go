// SPDX-License-Identifier: Apache-2.0

// Package awsgate answers requests to AWS-style services other than S3: it proves who asks, decides, records, and only
// then lets the service behind it act.
//
// What a request asks for is package classify's to say. What that does not understand is refused, and so is what the
// policies in force make depend on something that no request tells (see undecided); what is refused never
// reaches the service. Answers are passed on as they are.
//
// # Accounts and regions
//
// What is behind a gateway is one account's, and in one region: the gateway has one set of credentials for it. Callers of
// other accounts are across accounts, where the policy of the resource would have to allow what they ask too, and there is
// none. So nobody of another account gets in, whatever its policies say. An ARN or a queue's URL with another account
// or region than these is refused.
package awsgate

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/classify"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// Options are the parts of a Gate. All are required unless they say otherwise.
type Options struct {
	Upstreams map[string]*upstream.Upstream // by the service's name in signatures: "dynamodb", "monitoring"

	Authn *authn.Authenticator
	Authz *authz.Authorizer
	Audit *audit.Log
	Store *store.Store
	IDs   *ids.Source
	Now   func() time.Time
	Log   *slog.Logger // nil: nobody

	Region string // of what is behind the gateway, and of the ARNs that policies see

	// Account owns what is behind the gateway. "" means the account of the store, if that has one; while it has several,
	// every request is refused.
	Account string

	// Aliases are what the services behind the gateway call that account in their ARNs and URLs, as emulators do that have
	// an account of their own. Nil means the accounts of the common ones.
	Aliases []string

	// Env is what the connection of a request tells, with the client's address behind trusted proxies.
	Env func(*http.Request) authz.Env

	// Observer, when not nil, is told of every answer, as is that of package api.
	Observer Observer
}

// An Observer is told what a Gate did. Its methods are called on the request path by several goroutines at once and must
// return quickly.
type Observer interface {
	// Served reports an answer; code is the error code, "" for success.
	Served(service, operation, code string, took time.Duration)
}

// A Gate is the handler in front of services. It is safe for concurrent use.
type Gate struct {
	Options
	digests digests
}

// emulators are the accounts that moto and LocalStack have when nobody gives them another one.
var emulators = []string{"123456789012", "000000000000"}

// New returns a Gate.
func New(o Options) *Gate {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Aliases == nil {
		o.Aliases = emulators
	}
	return &Gate{Options: o}
}

// A call is one request on its way through the stages.
type call struct {
	g   *Gate
	w   http.ResponseWriter
	r   *http.Request
	ctx context.Context
	env authz.Env

	protocol classify.Protocol // that of errors
	sig      *sigv4.Signature
	up       *upstream.Upstream
	body     []byte
	caller   *authn.Caller
	owner    string           // account that owns what is behind the gateway
	asked    *classify.Result // nil: the request could not be classified

	began   bool  // something may have been changed, whatever comes of it
	out     int64 // bytes of the answer's body
	status  int   // of the service's answer; 0: it was not asked, or did not answer
	backID  string
	failure string // why the service did not answer; ""
	broke   string // who broke off the answer, and why; "" nobody

	time   time.Time
	record audit.Record
}

// ServeHTTP answers one request.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.begin(w, r)
	resp, err := c.guard()
	fault := c.answerOf(err)
	if fault == nil && c.asked.ReadOnly {
		c.relay(resp) // the record of what only reads tells how much was read
		if err := c.complete(nil); err != nil {
			g.Log.Error("a request was answered and could not be recorded", "request", c.record.RequestID, "error", err)
		}
		c.end(nil)
		return
	}
	if err := c.complete(fault); err != nil {
		if resp != nil {
			_ = resp.Body.Close()
		}
		fault = c.unrecorded().Because(err)
	}
	if fault != nil {
		c.refuse(fault)
	} else {
		c.relay(resp)
	}
	c.end(fault)
}

// end tells the observer, and breaks the connection if the client has a part of an answer only.
func (c *call) end(fault *awserr.Error) {
	if c.g.Observer != nil {
		code := ""
		if fault != nil {
			code = fault.Code
		}
		service := "unknown"
		if c.up != nil {
			service = c.sig.Service
		}
		c.g.Observer.Served(service, c.record.EventName, code, c.g.Now().Sub(c.time))
	}
	if c.broke != "" {
		c.g.Log.Warn("an answer was broken off", "request", c.record.RequestID, "operation", c.record.EventName, "by", c.broke)
		panic(http.ErrAbortHandler)
	}
}

// guard runs the stages and turns a panic into an internal error: the request fails and is recorded, the gateway goes on (an
// internal error is a deny).
func (c *call) guard() (resp *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			resp, err = nil, c.panicked(p)
		}
	}()
	return c.stages()
}

// stages is the one way from a request to its answer. The order is part of the security of the system.
func (c *call) stages() (*http.Response, error) {
	if err := c.prove(); err != nil {
		return nil, err
	}
	if err := c.classify(); err != nil {
		return nil, err
	}
	if err := c.decide(); err != nil {
		return nil, err
	}
	return c.forward()
}
