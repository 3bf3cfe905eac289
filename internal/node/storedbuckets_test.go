// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/config"
)

// stored lists the buckets of a store that answers as serve does.
func stored(t *testing.T, serve http.HandlerFunc) ([]string, error) {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return StoredBuckets(t.Context(), config.Config{Gateway: config.Gateway{Upstreams: []string{server.URL}}})
}

func TestStoredBucketsArePaged(t *testing.T) {
	pages := map[string]string{
		"":         page("next a+b", "photos", "backups"),
		"next a+b": page("last", "logs"),
		"last":     page("", "backups", "tmp"),
	}
	var asked []string
	names, err := stored(t, func(w http.ResponseWriter, r *http.Request) {
		token := r.URL.Query().Get("continuation-token")
		asked = append(asked, r.Method+" "+r.URL.Path+" "+token)
		fmt.Fprint(w, pages[token])
	})
	if want := []string{"backups", "logs", "photos", "tmp"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("StoredBuckets = %q, %v, want %q", names, err, want)
	}
	if want := []string{"GET / ", "GET / next a+b", "GET / last"}; !slices.Equal(asked, want) {
		t.Errorf("the store was asked %q, want %q", asked, want)
	}
}

// page is an answer to ListBuckets.
func page(next string, names ...string) string {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0"?><ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>o</ID></Owner><Buckets>`)
	for _, name := range names {
		fmt.Fprintf(&b, "<Bucket><Name>%s</Name><CreationDate>2026-01-02T03:04:05Z</CreationDate></Bucket>", name)
	}
	fmt.Fprintf(&b, "</Buckets><ContinuationToken>%s</ContinuationToken></ListAllMyBucketsResult>", next)
	return b.String()
}

func TestStoresThatDoNotListTheirBuckets(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"it-refuses":          {http.StatusNotImplemented, "", "501"},
		"another-document":    {http.StatusOK, "<Error/>", "cannot be read"},
		"no-document":         {http.StatusOK, "welcome", "cannot be read"},
		"the-same-page-again": {http.StatusOK, page("more", strings.Split(strings.Repeat("abc ", 9_999)+"abc", " ")...), ""},
	} {
		t.Run(name, func(t *testing.T) {
			names, err := stored(t, func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				fmt.Fprint(w, tc.body)
			})
			switch {
			case tc.want == "" && (err != nil || len(names) != 1):
				t.Errorf("StoredBuckets = %q, %v, want one bucket", names, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("StoredBuckets = %q, %v, want an error about %q", names, err, tc.want)
			}
		})
	}
	n := 0
	if _, err := stored(t, func(w http.ResponseWriter, _ *http.Request) {
		n++
		fmt.Fprint(w, page(fmt.Sprint(n), make([]string, 20_000)...))
	}); err == nil || !strings.Contains(err.Error(), "more than 100000 buckets") {
		t.Errorf("a store without end: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := StoredBuckets(ctx, config.Config{Gateway: config.Gateway{Upstreams: []string{"http://127.0.0.1:1"}}}); err == nil {
		t.Error("no store: no error")
	}
}
