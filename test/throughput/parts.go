// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
)

// serveProxy is the plain proxy: it passes on everything as it comes, signature
// and host included.
func serveProxy(at, to string) error {
	target := &url.URL{Scheme: "http", Host: to}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 512
	return http.ListenAndServe(at, &httputil.ReverseProxy{
		Transport: transport,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
	})
}

// serveMemory is a store that takes everything and has every object: of 1 KiB, or
// as large as its key says.
func serveMemory(at string) error {
	var sizes sync.Map // int64 by path
	sizes.Store("/"+bucket+"/small", int64(small))
	return http.ListenAndServe(at, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.Method {
		case http.MethodPut:
			n, err := io.Copy(io.Discard, r.Body)
			if err != nil {
				return
			}
			sizes.Store(r.URL.Path, n)
			w.Header().Set("ETag", `"0"`)
		case http.MethodHead, http.MethodGet:
			v, known := sizes.Load(r.URL.Path)
			if !known {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			size, _ := v.(int64)
			w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
			w.Header().Set("ETag", `"0"`)
			w.Header().Set("Content-Type", "application/octet-stream")
			for left := size; left > 0; {
				n, err := w.Write(zeros[:min(left, int64(len(zeros)))])
				if err != nil {
					return
				}
				left -= int64(n)
			}
		}
	}))
}

var zeros = make([]byte, 256<<10)

// memoryOf reads the memory of a process: now, and the most it ever held.
func memoryOf(pid int) func() (now, peak int64, err error) {
	return func() (now, peak int64, err error) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, 0, err
		}
		for line := range strings.Lines(string(text)) {
			name, rest, _ := strings.Cut(line, ":")
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			switch {
			case err != nil:
			case name == "VmRSS":
				now = kb << 10
			case name == "VmHWM":
				peak = kb << 10
			}
		}
		return now, peak, nil
	}
}
