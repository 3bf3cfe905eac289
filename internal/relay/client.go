// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv/relaykv"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Limits of one question, other than for the store's rows.
const (
	askTimeout = 3 * time.Second
	maxAnswer  = 256 << 10 // bytes
)

// How a Server begins.
const (
	httpsPrefix = "https://"
	unixPrefix  = "unix:"
)

// Options are what a Client is made of.
type Options struct {
	Server   string           // https://HOST:PORT where the server listens for gateways, or unix:FILE, the operator's socket
	Identity string           // file that enrolling wrote; it is replaced when the certificate is renewed. Not used with a socket
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: nothing is logged
}

// A Client is a gateway's end of the connection to its server. It is safe for
// concurrent use. Make one with Dial.
type Client struct {
	http *http.Client
	url  string // of the server, without a slash at the end
	now  func() time.Time
	log  *slog.Logger
	db   *relaykv.DB

	identity atomic.Pointer[identity] // nil with a socket
	refusal  atomic.Pointer[error]    // what the server said when it turned us away, nil if it did not

	stop context.CancelFunc
	done sync.WaitGroup
}

// Dial returns a Client. It reads the identity and does not wait for the server,
// which is asked when something is needed of it.
func Dial(o Options) (*Client, error) {
	c := &Client{now: o.Now, log: cmp.Or(o.Log, slog.New(slog.DiscardHandler))}
	if c.now == nil {
		c.now = time.Now
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, TLSHandshakeTimeout: 5 * time.Second}
	dialer := &net.Dialer{Timeout: 3 * time.Second}
	if socket, ok := strings.CutPrefix(o.Server, unixPrefix); ok {
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", socket)
		}
		c.url = "http://server"
	} else {
		address, secure := strings.CutPrefix(o.Server, httpsPrefix)
		if _, _, err := net.SplitHostPort(address); err != nil || !secure {
			return nil, fmt.Errorf("the server %q must be https://HOST:PORT or unix:FILE", o.Server)
		}
		id, err := readIdentity(o.Identity)
		if err != nil {
			return nil, fmt.Errorf("the gateway's identity: %w", err)
		}
		c.identity.Store(id)
		transport.DialContext, transport.TLSClientConfig = dialer.DialContext, c.tls(id)
		c.url = o.Server
	}
	c.http = &http.Client{Transport: &witness{transport, c}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	c.db = relaykv.Open(relaykv.Options{Client: c.http, URL: c.url + path, Log: c.log})
	running, stop := context.WithCancel(context.Background())
	c.stop = stop
	if c.identity.Load() != nil {
		c.done.Go(func() { c.keepIdentity(running, o.Identity) })
	}
	return c, nil
}

func (c *Client) tls(id *identity) *tls.Config {
	roots := x509.NewCertPool()
	roots.AddCert(id.authority)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: serverName, Time: c.now,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c.identity.Load().cert, nil },
	}
}

// Close ends everything. Stores and keyrings must be closed before.
func (c *Client) Close() error {
	c.stop()
	c.done.Wait()
	err := c.db.Close()
	c.http.CloseIdleConnections()
	return err
}

// A witness notes whether the server turns this gateway away.
type witness struct {
	next *http.Transport
	c    *Client
}

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	switch {
	case err != nil:
	case resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden:
		w.c.refusal.Store(new(fmt.Errorf("relay: the server turns this gateway away: %s", resp.Status)))
	case resp.StatusCode == http.StatusOK:
		w.c.refusal.Store(nil)
	}
	return resp, err
}

func (w *witness) CloseIdleConnections() { w.next.CloseIdleConnections() }

// Admitted returns an error once the server has turned this gateway away, until
// it lets it in again.
func (c *Client) Admitted() error {
	if err := c.refusal.Load(); err != nil {
		return *err
	}
	return nil
}

// OpenStore opens the store that the server lets a gateway see, which stays up to
// date while the server can be reached, and then for o.StaleAfter (0: an hour)
// goes on as it is. Its DB, Keeper and Replica are set here. OpenStore waits for
// the server until ctx ends, unless the server cannot be the right one or turns
// this gateway away.
func (c *Client) OpenStore(ctx context.Context, o store.Options) (*store.Store, error) {
	o.DB, o.Keeper, o.Replica, o.Admitted = c.db, nil, true, c.Admitted
	o.StaleAfter = cmp.Or(o.StaleAfter, time.Hour)
	told := false
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		s, err := store.Open(ctx, o)
		if err == nil || ctx.Err() != nil || hopeless(err) {
			return s, err
		}
		if !told {
			told = true
			c.log.Warn("waiting for the server", "server", c.url, "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}

// hopeless reports whether it is no use to ask this server again.
func hopeless(err error) bool {
	if errors.Is(err, store.ErrFormat) || errors.Is(err, store.ErrInvalid) {
		return true
	}
	if status, ok := errors.AsType[*relaykv.StatusError](err); ok {
		return status.Refused() || status.Status == http.StatusNotFound
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	remote, ok := errors.AsType[*net.OpError](err)
	return ok && remote.Op == "remote error" // it does not take our certificate
}

// post asks a question in JSON, of which answer is the answer.
func (c *Client) post(ctx context.Context, to string, question, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	body, err := json.Marshal(question)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path+to, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header["Idempotency-Key"] = nil // may be sent again if a kept connection turns out dead; net/http keeps this to itself
	resp, err := c.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &relaykv.StatusError{Status: resp.StatusCode}
	}
	return json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(answer)
}
