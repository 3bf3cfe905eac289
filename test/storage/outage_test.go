// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/innkeeper-iam/innkeeper/test/server"
	"github.com/innkeeper-iam/innkeeper/test/versity"
)

// A patient lets something happen after the first answer that asks to come again.
type patient struct {
	http.RoundTripper
	after func()
}

func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := p.RoundTripper.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusServiceUnavailable {
		p.after()
	}
	return resp, err
}

// TestOutage: the store behind a gateway is not there yet, goes away in the middle of an
// object, and comes back. Clients get errors that they understand, the audit log knows
// why, and nothing is left of what was not finished.
func TestOutage(t *testing.T) {
	dir, address := t.TempDir(), server.FreeAddress(t)
	start := func() *versity.Store {
		t.Helper()
		store := must(versity.Run(dir, address))(t)
		t.Cleanup(store.Kill)
		return store
	}
	store := start()
	store.Kill()
	s := guard(t, store, server.Options{})
	admin, bucket := s.s3(s.Admin), aws.String("lasting")
	create := func() error {
		_, err := admin.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: bucket})
		return err
	}
	refused(t, "before there is a store", "ServiceUnavailable", create())
	if r := s.latest(t, "--event", "CreateBucket"); r.ErrorCode != "ServiceUnavailable" || !strings.Contains(r.AdditionalEventData.UpstreamFailure, "connection refused") {
		t.Errorf("the record of that is %+v", r)
	}
	store = start()
	if err := create(); err != nil {
		t.Fatalf("as soon as there is a store: %v", err)
	}
	put(t, admin, *bucket, "small", "small")
	const size = 64 << 20
	do(t)(admin.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("large"), Body: bytes.NewReader(content()[:size])}))

	begin := make([]byte, 1<<20)
	out := must(admin.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: aws.String("large")}))(t)
	do(t)(io.ReadFull(out.Body, begin))
	store.Kill()
	if n, err := io.Copy(io.Discard, out.Body); err == nil || n >= size-1<<20 {
		t.Errorf("the rest of an object whose store is gone = %d bytes, %v, want an error", n, err)
	}
	if r := s.latest(t, "--event", "GetObject"); r.ErrorCode != "InternalError" || !strings.HasPrefix(r.AdditionalEventData.BrokenOffBy, "the store: ") {
		t.Errorf("the record of that is %+v", r)
	}
	_, err := get(t.Context(), admin, *bucket, "small")
	refused(t, "without a store", "ServiceUnavailable", err)
	if r := s.latest(t, "--resource", "*/small"); r.ErrorCode != "ServiceUnavailable" || !strings.HasPrefix(r.AdditionalEventData.UpstreamFailure, "unreachable: ") {
		t.Errorf("the record of that is %+v", r)
	}

	var back sync.Once
	waits := s.s3(s.Admin, func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: patient{s.http.Transport, func() { back.Do(func() { store = start() }) }}}
		o.RetryMaxAttempts = 5
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = 20 * time.Millisecond })
	})
	reads(t, waits, *bucket, "small")

	dies := s.s3(s.Admin, func(o *s3.Options) {
		o.HTTPClient = &http.Client{Transport: meddler{s.http.Transport, size / 2, func([]byte) { store.Kill() }}}
	})
	_, err = dies.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("half"), Body: bytes.NewReader(content()[:size])})
	refused(t, "PutObject whose store goes away", "ServiceUnavailable", err)
	if r := s.latest(t, "--event", "PutObject", "--resource", "*/half"); r.ErrorCode != "ServiceUnavailable" || r.AdditionalEventData.UpstreamFailure == "" {
		t.Errorf("the record of that is %+v", r)
	}
	store = start()
	_, err = get(t.Context(), admin, *bucket, "half")
	refused(t, "what was not put", "NoSuchKey", err)
	if _, err := os.Stat(filepath.Join(store.Dir, *bucket, "half")); !os.IsNotExist(err) {
		t.Errorf("the store has the object: %v", err)
	}
	put(t, admin, *bucket, "half", "half")
	reads(t, admin, *bucket, "half")
}
