// SPDX-License-Identifier: Apache-2.0

// Package sink sends the audit log on, record by record, to a webhook or a syslog server.
//
// A sink reads the files of the log and remembers how far it is in a file of its
// own. So requests never wait for it, nothing is lost when the other end is away
// or the node restarts, and what was under way then is sent again: each record
// arrives at least once, in order. Records have an eventID to tell them by. What
// retention removes before a sink has read it, the sink does not send; its log says so.
package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
)

// A Destination takes records.
type Destination interface {
	// Send returns nil when all the lines have arrived. After an error they are sent
	// again, perhaps fewer at once. A *RetryError says how to.
	Send(ctx context.Context, lines [][]byte) error
	Close() error
}

// A RetryError says something about how to send again.
type RetryError struct {
	Err   error
	After time.Duration // not before; 0 means as always
	Fewer bool          // fewer lines at once
}

func (e *RetryError) Error() string { return e.Err.Error() }

// Unwrap returns what went wrong.
func (e *RetryError) Unwrap() error { return e.Err }

// Options are what a Sink needs. All but Log are required.
type Options struct {
	Name string // in the log and in metrics: "webhook"
	Dir  string // of the audit log
	File string // remembers how far the sink is; lost, it begins with what comes next
	To   Destination
	Log  *slog.Logger // nil: nobody is told
}

// Limits of a batch and of waiting.
const (
	maxLines  = 500
	maxBytes  = 1 << 20
	pollEvery = 250 * time.Millisecond
	firstWait = time.Second // after a failure; each further one doubles it
	maxWait   = 5 * time.Minute
	behind    = time.Minute // from which lag on the log says so
)

// A Sink sends a log on. Make one with Start. It is safe for concurrent use.
type Sink struct {
	o    Options
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex // guards below
	status Status
	oldest time.Time // of the record that is to be sent next; zero when none is
}

// A Status says how a sink is doing.
type Status struct {
	Sent     int64         // records
	Failures int64         // attempts
	Lag      time.Duration // since the oldest record that has not arrived was made
	Err      error         // of the last attempt; nil when it succeeded
}

// Start starts a sink. A log that no sink of this File has read is sent from now
// on.
func Start(o Options) (*Sink, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	place, err := load(o.File)
	if errors.Is(err, fs.ErrNotExist) {
		if place, err = audit.End(o.Dir); err == nil {
			err = save(o.File, place)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("sink %s: %w", o.Name, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Sink{o: o, stop: stop, done: make(chan struct{})}
	go s.run(ctx, place)
	return s, nil
}

// Name returns the sink's name.
func (s *Sink) Name() string { return s.o.Name }

// Status returns how the sink is doing.
func (s *Sink) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	if !s.oldest.IsZero() {
		st.Lag = max(time.Since(s.oldest), 0)
	}
	return st
}

// Close ends the sink. What has not arrived is sent after the next start.
func (s *Sink) Close() error {
	s.stop()
	<-s.done
	return s.o.To.Close()
}

// run sends until ctx ends. A log that cannot be read is tried again.
func (s *Sink) run(ctx context.Context, from audit.Place) {
	defer close(s.done)
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		var err error
		from, err = s.follow(ctx, from)
		if ctx.Err() != nil {
			return
		}
		s.o.Log.Error("audit sink: the log cannot be read", "sink", s.o.Name, "error", err)
		if !pause(ctx, wait) {
			return
		}
	}
}

// follow sends what is in the log from a place on, and returns the one that it came
// to when the log could not be read or ctx ended.
func (s *Sink) follow(ctx context.Context, from audit.Place) (audit.Place, error) {
	tail, found, err := audit.Follow(s.o.Dir, from)
	if err != nil {
		return from, err
	}
	defer tail.Close()
	if !found {
		s.o.Log.Warn("audit sink: the place where it was in the log is gone; records may be missing, or come twice", "sink", s.o.Name, "since", from.Time)
	}
	var b batch
	for gaps := 0; ; {
		err := b.fill(tail)
		if tail.Gaps() > gaps {
			gaps = tail.Gaps()
			s.o.Log.Error("audit sink: files of the log were removed before they were sent; records are missing", "sink", s.o.Name)
		}
		if err != nil && err != io.EOF {
			return from, err
		}
		if len(b.lines) == 0 {
			if !pause(ctx, pollEvery) {
				return from, nil
			}
			continue
		}
		if !s.deliver(ctx, &b) {
			return from, nil
		}
		from = b.end
		if err := save(s.o.File, from); err != nil {
			s.o.Log.Warn("audit sink: how far it is cannot be written; records come again after a restart", "sink", s.o.Name, "error", err)
		}
		b.clear()
	}
}

// deliver sends a batch until it has arrived, and returns false if ctx ended before.
func (s *Sink) deliver(ctx context.Context, b *batch) bool {
	s.mu.Lock()
	s.oldest = b.oldest
	s.mu.Unlock()
	told := false
	most := len(b.lines) // at once
	for sent, failed := 0, 0; sent < len(b.lines); {
		some := b.lines[sent:min(sent+most, len(b.lines))]
		err := s.o.To.Send(ctx, some)
		if ctx.Err() != nil {
			return false
		}
		s.note(len(some), err)
		if err == nil {
			sent, failed = sent+len(some), 0
			continue
		}
		wait := backoff(failed)
		failed++
		if retry, ok := errors.AsType[*RetryError](err); ok {
			wait = min(max(wait, retry.After), maxWait)
			if retry.Fewer && most > 1 {
				most, wait = (most+1)/2, 0
			}
		}
		if lag := s.Status().Lag; failed == 1 || !told && lag >= behind {
			told = told || lag >= behind
			s.o.Log.Warn("audit sink is behind", "sink", s.o.Name, "lag", lag.Round(time.Second), "again", wait.Round(time.Millisecond), "error", err)
		}
		if !pause(ctx, wait) {
			return false
		}
		if told && failed%64 == 0 {
			told = false // say so again
		}
	}
	s.mu.Lock()
	late := max(time.Since(s.oldest), 0)
	s.oldest = time.Time{}
	s.mu.Unlock()
	if told {
		s.o.Log.Info("audit sink has caught up with what was waiting", "sink", s.o.Name, "waited", late.Round(time.Second))
	}
	return true
}

// note counts an attempt.
func (s *Sink) note(lines int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Err = err
	if err != nil {
		s.status.Failures++
		return
	}
	s.status.Sent += int64(lines)
}

// backoff is how long to wait after so many failures before: twice as long each
// time, and of that by chance a half to all, so that nodes do not come at once.
func backoff(failed int) time.Duration {
	wait := maxWait
	if failed < 9 {
		wait = min(firstWait<<failed, maxWait)
	}
	return wait/2 + rand.N(wait/2+1)
}

// pause waits, and returns false if ctx ended.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// A batch is lines that follow one another.
type batch struct {
	lines  [][]byte
	size   int
	oldest time.Time   // of the first line
	end    audit.Place // behind the last
	next   []byte      // which the last batch had no room for
	after  audit.Place // behind next
}

// fill reads lines up to the limits. The error is that of reading.
func (b *batch) fill(tail *audit.Tail) error {
	if b.next != nil {
		b.add(b.next, b.after)
		b.next = nil
	}
	for len(b.lines) < maxLines && b.size < maxBytes {
		line, err := tail.Next()
		if err != nil {
			return err
		}
		line = append([]byte(nil), line...)
		if len(b.lines) > 0 && b.size+len(line) > maxBytes {
			b.next, b.after = line, tail.Place()
			return nil
		}
		b.add(line, tail.Place())
	}
	return nil
}

func (b *batch) add(line []byte, after audit.Place) {
	if len(b.lines) == 0 {
		b.oldest = after.Time
	}
	b.lines, b.size, b.end = append(b.lines, line), b.size+len(line)+1, after
}

func (b *batch) clear() { b.lines, b.size = nil, 0 }

func load(file string) (p audit.Place, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("%s: %w; remove it to begin with what comes next", file, err)
	}
	return p, nil
}

// save replaces the file. It does not wait for the disk: an older place means that
// more is sent again.
func save(file string, p audit.Place) error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".sink-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(append(text, '\n'))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
