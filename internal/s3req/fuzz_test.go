// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"errors"
	"maps"
	"net/http"
	"net/url"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// FuzzParse holds that what Parse accepts means one thing: to Parse itself when it reads what it
// wrote, to net/url, and to the signature that the client made.
func FuzzParse(f *testing.F) {
	for _, target := range []string{
		"/", "/bucket", "/bucket/", "/bucket/key", "/bucket/a/../b", "/bucket/a//b", "/bucket/a%2F..%2Fb", "/bucket/a%252fb+c", "/bucket/%c3%a9",
		"/bucket?list-type=2&prefix=a+b%2Bc&delimiter=%2F", "/bucket/key?versionId=1&x-id=GetObject", "/bucket?acl&policy", "/bucket/key;x?a=b;c",
		"/bucket/key?" + presigned + "&X-Amz-Meta-A=b", "//bucket/key", "http://h/bucket/key", "/bucket/\xff", "/bucket?prefix=%00", "/bucket/a%",
		"/bucket/key?partNumber=1&uploadId=..", "/bucket?ACL", "/bucket/key?x-amz-acl=private", "/bucket/\u00e9\u2028",
	} {
		for _, host := range []string{"h", "bucket.s3.example.com"} {
			f.Add("GET", host, target, "X-Amz-Copy-Source", "other/key")
			f.Add("PUT", host, target, "X-Amz-Copy-Source", "/other/a%20b?versionId=1")
		}
	}
	f.Fuzz(func(t *testing.T, method, host, target, name, value string) {
		h := http.Header{name: {value}}
		r, err := Parse(method, host, target, h, domains)
		if err != nil {
			if e, ok := errors.AsType[*Error](err); !ok || e.Status == 0 {
				t.Fatalf("Parse(%q) = %v, which is no refusal in S3's terms", target, err)
			}
			return
		}
		readsAgain(t, r, method, h)
		readsAsURL(t, r, target)
		readsAsSigned(t, r, method, host, target)
		if segments := "/" + r.Bucket + "/" + r.Key; r.Key != "" && r.Verbatim() && path.Clean(segments) != strings.TrimSuffix(segments, "/") {
			t.Errorf("%q is verbatim, but a file system takes it for %q", segments, path.Clean(segments))
		}
		for _, n := range r.Needs(nil, h, time.Time{}, 0) {
			if !strings.HasPrefix(n.Resource, "arn:") || n.Action == "" {
				t.Errorf("Parse(%q) needs %+v", target, n)
			}
		}
	})
}

// readsAgain holds that Parse reads what it wrote as it read what came.
func readsAgain(t *testing.T, r *Request, method string, h http.Header) {
	t.Helper()
	again := maps.Clone(h)
	maps.Copy(again, r.Hoisted)
	if r.CopySource != "" {
		again["X-Amz-Copy-Source"] = []string{r.CopySource}
	}
	target := r.Path
	if r.Query != "" {
		target += "?" + r.Query
	}
	got, err := Parse(method, "upstream", target, again, nil)
	if err != nil {
		t.Fatalf("Parse of its own %q = %v", target, err)
	}
	type meaning struct {
		op, bucket, key, version, path, query, sourceBucket, sourceKey, sourceVersion, source string
		has                                                                                   mask
	}
	of := func(r *Request) meaning {
		return meaning{r.Op.Name, r.Bucket, r.Key, r.VersionID, r.Path, r.Query, r.SourceBucket, r.SourceKey, r.SourceVersion, r.CopySource, r.has}
	}
	if of(got) != of(r) || !slices.Equal(got.params, r.params) || !slices.Equal(got.tags, r.tags) {
		t.Errorf("Parse of its own %q = %+v, want %+v", target, of(got), of(r))
	}
}

// readsAsURL holds that net/url reads both targets as Parse read the first.
func readsAsURL(t *testing.T, r *Request, target string) {
	t.Helper()
	u, err := url.ParseRequestURI(target)
	if err != nil {
		t.Fatalf("Parse took %q, which net/url does not: %v", target, err)
	}
	want := "/" + r.Key
	if !r.Virtual && r.Bucket != "" {
		want = "/" + r.Bucket + want
	}
	if strings.TrimSuffix(u.Path, "/") != strings.TrimSuffix(want, "/") || r.Key != "" && u.Path != want {
		t.Errorf("net/url reads the path of %q as %q, want %q", target, u.Path, want)
	}
	if p, err := url.PathUnescape(r.Path); err != nil || r.Key != "" && p != "/"+r.Bucket+"/"+r.Key {
		t.Errorf("net/url reads %q as %q (%v), want the key %q", r.Path, p, err, r.Key)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		t.Fatalf("Parse took the query of %q, which net/url does not: %v", target, err)
	}
	sent, err := url.ParseQuery(r.Query)
	if err != nil {
		t.Fatalf("net/url does not read %q: %v", r.Query, err)
	}
	for name := range query {
		if name == "x-id" || len(name) > 6 && strings.EqualFold(name[:6], "x-amz-") {
			delete(query, name)
		}
	}
	if !reflect.DeepEqual(query, sent) && len(query)+len(sent) > 0 {
		t.Errorf("net/url reads the query of %q as %v and that of %q as %v", target, query, r.Query, sent)
	}
}

// readsAsSigned holds that package sigv4 makes the same canonical form of the target as Parse,
// so that what is sent on is what was signed.
func readsAsSigned(t *testing.T, r *Request, method, host, target string) {
	t.Helper()
	if r.presigned || r.xid != "" || r.Virtual {
		return // the signature covers more than what is sent on
	}
	req := &http.Request{Method: method, Host: host, RequestURI: target, URL: &url.URL{}, Header: header(
		"Authorization", "AWS4-HMAC-SHA256 Credential=a/20300101/r/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
		"X-Amz-Date", "20300101T000000Z", "X-Amz-Content-Sha256", sigv4.UnsignedPayload)}
	sig, err := sigv4.Parse(req)
	if err != nil {
		t.Fatalf("Parse took %q, which package sigv4 does not: %v", target, err)
	}
	v := sigv4.Verifier{Now: func() time.Time { return sig.Time }}
	mismatch, ok := errors.AsType[*sigv4.MismatchError](v.Verify(req, sig, "secret", nil))
	if !ok {
		return
	}
	lines := strings.SplitN(mismatch.CanonicalRequest, "\n", 4)
	signed := strings.ReplaceAll(lines[1], "%2F", "/") // the same key to S3
	if strings.TrimSuffix(signed, "/") != strings.TrimSuffix(r.Path, "/") || lines[2] != r.Query {
		t.Errorf("the client signed %s?%s, and %s?%s is sent on", lines[1], lines[2], r.Path, r.Query)
	}
}

// FuzzDocument holds that documents are refused or read, and that deletions survive being
// written.
func FuzzDocument(f *testing.F) {
	for _, body := range []string{
		"<Delete><Object><Key>a</Key></Object></Delete>", "<Delete><Quiet>true</Quiet><Object><Key>a&#65;</Key><VersionId>1</VersionId></Object></Delete>",
		"<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>", "<!DOCTYPE a><a/>", "<a><b></a></b>", "<a><![CDATA[<]]></a>",
		"<CreateBucketConfiguration><LocationConstraint>x</LocationConstraint></CreateBucketConfiguration>",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for op := range readers {
			r := &Request{Op: &Op{Name: op, Body: Judged}}
			if err := r.SetDocument(body); err != nil && r.doc != nil {
				t.Errorf("SetDocument(%q) of %s = %v, but it is set", body, op, err)
			}
		}
		d, err := ParseDelete(body)
		if err != nil {
			return
		}
		for _, o := range d.Objects {
			if CheckKey(o.Key) != nil {
				t.Errorf("ParseDelete(%q) has the key %q", body, o.Key)
			}
		}
		if again, err := ParseDelete(d.XML()); err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("ParseDelete of %s = %+v, %v, want %+v", d.XML(), again, err, d)
		}
	})
}
