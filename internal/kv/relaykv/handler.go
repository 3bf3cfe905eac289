// SPDX-License-Identifier: Apache-2.0

package relaykv

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// PathWatch is the path of a watch, below the one that a Handler is mounted at.
const PathWatch = "watch"

const (
	pathRange  = "range"
	pathCommit = "commit"
)

const (
	pageSize     = 500              // entries read at once
	writeTimeout = 30 * time.Second // for what is sent at once: who reads slower is cut off, and comes back
)

// A Handler serves a store to DBs. It answers POST to a path that ends with
// range, watch or commit; who may ask is for the handler before it to say. A
// watch ends with the context of its request.
type Handler struct {
	DB kv.DB

	// Sent returns what leaves of a key's value, and false if the key does not exist
	// for those who ask, which depends on nothing but the key: the value of one that
	// is deleted or compared is nil. Nil: every value leaves, as it is.
	Sent func(key string, value []byte) ([]byte, bool)

	// Taken returns an error, which wraps ErrRefused, for an operation that they may
	// not commit. Nil: they may commit anything.
	Taken func(context.Context, kv.Op) error
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, serve := byte(0), h.serveRange
	switch path.Base(r.URL.Path) {
	case pathRange:
		kind = kindRange
	case PathWatch:
		kind, serve = kindWatch, h.serveWatch
	case pathCommit:
		kind, serve = kindCommit, h.serveCommit
	}
	switch {
	case kind == 0:
		http.NotFound(w, r)
		return
	case r.Method != http.MethodPost:
		http.Error(w, "POST only", http.StatusMethodNotAllowed)
		return
	}
	payload, err := question(http.MaxBytesReader(w, r.Body, frameHead+maxFrame), kind)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	out := &sender{w: w, c: http.NewResponseController(w)}
	out.c.SetReadDeadline(time.Time{}) // nothing more to come; a server that has one does without
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := serve(r.Context(), payload, out); err != nil && !errors.Is(err, errSending) && r.Context().Err() == nil {
		out.send(kindError, appendError(nil, err))
	}
}

// question reads the frame of a request to its end, without which the server
// would not notice who leaves.
func question(body io.Reader, kind byte) ([]byte, error) {
	frames := newFrameReader(body)
	got, payload, err := frames.next()
	if err != nil || got != kind {
		return nil, errFrame
	}
	if _, err := frames.r.ReadByte(); err != io.EOF {
		return nil, errFrame
	}
	return payload, nil
}

// errSending says that the other side cannot be reached.
var errSending = errors.New("the answer could not be sent")

// A sender writes the frames of one answer.
type sender struct {
	w http.ResponseWriter
	c *http.ResponseController
}

// send writes a frame and passes it on at once.
func (s *sender) send(kind byte, payload []byte) error {
	if err := s.c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", errSending, err)
	}
	err := writeFrame(s.w, kind, payload)
	if errors.Is(err, kv.ErrTooLarge) {
		return err
	}
	if err == nil {
		err = s.c.Flush()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errSending, err)
	}
	return nil
}

// sent is Sent, or its default.
func (h *Handler) sent(key string, value []byte) ([]byte, bool) {
	if h.Sent == nil {
		return value, true
	}
	return h.Sent(key, value)
}

func (h *Handler) serveRange(ctx context.Context, payload []byte, out *sender) error {
	s, err := parseSpan(payload)
	if err != nil {
		return fmt.Errorf("%w: %w", kv.ErrInvalid, err)
	}
	size := pageSize
	if s.limit > 0 {
		size = min(size, s.limit+1) // one more tells whether there is more
	}
	var frame []byte
	taken, more := 0, false
	for done := false; !done; {
		page, err := h.DB.Range(ctx, s.start, s.end, s.rev, size)
		if err != nil {
			return err
		}
		s.rev = page.Revision
		for _, e := range page.Entries {
			value, ok := h.sent(e.Key, e.Value)
			if !ok {
				continue
			}
			if more = s.limit > 0 && taken == s.limit; more {
				break
			}
			taken++
			e.Value = value
			if frame = appendEntry(frame, e); len(frame) < frameSize {
				continue
			}
			if err := out.send(kindEntries, frame); err != nil {
				return err
			}
			frame = frame[:0]
		}
		if done = more || !page.More || len(page.Entries) == 0; !done {
			s.start = page.Entries[len(page.Entries)-1].Key + "\x00"
		}
	}
	if len(frame) > 0 {
		if err := out.send(kindEntries, frame); err != nil {
			return err
		}
	}
	return out.send(kindPage, appendPage(nil, s.rev, more))
}

func (h *Handler) serveWatch(ctx context.Context, payload []byte, out *sender) error {
	s, err := parseSpan(payload)
	if err != nil {
		return fmt.Errorf("%w: %w", kv.ErrInvalid, err)
	}
	began := time.Now()
	for batch, err := range h.DB.Watch(ctx, s.start, s.end, s.rev) {
		if err != nil {
			return err
		}
		progress := len(batch.Events) == 0
		if !progress && h.Sent != nil {
			batch.Events = h.events(batch.Events)
		}
		if !progress && len(batch.Events) == 0 {
			continue // it is no progress batch, and none of their business
		}
		if err := out.send(kindBatch, appendBatch(nil, batch, time.Since(began))); err != nil {
			return err
		}
	}
	return errors.New("the watch ended")
}

// events returns what leaves of the events of one commit.
func (h *Handler) events(events []kv.Event) []kv.Event {
	out := events[:0:0]
	for _, e := range events {
		value, ok := h.sent(e.Key, e.Value)
		if !ok {
			continue
		}
		if !e.Deleted {
			e.Value = value
		}
		out = append(out, e)
	}
	return out
}

func (h *Handler) serveCommit(ctx context.Context, payload []byte, out *sender) error {
	t, err := parseTxn(payload)
	if err != nil {
		return fmt.Errorf("%w: %w", kv.ErrInvalid, err)
	}
	if err := kv.Check(t); err != nil {
		return err
	}
	if err := h.check(ctx, t); err != nil {
		return err
	}
	rev, err := h.DB.Commit(ctx, t)
	if err != nil {
		return err
	}
	return out.send(kindDone, binary.AppendUvarint(nil, uint64(rev)))
}

// check refuses what those who ask may not commit, and comparisons that would
// tell them of what they may not see.
func (h *Handler) check(ctx context.Context, t kv.Txn) error {
	for _, c := range t.If {
		if _, ok := h.sent(c.Key, nil); !ok {
			return fmt.Errorf("comparing %q: %w", c.Key, ErrRefused)
		}
	}
	if h.Taken == nil {
		return nil
	}
	for _, op := range t.Then {
		if err := h.Taken(ctx, op); err != nil {
			return err
		}
	}
	return nil
}
