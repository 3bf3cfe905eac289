// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/relaykv"
	"github.com/innkeeper-iam/innkeeper/internal/replica"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// ServerOptions are what a Server is made of; all but Log and Now are required.
type ServerOptions struct {
	DB       kv.DB // of Store
	Store    *store.Store
	Sessions authn.Sessions
	Audit    *audit.Log
	IDs      *ids.Source
	Region   string           // of records
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger     // nil: nothing is logged
}

// A Server gives gateways what they need. It is safe for concurrent use.
type Server struct {
	o     ServerOptions
	alive context.Context // ended by Stop
	stop  context.CancelFunc

	mu        sync.Mutex           // guards below
	made      *authority           // nil until it is needed
	lastTimes map[string]time.Time // of refusals, by what was refused to whom, that have a record
}

// New returns a Server.
func New(o ServerOptions) *Server {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Server{o: o, lastTimes: make(map[string]time.Time)}
	s.alive, s.stop = context.WithCancel(context.Background())
	return s
}

// Stop ends the watches of gateways, which otherwise go on for as long as they
// are connected: call it when the servers with its handlers are to shut down.
func (s *Server) Stop() { s.stop() }

func (s *Server) authority(ctx context.Context) (*authority, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		a, err := openAuthority(ctx, s.o.Store, s.o.Now())
		if err != nil {
			return nil, fmt.Errorf("the authority for gateways: %w", err)
		}
		s.made = a
	}
	return s.made, nil
}

// HTTP returns a server for gateways on other machines, for ServeTLS without
// files. It calls Stop when it shuts down.
func (s *Server) HTTP(ctx context.Context) (*http.Server, error) {
	a, err := s.authority(ctx)
	if err != nil {
		return nil, err
	}
	own := &serverCert{authority: a, now: s.o.Now}
	if _, err := own.get(nil); err != nil {
		return nil, err
	}
	http1 := new(http.Protocols)
	http1.SetHTTP1(true)
	server := &http.Server{
		Handler: http.HandlerFunc(s.serveGateway),
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, GetCertificate: own.get, Time: s.o.Now,
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: a.pool(),
			SessionTicketsDisabled: true, // every connection shows its certificate
		},
		Protocols:         http1, // a watch has a connection of its own
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second, // a watch extends it
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(s.o.Log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(s.Stop)
	return server, nil
}

// Local returns the handler for the operator's socket, to be mounted at /relay/.
func (s *Server) Local() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := s.bounded(r.Context())
		defer cancel()
		s.serve(w, r.WithContext(ctx), "on-operators-socket", nil)
	})
}

// bounded returns a context that ends with Stop too.
func (s *Server) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(s.alive, cancel)
	return ctx, func() { unhook(); cancel() }
}

// serveGateway serves whoever shows the certificate of an enrolled gateway, for
// as long as it is good.
func (s *Server) serveGateway(w http.ResponseWriter, r *http.Request) {
	cert := r.TLS.PeerCertificates[0] // verified by the handshake
	g, err := s.admit(r.Context(), cert)
	switch {
	case errors.Is(err, ErrNoSuch):
		s.refuse(cert.Subject.CommonName, "Connect", err)
		http.Error(w, "not enrolled", http.StatusForbidden)
		return
	case err != nil:
		s.o.Log.Error("relay: who is this gateway", "err", err)
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := s.bounded(r.Context())
	defer cancel()
	if strings.HasSuffix(r.URL.Path, relaykv.PathWatch) {
		watching := make(chan struct{})
		defer func() { cancel(); <-watching }()
		defer time.AfterFunc(cert.NotAfter.Sub(s.o.Now()), cancel).Stop()
		go func() {
			defer close(watching)
			defer cancel()
			s.untilChanged(ctx, g)
		}()
	}
	s.serve(w, r.WithContext(ctx), g.Name, cert)
}

// untilChanged returns when the row of a gateway is another one than was read, or
// nobody can tell. What it is then, the gateway finds out by asking again.
func (s *Server) untilChanged(ctx context.Context, g *row) {
	key := dirGateway + g.Name
	for batch, err := range s.o.DB.Watch(ctx, key, key+"\x00", g.at) {
		if err != nil || len(batch.Events) > 0 {
			return
		}
	}
}

// serve answers a gateway, which showed cert, nil on the operator's socket.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, name string, cert *x509.Certificate) {
	switch r.Method + " " + r.URL.Path {
	case "POST " + path + pathKey:
		s.serveKey(w, r, name)
	case "POST " + path + pathRenew:
		s.serveRenew(w, r, name, cert)
	default:
		rows := relaykv.Handler{DB: s.o.DB, Sent: replica.Sent, Taken: func(_ context.Context, op kv.Op) error {
			if replica.Taken(op.Key) {
				return nil
			}
			err := fmt.Errorf("%w: a gateway may not change %q", relaykv.ErrRefused, op.Key)
			s.refuse(name, "Commit", err)
			return err
		}}
		rows.ServeHTTP(w, r)
	}
}

// serveKey gives a signing key.
func (s *Server) serveKey(w http.ResponseWriter, r *http.Request, name string) {
	var q keyRequest
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 16<<10)).Decode(&q); err != nil {
		http.Error(w, "not a question", http.StatusBadRequest)
		return
	}
	answer := new(keyAnswer)
	if answer.Refused = q.refusal(s.o.Now()); answer.Refused != "" {
		s.refuse(name, "GetSigningKey", fmt.Errorf("%s/%s/%s: %s", q.Date, q.Region, q.Service, answer.Refused))
	} else if err := s.key(r.Context(), &q, answer); err != nil {
		s.o.Log.Error("relay: signing key", "gateway", name, "accessKeyId", q.AccessKeyID, "err", err)
		http.Error(w, "not now", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(answer)
}

// errUnknown says that no active credential is the one that was asked for.
var errUnknown = errors.New("no such credential")

// key fills in the answer to a question for a key that may be given.
func (s *Server) key(ctx context.Context, q *keyRequest, answer *keyAnswer) error {
	secret, claims, err := s.secret(ctx, q)
	if errors.Is(err, errUnknown) {
		answer.Refused = err.Error()
		return nil
	}
	if err != nil {
		return err
	}
	key := sigv4.DeriveKey(secret, q.Date, q.Region, q.Service)
	answer.Key, answer.Claims = key[:], claims
	return nil
}

// secret returns the secret of a credential, and the claims of its token if it has
// one. The error wraps errUnknown.
func (s *Server) secret(ctx context.Context, q *keyRequest) (string, *session.Claims, error) {
	if err := s.o.Store.Ready(); err != nil {
		return "", nil, err
	}
	account, ok := ids.Account(q.AccessKeyID)
	if !ok {
		return "", nil, errUnknown
	}
	view, err := s.o.Store.View(ctx, account)
	if errors.Is(err, store.ErrNotFound) || err == nil && view.Account().Closed() {
		return "", nil, errUnknown
	}
	if err != nil {
		return "", nil, err
	}
	if q.Token != "" {
		claims, secret, err := s.o.Sessions.Open(q.AccessKeyID, q.Token)
		if err != nil || claims.Account != account {
			return "", nil, errUnknown
		}
		return secret, claims, nil
	}
	_, key, err := view.UserByKey(q.AccessKeyID)
	if err != nil || key.Inactive {
		return "", nil, errUnknown
	}
	secret, err := s.o.Store.Secret(account, key)
	return secret, nil, err
}

// serveRenew certifies another key for a gateway.
func (s *Server) serveRenew(w http.ResponseWriter, r *http.Request, name string, used *x509.Certificate) {
	request, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 16<<10))
	if err != nil || used == nil {
		http.Error(w, "nothing to renew", http.StatusBadRequest)
		return
	}
	cert, err := s.renew(r.Context(), used, request)
	if err != nil {
		s.o.Log.Error("relay: a gateway's certificate is not renewed", "gateway", name, "err", err)
		http.Error(w, "not renewed", http.StatusServiceUnavailable)
		return
	}
	w.Write(cert.Raw)
}

// Who is behind an event.
const operator = "operator"

func byGateway(name string) string { return "gateway/" + name }

// refuse logs a refusal, and records it unless the same was recorded within the
// last minute: a gateway tries again and again.
func (s *Server) refuse(name, what string, cause error) {
	s.o.Log.Warn("relay: refused", "gateway", name, "what", what, "err", cause)
	at, now := name+" "+what, s.o.Now()
	s.mu.Lock()
	if len(s.lastTimes) > 1000 {
		clear(s.lastTimes)
	}
	again := now.Sub(s.lastTimes[at]) < time.Minute
	if !again {
		s.lastTimes[at] = now
	}
	s.mu.Unlock()
	if again {
		return
	}
	if err := s.record(byGateway(name), what, nil, cause); err != nil {
		s.o.Log.Error("relay: a refusal has no record", "err", err)
	}
}

// record writes the audit record of an event, which no signed request asked for.
func (s *Server) record(by, event string, params any, refused error) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	rec := &audit.Record{
		Time: s.o.Now(), Identity: audit.Identity{Type: "Unknown", InvokedBy: by},
		EventSource: "innkeeper.local", EventName: event, Region: s.o.Region,
		RequestParameters: raw, RequestID: s.o.IDs.RequestID(), EventID: s.o.IDs.RequestID(),
	}
	if refused != nil {
		rec.ErrorCode, rec.ErrorMessage = "AccessDenied", refused.Error()
	}
	return s.o.Audit.Write(rec, true)
}
