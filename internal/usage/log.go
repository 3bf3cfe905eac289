// SPDX-License-Identifier: Apache-2.0

package usage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A mark says that the uses in the log from before a time are in the store, from
// a revision on. A store that is not there yet was put back from a copy.
type mark struct {
	Before   time.Time   `json:"before"`
	Revision kv.Revision `json:"revision"`
}

// Start begins to read what the store lacks from the audit log, and to write
// what is noted to the store. Close ends it.
func (x *Index) Start() {
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	x.done.Go(func() { x.read(ctx) })
	x.done.Go(func() {
		tick := time.NewTicker(x.o.FlushEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				x.save(ctx, false)
			}
		}
	})
}

// Wait waits until the uses from before the start are known again.
func (x *Index) Wait(ctx context.Context) error {
	select {
	case <-x.ready:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close writes what is not in the store yet. The store must still be open, and
// no record may be noted any more. Closing an Index that was not started does
// nothing.
func (x *Index) Close() error {
	if x.stop == nil {
		return nil
	}
	x.stop()
	x.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return x.save(ctx, true)
}

// read notes the records that the store may lack.
func (x *Index) read(ctx context.Context) {
	from := x.o.Now().Add(-Period)
	if m := x.mark(); m.Before.After(from) {
		from = m.Before
	}
	for r, err := range audit.Since(x.o.Audit, from) {
		if ctx.Err() != nil {
			return // not ready: the mark stays where it is
		}
		if _, line := errors.AsType[*audit.LineError](err); line {
			continue
		}
		if err != nil {
			x.o.Log.Warn("usage: the audit log cannot be read; uses from before the start may be missing", "error", err)
			break
		}
		x.Note(&r)
	}
	close(x.ready)
}

// mark returns the mark in the file, the zero mark for one that does not hold.
func (x *Index) mark() mark {
	var m mark
	text, err := os.ReadFile(x.o.File)
	if err != nil || json.Unmarshal(text, &m) != nil || m.Revision > x.o.Store.Revision() {
		return mark{}
	}
	return m
}

// save flushes, and then moves the mark, except while the log is still being read.
func (x *Index) save(ctx context.Context, all bool) error {
	m := mark{Before: x.o.Now().UTC()}
	if !all {
		m.Before = m.Before.Add(-grain)
	}
	err := x.flush(ctx, all)
	select {
	case <-x.ready:
		if err == nil {
			m.Revision = x.o.Store.Revision()
			err = writeMark(x.o.File, m)
		}
	default:
	}
	if err != nil && ctx.Err() == nil {
		x.o.Log.Warn("usage: last uses are not written yet", "error", err)
	}
	return err
}

// writeMark replaces the file. It does not wait for the disk: an older mark
// means that more is read.
func writeMark(file string, m mark) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".mark-*")
	if err != nil {
		return fmt.Errorf("usage: %w", err)
	}
	_, err = tmp.Write(append(text, '\n'))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("usage: %w", err), os.Remove(tmp.Name()))
	}
	return nil
}
