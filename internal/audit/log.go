// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// ErrClosed says that the log was closed.
var ErrClosed = errors.New("audit: the log is closed")

const (
	current         = "audit.log" // the file being written
	defaultMaxBytes = 100 << 20

	syncDelay  = 500 * time.Millisecond // from a write that is not durable to its sync
	probeEvery = 200 * time.Millisecond // how often a log that cannot write tries again

	// Disk space is set aside in steps of the first; below the second, for want of
	// space, Ready fails. It is for the records of requests that were let in before.
	reserveStep = 1 << 20
	reserveLow  = 256 << 10
)

// Options say where and how a Log writes.
type Options struct {
	Dir      string           // made with mode 0700 if it is missing
	MaxBytes int64            // a file that would grow larger is rotated; 0 means 100 MiB
	Keep     Keep             // which rotated files stay; the zero Keep means all
	Now      func() time.Time // names rotated files and dates the log's own records; nil means time.Now
	Log      *slog.Logger     // told of repairs and failures; nil means nobody
	NoSync   bool             // durable records are only with the operating system; for servers that tests throw away

	// Written, when not nil, is told of every record that Write has written, by
	// several goroutines at once. It must return quickly and not keep the record.
	Written func(*Record)
}

// A Log appends records, one a line, to the file audit.log of its directory. It
// is safe for concurrent use; only one Log may have a directory open.
//
// When a record cannot be written or synced, the Log fails: Ready and Write
// return the error, and nothing is written, until an attempt to write a record
// of the outage succeeds. When the disk is about to be full, Ready fails first,
// while there is still room for the records of what is under way (on Linux).
type Log struct {
	opt  Options
	lock *os.File // held to keep other processes out
	ok   atomic.Bool

	mu      sync.Mutex // guards below
	file    *os.File   // nil while there is none to write to
	size    int64      // of the whole records in file
	limit   int64      // size at which to rotate
	space   int64      // up to where disk space was set aside
	low     error      // why there is too little of it; nil when there is enough
	asked   time.Time  // when space was last asked for in vain
	torn    bool       // file may have part of a record beyond size
	last    time.Time  // in the name of the newest rotated file
	pending *commit    // of what was written since the last sync began
	armed   bool       // a sync of pending is on its way
	closed  bool
	outage  outage
	began   time.Time   // time of the first record in file; zero when there is none
	chores  *time.Timer // tends what stays; nil when all does

	syncing sync.Mutex  // held during a sync; taken after mu, or alone
	suspect atomic.Bool // a sync of file failed: what it holds is uncertain; set under syncing
	kick    chan struct{}
	done    chan struct{} // closed when the syncer has ended
}

// A commit is a set of writes that one sync makes durable.
type commit struct {
	done chan struct{} // closed when err is final
	err  error
}

// An outage is a time in which the log could not write. Its err is nil when
// there is none.
type outage struct {
	err     error
	since   time.Time // by the wall clock, for the record
	probed  time.Time
	refused int // records
}

// Open opens the log in o.Dir, or makes it. What a crash left of an unfinished
// last record is moved to a file torn-TIME of the directory.
func Open(o Options) (*Log, error) {
	o.MaxBytes = cmp.Or(o.MaxBytes, defaultMaxBytes)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	l := &Log{opt: o, lock: lock, pending: newCommit(), kick: make(chan struct{}, 1), done: make(chan struct{})}
	if err := l.start(); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("audit: %w", err)
	}
	l.settleLocked()
	go l.syncer()
	l.startChores()
	return l, nil
}

func newCommit() *commit { return &commit{done: make(chan struct{})} }

// start opens and repairs the file.
func (l *Log) start() error {
	rotated, err := rotatedFiles(l.opt.Dir)
	if err != nil {
		return err
	}
	if len(rotated) > 0 {
		l.last = rotated[len(rotated)-1].time
	}
	if err := l.openLocked(); err != nil {
		return err
	}
	moved, err := repair(l.file, l.opt.Dir, l.opt.Now())
	if err == nil {
		l.size, err = l.file.Seek(0, io.SeekEnd)
	}
	if err == nil && moved != "" {
		l.opt.Log.Warn("audit: moved an unfinished record aside", "file", moved)
		err = l.noteLocked("RepairAuditLog", `{"movedTo":`+strconv.Quote(moved)+`}`)
	}
	if err == nil {
		err = l.sync(l.file)
	}
	if err == nil && !l.opt.NoSync {
		err = syncDir(l.opt.Dir)
	}
	if err != nil {
		_ = l.file.Close()
	}
	return err
}

// sync makes a file durable.
func (l *Log) sync(f *os.File) error {
	if l.opt.NoSync {
		return nil
	}
	return f.Sync()
}

// openLocked opens the current file and makes it if it is missing.
func (l *Log) openLocked() error {
	f, err := os.OpenFile(filepath.Join(l.opt.Dir, current), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = fmt.Errorf("%s is not a regular file", f.Name())
	case info.Mode().Perm() != 0o600:
		err = f.Chmod(0o600)
	}
	if err != nil {
		_ = f.Close()
		return err
	}
	l.file, l.size, l.limit, l.torn = f, info.Size(), l.opt.MaxBytes, false
	l.began = time.Time{}
	if l.opt.Keep.For > 0 && l.size > 0 {
		l.began = firstTime(f, l.opt.Now())
	}
	l.suspect.Store(false)
	l.space, l.low = l.size, nil
	l.reserveLocked()
	return nil
}

// reserveLocked sees to it that enough space is set aside.
func (l *Log) reserveLocked() {
	if l.space-l.size >= reserveLow {
		return
	}
	if err := reserve(l.file, l.size, reserveStep); err != nil {
		if l.low == nil {
			l.opt.Log.Error("audit: the disk is nearly full; requests are refused", "error", err)
		}
		l.low, l.asked = fmt.Errorf("audit: no room for more records: %w", err), time.Now()
	} else {
		l.space, l.low = l.size+reserveStep, nil
	}
	l.settleLocked()
}

// settleLocked sets what Ready looks at first.
func (l *Log) settleLocked() { l.ok.Store(!l.closed && l.outage.err == nil && l.low == nil) }

// Ready reports whether the log can write: nil, or why not. While it cannot,
// Ready tries again every so often. Ask it before acting on a request.
func (l *Log) Ready() error {
	if l.ok.Load() {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.readyLocked(); err != nil {
		return err
	}
	if l.low != nil && time.Since(l.asked) >= probeEvery {
		l.reserveLocked()
	}
	return l.low
}

// lines lends buffers for encoded records.
var lines = sync.Pool{New: func() any { return new([]byte) }}

// Write appends a record. When it returns nil, the record is with the operating
// system and survives the end of this process; it is synced to disk within a
// second, or, if durable, already. Durable writes that wait together share one
// sync. After an error the record may nevertheless be there.
func (l *Log) Write(r *Record, durable bool) error {
	line := lines.Get().(*[]byte)
	defer func() {
		if cap(*line) <= 64<<10 {
			lines.Put(line)
		}
	}()
	*line = append(r.AppendJSON((*line)[:0]), '\n')

	l.mu.Lock()
	if err := l.readyLocked(); err != nil {
		l.outage.refused++
		l.mu.Unlock()
		return err
	}
	if err := l.appendLocked(*line); err != nil {
		l.outage.refused++
		l.mu.Unlock()
		return err
	}
	c := l.pending
	switch {
	case durable:
		l.armed = true
		l.kickSyncer()
	case !l.armed:
		l.armed = true
		time.AfterFunc(syncDelay, l.kickSyncer)
	}
	l.mu.Unlock()
	if l.opt.Written != nil {
		l.opt.Written(r)
	}
	if !durable {
		return nil
	}
	<-c.done
	return c.err
}

// appendLocked writes one line, after a rotation if it is due.
func (l *Log) appendLocked(line []byte) error {
	if l.size > 0 && l.size+int64(len(line)) > l.limit {
		if err := l.rotateLocked(); err != nil {
			return l.failLocked(err)
		}
	}
	n, err := l.file.Write(line)
	if err != nil {
		l.torn = n > 0
		l.untearLocked()
		return l.failLocked(err)
	}
	if l.opt.Keep.For > 0 && l.began.IsZero() {
		l.began = l.opt.Now()
	}
	l.size += int64(n)
	if l.low == nil {
		l.reserveLocked()
	}
	return nil
}

// untearLocked removes part of a record from the end of the file, if it can.
func (l *Log) untearLocked() {
	if l.torn && l.file.Truncate(l.size) == nil {
		l.torn = false
		l.space = l.size // what was set aside is gone, too
	}
}

// kickSyncer makes the syncer sync once more, now or after the sync under way.
func (l *Log) kickSyncer() {
	select {
	case l.kick <- struct{}{}:
	default:
	}
}

// syncer syncs when kicked, until the log is closed.
func (l *Log) syncer() {
	defer close(l.done)
	for range l.kick {
		l.mu.Lock()
		if l.closed {
			l.mu.Unlock()
			return
		}
		if !l.armed || l.file == nil {
			l.mu.Unlock()
			continue
		}
		c, file := l.pending, l.file
		l.pending, l.armed = newCommit(), false
		l.syncing.Lock()
		l.mu.Unlock()
		err := l.sync(file)
		if err != nil {
			l.suspect.Store(true)
		}
		l.syncing.Unlock()

		if err != nil {
			l.mu.Lock()
			err = l.lostLocked(err)
			l.mu.Unlock()
		}
		c.finish(err)
	}
}

func (c *commit) finish(err error) {
	c.err = err
	close(c.done)
}

// failLocked starts an outage and returns its error.
func (l *Log) failLocked(err error) error {
	if l.outage.err == nil {
		l.outage = outage{err: fmt.Errorf("audit: cannot write: %w", err), since: l.opt.Now(), probed: time.Now()}
		l.settleLocked()
		l.opt.Log.Error("audit: the log cannot be written; requests are refused", "error", err)
	}
	return l.outage.err
}

// lostLocked starts an outage after a failed sync, and tells those who wait for
// another: a second sync of the same file may succeed without having written what
// the first one lost.
func (l *Log) lostLocked(err error) error {
	l.suspect.Store(true)
	err = l.failLocked(err)
	l.pending.finish(err)
	l.pending, l.armed = newCommit(), false
	return err
}

// readyLocked returns nil when the log can write, having ended an outage if that
// was possible.
func (l *Log) readyLocked() error {
	switch {
	case l.closed:
		return ErrClosed
	case l.outage.err == nil:
		return nil
	case time.Since(l.outage.probed) < probeEvery:
		return l.outage.err
	}
	l.outage.probed = time.Now()
	if err := l.resumeLocked(); err != nil {
		l.outage.err = fmt.Errorf("audit: cannot write: %w", err)
		return l.outage.err
	}
	l.opt.Log.Info("audit: the log can be written again", "refused", l.outage.refused)
	l.outage = outage{}
	l.settleLocked()
	return nil
}

// resumeLocked tries to write and sync a record of the outage.
func (l *Log) resumeLocked() error {
	if err := l.replaceLocked(); err != nil {
		return err
	}
	note := `{"refused":` + strconv.Itoa(l.outage.refused) +
		`,"since":"` + l.outage.since.UTC().Format(timeFormat) +
		`","error":` + string(appendString(nil, l.outage.err.Error())) + `}`
	if err := l.noteLocked("ResumeAuditLog", note); err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		return l.lostLocked(err)
	}
	return nil
}

// replaceLocked opens the file anew. One that ends in part of a record, or whose
// sync failed, so that what it holds is uncertain, is set aside as if rotated.
func (l *Log) replaceLocked() error {
	if l.file != nil {
		l.untearLocked()
		l.syncing.Lock() // let a sync under way end
		err := l.file.Sync()
		l.syncing.Unlock()
		if l.suspect.Load() || err != nil {
			_ = l.lostLocked(cmp.Or(err, l.outage.err))
		} else {
			l.servedLocked()
		}
		_ = l.file.Close()
		l.file = nil
	}
	if l.torn || l.suspect.Load() {
		if err := l.renameLocked(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errors.Join(l.openLocked(), syncDir(l.opt.Dir))
}

// servedLocked tells those who wait for a sync that they have had it.
func (l *Log) servedLocked() {
	l.pending.finish(nil)
	l.pending, l.armed = newCommit(), false
}

// releaseLocked gives back what space was set aside beyond the records. Failing to
// is harmless.
func (l *Log) releaseLocked() {
	if l.space > l.size && !l.torn {
		_ = l.file.Truncate(l.size)
		l.space = l.size
	}
}

// noteLocked writes a record of the log's own.
func (l *Log) noteLocked(event, data string) error {
	r := Record{
		Time: l.opt.Now(), EventSource: "innkeeper", EventName: event, EventType: "AwsServiceEvent",
		Identity: Identity{Type: "AWSService", InvokedBy: "innkeeper"}, SourceIP: "innkeeper", UserAgent: "innkeeper",
		AdditionalEventData: []byte(data),
	}
	line := append(r.AppendJSON(nil), '\n')
	n, err := l.file.Write(line)
	if err != nil {
		l.torn = n > 0
		l.untearLocked()
		return err
	}
	l.size += int64(n)
	return nil
}

// Close syncs what was written and closes the log. The error is that of the
// sync, or of an outage that has not ended.
func (l *Log) Close() error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	l.closed = true
	if l.chores != nil {
		l.chores.Stop()
	}
	l.settleLocked()
	l.mu.Unlock()
	l.kickSyncer()
	<-l.done // no sync is under way any more

	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.outage.err
	if l.file != nil {
		l.releaseLocked()
		err = errors.Join(err, l.sync(l.file), l.file.Close())
	}
	l.pending.finish(err)
	return errors.Join(err, l.lock.Close())
}
