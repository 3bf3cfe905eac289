// SPDX-License-Identifier: Apache-2.0

package relaykv

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A request is one frame, an answer one or more. A frame is its kind, the length
// of its payload in four bytes, big-endian, and the payload: numbers as unsigned
// varints, strings and values preceded by their length.
const (
	kindEntries = 'e' // entries: key, modified, value
	kindPage    = 'p' // end of a range: revision, 1 if there is more
	kindBatch   = 'b' // revision, milliseconds since the watch began, events
	kindDone    = 'd' // a commit: revision
	kindError   = 'x' // code, message; the last frame of its answer

	kindRange  = 'R' // start, end, revision, limit
	kindWatch  = 'W' // start, end, after
	kindCommit = 'C' // number of comparisons: key, modified; then operations: 1 for a deletion, key, value
)

const (
	frameHead  = 5
	maxFrame   = 2 << 20   // bytes of a payload: a transaction of the largest size fits
	frameSize  = 256 << 10 // entries are sent in frames of about this
	maxMessage = 1 << 10   // bytes of an error's message
)

var errFrame = errors.New("malformed frame")

// writeFrame writes one frame.
func writeFrame(w io.Writer, kind byte, payload []byte) error {
	if len(payload) > maxFrame {
		return fmt.Errorf("frame of %d bytes, at most %d: %w", len(payload), maxFrame, kv.ErrTooLarge)
	}
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(payload)
	return err
}

// A frameReader reads frames.
type frameReader struct {
	r       *bufio.Reader
	payload bytes.Buffer
}

func newFrameReader(r io.Reader) *frameReader { return &frameReader{r: bufio.NewReaderSize(r, 32<<10)} }

// next returns the next frame. Its payload is good until the one after that. The
// error is io.EOF at the end, wraps errFrame for what is no frame, and else is
// the reader's.
func (f *frameReader) next() (kind byte, payload []byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(f.r, head[:]); err != nil {
		return 0, nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if size > maxFrame {
		return 0, nil, fmt.Errorf("%w: %d bytes", errFrame, size)
	}
	f.payload.Reset() // grows with what comes, not with what is said to come
	if _, err := io.CopyN(&f.payload, f.r, size); err != nil {
		return 0, nil, errors.Join(io.ErrUnexpectedEOF, err)
	}
	return head[0], f.payload.Bytes(), nil
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendEntry(b []byte, e kv.Entry) []byte {
	b = binary.AppendUvarint(appendText(b, e.Key), uint64(e.Modified))
	return appendText(b, e.Value)
}

func appendPage(b []byte, rev kv.Revision, more bool) []byte {
	return append(binary.AppendUvarint(b, uint64(rev)), flag(more))
}

func appendBatch(b []byte, batch kv.Batch, age time.Duration) []byte {
	b = binary.AppendUvarint(b, uint64(batch.Revision))
	b = binary.AppendUvarint(b, uint64(age.Milliseconds()))
	for _, e := range batch.Events {
		b = appendChange(b, e.Deleted, e.Key, e.Value)
	}
	return b
}

func appendChange(b []byte, deleted bool, key string, value []byte) []byte {
	return appendText(appendText(append(b, flag(deleted)), key), value)
}

func appendTxn(b []byte, t kv.Txn) []byte {
	b = binary.AppendUvarint(b, uint64(len(t.If)))
	for _, c := range t.If {
		b = binary.AppendUvarint(appendText(b, c.Key), uint64(c.Modified))
	}
	for _, op := range t.Then {
		b = appendChange(b, op.Delete, op.Key, op.Value)
	}
	return b
}

// A span is a request for a Range or a Watch.
type span struct {
	start, end string
	rev        kv.Revision // of a Watch: after
	limit      int         // of a Range
}

func (s span) append(b []byte) []byte {
	b = appendText(appendText(b, s.start), s.end)
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(s.rev)), uint64(s.limit))
}

func flag(set bool) byte {
	if set {
		return 1
	}
	return 0
}

// A parser reads a payload. After a failure it is bad for good and gives zero
// values. What it returns shares nothing with the payload.
type parser struct {
	rest []byte
	bad  bool
}

func (p *parser) fail() { p.bad, p.rest = true, nil }

func (p *parser) more() bool { return len(p.rest) > 0 }

func (p *parser) number() uint64 {
	v, n := binary.Uvarint(p.rest)
	if n <= 0 || v > 1<<62 {
		p.fail()
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

func (p *parser) revision() kv.Revision { return kv.Revision(p.number()) }

func (p *parser) flag() bool {
	if len(p.rest) == 0 || p.rest[0] > 1 {
		p.fail()
		return false
	}
	set := p.rest[0] == 1
	p.rest = p.rest[1:]
	return set
}

func (p *parser) raw() []byte {
	n := p.number()
	if n > uint64(len(p.rest)) {
		p.fail()
		return nil
	}
	raw := p.rest[:n]
	p.rest = p.rest[n:]
	return raw
}

func (p *parser) text() string  { return string(p.raw()) }
func (p *parser) bytes() []byte { return bytes.Clone(p.raw()) }

// end returns an error that wraps errFrame unless everything was read and right.
func (p *parser) end() error {
	if p.bad || len(p.rest) > 0 {
		return errFrame
	}
	return nil
}

// parseEntries appends the entries of a payload to list.
func parseEntries(list []kv.Entry, payload []byte) ([]kv.Entry, error) {
	p := parser{rest: payload}
	for p.more() {
		list = append(list, kv.Entry{Key: p.text(), Modified: p.revision(), Value: p.bytes()})
	}
	return list, p.end()
}

func parsePage(payload []byte) (rev kv.Revision, more bool, err error) {
	p := parser{rest: payload}
	rev, more = p.revision(), p.flag()
	return rev, more, p.end()
}

func parseBatch(payload []byte) (batch kv.Batch, age time.Duration, err error) {
	p := parser{rest: payload}
	batch.Revision = p.revision()
	age = time.Duration(min(p.number(), 1<<40)) * time.Millisecond
	for p.more() {
		batch.Events = append(batch.Events, kv.Event{Deleted: p.flag(), Key: p.text(), Value: p.bytes()})
	}
	return batch, age, p.end()
}

func parseDone(payload []byte) (kv.Revision, error) {
	p := parser{rest: payload}
	rev := p.revision()
	return rev, p.end()
}

func parseSpan(payload []byte) (span, error) {
	p := parser{rest: payload}
	s := span{start: p.text(), end: p.text(), rev: p.revision(), limit: int(min(p.number(), 1<<30))}
	return s, p.end()
}

// parseTxn reads a transaction, which [kv.Check] has yet to see.
func parseTxn(payload []byte) (kv.Txn, error) {
	p := parser{rest: payload}
	var t kv.Txn
	for range min(p.number(), kv.MaxOps+1) {
		t.If = append(t.If, kv.Compare{Key: p.text(), Modified: p.revision()})
	}
	for p.more() {
		t.Then = append(t.Then, kv.Op{Delete: p.flag(), Key: p.text(), Value: p.bytes()})
	}
	return t, p.end()
}

// codes are the errors that have a meaning on both sides, by their names on the
// way. Any other is a failure of the server.
var codes = []struct {
	code string
	err  error
}{
	{"conflict", kv.ErrConflict},
	{"compacted", kv.ErrCompacted},
	{"future", kv.ErrFuture},
	{"too-large", kv.ErrTooLarge},
	{"invalid", kv.ErrInvalid},
	{"unknown", kv.ErrUnknown},
	{"refused", ErrRefused},
}

func appendError(b []byte, err error) []byte {
	code := "failure"
	for _, c := range codes {
		if errors.Is(err, c.err) {
			code = c.code
			break
		}
	}
	message := err.Error()
	return appendText(appendText(b, code), message[:min(len(message), maxMessage)])
}

// errFailure is a failure of the server that it told of.
var errFailure = errors.New("the server failed")

// parseError returns the error that a payload tells of.
func parseError(payload []byte) error {
	p := parser{rest: payload}
	code, message := p.text(), p.text()
	if err := p.end(); err != nil {
		return err
	}
	for _, c := range codes {
		if c.code == code {
			return fmt.Errorf("the server says %q: %w", message, c.err)
		}
	}
	return fmt.Errorf("%w: %q", errFailure, message)
}
