// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"io"
	"net"
	"time"
)

// A dialer makes connections that fail when the upstream is silent for too
// long.
type dialer struct {
	net.Dialer
	silence time.Duration
}

func (d *dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, silence: d.silence}, nil
}

// A conn gives each read and write its own deadline. A write moves the one of
// a read that waits, too: an upstream owes no answer while it is being sent
// to.
type conn struct {
	net.Conn
	silence time.Duration
}

func (c *conn) Read(p []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *conn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
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
