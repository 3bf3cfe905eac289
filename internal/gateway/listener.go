// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// Listen returns l with connections that end when nothing moves on them for the
// time stall, in the direction in which something should: objects of any size may
// take their time, but not a client that has stopped reading or sending. It does
// not bear on connections that wait for the next request; those are the server's.
func Listen(l net.Listener, stall time.Duration) net.Listener { return &listener{l, stall} }

type listener struct {
	net.Listener
	stall time.Duration
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, stall: l.stall}, nil
}

// A conn moves its deadline with what is written. That for reading is the
// server's before a request, and [Body]'s within one.
type conn struct {
	net.Conn
	stall time.Duration
	until time.Time // the deadline for writing that is set
}

// Write is called by one goroutine at a time, as net/http does.
func (c *conn) Write(p []byte) (int, error) {
	if now := time.Now(); c.until.Sub(now) < c.stall/2 {
		c.until = now.Add(c.stall)
		if err := c.SetWriteDeadline(c.until); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// A body moves the deadline for reading with what is read. It ends with the body:
// what the server reads of the connection afterwards, to see whether the client is
// still there, may take any time.
type body struct {
	io.ReadCloser
	conn  *http.ResponseController
	stall time.Duration
	until time.Time
}

func (b *body) Read(p []byte) (int, error) {
	if now := time.Now(); b.until.Sub(now) < b.stall/2 {
		b.until = now.Add(b.stall)
		if err := b.conn.SetReadDeadline(b.until); err != nil {
			return 0, err
		}
	}
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

func (b *body) Close() error {
	b.end()
	return b.ReadCloser.Close()
}

func (b *body) end() {
	b.until = time.Time{}
	_ = b.conn.SetReadDeadline(time.Time{}) // of a connection that is gone already
}

// Bodies returns h with bodies that end with an error when nothing comes for the
// time stall.
//
// Who waits to be asked for an empty body is asked, too, which net/http does not do:
// botocore, the library of boto3 and the AWS CLI, takes an answer that comes instead for one to
// its next request on the connection.
func Bodies(h http.Handler, stall time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.ContentLength != 0 && r.Body != nil:
			r.Body = &body{ReadCloser: r.Body, conn: http.NewResponseController(w), stall: stall}
		case r.ProtoMajor == 1 && r.ProtoAtLeast(1, 1) && strings.EqualFold(r.Header.Get("Expect"), "100-continue"):
			w.WriteHeader(http.StatusContinue)
		}
		h.ServeHTTP(w, r)
	})
}
