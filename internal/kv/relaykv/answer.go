// SPDX-License-Identifier: Apache-2.0

package relaykv

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"time"
)

var (
	errUnsent = errors.New("the request was not sent")
	errSilent = errors.New("the server is silent")
	errTold   = errors.New("told by the server")
)

// An answer is what the server says to one request, frame by frame. It is closed
// after its last one.
type answer struct {
	ctx      context.Context // of the request
	cancel   context.CancelCauseFunc
	body     io.Closer
	frames   *frameReader
	patience time.Duration
}

// ask sends a request. The error wraps errUnsent if nothing of it left.
func (d *DB) ask(ctx context.Context, to string, kind byte, payload []byte) (*answer, error) {
	var question bytes.Buffer
	if err := writeFrame(&question, kind, payload); err != nil {
		return nil, fmt.Errorf("%w: %w", errUnsent, err)
	}
	a := &answer{patience: d.patience}
	a.ctx, a.cancel = context.WithCancelCause(ctx)
	var connected atomic.Bool
	traced := httptrace.WithClientTrace(a.ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	req, err := http.NewRequestWithContext(traced, http.MethodPost, d.url+to, &question)
	if err != nil {
		a.cancel(nil)
		return nil, fmt.Errorf("%w: %w", errUnsent, err)
	}
	if kind != kindCommit {
		req.Header["Idempotency-Key"] = nil // may be sent again if a kept connection turns out dead; net/http keeps this to itself
	}
	hurry := time.AfterFunc(a.patience, func() { a.cancel(errSilent) })
	defer hurry.Stop()
	resp, err := d.client.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
		resp.Body.Close()
		err = &StatusError{resp.StatusCode, strings.TrimSpace(string(text))}
	}
	if err != nil {
		err = a.explain(err)
		a.cancel(nil)
		if !connected.Load() {
			err = fmt.Errorf("%w: %w", errUnsent, err)
		}
		return nil, err
	}
	a.body, a.frames = resp.Body, newFrameReader(resp.Body)
	return a, nil
}

// next returns the next frame, whose payload is good until the one after that. An
// error frame is an error, which wraps errTold; the end is one too.
func (a *answer) next() (kind byte, payload []byte, err error) {
	hurry := time.AfterFunc(a.patience, func() { a.cancel(errSilent) })
	defer hurry.Stop()
	kind, payload, err = a.frames.next()
	if err == nil && kind == kindError {
		return 0, nil, fmt.Errorf("%w: %w", errTold, parseError(payload))
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return 0, nil, a.explain(err)
	}
	return kind, payload, nil
}

// explain returns why the request ended, if that is for the end of its context.
func (a *answer) explain(err error) error {
	for _, ours := range []error{errSilent, errClosed} {
		if cause := context.Cause(a.ctx); errors.Is(cause, ours) {
			return cause
		}
	}
	return cmp.Or(a.ctx.Err(), err)
}

func (a *answer) close() {
	a.body.Close()
	a.cancel(nil)
}
