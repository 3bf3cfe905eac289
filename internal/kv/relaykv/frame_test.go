// SPDX-License-Identifier: Apache-2.0

package relaykv

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// FuzzFrames: whatever comes is refused, or says the same when it is written
// again; and a frame takes no more memory than what came.
func FuzzFrames(f *testing.F) {
	var seed bytes.Buffer
	add := func(kind byte, payload []byte) {
		seed.Reset()
		if err := writeFrame(&seed, kind, payload); err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.Clone(seed.Bytes()))
	}
	add(kindEntries, appendEntry(appendEntry(nil, kv.Entry{Key: "a", Value: []byte("1"), Modified: 7}), kv.Entry{Key: "\xff"}))
	add(kindPage, appendPage(nil, 1<<40, true))
	add(kindBatch, appendBatch(nil, kv.Batch{Revision: 9, Events: []kv.Event{{Key: "a", Deleted: true}, {Key: "b", Value: []byte("2")}}}, time.Second))
	add(kindDone, binary.AppendUvarint(nil, 77))
	add(kindError, appendError(nil, kv.ErrConflict))
	add(kindRange, span{"a", "b", 3, 4}.append(nil))
	add(kindCommit, appendTxn(nil, kv.Txn{If: []kv.Compare{{Key: "a", Modified: 1}}, Then: []kv.Op{{Key: "a", Delete: true}, {Key: "b", Value: []byte("x")}}}))
	f.Add([]byte("e\xff\xff\xff\xff"))
	f.Add([]byte("e\x00\x1f\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		frames := newFrameReader(bytes.NewReader(data))
		for {
			kind, payload, err := frames.next()
			if err != nil {
				break
			}
			again(t, kind, payload)
		}
		if frames.payload.Cap() > 2*len(data)+4096 {
			t.Errorf("%d bytes of input took %d of memory", len(data), frames.payload.Cap())
		}
	})
}

// again reads a payload, writes what it said, and reads that.
func again(t *testing.T, kind byte, payload []byte) {
	var first, second any
	var err error
	switch kind {
	case kindEntries:
		var list, list2 []kv.Entry
		if list, err = parseEntries(nil, payload); err == nil {
			var b []byte
			for _, e := range list {
				b = appendEntry(b, e)
			}
			list2, err = parseEntries(nil, b)
			first, second = list, list2
		}
	case kindPage:
		rev, more, bad := parsePage(payload)
		if err = bad; err == nil {
			rev2, more2, bad := parsePage(appendPage(nil, rev, more))
			first, second, err = []any{rev, more}, []any{rev2, more2}, bad
		}
	case kindBatch:
		batch, age, bad := parseBatch(payload)
		if err = bad; err == nil {
			batch2, age2, bad := parseBatch(appendBatch(nil, batch, age))
			first, second, err = []any{batch, age}, []any{batch2, age2}, bad
		}
	case kindRange, kindWatch:
		s, bad := parseSpan(payload)
		if err = bad; err == nil {
			s2, bad := parseSpan(s.append(nil))
			first, second, err = s, s2, bad
		}
	case kindCommit:
		txn, bad := parseTxn(payload)
		if err = bad; err == nil {
			txn2, bad := parseTxn(appendTxn(nil, txn))
			first, second, err = txn, txn2, bad
		}
	case kindError:
		if err := parseError(payload); err == nil {
			t.Error("parseError() = nil")
		}
		return
	}
	if err != nil && first != nil {
		t.Errorf("kind %c: what was read cannot be read again: %v", kind, err)
	}
	if err == nil && !reflect.DeepEqual(first, second) {
		t.Errorf("kind %c: %+v read again = %+v", kind, first, second)
	}
}

func TestErrorsKeepTheirMeaning(t *testing.T) {
	for _, c := range codes {
		if got := parseError(appendError(nil, c.err)); !errors.Is(got, c.err) {
			t.Errorf("parseError(%s) = %v, want %v", c.code, got, c.err)
		}
	}
	if got := parseError(appendError(nil, errors.New(strings.Repeat("long", 1000)))); !errors.Is(got, errFailure) || len(got.Error()) > 2*maxMessage {
		t.Errorf("parseError(another) = %v, want errFailure", got)
	}
	if got := parseError([]byte{200}); !errors.Is(got, errFrame) {
		t.Errorf("parseError(nonsense) = %v, want errFrame", got)
	}
}

func TestFramesThatAreCutOff(t *testing.T) {
	var b bytes.Buffer
	if err := writeFrame(&b, kindPage, appendPage(nil, 5, false)); err != nil {
		t.Fatal(err)
	}
	for n := range b.Len() {
		_, _, err := newFrameReader(bytes.NewReader(b.Bytes()[:n])).next()
		if n == 0 && err != io.EOF || n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("next() of %d bytes = %v, want the end", n, err)
		}
	}
	if err := writeFrame(io.Discard, kindPage, make([]byte, maxFrame+1)); !errors.Is(err, kv.ErrTooLarge) {
		t.Errorf("writeFrame(too much) = %v, want ErrTooLarge", err)
	}
}
