// SPDX-License-Identifier: Apache-2.0

package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
)

// A Syslog sends each record as a message of RFC 5424, of the facility "log audit",
// whose text is the record in JSON: over TLS (RFC 5425) and TCP (RFC 6587) with the
// length before each message, over UDP (RFC 5426) and to a local socket as a
// datagram.
//
// Syslog has no answers. What was written when a connection broke may be lost; a
// connection that the server has closed is noticed before it is written to.
type Syslog struct {
	network, address string
	host             string // of this machine
	pid              string
	tls              *tls.Config // nil: none

	conn net.Conn      // nil when there is none
	gone chan struct{} // closed when the server has closed conn
	buf  []byte
}

// Times and sizes of syslog.
const (
	dialWithin  = 10 * time.Second
	writeWithin = 30 * time.Second

	// maxDatagram is what a datagram can hold; a longer message is cut (RFC 5426,
	// section 3.2). maxLocal is what a local socket takes by default.
	maxDatagram = 65_000
	maxLocal    = 200_000
)

// syslogPorts are the schemes, with their ports (RFC 5425, RFC 6587, RFC 5426).
var syslogPorts = map[string]string{"tls": "6514", "tcp": "601", "udp": "514"}

// NewSyslog returns the syslog server at a URL: tls://HOST[:PORT], tcp://, udp://, or
// unix:///PATH for a local socket such as /dev/log. Certificates are verified
// against the system's.
func NewSyslog(rawURL string) (*Syslog, error) {
	const want = "the syslog server must be tls://HOST:PORT, tcp://HOST:PORT, udp://HOST:PORT or unix:///dev/log"
	u, err := url.Parse(rawURL)
	if err != nil || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New(want)
	}
	s := &Syslog{pid: strconv.Itoa(os.Getpid()), host: header(hostname(), 255)}
	port, ok := syslogPorts[u.Scheme]
	switch {
	case u.Scheme == "unix" && u.Host == "" && len(u.Path) > 1:
		s.network, s.address = "unixgram", u.Path
		return s, nil
	case !ok || u.Hostname() == "" || u.Path != "" && u.Path != "/":
		return nil, errors.New(want)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	s.network, s.address = "tcp", net.JoinHostPort(u.Hostname(), port)
	switch u.Scheme {
	case "udp":
		s.network = "udp"
	case "tls":
		s.tls = &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12}
	}
	return s, nil
}

// Plaintext reports whether records travel over a network for everybody to read.
func (s *Syslog) Plaintext() bool {
	host, _, _ := net.SplitHostPort(s.address)
	return s.network != "unixgram" && s.tls == nil && !loopback(host)
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}

// Send sends a message for each line.
func (s *Syslog) Send(ctx context.Context, lines [][]byte) error {
	if err := s.connect(ctx); err != nil {
		return fmt.Errorf("the syslog server: %w", err)
	}
	if err := s.send(lines); err != nil {
		return errors.Join(fmt.Errorf("the syslog server: %w", err), s.Close())
	}
	return nil
}

func (s *Syslog) send(lines [][]byte) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	s.buf = s.buf[:0]
	for _, line := range lines {
		start := len(s.buf)
		msg := s.message(line)
		if s.network == "tcp" {
			s.buf = append(strconv.AppendInt(s.buf, int64(len(msg)), 10), ' ')
			s.buf = append(s.buf, msg...)
			continue
		}
		limit := maxDatagram
		if s.network == "unixgram" {
			limit = maxLocal
		}
		if _, err := s.conn.Write(msg[:min(len(msg), limit)]); err != nil {
			return err
		}
		s.buf = s.buf[:start]
	}
	if len(s.buf) == 0 {
		return nil
	}
	_, err := s.conn.Write(s.buf)
	return err
}

// connect sees to it that there is a connection that the server has not closed.
func (s *Syslog) connect(ctx context.Context) error {
	if s.conn != nil && s.gone != nil {
		select {
		case <-s.gone:
			_ = s.Close()
		default:
		}
	}
	if s.conn != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, s.network, s.address)
	if err != nil {
		return err
	}
	if s.tls != nil {
		secure := tls.Client(conn, s.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			return errors.Join(err, conn.Close())
		}
		conn = secure
	}
	s.conn, s.gone = conn, nil
	if s.network == "tcp" {
		gone := make(chan struct{})
		s.gone = gone
		go func() { // ends with the connection
			_, _ = io.Copy(io.Discard, conn)
			close(gone)
		}()
	}
	return nil
}

// Close closes the connection, if there is one.
func (s *Syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	s.conn = nil
	return err
}

// Priorities (RFC 5424, section 6.2.1): facility 13, log audit, with the severities
// informational, notice and warning.
const (
	priInfo    = "<110>"
	priNotice  = "<109>"
	priWarning = "<108>"
)

// message is a record as a message of RFC 5424, without structured data.
func (s *Syslog) message(line []byte) []byte {
	var r audit.Record
	at, id, pri := "-", "-", priInfo
	if audit.Scan(string(line), &r) == nil {
		if !r.Time.IsZero() {
			at = r.Time.UTC().Format("2006-01-02T15:04:05Z")
		}
		id = header(r.EventName, 32)
		denied := r.Decision.Outcome == audit.ExplicitDeny || r.Decision.Outcome == audit.ImplicitDeny
		switch {
		case denied:
			pri = priWarning
		case r.ErrorCode != "":
			pri = priNotice
		}
	}
	head := pri + "1 " + at + " " + s.host + " innkeeper " + s.pid + " " + id + " - "
	return append([]byte(head), line...)
}

// header is a text as a field of the header: printable ASCII, "-" for nothing.
func header(text string, most int) string {
	text = strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' {
			return -1
		}
		return c
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), most)]
}
