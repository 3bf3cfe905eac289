// SPDX-License-Identifier: Apache-2.0

// Package askapi serves the authorization API over HTTP: what a principal may do, for programs that guard something.
//
// It has five forms of one question: the AuthZEN Authorization API, a JSON form of
// its own, the data API of Open Policy Agent with MinIO's access-management plugin,
// forward authentication for proxies, and TokenReview for Kubernetes. Package ask
// answers them all.
package askapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
)

// MaxBody is the most that a request's body may hold, in bytes.
const MaxBody = 1 << 20

// Options are the parts of a Handler. Desk and Now are needed.
type Options struct {
	Desk *ask.Desk
	Now  func() time.Time
	Log  *slog.Logger // nil: nothing is logged

	// URL is where clients reach the API, "https://inn.example.com"; "" means
	// wherever a request came to.
	URL string
}

// A Handler is the authorization API. It is safe for concurrent use.
type Handler struct{ o Options }

// New returns a Handler.
func New(o Options) *Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Handler{o}
}

// The paths of the API.
const (
	pathConfiguration = "/.well-known/authzen-configuration"
	pathEvaluation    = "/access/v1/evaluation"
	pathEvaluations   = "/access/v1/evaluations"
	pathDecisions     = "/authorize/v1/decisions"
	pathForward       = "/authorize/v1/forward"
	prefixReview      = "/authorize/v1/tokenreview/"
	prefixData        = "/v1/data/"
)

// A form is one form of the question: it reads the body, asks and returns what is
// sent as JSON. rest is the path after a prefix.
type form struct {
	name, event string
	plain       bool // errors are plain text, not JSON
	answer      func(ctx context.Context, v *ask.Visit, rest string, body []byte) (any, error)
}

var forms = map[string]form{
	pathEvaluation:  {"authzen", "Authorize", true, evaluate},
	pathEvaluations: {"authzen", "Authorize", true, evaluateAll},
	pathDecisions:   {"native", "Authorize", false, decide},
	prefixData:      {"data", "Authorize", false, data},
	prefixReview:    {"kubernetes", "ReviewToken", false, review},
}

// find returns the form of a path, and what follows its prefix.
func find(path string) (f form, rest string, ok bool) {
	if f, ok = forms[path]; ok && !strings.HasSuffix(path, "/") {
		return f, "", true
	}
	for _, prefix := range []string{prefixData, prefixReview} {
		if rest, ok = strings.CutPrefix(path, prefix); ok && rest != "" {
			return forms[prefix], rest, true
		}
	}
	return form{}, "", false
}

// Serves reports whether a path is one of the authorization API's.
func Serves(path string) bool {
	if path == pathConfiguration || path == pathForward {
		return true
	}
	_, _, ok := find(path)
	return ok
}

// ServeHTTP answers one question, or many.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if id := r.Header.Get("X-Request-Id"); id != "" && len(id) <= 128 {
		w.Header().Set("X-Request-ID", id)
	}
	defer func() {
		if p := recover(); p != nil {
			h.o.Log.Error("panic while answering", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			http.Error(w, "internal failure", http.StatusInternalServerError)
		}
	}()
	switch r.URL.Path {
	case pathConfiguration:
		h.configuration(w, r)
	case pathForward:
		h.forward(w, r)
	default:
		h.question(w, r)
	}
}

// question answers a request of one of the forms.
func (h *Handler) question(w http.ResponseWriter, r *http.Request) {
	f, rest, ok := find(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		fail(w, f.plain, http.StatusMethodNotAllowed, "questions are asked with POST")
		return
	}
	v := h.o.Desk.Begin(f.name, f.event, h.env(r))
	out, err := func() (any, error) {
		body, err := read(w, r)
		if err != nil {
			return nil, err
		}
		if err := v.Signed(r.Context(), r, body); err != nil {
			return nil, err
		}
		if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
			return nil, invalid("Content-Type must be application/json")
		}
		return f.answer(r.Context(), v, rest, body)
	}()
	if err := v.End(err); err != nil {
		status, message := ask.Status(err)
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", challenge)
		}
		if status >= http.StatusInternalServerError {
			h.o.Log.Error("a question could not be answered", "request", v.RequestID(), "error", err)
		}
		fail(w, f.plain, status, message)
		return
	}
	send(w, http.StatusOK, out)
}

const challenge = `Basic realm="innkeeper", charset="UTF-8"`

// env is what the connection of the asker tells.
func (h *Handler) env(r *http.Request) authz.Env {
	e := authz.Env{Time: h.o.Now(), UserAgent: r.UserAgent(), Referer: r.Referer(), Secure: r.TLS != nil}
	if addr, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		e.SourceIP = addr.Addr().Unmap().WithZone("").String()
	}
	return e
}

// read reads the whole body once, within MaxBody.
func read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), 8<<10)) + bytes.MinRead)
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, invalid("the body is larger than %d bytes", MaxBody)
	}
	if err != nil {
		return nil, invalid("the body ended early")
	}
	return buf.Bytes(), nil
}

// decode reads the one JSON value that a body must be. Unknown members are errors
// if strict.
func decode(body []byte, to any, strict bool) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if strict {
		d.DisallowUnknownFields()
	}
	if err := d.Decode(to); err != nil {
		return invalid("the body is not the JSON that is expected: %.200s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if d.More() {
		return invalid("something follows the JSON of the body")
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &ask.InvalidError{Question: -1, Message: fmt.Sprintf(format, args...)}
}

func send(w http.ResponseWriter, status int, out any) {
	body, err := json.Marshal(out)
	if err != nil { // made of texts, numbers and booleans
		status, body = http.StatusInternalServerError, []byte(`{"error":"internal failure"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(body)
}

func fail(w http.ResponseWriter, plain bool, status int, message string) {
	if plain {
		http.Error(w, message, status)
		return
	}
	send(w, status, struct {
		Error string `json:"error"`
	}{message})
}
