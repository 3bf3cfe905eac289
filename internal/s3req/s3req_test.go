// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

var domains = &Options{Domains: []string{"s3.example.com", "example.org"}}

// header makes headers from "Name: value" lines.
func header(lines ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(lines); i += 2 {
		h.Add(lines[i], lines[i+1])
	}
	return h
}

func TestParseReadsEverydayRequests(t *testing.T) {
	for _, tc := range []struct {
		name, method, host, target string
		h                          http.Header
		op, bucket, key            string
		path, query                string
	}{
		{"get-an-object", "GET", "h", "/bucket/key", nil, "GetObject", "bucket", "key", "/bucket/key", ""},
		{"the-bucket-stands-in-the-host", "GET", "bucket.s3.example.com:8080", "/a/key", nil, "GetObject", "bucket", "a/key", "/bucket/a/key", ""},
		{"a-domain-itself-is-path-style", "GET", "s3.example.com", "/bucket/key", nil, "GetObject", "bucket", "key", "/bucket/key", ""},
		{"a-bucket-with-dots-in-the-host", "GET", "a.bucket.example.org", "/", nil, "ListObjects", "a.bucket", "", "/a.bucket", ""},
		{"list-buckets", "GET", "h", "/", nil, "ListBuckets", "", "", "/", ""},
		{"list-objects-with-a-slash", "GET", "h", "/bucket/", nil, "ListObjects", "bucket", "", "/bucket", ""},
		{"list-objects-v2", "GET", "h", "/bucket?prefix=a%2Fb+c&list-type=2&delimiter=/", nil, "ListObjectsV2", "bucket", "", "/bucket", "delimiter=%2F&list-type=2&prefix=a%2Fb%20c"},
		{"put-an-object", "PUT", "h", "/bucket/key", nil, "PutObject", "bucket", "key", "/bucket/key", ""},
		{"copy-an-object", "PUT", "h", "/bucket/key", header("X-Amz-Copy-Source", "other/a%20b"), "CopyObject", "bucket", "key", "/bucket/key", ""},
		{"upload-a-part", "PUT", "h", "/bucket/key?partNumber=3&uploadId=x", nil, "UploadPart", "bucket", "key", "/bucket/key", "partNumber=3&uploadId=x"},
		{"copy-a-part", "PUT", "h", "/bucket/key?partNumber=3&uploadId=x", header("X-Amz-Copy-Source", "other/a%20b"), "UploadPartCopy", "bucket", "key", "/bucket/key", "partNumber=3&uploadId=x"},
		{"list-parts", "GET", "h", "/bucket/key?uploadId=x", nil, "ListParts", "bucket", "key", "/bucket/key", "uploadId=x"},
		{"a-key-is-written-anew", "GET", "h", "/bucket/a%2fb+%c3%a9%41'", nil, "GetObject", "bucket", "a/b+éA'", "/bucket/a/b%2B%C3%A9A%27", ""},
		{"a-percent-sign-is-decoded-once", "GET", "h", "/bucket/a%252Fb", nil, "GetObject", "bucket", "a%2Fb", "/bucket/a%252Fb", ""},
		{"a-presigned-url", "GET", "h", "/bucket/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=1&versionId=v&x-id=GetObject", nil, "GetObject", "bucket", "key", "/bucket/key", "versionId=v"},
		{"get-an-analytics-configuration", "GET", "h", "/bucket?analytics&id=a", nil, "GetBucketAnalyticsConfiguration", "bucket", "", "/bucket", "analytics=&id=a"},
		{"list-analytics-configurations", "GET", "h", "/bucket?analytics", nil, "ListBucketAnalyticsConfigurations", "bucket", "", "/bucket", "analytics="},
		{"delete-objects", "POST", "h", "/bucket?delete", nil, "DeleteObjects", "bucket", "", "/bucket", "delete="},
		{"a-form", "POST", "h", "/bucket", nil, "PostObject", "bucket", "", "/bucket", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, err := Parse(tc.method, tc.host, tc.target, tc.h, domains)
			if err != nil {
				t.Fatalf("Parse(%s %s) = %v", tc.method, tc.target, err)
			}
			got := [...]string{r.Op.Name, r.Bucket, r.Key, r.Path, r.Query}
			if want := [...]string{tc.op, tc.bucket, tc.key, tc.path, tc.query}; got != want {
				t.Errorf("Parse(%s %s) = %q, want %q", tc.method, tc.target, got, want)
			}
		})
	}
}

func TestParseRefusesWhatIsUnknownOrAmbiguous(t *testing.T) {
	for _, tc := range []struct {
		name, method, host, target string
		h                          http.Header
		code                       string
	}{
		{"two-sub-resources", "GET", "h", "/bucket?acl&policy", nil, "InvalidArgument"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse(tc.method, tc.host, tc.target, tc.h, domains)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != tc.code || e.Status == 0 || e.Message == "" {
				t.Errorf("Parse(%s %s) = %v, want %s", tc.method, tc.target, err, tc.code)
			}
		})
	}
}

func TestNeedsOfACopy(t *testing.T) {
	h := header("X-Amz-Copy-Source", "/source/a%20b?versionId=7", "X-Amz-Tagging-Directive", "REPLACE", "X-Amz-Tagging", "team=a&x=y")
	r, err := Parse("PUT", "h", "/target/key", h, nil)
	if err != nil {
		t.Fatal(err)
	}
	needs := r.Needs(nil, h, time.Now(), 0)
	var got []string
	for _, n := range needs {
		got = append(got, n.Action+" "+n.Resource)
	}
	t.Log(got, needs)
}

func BenchmarkParse(b *testing.B) {
	h := header("Authorization", "AWS4-HMAC-SHA256 …", "X-Amz-Date", "20260101T000000Z", "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD", "User-Agent", "aws-sdk-go-v2", "Accept-Encoding", "identity", "Amz-Sdk-Request", "attempt=1")
	for _, tc := range []struct{ name, target string }{
		{"request=get", "/bucket/folder/key.txt"},
		{"request=list", "/bucket?list-type=2&prefix=folder%2F&delimiter=%2F&max-keys=1000"},
	} {
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse("GET", "s3.example.com", tc.target, h, domains); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNeeds(b *testing.B) {
	r, err := Parse("GET", "s3.example.com", "/bucket/folder/key.txt", nil, domains)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Needs(nil, nil, time.Time{}, 0x304)
	}
}
