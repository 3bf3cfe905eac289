// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

const testID, testSecret = "UPSTREAMKEY", "upstream secret"

// newStore starts an S3 server with a bucket "b".
func newStore(t testing.TB) (*Upstream, *s3mem.Backend) {
	mem := s3mem.New()
	if err := mem.CreateBucket("b"); err != nil {
		t.Fatal(err)
	}
	return serve(t, gofakes3.New(mem).Server(), Options{}), mem
}

// serve starts h and returns the upstream that it is.
func serve(t testing.TB, h http.Handler, o Options) *Upstream {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return reach(t, srv.URL, o)
}

func reach(t testing.TB, address string, o Options) *Upstream {
	t.Helper()
	var err error
	if o.URL, err = url.Parse(address); err != nil {
		t.Fatal(err)
	}
	if o.Credentials == nil {
		o.Credentials = Static(Credentials{AccessKeyID: testID, SecretAccessKey: testSecret})
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	u, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(u.Close)
	return u
}
