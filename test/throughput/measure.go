// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
	"github.com/innkeeper-iam/innkeeper/test/server"
)

// A result is what one round of small requests measured.
type result struct {
	rate     float64 // requests a second
	p50, p99 float64 // µs
	cpu      float64 // µs of processor time a request, of the party
}

// request returns the bytes of a signed request for an object, "" for the bucket.
func request(p party, method, key string, body []byte) []byte {
	length := int64(len(body))
	if method == "GET" {
		length = -1
	}
	return append(head(signed(p, method, key), length), body...)
}

// signed returns a request whose body is not covered, nor there.
func signed(p party, method, key string) *http.Request {
	path := "/" + bucket
	if key != "" {
		path += "/" + key
	}
	r, err := http.NewRequest(method, "http://"+p.host+path, nil)
	if err != nil {
		panic(err) // a URL of ours
	}
	signer := sigv4.Signer{AccessKeyID: p.key.ID, SecretAccessKey: p.key.Secret, Region: server.Region, Service: "s3"}
	if err := signer.Sign(r, sigv4.UnsignedPayload); err != nil {
		panic(err) // of a request of ours
	}
	return r
}

// head returns what goes before the body of a request.
func head(r *http.Request, length int64) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", r.Method, r.URL.RequestURI(), r.Host)
	for name, values := range r.Header {
		fmt.Fprintf(&b, "%s: %s\r\n", name, values[0])
	}
	if length >= 0 {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", length)
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// once sends one request and wants success.
func once(p party, request []byte) error {
	var next atomic.Int64
	return work(p, request, make([]time.Duration, 1), &next)
}

// measure sends the same request n times over some connections. Any answer but
// success is an error.
func measure(p party, request []byte, n, connections int) (result, error) {
	before, err := server.CPU(p.pid)
	if err != nil {
		return result{}, err
	}
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		times = make([]time.Duration, n)
		errs  = make([]error, connections)
		begin = time.Now()
	)
	for w := range connections {
		wg.Go(func() { errs[w] = work(p, request, times, &next) })
	}
	wg.Wait()
	took := time.Since(begin)
	after, err := server.CPU(p.pid)
	if err := errors.Join(append(errs, err)...); err != nil {
		return result{}, err
	}
	slices.Sort(times)
	us := func(at int) float64 { return float64(times[at].Nanoseconds()) / 1000 }
	return result{
		rate: float64(n) / took.Seconds(), p50: us(n / 2), p99: us(n * 99 / 100),
		cpu: float64((after - before).Microseconds()) / float64(n),
	}, nil
}

// work sends the request until there were enough, over one connection.
func work(p party, request []byte, times []time.Duration, next *atomic.Int64) error {
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	for {
		i := int(next.Add(1)) - 1
		if i >= len(times) {
			return nil
		}
		begin := time.Now()
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := answer(in); err != nil {
			return err
		}
		times[i] = time.Since(begin)
	}
}

// answer reads one answer, which must be a success.
func answer(in *bufio.Reader) error {
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		return fmt.Errorf("%s: %.500s", resp.Status, text)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// download reads the large object and returns MiB a second.
func download(p party, size int64) (float64, error) {
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	begin := time.Now()
	if _, err := conn.Write(head(signed(p, "GET", "large"), -1)); err != nil {
		return 0, err
	}
	in := bufio.NewReaderSize(conn, 256<<10)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{resp.Body}, make([]byte, 256<<10))
	if err == nil && (resp.StatusCode != http.StatusOK || n != size) {
		err = fmt.Errorf("%s, %d bytes of %d", resp.Status, n, size)
	}
	return float64(size) / (1 << 20) / time.Since(begin).Seconds(), err
}

// upload stores an object of zeros and returns MiB a second.
func upload(p party, key string, size int64) (float64, error) {
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	begin := time.Now()
	if _, err := conn.Write(head(signed(p, "PUT", key), size)); err != nil {
		return 0, err
	}
	for left := size; left > 0; {
		n, err := conn.Write(zeros[:min(left, int64(len(zeros)))])
		if err != nil {
			return 0, err
		}
		left -= int64(n)
	}
	err = answer(bufio.NewReader(conn))
	return float64(size) / (1 << 20) / time.Since(begin).Seconds(), err
}
