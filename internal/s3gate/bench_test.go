// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/s3gate"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// BenchmarkGet is a GET of 1 KiB, without what the client does: through a proxy that checks
// nothing, and through a gate.
func BenchmarkGet(b *testing.B) {
	body := bytes.Repeat([]byte{'x'}, 1<<10)
	behind := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Etag", `"abc"`)
		w.Write(body)
	}))
	defer behind.Close()
	base, err := url.Parse(behind.URL)
	must(b, err)
	w := start(b, func(o *s3gate.Options) {
		o.Upstream, err = upstream.New(upstream.Options{URL: base, Now: o.Now,
			Credentials: upstream.Static(upstream.Credentials{AccessKeyID: "GATEWAY", SecretAccessKey: "gateway secret"})})
		must(b, err)
	})
	must(b, w.Buckets().Create(b.Context(), "111122223333", "bench", "us-east-1"))
	ann := w.User("ann", allow("s3:GetObject", "arn:aws:s3:::bench/*"))
	r := w.request("GET", "/bench/some/key", "")
	must(b, w.signer(ann).Sign(r, sigv4.EmptyPayload))
	in := httptest.NewRequest("GET", "/bench/some/key", nil)
	in.Host, in.Header, in.Body = r.URL.Host, r.Header, http.NoBody

	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(base) },
		Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	for _, x := range []struct {
		through string
		h       http.Handler
	}{{"proxy", proxy}, {"gate", w.gate}} {
		b.Run("through="+x.through, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				rec := httptest.NewRecorder()
				x.h.ServeHTTP(rec, in)
				if rec.Code != 200 || rec.Body.Len() != len(body) {
					b.Fatalf("GET = %d %s", rec.Code, rec.Body)
				}
			}
		})
	}
}
