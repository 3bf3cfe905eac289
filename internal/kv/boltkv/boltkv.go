// SPDX-License-Identifier: Apache-2.0

// Package boltkv is the embedded engine of kv: a store in one file.
//
// The file is a bbolt database of three buckets: data holds the latest value of every key, log what each revision
// changed, with the values before it, and meta the format version and the counters. One goroutine writes. It gathers
// the commits that wait into one bbolt transaction, so that they share one flush to the disk; each keeps its own
// comparisons and its own revision. Revisions of this engine increase by one.
//
// # When the disk fails
//
// A commit that cannot be written returns the error, and nothing of it is applied; if the disk was full, later commits
// succeed once there is room. When the last step of a commit fails, making it the current one, nobody can tell what
// will be there after a crash: the commits of that group return [kv.ErrUnknown], and the DB refuses everything from
// then on until it is opened again.
package boltkv

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// Options say where a store is and how much history it keeps. Only Path is needed.
type Options struct {
	Path     string // of the file, created with mode 0600 if it does not exist
	LogKeep  int    // latest revisions that can be read and watched after, at least; 0: 100,000
	LogBytes int64  // that the history may take, about, even if LogKeep is not reached; 0: 128 MiB
	NoSync   bool   // do not flush to the disk: a crash of the machine may destroy the file; for tests

	openFile func(string, int, os.FileMode) (*os.File, error)
}

const (
	defaultLogKeep  = 100_000
	defaultLogBytes = 128 << 20
	lockWait        = time.Second
	format          = 1
)

var (
	bucketData = []byte("data")
	bucketLog  = []byte("log")
	bucketMeta = []byte("meta")
	keyFormat  = []byte("format")
	keyState   = []byte("state")
)

// A DB is an open store file. It implements [kv.DB].
type DB struct {
	bolt     *bbolt.DB
	path     string
	logKeep  kv.Revision
	logBytes int64

	commit func(*bbolt.Tx) error // (*bbolt.Tx).Commit, except in tests of its failure

	reqs   chan *request
	quit   chan struct{}  // closed by Close
	done   chan struct{}  // closed when the writer has ended
	reader sync.WaitGroup // read transactions

	mu      sync.Mutex
	state   state         // published: durable, and what the tail ends with
	tail    tail          // latest records
	changed chan struct{} // closed and replaced when state changes or stop is set
	stop    error         // wraps kv.ErrClosed, or is the failure after which nothing can be trusted
}

// state is the counters of a store, written with every transaction.
type state struct {
	revision  kv.Revision // latest
	compacted kv.Revision // earliest that can be read
	logBytes  int64       // in the log
}

// Open opens or creates the store in the file o.Path. A file can be open once: if it is locked by another process, Open
// fails within about a second. It refuses files of an unknown format, and files that are not stores.
func Open(o Options) (*DB, error) {
	if o.Path == "" {
		return nil, errors.New("boltkv: no path")
	}
	info, statErr := os.Stat(o.Path)
	size := int64(0)
	if statErr == nil {
		size = info.Size()
	}
	b, err := bbolt.Open(o.Path, 0o600, &bbolt.Options{
		Timeout:         lockWait,
		FreelistType:    bbolt.FreelistMapType,
		InitialMmapSize: mapSize(size),
		NoSync:          o.NoSync,
		NoGrowSync:      o.NoSync,
		NoStatistics:    true,
		OpenFile:        o.openFile,
	})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, fmt.Errorf("boltkv: %s is in use by another process", o.Path)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, fmt.Errorf("boltkv: %s is not a store, or is damaged: %w", o.Path, err)
	case err != nil:
		return nil, fmt.Errorf("boltkv: open %s: %w", o.Path, err)
	}
	d := &DB{
		bolt:     b,
		path:     o.Path,
		logKeep:  kv.Revision(cmp.Or(max(o.LogKeep, 0), defaultLogKeep)),
		logBytes: cmp.Or(max(o.LogBytes, 0), defaultLogBytes),
		commit:   (*bbolt.Tx).Commit,
		reqs:     make(chan *request, maxGroup),
		quit:     make(chan struct{}),
		done:     make(chan struct{}),
		changed:  make(chan struct{}),
	}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("boltkv: %s: %w", o.Path, err), b.Close())
	}
	if statErr != nil && !o.NoSync {
		if err := syncDir(filepath.Dir(o.Path)); err != nil {
			return nil, errors.Join(fmt.Errorf("boltkv: %w", err), b.Close())
		}
	}
	go d.write()
	return d, nil
}

// prepare fills an empty file, or checks and loads the counters of one that is not.
func (d *DB) prepare() error {
	err := d.bolt.View(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if meta == nil {
			if name, _ := tx.Cursor().First(); name != nil {
				return errors.New("is a database, but not a store")
			}
			return nil
		}
		if got := string(meta.Get(keyFormat)); got != strconv.Itoa(format) {
			return fmt.Errorf("store has format %q, this program knows %d", got, format)
		}
		if tx.Bucket(bucketData) == nil || tx.Bucket(bucketLog) == nil {
			return errors.New("store is damaged: a bucket is missing")
		}
		var err error
		d.state, err = loadState(tx)
		return err
	})
	if err != nil || d.state.revision > 0 {
		return err
	}
	d.state.revision = 1
	return d.bolt.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketData, bucketLog, bucketMeta} {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		if err := tx.Bucket(bucketMeta).Put(keyFormat, []byte(strconv.Itoa(format))); err != nil {
			return err
		}
		return storeState(tx, d.state)
	})
}

func loadState(tx *bbolt.Tx) (state, error) {
	b := tx.Bucket(bucketMeta).Get(keyState)
	if len(b) != 24 {
		return state{}, errors.New("store is damaged: no counters")
	}
	return state{
		revision:  kv.Revision(binary.BigEndian.Uint64(b)),
		compacted: kv.Revision(binary.BigEndian.Uint64(b[8:])),
		logBytes:  int64(binary.BigEndian.Uint64(b[16:])),
	}, nil
}

func storeState(tx *bbolt.Tx, s state) error {
	b := make([]byte, 0, 24)
	b = binary.BigEndian.AppendUint64(b, uint64(s.revision))
	b = binary.BigEndian.AppendUint64(b, uint64(s.compacted))
	b = binary.BigEndian.AppendUint64(b, uint64(s.logBytes))
	return tx.Bucket(bucketMeta).Put(keyState, b)
}

// Close ends the watches and commits, and closes the file.
func (d *DB) Close() error {
	d.mu.Lock()
	if errors.Is(d.stop, kv.ErrClosed) {
		d.mu.Unlock()
		<-d.done
		return nil
	}
	d.stopLocked(fmt.Errorf("boltkv: %s: %w", d.path, kv.ErrClosed))
	d.mu.Unlock()
	close(d.quit)
	<-d.done
	d.reader.Wait()
	if err := d.bolt.Close(); err != nil {
		return fmt.Errorf("boltkv: close %s: %w", d.path, err)
	}
	return nil
}

// stopLocked makes everything fail with err from now on.
func (d *DB) stopLocked(err error) {
	d.stop = err
	close(d.changed)
	d.changed = make(chan struct{})
}

// stopped returns why nothing can be done any more, or nil.
func (d *DB) stopped() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stop
}

// view runs fn in a read transaction that Close waits for.
func (d *DB) view(fn func(*bbolt.Tx) error) error {
	d.mu.Lock()
	if d.stop != nil {
		defer d.mu.Unlock()
		return d.stop
	}
	d.reader.Add(1)
	d.mu.Unlock()
	defer d.reader.Done()
	return d.bolt.View(fn)
}

// WriteTo writes a copy of the store as it is now, itself a file that Open can open, while reading and writing go on.
func (d *DB) WriteTo(w io.Writer) (int64, error) {
	var n int64
	err := d.view(func(tx *bbolt.Tx) (err error) {
		n, err = tx.WriteTo(w)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("boltkv: copy %s: %w", d.path, err)
	}
	return n, nil
}

// mapSize returns how much address space to reserve for a file of the given size. While the file outgrows what is
// reserved, writing waits for the readers, and a copy is a long read.
func mapSize(size int64) int {
	if strconv.IntSize < 64 || runtime.GOOS == "windows" { // windows would make the file that large
		return 0
	}
	return int(max(1<<30, 2*size))
}

// syncDir makes the entry of a new file in dir durable.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" { // directories cannot be flushed there
		return nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
