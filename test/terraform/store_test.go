// SPDX-License-Identifier: Apache-2.0

package terraform

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A bucket is as much of S3 as Terraform keeps its state in: one bucket named
// state. It takes requests that temporary credentials sign, and no others; it
// does not check the signatures.
type bucket struct {
	mu      sync.Mutex // guards objects
	objects map[string][]byte
}

// newBucket runs a bucket and returns its URL.
func newBucket(t *testing.T) (*bucket, string) {
	t.Helper()
	b := &bucket{objects: make(map[string][]byte)}
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return b, s.URL
}

func (b *bucket) keys() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Sorted(maps.Keys(b.objects))
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !strings.Contains(r.Header.Get("Authorization"), "Credential=ASIA") || r.Header.Get("X-Amz-Security-Token") == "" {
		refuse(w, http.StatusForbidden, "AccessDenied")
		return
	}
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	body, found := b.objects[key]
	switch {
	case name != "state":
		refuse(w, http.StatusNotFound, "NoSuchBucket")
	case key == "" && r.Method == http.MethodGet:
		b.list(w, r.URL.Query().Get("prefix"))
	case r.Method == http.MethodPut && found && r.Header.Get("If-None-Match") == "*":
		refuse(w, http.StatusPreconditionFailed, "PreconditionFailed")
	case r.Method == http.MethodPut:
		b.objects[key], _ = io.ReadAll(r.Body)
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case !found:
		refuse(w, http.StatusNotFound, "NoSuchKey")
	default:
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body)
	}
}

func (b *bucket) list(w http.ResponseWriter, prefix string) {
	type object struct{ Key string }
	out := struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []object
	}{}
	for key := range b.objects {
		if strings.HasPrefix(key, prefix) {
			out.Contents = append(out.Contents, object{key})
		}
	}
	xml.NewEncoder(w).Encode(out)
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}
