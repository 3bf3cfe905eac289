// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// rewriting is a store that takes the keys of requests for others.
func rewriting(next http.Handler, key func(string) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if bucket, k, ok := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); ok && k != "" {
			r.URL = &url.URL{Path: "/" + bucket + "/" + key(k), RawQuery: r.URL.RawQuery}
		}
		next.ServeHTTP(w, r)
	})
}

// decoding is a store that understands aws-chunked bodies. With keep, it also
// keeps the encoding's name, as some stores did.
func decoding(next http.Handler, keep bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sig, err := sigv4.Parse(r)
		if err == nil {
			err = new(sigv4.Verifier).Verify(r, sig, testSecret, nil)
		}
		if err != nil {
			http.Error(w, "<Error><Code>SignatureDoesNotMatch</Code></Error>", http.StatusForbidden)
			return
		}
		b, err := sig.Body(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body, err := io.ReadAll(b)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !keep {
			r.Header.Del("Content-Encoding")
		}
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		for _, name := range []string{"X-Amz-Content-Sha256", "X-Amz-Decoded-Content-Length", "X-Amz-Trailer"} {
			r.Header.Del(name)
		}
		next.ServeHTTP(w, r)
	})
}

// sloppy is a store that makes an object of however much it gets.
func sloppy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		next.ServeHTTP(w, r)
	})
}

// refusing is a store that answers requests for which refuse is true with an
// error.
func refusing(next http.Handler, refuse func(*http.Request) bool, status int, code string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse(r) {
			w.WriteHeader(status)
			io.WriteString(w, "<Error><Code>"+code+"</Code></Error>")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func TestProbe(t *testing.T) {
	same := func(h http.Handler) http.Handler { return h }
	keys := func(f func(string) string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler { return rewriting(h, f) }
	}
	refuse := func(f func(*http.Request) bool, status int, code string) func(http.Handler) http.Handler {
		return func(h http.Handler) http.Handler { return refusing(h, f, status, code) }
	}
	lists := func(r *http.Request) bool { return r.URL.Path == "/" }
	creates := func(r *http.Request) bool { return r.Method == "PUT" && strings.Count(r.URL.Path, "/") == 1 }
	writes := func(r *http.Request) bool { return r.Method == "PUT" && strings.Count(r.URL.Path, "/") > 1 }
	odd := func(r *http.Request) bool {
		return path.Clean(r.URL.Path) != r.URL.Path && strings.Count(r.URL.Path, "/") > 2
	}
	tests := []struct {
		name   string
		store  func(http.Handler) http.Handler
		bucket string
		want   Profile
		wrong  string
	}{
		{"quirk-Q121-verbatim", same, "", Profile{KeysVerbatim: true, Lists: true}, ""},
		{"in-a-given-bucket", same, "b", Profile{KeysVerbatim: true, Lists: true}, ""},
		{"takes-trailers", func(h http.Handler) http.Handler { return decoding(h, false) }, "", Profile{KeysVerbatim: true, Trailers: true, Lists: true}, ""},
		{"keeps-the-encoding", func(h http.Handler) http.Handler { return decoding(h, true) }, "",
			Profile{KeysVerbatim: true, Trailers: true, Unlabelled: true, Lists: true}, ""},
		{"quirk-Q122-keeps-what-breaks-off", sloppy, "", Profile{}, "makes objects of uploads that break off"},
		{"cleans-paths", keys(func(k string) string { return path.Clean(k) }), "", Profile{Lists: true}, ""},
		{"joins-slashes", keys(func(k string) string { return strings.ReplaceAll(k, "//", "/") }), "", Profile{Lists: true}, ""},
		{"decodes-twice", keys(func(k string) string { k, _ = url.PathUnescape(k); return path.Clean(k) }), "", Profile{Lists: true}, ""},
		{"backslashes-are-slashes", keys(func(k string) string { return path.Join("/", strings.ReplaceAll(k, `\`, "/"))[1:] }), "", Profile{Lists: true}, ""},
		{"cuts-the-slash-at-the-end", keys(func(k string) string { return strings.TrimSuffix(k, "/") }), "", Profile{Lists: true}, ""},
		{"quirk-Q121-refuses-odd-keys", refuse(odd, 400, "InvalidURI"), "", Profile{KeysVerbatim: true, Lists: true}, ""},
		{"redirects-odd-keys", refuse(odd, 301, ""), "", Profile{KeysVerbatim: true, Lists: true}, ""},
		{"quirk-Q122-letter-case", keys(strings.ToLower), "", Profile{}, "for one, so that no policy can guard them"},
		{"quirk-Q122-spaces", keys(func(k string) string { return strings.TrimRight(k, " ") }), "", Profile{}, "no policy can guard"},
		{"quirk-Q122-nul", keys(func(k string) string { k, _, _ = strings.Cut(k, "\x00"); return k }), "", Profile{}, "no policy can guard"},
		{"quirk-Q122-plus", keys(func(k string) string { return strings.ReplaceAll(k, "+", " ") }), "", Profile{}, "no policy can guard"},
		{"lists-nothing", refuse(lists, 403, "AccessDenied"), "", Profile{KeysVerbatim: true}, ""},
		{"no-bucket-can-be-made", refuse(creates, 403, "AccessDenied"), "", Profile{Lists: true}, ""},
		{"given-bucket-cannot-be-written", refuse(writes, 403, "AccessDenied"), "b", Profile{}, "bucket b cannot be written to: status 403 AccessDenied"},
		{"credentials-refused", refuse(lists, 403, "SignatureDoesNotMatch"), "", Profile{}, "the upstream refuses its own credentials: credential: it answered SignatureDoesNotMatch"},
		{"moved", refuse(lists, 307, ""), "", Profile{}, "redirected: status 307"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mem := s3mem.New()
			if err := mem.CreateBucket("b"); err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			u := serve(t, test.store(gofakes3.New(mem).Server()), Options{ProbeBucket: test.bucket, Log: slog.New(slog.NewTextHandler(&log, nil))})
			got, err := u.Probe(t.Context())
			if (err != nil) != (test.wrong != "") || err != nil && !strings.Contains(err.Error(), test.wrong) {
				t.Fatalf("Probe = %v, want an error with %q", err, test.wrong)
			}
			if got != test.want || u.Profile() != got {
				t.Errorf("Probe = %v, and in force is %v, want %v", got, u.Profile(), test.want)
			}
			if strings.Contains(log.String(), testSecret) || strings.Contains(log.String(), "cannot be removed") {
				t.Errorf("the log says %s", &log)
			}
			left, err := mem.ListBuckets()
			if err != nil || len(left) != 1 {
				t.Errorf("buckets left: %v, %v, want b alone", left, err)
			}
			objects, err := mem.ListBucket("b", nil, gofakes3.ListBucketPage{})
			if err != nil || len(objects.Contents) != 0 {
				t.Errorf("objects left: %v, %v, want none", objects, err)
			}
		})
	}
}

func TestProbeNeedsAStore(t *testing.T) {
	if _, err := reach(t, "http://127.0.0.1:1", Options{Service: "sqs"}).Probe(t.Context()); err == nil {
		t.Error("Probe of another service = nil, want an error")
	}
	u := reach(t, "http://127.0.0.1:1", Options{Profile: Profile{KeysVerbatim: true}})
	if p, err := u.Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "127.0.0.1:1: unreachable: ") || !p.KeysVerbatim {
		t.Errorf("Probe of nothing = %v, %v, want the profile that was and why", p, err)
	} else if f, ok := errors.AsType[*Failure](err); !ok || f.Kind != Unreachable {
		t.Errorf("Probe of nothing = %#v, want one that wraps a *Failure", err)
	}
}

// A store of another region than us-east-1 is told which one.
func TestProbeNamesRegion(t *testing.T) {
	var document string
	mem := gofakes3.New(s3mem.New()).Server()
	u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Count(r.URL.Path, "/") == 1 && r.Method == "PUT" {
			b, _ := io.ReadAll(r.Body)
			document = string(b)
			r.Body = http.NoBody
		}
		mem.ServeHTTP(w, r)
	}), Options{Region: "eu-west-1"})
	if _, err := u.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(document, "<LocationConstraint>eu-west-1</LocationConstraint>") {
		t.Errorf("CreateBucket = %q, want the region in it", document)
	}
}

func TestParseProfile(t *testing.T) {
	for name, want := range map[string]Profile{"strict": {}, "verbatim": {KeysVerbatim: true, Trailers: true, Lists: true}} {
		if got, err := ParseProfile(name); got != want || err != nil {
			t.Errorf("ParseProfile(%q) = %v, %v, want %v", name, got, err, want)
		}
	}
	if _, err := ParseProfile("Strict"); err == nil || !strings.HasSuffix(err.Error(), "there are strict, verbatim") {
		t.Errorf("ParseProfile(Strict) = %v, want an error that lists the names", err)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, text := range []string{"", "store.example", "ftp://store.example", "http://", "http://user:pass@store.example", "http://store.example/s3",
		"http://store.example?x", "http://store.example#x", "http:opaque"} {
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := New(Options{URL: u}); err == nil || strings.Contains(err.Error(), "pass") {
			t.Errorf("New(%s) = %v, want an error without a password", text, err)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("New without a URL = nil, want an error")
	}
}
