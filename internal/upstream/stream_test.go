// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

var room [256 << 10]byte

// sink is a store that keeps nothing: PUT is read, GET gives as many bytes as
// the path says.
func sink(t testing.TB) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			io.Copy(io.Discard, r.Body)
			return
		}
		n, err := strconv.ParseInt(r.URL.Path[1:], 10, 64)
		if err != nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Length", r.URL.Path[1:])
		w.Header().Set("Content-Type", "application/octet-stream")
		for ; n > 0; n -= int64(min(n, int64(len(room)))) {
			w.Write(room[:min(n, int64(len(room)))])
		}
	}))
	t.Cleanup(srv.Close)
	return srv
}

// A large body takes no more memory than a small one, either way.
func TestMemoryStaysFlat(t *testing.T) {
	const size, limit = 64 << 20, 16 << 20 // half of the limit is what the collector lets lie
	u := reach(t, sink(t).URL, Options{})
	var peak atomic.Uint64
	stop := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak.Store(max(peak.Load(), m.HeapAlloc))
		}
	}()
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 2 {
		if _, _, err := send(t, u, &Request{Method: "PUT", Path: "/x", Header: http.Header{}, Body: io.LimitReader(zeros{}, size), Length: size}); err != nil {
			t.Fatal(err)
		}
		resp, err := u.Send(t.Context(), &Request{Method: "GET", Path: "/" + strconv.Itoa(size)})
		if err != nil {
			t.Fatal(err)
		}
		w := &nowhere{header: http.Header{}}
		if n, err := Relay(w, resp); err != nil || n != size {
			t.Errorf("Relay = %d, %v, want %d", n, err, size)
		}
	}
	close(stop)
	<-watched
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 2*limit {
		t.Errorf("%d bytes were allocated for %d, want at most %d", got, 4*size, 2*limit)
	}
	if peak.Load() > before.HeapAlloc+limit {
		t.Errorf("the heap grew from %d to %d bytes, want at most %d more", before.HeapAlloc, peak.Load(), limit)
	}
}

// nowhere is a client that takes everything.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header         { return n.header }
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(int)             {}

// BenchmarkGet and BenchmarkPut compare a gateway that checks nothing with
// httputil.ReverseProxy, which signs nothing either, in front of the same
// store, and with the store alone. Compare their times only within one run.
func BenchmarkGet(b *testing.B) {
	for _, size := range []int64{1 << 10, 64 << 10, 1 << 30} {
		versus(b, size, func(c *http.Client, at string) error {
			resp, err := c.Get(at + "/" + strconv.FormatInt(size, 10))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			n, err := io.Copy(io.Discard, resp.Body)
			if err == nil && n != size {
				err = fmt.Errorf("%d bytes, want %d", n, size)
			}
			return err
		})
	}
}

func BenchmarkPut(b *testing.B) {
	for _, size := range []int64{1 << 10, 64 << 10, 1 << 30} {
		versus(b, size, func(c *http.Client, at string) error {
			r, err := http.NewRequest("PUT", at+"/x", io.LimitReader(zeros{}, size))
			if err != nil {
				return err
			}
			r.ContentLength = size
			resp, err := c.Do(r)
			if err == nil {
				resp.Body.Close()
			}
			if err == nil && resp.StatusCode != http.StatusOK {
				err = fmt.Errorf("status %d", resp.StatusCode)
			}
			return err
		})
	}
}

// versus runs do against the store, the two proxies and nothing else.
func versus(b *testing.B, size int64, do func(c *http.Client, at string) error) {
	store := sink(b)
	u := reach(b, store.URL, Options{})
	target, err := url.Parse(store.URL)
	if err != nil {
		b.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: &http.Transport{MaxIdleConnsPerHost: idleConns, DisableCompression: true},
	}
	plain := httptest.NewServer(proxy)
	b.Cleanup(plain.Close)
	for _, side := range []struct{ name, at string }{{"store", store.URL}, {"reverseproxy", plain.URL}, {"upstream", gateway(b, u, nil).URL}} {
		b.Run(fmt.Sprintf("size=%d/by=%s", size, side.name), func(b *testing.B) {
			c := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10}}
			defer c.CloseIdleConnections()
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				if err := do(c, side.at); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
