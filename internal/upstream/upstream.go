// SPDX-License-Identifier: Apache-2.0

// Package upstream sends requests that were authorized to the store or service behind a gateway.
//
// What is sent is what was authorized: the method, the request target byte for
// byte, the end-to-end headers that [Forwardable] lets through, and the body.
// It is signed anew, with credentials that only the gateway has.
//
// A body is streamed, and the upstream gets the whole of it only after its
// reader has said io.EOF, which for a [sigv4.Body] means that hashes, chunk
// signatures and trailing checksums were right. A body that turns out to be
// wrong, or a client that leaves, resets the connection before what
// Content-Length announced has been sent, so that nothing is stored. Small
// bodies are read before the request is begun.
//
// An answer is streamed by [Relay]. What goes wrong on the way is a
// [*BodyError], [ErrClientGone] or a [*Failure], each with a text that may be
// shown to clients.
//
// An upstream is spoken to in HTTP/1.1, directly: no proxy is used, no redirect
// is followed, no compression is added, and a request of which anything was
// sent is sent again only if it has no body and its method is safe.
package upstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// Limits that nobody needs to change.
const (
	maxAnswerHeader = 64 << 10         // bytes of all headers of an answer, interim ones included
	idleConns       = 512              // kept open
	idleFor         = 30 * time.Second // shorter than servers close theirs
	continueWait    = time.Second      // for 100 Continue, before the body is sent all the same
	ioBuffer        = 8 << 10          // of a connection, either way
)

// Options say what an upstream is and how to reach it.
type Options struct {
	// URL has a scheme, http or https, and a host, maybe with a port.
	// Required; all else in it is refused.
	URL *url.URL

	// Credentials returns what requests are signed with. It is called for
	// each of them, by many goroutines: see [Static] and [SharedFile]. Nil
	// means that requests are sent unsigned.
	Credentials func(context.Context) (Credentials, error)

	// Region and Service are the scope of signatures. "" means us-east-1 and s3.
	Region  string
	Service string

	// Profile says what the store is known to do. The zero value is the
	// strict one, which trusts it with nothing; Probe finds the true one.
	Profile Profile

	// ProbeBucket is an existing bucket that Probe may write to. "" means that
	// it makes one and removes it.
	ProbeBucket string

	// DialTimeout bounds connecting, and the TLS handshake. 0 means 10 seconds.
	DialTimeout time.Duration

	// Timeout is how long the upstream may be silent: until the headers of
	// its answer are complete, between two pieces of an answer, and while it
	// takes nothing of a request. 0 means 5 minutes: a store may copy or
	// assemble an object of 5 TiB before it answers.
	Timeout time.Duration

	// TLS is the configuration of https. Nil means the system's roots.
	TLS *tls.Config

	// Log gets what Probe finds. Nil means nowhere.
	Log *slog.Logger

	// Now is the clock of signatures. Nil means time.Now.
	Now func() time.Time
}

// An Upstream is a store or service. It is safe for concurrent use.
type Upstream struct {
	o         Options
	s3        bool // signs as S3 does
	transport *http.Transport
	keys      sigv4.KeyCache
	signer    atomic.Pointer[signer] // of the credentials in use
	profile   atomic.Pointer[Profile]
}

// A signer signs with cred.
type signer struct {
	cred Credentials
	sigv4.Signer
}

// New returns the upstream that o describes. It connects to nothing.
func New(o Options) (*Upstream, error) {
	u := o.URL
	switch {
	case u == nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("upstream: the URL needs http or https and a host")
	case u.User != nil:
		return nil, errors.New("upstream: credentials do not belong in the URL")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "":
		return nil, fmt.Errorf("upstream: the URL may have nothing after the host %s", u.Host)
	}
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Service = cmp.Or(o.Service, "s3")
	o.DialTimeout = cmp.Or(o.DialTimeout, 10*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 5*time.Minute)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	up := &Upstream{o: o, s3: sigv4.Credential{Service: o.Service}.S3()}
	up.profile.Store(&o.Profile)
	d := &dialer{Dialer: net.Dialer{Timeout: o.DialTimeout}, silence: o.Timeout, tls: o.TLS}
	if d.tls == nil {
		d.tls = new(tls.Config)
	}
	up.transport = &http.Transport{
		DialContext:            d.dial,
		DialTLSContext:         d.dialTLS,
		ResponseHeaderTimeout:  o.Timeout,
		ExpectContinueTimeout:  continueWait,
		IdleConnTimeout:        idleFor,
		MaxIdleConns:           idleConns,
		MaxIdleConnsPerHost:    idleConns,
		MaxResponseHeaderBytes: maxAnswerHeader,
		ReadBufferSize:         ioBuffer,
		WriteBufferSize:        ioBuffer,
		DisableCompression:     true,
		Protocols:              new(http.Protocols),
	}
	up.transport.Protocols.SetHTTP1(true)
	return up, nil
}

// Profile returns what is known of the store: what Probe found, else Options'.
func (u *Upstream) Profile() Profile { return *u.profile.Load() }

// Close closes idle connections. Requests under way go on.
func (u *Upstream) Close() { u.transport.CloseIdleConnections() }

// sign signs req with the credentials of the moment, or removes what it may
// carry of a signature when there are none.
func (u *Upstream) sign(ctx context.Context, req *http.Request, payload string) error {
	if u.o.Credentials == nil {
		for _, name := range []string{"Authorization", "X-Amz-Security-Token", "X-Amz-Date", "X-Amz-Content-Sha256"} {
			req.Header.Del(name)
		}
		return nil
	}
	cred, err := u.o.Credentials(ctx)
	if err != nil {
		return &Failure{Kind: Credential, cause: err}
	}
	s := u.signer.Load()
	if s == nil || s.cred != cred {
		s = &signer{cred, sigv4.Signer{AccessKeyID: cred.AccessKeyID, SecretAccessKey: cred.SecretAccessKey,
			SessionToken: cred.SessionToken, Region: u.o.Region, Service: u.o.Service, Keys: &u.keys, Now: u.o.Now}}
		u.signer.Store(s)
	}
	return s.Sign(req, payload)
}
