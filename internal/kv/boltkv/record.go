// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"iter"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A value in the data bucket is the revision that put it, eight bytes, and the value.

func appendValue(b []byte, rev kv.Revision, value []byte) []byte {
	return append(binary.BigEndian.AppendUint64(b, uint64(rev)), value...)
}

// splitValue returns the parts of what is stored under a key. stored nil: 0, nil.
func splitValue(stored []byte) (kv.Revision, []byte) {
	if len(stored) < 8 {
		return 0, nil
	}
	return kv.Revision(binary.BigEndian.Uint64(stored)), stored[8:]
}

// A key in the log bucket is a revision, eight bytes; its value is what the revision changed, in key order:
//
//	key, flags, value unless deleted, and if the key existed before: the revision that had put it and its value
//
// where keys, values and revisions are uvarints and bytes with their length.

const (
	flagDeleted = 1 << iota
	flagExisted
)

func revisionKey(rev kv.Revision) []byte { return binary.BigEndian.AppendUint64(nil, uint64(rev)) }

func keyRevision(key []byte) kv.Revision { return kv.Revision(binary.BigEndian.Uint64(key)) }

// A change is what a revision did to one key. Its slices point into the record.
type change struct {
	key      []byte
	value    []byte
	deleted  bool
	modified kv.Revision // before the change; 0: the key did not exist
	previous []byte      // value before the change
}

func appendChange(b []byte, c change) []byte {
	flags := byte(0)
	if c.deleted {
		flags |= flagDeleted
	}
	if c.modified > 0 {
		flags |= flagExisted
	}
	b = append(appendBytes(b, c.key), flags)
	if !c.deleted {
		b = appendBytes(b, c.value)
	}
	if c.modified > 0 {
		b = binary.AppendUvarint(b, uint64(c.modified))
		b = appendBytes(b, c.previous)
	}
	return b
}

func appendBytes(b, s []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

var errRecord = errors.New("store is damaged: a log record cannot be read")

// changes yields the changes of a record, and errRecord last if it is not well formed.
func changes(record []byte) iter.Seq2[change, error] {
	return func(yield func(change, error) bool) {
		d := decoder{rest: record}
		for len(d.rest) > 0 && !d.bad {
			var c change
			c.key = d.bytes()
			flags := d.byte()
			if c.deleted = flags&flagDeleted != 0; !c.deleted {
				c.value = d.bytes()
			}
			if flags&flagExisted != 0 {
				c.modified = kv.Revision(d.uvarint())
				c.previous = d.bytes()
			}
			if !d.bad && !yield(c, nil) {
				return
			}
		}
		if d.bad {
			yield(change{}, errRecord)
		}
	}
}

// decoder reads a record; after the first error it is bad and every read returns zero.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
		return nil
	}
	b := d.rest[:n:n]
	d.rest = d.rest[n:]
	return b
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

// events returns what a record did in a range; the events do not share memory with it.
func events(record []byte, start, end string) ([]kv.Event, error) {
	var out []kv.Event
	for c, err := range changes(record) {
		if err != nil {
			return nil, err
		}
		if !within(c.key, start, end) {
			continue
		}
		e := kv.Event{Key: string(c.key), Deleted: c.deleted}
		if !c.deleted {
			e.Value = bytes.Clone(c.value)
		}
		out = append(out, e)
	}
	return out, nil
}

// within reports whether start <= key < end, where an empty end is no bound.
func within(key []byte, start, end string) bool {
	return string(key) >= start && (end == "" || string(key) < end)
}
