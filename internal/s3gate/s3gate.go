// SPDX-License-Identifier: Apache-2.0

// Package s3gate answers S3 requests: it proves who asks, decides, records, and only then lets the store behind it act.
//
// One request goes through stages whose order is part of the security of the
// system:
//
//	read       what is asked, from the raw target (package s3req)
//	prove      who asks: a signature in the header, the query or a form, or nobody
//	resolve    the buckets it is about, their owners and policies
//	shape      what has no place in a request, or could mean two things
//	decide     every permission it needs, into the audit record
//	accept     what S3 requires of the request beside permission
//	act        by the gateway itself, or by the store behind it, signed anew
//
// What no stage understands is refused, and what is refused never reaches the
// store. Bucket policies, public access blocks and the ownership of buckets are the gateway's
// own, whatever the store can do; access control lists do not exist, as in buckets
// whose ObjectOwnership is BucketOwnerEnforced.
package s3gate

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/s3req"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// Options are the parts of a Gate. All are required unless they say otherwise.
type Options struct {
	Upstream *upstream.Upstream
	Buckets  *buckets.Registry
	Authn    *authn.Authenticator
	Authz    *authz.Authorizer
	Audit    *audit.Log
	Store    *store.Store
	IDs      *ids.Source
	Now      func() time.Time
	Log      *slog.Logger // nil: nobody
	Region   string       // of buckets that are made here
	Domains  []string     // of virtual hosts; see s3req.Options

	// Env is what the connection of a request tells, with the client's address
	// behind trusted proxies.
	Env func(*http.Request) authz.Env

	// Location is the LocationConstraint that the store wants for new buckets; ""
	// means none.
	Location string

	// Spool is the folder for the files of POST forms while they arrive; "" means
	// the system's.
	Spool string

	// Observer, when not nil, is told of every answer, as is that of package api.
	Observer Observer
}

// An Observer is told what a Gate did. Its methods are called on the request
// path by several goroutines at once and must return quickly.
type Observer interface {
	// Served reports an answer; code is the error code, "" for success.
	Served(service, operation, code string, took time.Duration)
}

// A Gate is the handler of an S3 endpoint. It is safe for concurrent use.
type Gate struct {
	Options
	parse s3req.Options
	reads tagReaders
}

// New returns a Gate.
func New(o Options) *Gate {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Spool == "" {
		o.Spool = os.TempDir()
	}
	return &Gate{Options: o, parse: s3req.Options{Domains: o.Domains}}
}

// A call is one request on its way through the stages.
type call struct {
	g   *Gate
	w   http.ResponseWriter
	r   *http.Request
	ctx context.Context
	env authz.Env

	req    *s3req.Request
	header http.Header      // the headers that count: the request's, those in a presigned URL, or those that a form amounts to
	sig    *sigv4.Signature // nil: the request is not signed
	caller *authn.Caller    // nil: anonymous
	form   *form            // of a POST form, else nil

	bucket *buckets.Bucket // that the request is about; nil when it is about none, or one that does not exist
	source *buckets.Bucket // that it copies from, likewise

	document []byte     // the body of an operation that takes a document
	deletion *deletion  // what is left of a DeleteObjects
	foreign  bool       // the caller is not of the account whose bucket refused it
	began    bool       // something may have been changed, whatever comes of it
	in, out  int64      // bytes of the bodies
	back     upstreamed // what the store said
	result   *result    // of a slow operation, as it is sent; else nil

	time   time.Time
	record audit.Record
}

// upstreamed is what a record says about the store's answer.
type upstreamed struct {
	status    int    // 0: it was not asked, or did not answer
	requestID string // its own
	failure   string // why it did not answer; ""
	broke     string // who broke off the answer, and why; "" nobody
}

// An answer is what a client gets when nothing failed: either a document of the
// gateway's own, or the answer of the store.
type answer struct {
	status int
	header http.Header // of an own document, beside its type and length; nil: none
	body   []byte
	resp   *http.Response // its body is closed by whoever sends it
}

// ServeHTTP answers one request.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := g.begin(w, r)
	a, err := c.guard()
	fault := c.answerOf(err)
	if fault == nil && a.resp != nil && !c.changes() {
		c.relay(a) // the record of what only reads tells how much was read
		c.finish(nil)
		return
	}
	if err := c.complete(fault); err != nil {
		if a.resp != nil {
			_ = a.resp.Body.Close()
		}
		fault = c.unrecorded().Because(err)
	}
	if fault != nil {
		c.refuse(fault)
	} else {
		c.send(a)
	}
	c.observe(fault)
}

// finish completes a request whose answer was already sent.
func (c *call) finish(fault *awserr.Error) {
	if err := c.complete(fault); err != nil {
		c.g.Log.Error("a request was answered and could not be recorded", "request", c.record.RequestID, "error", err)
	}
	c.observe(fault)
	if c.back.broke != "" {
		panic(http.ErrAbortHandler) // the client must not take the part for the whole
	}
}

// guard runs the stages and turns a panic into an internal error: the request
// fails and is recorded, the gateway goes on (an internal error is a deny).
func (c *call) guard() (a answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			a, err = answer{}, c.panicked(p)
		}
	}()
	return c.stages()
}

// stages is the one way from a request to its answer.
func (c *call) stages() (answer, error) {
	if err := c.read(); err != nil {
		return answer{}, err
	}
	if err := c.prove(); err != nil {
		return answer{}, err
	}
	if err := c.resolve(); err != nil {
		return answer{}, err
	}
	if err := c.shape(); err != nil {
		return answer{}, err
	}
	if err := c.decide(); err != nil {
		return answer{}, err
	}
	if err := c.accept(); err != nil {
		return answer{}, err
	}
	if c.form != nil {
		return c.postObject()
	}
	if act, ok := answered[c.req.Op.Name]; ok {
		return act(c)
	}
	return c.forward()
}

// changes reports whether the operation is one that changes something.
func (c *call) changes() bool { return c.req != nil && c.req.Op.Changes }

func (c *call) observe(fault *awserr.Error) {
	if c.g.Observer == nil {
		return
	}
	code := ""
	if fault != nil {
		code = fault.Code
	}
	c.g.Observer.Served("s3", c.record.EventName, code, c.g.Now().Sub(c.time))
}
