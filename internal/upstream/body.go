// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// A stream is a request body on its way to the upstream. It gives out its last
// bytes only after src has said io.EOF, so that the upstream never has all that
// Content-Length, or the final chunk, promises of a body that is wrong.
type stream struct {
	ctx      context.Context
	src      io.Reader
	left     int64         // bytes still to come; negative when unknown
	patience time.Duration // with src, for one Read

	begun    atomic.Bool // something was read
	complete atomic.Bool // the whole body was right and was given out

	mu  sync.Mutex // guards err
	err error      // why the body is wrong; of src

	answered atomic.Bool   // no more is to be read from src
	done     chan struct{} // closed when the answer needs the connection no longer
	once     sync.Once     // closes done
}

func newStream(ctx context.Context, src io.Reader, length int64, patience time.Duration) *stream {
	return &stream{ctx: ctx, src: src, left: length, patience: patience, done: make(chan struct{})}
}

// errSlow says that the client was silent for as long as an upstream may be:
// by then the upstream's connection has given up, too.
var errSlow = errors.New("the client sent nothing for too long")

// errAnswered ends a body that the upstream has answered without reading it.
var errAnswered = errors.New("upstream: answered before the body was sent")

func (s *stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.pause(); err != nil {
		return 0, err
	}
	s.begun.Store(true)
	if s.left >= 0 {
		p = p[:min(int64(len(p)), s.left)]
	}
	start := time.Now()
	n, err := s.fill(p)
	if time.Since(start) >= s.patience {
		err = errSlow
	}
	if err != nil && err != io.EOF {
		return 0, s.fail(err)
	}
	if perr := s.pause(); perr != nil {
		return 0, perr
	}
	if err == io.EOF {
		s.complete.Store(true)
	}
	return n, err
}

// fill reads into p, and on to the end of src when p takes the last bytes.
// io.EOF means that the body was right.
func (s *stream) fill(p []byte) (n int, err error) {
	if s.left != 0 {
		if n, err = s.src.Read(p); s.left < 0 {
			return n, err
		}
		s.left -= int64(n)
		if s.left > 0 {
			return n, short(err)
		}
	}
	if err == nil {
		err = end(s.src)
	}
	return n, err
}

// end reads src to its io.EOF, which must come next.
func end(src io.Reader) error {
	var more [1]byte
	for range 100 {
		switch n, err := src.Read(more[:]); {
		case n > 0:
			return fmt.Errorf("%w: longer", sigv4.ErrBodyLength)
		case err != nil:
			return err
		}
	}
	return io.ErrNoProgress
}

// short is err, for a body that ended before its length was reached.
func short(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: %w", sigv4.ErrBodyLength, io.ErrUnexpectedEOF)
	}
	return err
}

// pause holds the transport back while an answer is read that came before the
// body was sent. An error at once would take the connection from under the
// answer.
func (s *stream) pause() error {
	if !s.answered.Load() {
		return nil
	}
	select {
	case <-s.done:
	case <-s.ctx.Done():
	}
	return errAnswered
}

// stop says that an answer came: nothing more is read from the client.
func (s *stream) stop() { s.answered.Store(true) }

// release says that the answer has been read, or given up.
func (s *stream) release() { s.once.Do(func() { close(s.done) }) }

func (s *stream) fail(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	return err
}

// failed returns why the body is wrong, nil while it is not.
func (s *stream) failed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Close does nothing: the transport closes what it may yet send again.
func (s *stream) Close() error { return nil }

// again returns s for another connection, as long as nothing was read from it.
func (s *stream) again() (io.ReadCloser, error) {
	if s.begun.Load() {
		return nil, errors.New("upstream: the body cannot be sent twice")
	}
	return s, nil
}

// readSmall returns the whole of a body of the given length.
func readSmall(src io.Reader, length int64) ([]byte, error) {
	b := make([]byte, length)
	if _, err := io.ReadFull(src, b); err != nil {
		return nil, short(err)
	}
	if err := end(src); err != io.EOF {
		return nil, err
	}
	return b, nil
}
