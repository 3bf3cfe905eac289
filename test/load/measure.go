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
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
	"github.com/innkeeper-iam/innkeeper/test/server"
)

// A target is a process that takes requests.
type target struct {
	url string
	key server.Key
	cpu func() (time.Duration, error) // processor time it has used
}

// A result is what one round measured.
type result struct {
	rate     float64 // requests a second
	p50, p99 float64 // ms
	cpu      float64 // µs of processor time a request, of the target
}

func iam(action string, pairs ...string) string { return form("2010-05-08", action, pairs) }
func sts(action string, pairs ...string) string { return form("2011-06-15", action, pairs) }

func form(version, action string, pairs []string) string {
	v := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v.Encode()
}

// sign returns the bytes of n requests.
func sign(to target, op operation, n int) ([][]byte, error) {
	signer := sigv4.Signer{
		AccessKeyID: to.key.ID, SecretAccessKey: to.key.Secret, Region: server.Region, Service: op.service, Keys: new(sigv4.KeyCache),
	}
	all := make([][]byte, n)
	for i := range all {
		body := op.form(i)
		r, err := http.NewRequest(http.MethodPost, to.url, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
		if err := signer.Sign(r, sigv4.HashPayload([]byte(body))); err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := r.Write(&b); err != nil {
			return nil, err
		}
		all[i] = b.Bytes()
	}
	return all, nil
}

// measure sends n requests, signed before the clock starts, over some
// connections. Any answer but success is an error.
func measure(to target, op operation, n, connections int) (result, error) {
	requests, err := sign(to, op, n)
	if err != nil {
		return result{}, err
	}
	before, err := to.cpu()
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
		wg.Go(func() { errs[w] = work(to, requests, times, &next) })
	}
	wg.Wait()
	took := time.Since(begin)
	after, err := to.cpu()
	if err := errors.Join(append(errs, err)...); err != nil {
		return result{}, err
	}
	slices.Sort(times)
	ms := func(at int) float64 { return float64(times[at].Microseconds()) / 1000 }
	return result{
		rate: float64(n) / took.Seconds(), p50: ms(n / 2), p99: ms(n * 99 / 100),
		cpu: float64((after - before).Microseconds()) / float64(n),
	}, nil
}

// work sends the next request until none is left, over one connection.
func work(to target, requests [][]byte, times []time.Duration, next *atomic.Int64) error {
	conn, err := net.Dial("tcp", strings.TrimPrefix(to.url, "http://"))
	if err != nil {
		return err
	}
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 64<<10)
	for {
		i := int(next.Add(1)) - 1
		if i >= len(requests) {
			return nil
		}
		begin := time.Now()
		if _, err := conn.Write(requests[i]); err != nil {
			return err
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return err
		}
		if resp.StatusCode != http.StatusOK {
			text, _ := io.ReadAll(resp.Body)
			return fmt.Errorf("%s: %.500s", resp.Status, text)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			return err
		}
		times[i] = time.Since(begin)
	}
}
