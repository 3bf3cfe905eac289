// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

var domains = &Options{Domains: []string{"s3.example.com", "example.org"}}

// header makes headers from names and values.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// presigned begins the query of a presigned URL.
const presigned = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c&X-Amz-Date=d&X-Amz-Expires=9&X-Amz-SignedHeaders=host&X-Amz-Signature=1"

func TestParseReadsEverydayRequests(t *testing.T) {
	copied := header("X-Amz-Copy-Source", "other/a%20b")
	for _, tc := range []struct {
		name, request, host string
		h                   http.Header
		op, bucket, key     string
		path, query         string
	}{
		{"get-an-object", "GET /bucket/key", "h", nil, "GetObject", "bucket", "key", "/bucket/key", ""},
		{"the-bucket-stands-in-the-host", "GET /a/key", "bucket.s3.example.com:8080", nil, "GetObject", "bucket", "a/key", "/bucket/a/key", ""},
		{"letter-case-of-a-host-does-not-count", "GET /key", "Bucket.S3.example.COM", nil, "GetObject", "bucket", "key", "/bucket/key", ""},
		{"a-domain-itself-is-path-style", "GET /bucket/key", "s3.example.com", nil, "GetObject", "bucket", "key", "/bucket/key", ""},
		{"another-host-is-path-style", "GET /bucket/key", "bucket.example.net", nil, "GetObject", "bucket", "key", "/bucket/key", ""},
		{"a-bucket-with-dots-in-the-host", "GET /", "a.bucket.example.org", nil, "ListObjects", "a.bucket", "", "/a.bucket", ""},
		{"an-ipv6-host", "GET /bucket/key", "[::1]:9000", nil, "GetObject", "bucket", "key", "/bucket/key", ""},
		{"list-buckets", "GET /", "h", nil, "ListBuckets", "", "", "/", ""},
		{"list-objects-with-a-slash", "GET /bucket/", "h", nil, "ListObjects", "bucket", "", "/bucket", ""},
		{"list-objects-v2", "GET /bucket?prefix=a%2Fb+c&list-type=2&delimiter=/", "h", nil,
			"ListObjectsV2", "bucket", "", "/bucket", "delimiter=%2F&list-type=2&prefix=a%2Fb%20c"},
		{"put-an-object", "PUT /bucket/key", "h", nil, "PutObject", "bucket", "key", "/bucket/key", ""},
		{"copy-an-object", "PUT /bucket/key", "h", copied, "CopyObject", "bucket", "key", "/bucket/key", ""},
		{"upload-a-part", "PUT /bucket/key?partNumber=3&uploadId=x", "h", nil, "UploadPart", "bucket", "key", "/bucket/key", "partNumber=3&uploadId=x"},
		{"copy-a-part", "PUT /bucket/key?partNumber=3&uploadId=x", "h", copied, "UploadPartCopy", "bucket", "key", "/bucket/key", "partNumber=3&uploadId=x"},
		{"list-parts", "GET /bucket/key?uploadId=x", "h", nil, "ListParts", "bucket", "key", "/bucket/key", "uploadId=x"},
		{"a-key-is-written-anew", "GET /bucket/a%2fb+%c3%a9%41'", "h", nil, "GetObject", "bucket", "a/b+éA'", "/bucket/a/b%2B%C3%A9A%27", ""}, // quirk Q110
		{"a-percent-sign-is-decoded-once", "GET /bucket/a%252Fb", "h", nil, "GetObject", "bucket", "a%2Fb", "/bucket/a%252Fb", ""},
		{"a-folder-keeps-its-slash", "PUT /bucket/a/b/", "h", nil, "PutObject", "bucket", "a/b/", "/bucket/a/b/", ""},
		{"a-presigned-url", "GET /bucket/key?" + presigned + "&versionId=v&x-id=GetObject", "h", nil,
			"GetObject", "bucket", "key", "/bucket/key", "versionId=v"},
		{"one-analytics-configuration", "GET /bucket?analytics&id=a", "h", nil,
			"GetBucketAnalyticsConfiguration", "bucket", "", "/bucket", "analytics=&id=a"},
		{"all-analytics-configurations", "GET /bucket?analytics", "h", nil, "ListBucketAnalyticsConfigurations", "bucket", "", "/bucket", "analytics="},
		{"delete-objects", "POST /bucket?delete", "h", nil, "DeleteObjects", "bucket", "", "/bucket", "delete="},
		{"a-form", "POST /bucket", "h", nil, "PostObject", "bucket", "", "/bucket", ""},
		{"empty-parameters-are-none", "GET /bucket?&&location&", "h", nil, "GetBucketLocation", "bucket", "", "/bucket", "location="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			method, target, _ := strings.Cut(tc.request, " ")
			r, err := Parse(method, tc.host, target, tc.h, domains)
			if err != nil {
				t.Fatalf("Parse(%s) = %v", tc.request, err)
			}
			got := [...]string{r.Op.Name, r.Bucket, r.Key, r.Path, r.Query}
			if want := [...]string{tc.op, tc.bucket, tc.key, tc.path, tc.query}; got != want {
				t.Errorf("Parse(%s) = %q, want %q", tc.request, got, want)
			}
		})
	}
}

// refusals are requests that nobody may forward, with S3's code for them.
var refusals = []struct {
	name, request string
	h             http.Header
	code          string
}{
	// Targets.
	{"an-absolute-target", "GET http://h/bucket/key", nil, "InvalidURI"},
	{"a-target-that-is-a-star", "GET *", nil, "InvalidURI"},
	{"no-target", "GET ", nil, "InvalidURI"},
	{"a-target-without-a-slash", "GET bucket/key", nil, "InvalidURI"},
	{"a-target-that-is-too-long", "GET /bucket/" + strings.Repeat("k", maxTarget), nil, "InvalidURI"},
	{"a-raw-semicolon-in-the-path", "GET /bucket/key;v=1", nil, "InvalidURI"},
	{"a-raw-semicolon-in-the-query", "GET /bucket?prefix=a;acl", nil, "InvalidURI"},
	{"a-fragment", "GET /bucket/key#?acl", nil, "InvalidURI"},
	{"a-space", "GET /bucket/a b", nil, "InvalidURI"},
	{"a-raw-control-byte", "GET /bucket/a\x01b", nil, "InvalidURI"},
	{"a-tab-in-the-query", "GET /bucket?prefix=a\tb", nil, "InvalidURI"},
	{"a-cut-percent-sign", "GET /bucket/a%2", nil, "InvalidURI"},
	{"a-percent-sign-without-digits", "GET /bucket/a%zz", nil, "InvalidURI"},
	{"a-percent-sign-with-a-sign", "GET /bucket/a%+1", nil, "InvalidURI"},
	{"a-cut-percent-sign-in-the-query", "GET /bucket?prefix=%e", nil, "InvalidURI"},
	{"a-parameter-without-a-name", "GET /bucket?=acl", nil, "InvalidURI"},
	// Keys.
	{"a-null-byte", "GET /bucket/a%00b", nil, "InvalidURI"},
	{"a-line-feed", "GET /bucket/a%0ab", nil, "InvalidURI"},
	{"a-delete-byte", "GET /bucket/a%7fb", nil, "InvalidURI"},
	{"a-null-byte-in-the-query", "GET /bucket?prefix=a%00", nil, "InvalidURI"},
	{"a-key-that-is-no-utf-8", "GET /bucket/a%ff", nil, "InvalidURI"},
	{"a-key-in-overlong-utf-8", "GET /bucket/%c0%ae%c0%ae/x", nil, "InvalidURI"},
	{"a-key-of-half-a-surrogate", "GET /bucket/%ed%a0%80", nil, "InvalidURI"},
	{"a-key-that-is-too-long", "GET /bucket/" + strings.Repeat("k", maxKey+1), nil, "KeyTooLongError"},
	// Buckets.
	{"a-slash-before-the-bucket", "GET //bucket/key", nil, "InvalidURI"},
	{"an-encoded-slash-after-the-bucket", "GET /bucket%2Fkey", nil, "InvalidBucketName"},
	{"an-encoded-bucket", "GET /%62ucket/key", nil, "InvalidBucketName"},
	{"a-bucket-of-dots", "GET /../bucket/key", nil, "InvalidBucketName"},
	{"a-bucket-that-is-too-short", "GET /ab/key", nil, "InvalidBucketName"},
	{"a-bucket-with-capitals", "GET /Bucket/key", nil, "InvalidBucketName"}, // quirk Q111
	{"a-bucket-with-an-underscore", "GET /my_bucket/key", nil, "InvalidBucketName"},
	{"a-bucket-that-is-an-address", "GET /192.168.5.4/key", nil, "InvalidBucketName"},
	{"a-bucket-that-begins-with-a-hyphen", "GET /-bucket/key", nil, "InvalidBucketName"},
	{"a-bucket-that-ends-with-a-dot", "GET /bucket./key", nil, "InvalidBucketName"},
	{"a-bucket-with-two-dots", "GET /a..bucket/key", nil, "InvalidBucketName"},
	{"an-alias-of-an-access-point", "GET /ap-metadata-s3alias/key", nil, "InvalidBucketName"},
	{"a-directory-bucket", "GET /bucket--use1-az4--x-s3/key", nil, "InvalidBucketName"},
	{"a-bucket-of-punycode", "GET /xn--bucket/key", nil, "InvalidBucketName"},
	// Methods.
	{"an-unknown-method", "BREW /bucket/key", nil, "MethodNotAllowed"},
	{"a-method-in-lower-case", "get /bucket/key", nil, "MethodNotAllowed"},
	{"patch", "PATCH /bucket/key", nil, "MethodNotAllowed"},
	{"trace", "TRACE /bucket/key", nil, "MethodNotAllowed"},
	{"connect", "CONNECT bucket:443", nil, "MethodNotAllowed"},
	{"a-preflight", "OPTIONS /bucket/key", nil, "AccessForbidden"},
	{"a-method-that-the-place-does-not-have", "POST /bucket/key", nil, "MethodNotAllowed"},
	{"a-method-that-the-sub-resource-does-not-have", "DELETE /bucket?acl", nil, "MethodNotAllowed"},
	{"deleting-the-service", "DELETE /", nil, "MethodNotAllowed"},
	// Parameters.
	{"two-sub-resources", "GET /bucket?acl&policy", nil, "InvalidArgument"},
	{"a-sub-resource-and-a-version-two-list", "GET /bucket?list-type=2&acl", nil, "InvalidArgument"},
	{"an-upload-and-a-sub-resource", "PUT /bucket/key?partNumber=1&uploadId=x&acl", nil, "InvalidArgument"},
	{"an-unknown-parameter", "GET /bucket/key?other=1", nil, "NotImplemented"}, // quirk Q118
	{"a-parameter-of-another-operation", "GET /bucket/key?prefix=a", nil, "NotImplemented"},
	{"a-version-of-an-upload", "PUT /bucket/key?versionId=1", nil, "NotImplemented"},
	{"a-part-without-an-upload", "PUT /bucket/key?partNumber=1", nil, "NotImplemented"},
	{"an-upload-without-a-part", "PUT /bucket/key?uploadId=x", nil, "InvalidArgument"},
	{"a-sub-resource-of-objects-on-a-bucket", "GET /bucket?retention", nil, "NotImplemented"},
	{"a-sub-resource-of-buckets-on-an-object", "GET /bucket/key?policy", nil, "NotImplemented"},
	{"a-sub-resource-of-buckets-on-the-service", "GET /?policy", nil, "NotImplemented"},
	{"a-parameter-twice", "GET /bucket?prefix=a&prefix=b", nil, "InvalidArgument"},
	{"a-sub-resource-twice", "GET /bucket?acl&acl", nil, "InvalidArgument"},
	{"a-parameter-twice-once-encoded", "GET /bucket?prefix=a&%70refix=b", nil, "InvalidArgument"},
	{"a-sub-resource-in-capitals", "GET /bucket?ACL", nil, "InvalidArgument"},
	{"a-version-in-lower-case", "GET /bucket/key?versionid=1", nil, "InvalidArgument"},
	{"a-sub-resource-with-a-value", "GET /bucket?acl=1", nil, "InvalidArgument"},
	{"an-empty-version", "GET /bucket/key?versionId=", nil, "InvalidArgument"},
	{"an-empty-upload", "PUT /bucket/key?partNumber=1&uploadId=", nil, "InvalidArgument"},
	{"an-empty-id", "GET /bucket?inventory&id=", nil, "InvalidArgument"},
	{"an-upload-that-is-a-path", "GET /bucket/key?uploadId=a/../b", nil, "InvalidArgument"},
	{"a-version-that-is-a-path", "GET /bucket/key?versionId=..%2fx", nil, "InvalidArgument"},
	{"a-version-that-is-two-dots", "GET /bucket/key?versionId=..", nil, "InvalidArgument"},
	{"a-list-of-version-one-by-number", "GET /bucket?list-type=1", nil, "InvalidArgument"},
	{"a-number-with-a-sign", "GET /bucket?max-keys=-1", nil, "InvalidArgument"},
	{"a-number-with-more", "GET /bucket?max-keys=1e3", nil, "InvalidArgument"},
	{"a-query-of-version-one", "POST /bucket/key?select&select-type=1", nil, "InvalidArgument"},
	{"another-operation-in-x-id", "GET /bucket/key?x-id=PutObject", nil, "InvalidArgument"},
	{"x-id-twice", "GET /bucket/key?x-id=GetObject&x-id=GetObject", nil, "InvalidArgument"},
	{"x-id-in-capitals", "GET /bucket/key?X-Id=GetObject", nil, "NotImplemented"},
	{"signature-version-2", "GET /bucket/key?AWSAccessKeyId=a&Expires=1&Signature=s", nil, "InvalidRequest"},
	{"a-parameter-of-a-signature-in-lower-case", "GET /bucket/key?x-amz-signature=1", nil, "InvalidArgument"},
	{"a-parameter-of-a-signature-twice", "GET /bucket/key?" + presigned + "&X-Amz-Date=d", nil, "InvalidArgument"},
	{"a-header-as-a-parameter", "PUT /bucket/key?x-amz-acl=private", nil, "NotImplemented"},
	{"a-header-also-as-a-parameter", "PUT /bucket/key?" + presigned + "&x-amz-acl=private", header("X-Amz-Acl", "private"), "InvalidArgument"},
	{"a-header-as-a-parameter-twice", "PUT /bucket/key?" + presigned + "&x-amz-acl=a&X-Amz-Acl=b", nil, "InvalidArgument"},
	{"an-unknown-header-as-a-parameter", "PUT /bucket/key?" + presigned + "&x-amz-new=a", nil, "NotImplemented"},
	// Headers.
	{"a-header-of-another-operation", "GET /bucket/key", header("X-Amz-Acl", "private"), "NotImplemented"},
	{"a-copy-source-where-nothing-is-copied", "DELETE /bucket/key", header("X-Amz-Copy-Source", "other/key"), "NotImplemented"},
	{"metadata-where-nothing-is-stored", "GET /bucket/key", header("X-Amz-Meta-A", "a"), "NotImplemented"},
	{"an-unknown-header", "GET /bucket/key", header("X-Amz-New", "a"), "NotImplemented"},
	{"a-header-that-unpacks-archives", "PUT /bucket/key", header("X-Amz-Meta-Snowball-Auto-Extract", "true"), "NotImplemented"},
	{"a-header-that-appends", "PUT /bucket/key", header("X-Amz-Write-Offset-Bytes", "5"), "NotImplemented"},
	{"a-header-with-underscores", "PUT /bucket/key", http.Header{"X_amz_acl": {"a"}}, "NotImplemented"},
	{"a-plain-header-with-an-underscore", "PUT /bucket/key", http.Header{"Content_length": {"5"}}, "NotImplemented"},
	{"a-header-under-another-spelling", "PUT /bucket/key", http.Header{"x-amz-acl": {"a"}}, "NotImplemented"},
	{"a-header-twice", "PUT /bucket/key", http.Header{"X-Amz-Acl": {"a", "b"}}, "InvalidArgument"},
	{"two-ranges", "GET /bucket/key", http.Header{"Range": {"bytes=0-1", "bytes=2-3"}}, "InvalidArgument"},
	{"two-lengths", "PUT /bucket/key", http.Header{"Content-Length": {"1", "2"}}, "InvalidArgument"},
	{"two-signatures", "PUT /bucket/key", http.Header{"Authorization": {"1", "2"}}, "InvalidArgument"},
	{"tags-twice-in-one-header", "PUT /bucket/key", header("X-Amz-Tagging", "a=1&a=2"), "InvalidArgument"},
	{"tags-with-a-semicolon", "PUT /bucket/key", header("X-Amz-Tagging", "a=1;b=2"), "InvalidArgument"},
	{"tags-with-a-cut-percent-sign", "PUT /bucket/key", header("X-Amz-Tagging", "a=%2"), "InvalidArgument"},
	// Sources.
	{"a-source-without-a-key", "PUT /bucket/key", header("X-Amz-Copy-Source", "other"), "InvalidArgument"},
	{"an-empty-source", "PUT /bucket/key", header("X-Amz-Copy-Source", ""), "InvalidArgument"},
	{"a-source-with-two-slashes-before-it", "PUT /bucket/key", header("X-Amz-Copy-Source", "//other/key"), "InvalidBucketName"},
	{"a-source-that-is-encoded-as-a-whole", "PUT /bucket/key", header("X-Amz-Copy-Source", "other%2Fkey"), "InvalidArgument"},
	{"a-source-behind-an-access-point", "PUT /bucket/key",
		header("X-Amz-Copy-Source", "arn:aws:s3:us-east-1:123456789012:accesspoint/ap/object/key"), "NotImplemented"},
	{"a-source-with-another-parameter", "PUT /bucket/key", header("X-Amz-Copy-Source", "other/key?acl"), "InvalidArgument"},
	{"a-source-with-two-versions", "PUT /bucket/key", header("X-Amz-Copy-Source", "other/key?versionId=a&versionId=b"), "InvalidArgument"},
	{"a-source-with-an-empty-version", "PUT /bucket/key", header("X-Amz-Copy-Source", "other/key?versionId="), "InvalidArgument"},
	{"a-source-with-a-null-byte", "PUT /bucket/key", header("X-Amz-Copy-Source", "other/a%00"), "InvalidURI"},
	// Operations.
	{"an-operation-of-directory-buckets", "GET /bucket?session", nil, "NotImplemented"},
	{"an-answer-of-a-function", "POST /WriteGetObjectResponse", nil, "NotImplemented"},
}

func TestParseRefusesWhatIsUnknownOrAmbiguous(t *testing.T) {
	for _, tc := range refusals {
		t.Run(tc.name, func(t *testing.T) {
			method, target, _ := strings.Cut(tc.request, " ")
			_, err := Parse(method, "h", target, tc.h, domains)
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Code != tc.code || e.Status < 400 || e.Message == "" {
				t.Errorf("Parse(%.80s) = %v, want %s", tc.request, err, tc.code)
			}
		})
	}
}

func TestTheLongestDomainCounts(t *testing.T) {
	for _, list := range [][]string{{"example.com", "s3.example.com"}, {"s3.example.com", "example.com"}} {
		r, err := Parse("GET", "bucket.s3.example.com", "/key", nil, &Options{Domains: list})
		if err != nil || r.Bucket != "bucket" {
			t.Errorf("Parse below %v = %v, %v, want bucket", list, r, err)
		}
	}
}

func TestParseRefusesBadHosts(t *testing.T) {
	for _, host := range []string{".s3.example.com", "Ab.s3.example.com", "a_bucket.s3.example.com", "a..b.example.org", "x%2fy.s3.example.com"} {
		if r, err := Parse("GET", host, "/key", nil, domains); err == nil {
			t.Errorf("Parse with host %q = bucket %q, want a refusal", host, r.Bucket)
		}
	}
}

func TestVerbatim(t *testing.T) {
	for key, want := range map[string]bool{
		"": true, "a": true, "a/b": true, "dir/": true, "a/b/": true, "...": true, ".a": true, "a.": true, "a/..b": true, `a\b`: true, "a./b": true,
		"/": false, "/a": false, "a//b": false, "a//": false, ".": false, "..": false, "./a": false, "a/.": false, "a/..": false,
		"a/../b": false, "../a": false, "a/./b": false, `..\a`: false, `a\..\b`: false, `a/..\b`: false, "a/../": false,
	} {
		if got := Verbatim(key); got != want {
			t.Errorf("Verbatim(%q) = %v, want %v", key, got, want)
		}
	}
	for _, tc := range []struct {
		request, source string
		want            bool
	}{
		{"GET /bucket/a%2F..%2Fb", "", false},
		{"GET /bucket/a%252F..%252Fb", "", true},
		{"GET /bucket?list-type=2&prefix=a/../b", "", false},
		{"GET /bucket?list-type=2&start-after=a//b", "", false},
		{"GET /bucket?list-type=2&prefix=a/b", "", true},
		{"PUT /bucket/key", "other/a/%2e%2e/b", false},
		{"PUT /bucket/key", "other/a/b", true},
	} {
		method, target, _ := strings.Cut(tc.request, " ")
		h := http.Header{}
		if tc.source != "" {
			h.Set("X-Amz-Copy-Source", tc.source)
		}
		r, err := Parse(method, "h", target, h, nil)
		if err != nil || r.Verbatim() != tc.want {
			t.Errorf("Verbatim of %s from %q = %v, want %v (%v)", tc.request, tc.source, !tc.want, tc.want, err)
		}
	}
}

func TestHeaderSendsOnlyWhatIsKnown(t *testing.T) {
	h := header("X-Amz-Copy-Source", "/other/a b+%C3%A9?versionId=v", "Authorization", "a", "X-Amz-Date", "d", "X-Amz-Content-Sha256", "s",
		"X-Amz-Security-Token", "t", "X-Amz-User-Agent", "u", "X-Http-Method-Override", "DELETE", "X-Minio-Force-Delete", "true", "X-Goog-Acl", "public-read", "Cookie", "c",
		"X-Forwarded-For", "1.2.3.4", "X-Amzn-Trace-Id", "r", "Content-Type", "text/plain", "X-Amz-Meta-Team", "blue", "X-Amz-Storage-Class", "STANDARD")
	r, err := Parse("PUT", "h", "/bucket/key?"+presigned+"&X-Amz-Meta-Colour=red", h, nil)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Header(h)
	want := header("X-Amz-Copy-Source", "other/a%20b%2B%C3%A9?versionId=v", "Content-Type", "text/plain", "X-Amz-Meta-Team", "blue", "X-Amz-User-Agent", "u",
		"X-Amz-Storage-Class", "STANDARD", "X-Amz-Meta-Colour", "red")
	if len(got) != len(want) {
		t.Errorf("Header = %v, want %v", got, want)
	}
	for name := range want {
		if got.Get(name) != want.Get(name) {
			t.Errorf("Header has %s = %q, want %q", name, got.Get(name), want.Get(name))
		}
	}
	if r.SourceKey != "a b+é" || r.SourceVersion != "v" {
		t.Errorf("source = %q version %q", r.SourceKey, r.SourceVersion)
	}
	chunked := header("X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", "5", "X-Amz-Checksum-Crc32", "c")
	if r, err := Parse("PUT", "h", "/bucket/key", chunked, nil); err != nil || len(r.Header(chunked)) != 1 {
		t.Errorf("Header of a chunked body = %v, want its checksum and not its framing (%v)", r.Header(chunked), err)
	}
	if !MustSign("X-Amz-Acl") || MustSign("Content-Type") {
		t.Error("MustSign: want headers of S3 and no others")
	}
}

func TestOtherResponseHeadersNeedASignature(t *testing.T) {
	for target, want := range map[string]bool{"/bucket/key": false, "/bucket/key?response-content-type=a": true} {
		r, err := Parse("GET", "h", target, nil, nil)
		if err != nil || r.SignedOnly != want {
			t.Errorf("SignedOnly of %s = %v, want %v (%v)", target, !want, want, err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	h := header("Authorization", "AWS4-HMAC-SHA256 …", "X-Amz-Date", "20260101T000000Z", "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD",
		"User-Agent", "aws-sdk-go-v2", "Accept-Encoding", "identity", "Amz-Sdk-Request", "attempt=1", "Amz-Sdk-Invocation-Id", "x")
	for _, tc := range []struct{ name, target string }{
		{"request=get", "/bucket/folder/key.txt"},
		{"request=encoded", "/bucket/folder/a%20key?x-id=GetObject"},
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
