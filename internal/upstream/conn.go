// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// A dialer makes connections.
type dialer struct {
	net.Dialer               // its Timeout is that of a handshake, too
	silence    time.Duration // how long the upstream may be silent
	tls        *tls.Config
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: raw, raw: raw, silence: d.silence}, nil
}

func (d *dialer) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(addr)
	config := d.tls.Clone()
	config.ServerName = cmp.Or(config.ServerName, host)
	secure := tls.Client(raw, config)
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, &handshakeError{err}
	}
	return &conn{Conn: secure, raw: raw, silence: d.silence}, nil
}

// A handshakeError says that TLS could not be agreed on.
type handshakeError struct{ error }

func (e *handshakeError) Unwrap() error { return e.error }

// A conn gives each read and write its own deadline. A write moves the one of
// a read that waits, too: an upstream owes no answer while it is being sent
// to.
//
// Closed in the middle of an upload, it is reset. An orderly end would be taken
// for the end of the body by servers that do not count what they read: versitygw
// 1.8.0 makes an object of what came until then.
type conn struct {
	net.Conn          // what is read and written: raw, or TLS over it
	raw      net.Conn // TCP
	silence  time.Duration

	upload atomic.Pointer[outgoing] // of which not all was sent and answered
}

func (c *conn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// answerWait is how long a write that failed is kept from the transport, which
// else would not look for the answer of an upstream that refused the request
// and closed the connection on the rest of it.
const answerWait = 50 * time.Millisecond

func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	n, err := c.Conn.Write(p)
	if errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) {
		time.Sleep(answerWait)
	}
	return n, err
}

// ReadFrom is what the transport sends large bodies with. It needs fewer calls
// of the system than io.Copy.
func (c *conn) ReadFrom(r io.Reader) (n int64, err error) {
	buf := large.Get().(*[largeSize]byte)
	defer large.Put(buf)
	for {
		m, err := r.Read(buf[:])
		if m > 0 {
			w, err := c.Write(buf[:m])
			n += int64(w)
			if err != nil {
				return n, err
			}
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

func (c *conn) Close() error {
	if c.upload.Load() == nil {
		return c.Conn.Close()
	}
	if tcp, ok := c.raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	return c.raw.Close() // without a word of TLS, which would be orderly
}
