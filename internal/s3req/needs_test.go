// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"crypto/tls"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// parsed is Parse of "METHOD target", which must not fail.
func parsed(t testing.TB, request string, h http.Header) *Request {
	t.Helper()
	method, target, _ := strings.Cut(request, " ")
	r, err := Parse(method, "h", target, h, nil)
	if err != nil {
		t.Fatalf("Parse(%s) = %v", request, err)
	}
	return r
}

func TestNeedsDependOnTheRequest(t *testing.T) {
	for _, tc := range []struct {
		name, request string
		h             http.Header
		want          string // actions, with the resource after "source:" when it is that of a copy
	}{
		{"plain", "PUT /bucket/key", nil, "s3:PutObject"},
		{"with-an-acl", "PUT /bucket/key", header("X-Amz-Acl", "private"), "s3:PutObject s3:PutObjectAcl"},
		{"with-a-grant", "PUT /bucket/key", header("X-Amz-Grant-Read", "id=1"), "s3:PutObject s3:PutObjectAcl"},
		{"with-tags", "PUT /bucket/key", header("X-Amz-Tagging", "a=1"), "s3:PutObject s3:PutObjectTagging"},
		{"with-empty-tags", "PUT /bucket/key", header("X-Amz-Tagging", ""), "s3:PutObject s3:PutObjectTagging"},
		{"with-retention", "PUT /bucket/key", header("X-Amz-Object-Lock-Mode", "GOVERNANCE"), "s3:PutObject s3:PutObjectRetention"},
		{"with-a-legal-hold", "PUT /bucket/key", header("X-Amz-Object-Lock-Legal-Hold", "OFF"), "s3:PutObject s3:PutObjectLegalHold"},
		{"with-tags-of-a-presigned-url", "PUT /bucket/key?" + presigned + "&x-amz-tagging=a%3D1", nil, "s3:PutObject s3:PutObjectTagging"},
		{"an-upload-with-tags", "POST /bucket/key?uploads", header("X-Amz-Tagging", "a=1"), "s3:PutObject s3:PutObjectTagging"},
		{"deleting", "DELETE /bucket/key", nil, "s3:DeleteObject"},
		{"deleting-the-null-version", "DELETE /bucket/key?versionId=null", nil, "s3:DeleteObjectVersion"},
		{"bypassing", "DELETE /bucket/key", header("X-Amz-Bypass-Governance-Retention", "TRUE"), "s3:DeleteObject s3:BypassGovernanceRetention"},
		{"bypassing-in-odd-words", "DELETE /bucket/key", header("X-Amz-Bypass-Governance-Retention", "1"), "s3:DeleteObject s3:BypassGovernanceRetention"},
		{"not-bypassing", "DELETE /bucket/key", header("X-Amz-Bypass-Governance-Retention", "false"), "s3:DeleteObject"},
		{"bypassing-by-a-presigned-url", "DELETE /bucket/key?" + presigned + "&X-Amz-Bypass-Governance-Retention=true", nil,
			"s3:DeleteObject s3:BypassGovernanceRetention"},
		// quirk Q119
		{"copying", "PUT /bucket/key", header("X-Amz-Copy-Source", "source/key"),
			"source:s3:GetObject source:s3:GetObjectTagging? s3:PutObject s3:PutObjectTagging?"},
		{"copying-tags", "PUT /bucket/key", header("X-Amz-Copy-Source", "source/key?versionId=1", "X-Amz-Tagging-Directive", "COPY"),
			"source:s3:GetObjectVersion source:s3:GetObjectVersionTagging s3:PutObject s3:PutObjectTagging"},
		{"copying-by-an-unknown-directive", "PUT /bucket/key", header("X-Amz-Copy-Source", "source/key", "X-Amz-Tagging-Directive", "replace"),
			"source:s3:GetObject source:s3:GetObjectTagging s3:PutObject s3:PutObjectTagging"},
		{"copying-without-tags", "PUT /bucket/key", header("X-Amz-Copy-Source", "source/key", "X-Amz-Tagging-Directive", "REPLACE"),
			"source:s3:GetObject s3:PutObject"},
		{"copying-without-annotations", "PUT /bucket/key", header("X-Amz-Copy-Source", "source/key", "X-Amz-Tagging-Directive", "REPLACE",
			"X-Amz-Object-Annotation-Directive", "EXCLUDE"), "source:s3:GetObject s3:PutObject"},
		{"copying-a-part", "PUT /bucket/key?partNumber=1&uploadId=u", header("X-Amz-Copy-Source", "source/key"), "source:s3:GetObject s3:PutObject"},
		{"looking-at-a-bucket", "HEAD /bucket", nil, "s3:ListBucket"},
		{"attributes-of-a-version", "GET /bucket/key?attributes&versionId=1", nil, "s3:GetObjectVersion s3:GetObjectVersionAttributes"},
		{"a-bucket-with-an-object-lock", "PUT /bucket", header("X-Amz-Bucket-Object-Lock-Enabled", "true"),
			"s3:CreateBucket s3:PutBucketObjectLockConfiguration s3:PutBucketVersioning"},
		{"a-bucket-without-an-object-lock", "PUT /bucket", header("X-Amz-Bucket-Object-Lock-Enabled", "False"), "s3:CreateBucket"},
		{"a-bucket-with-an-owner", "PUT /bucket", header("X-Amz-Object-Ownership", "ObjectWriter"), "s3:CreateBucket s3:PutBucketOwnershipControls"},
		{"all-buckets", "GET /", nil, "s3:ListAllMyBuckets"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := parsed(t, tc.request, tc.h)
			if r.Op.Body == Judged {
				if err := r.SetDocument(nil); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, n := range r.Needs(nil, tc.h, now, 0) {
				s := n.Action
				if n.Bucket == "source" {
					s = "source:" + s
				}
				if n.IfTagged {
					s += "?"
				}
				got = append(got, s)
			}
			if g := strings.Join(got, " "); g != tc.want {
				t.Errorf("Needs(%s) = %s, want %s", tc.request, g, tc.want)
			}
		})
	}
}

func TestConditionKeys(t *testing.T) {
	byHeader := &sigv4.Signature{Payload: "UNSIGNED-PAYLOAD", Time: now.Add(-1500 * time.Millisecond)}
	byURL := &sigv4.Signature{Payload: "UNSIGNED-PAYLOAD", Presigned: true, Time: now.Add(-1500 * time.Millisecond)}
	for _, tc := range []struct {
		name, request string
		h             http.Header
		sig           *sigv4.Signature
		tls           uint16
		want          map[string]string // of the last need
	}{
		{"anonymous", "GET /bucket/key", nil, nil, 0, map[string]string{}},
		{"tls-1.3", "GET /bucket/key", nil, nil, tls.VersionTLS13, map[string]string{"s3:TlsVersion": "1.3"}},
		{"tls-1.2", "GET /bucket/key", nil, nil, tls.VersionTLS12, map[string]string{"s3:TlsVersion": "1.2"}},
		{"a-signed-header", "GET /bucket/key", nil, byHeader, 0, map[string]string{"s3:authType": "REST-HEADER",
			"s3:signatureversion": "AWS4-HMAC-SHA256", "s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}},
		{"a-presigned-url", "GET /bucket/key", nil, byURL, 0, map[string]string{"s3:authType": "REST-QUERY-STRING", "s3:signatureAge": "1500",
			"s3:signatureversion": "AWS4-HMAC-SHA256", "s3:x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}, // quirk Q114
		{"a-version", "GET /bucket/key?versionId=null", nil, nil, 0, map[string]string{"s3:VersionId": "null"}},
		{"a-list", "GET /bucket?prefix=&delimiter=%2F&max-keys=5", nil, nil, 0,
			map[string]string{"s3:prefix": "", "s3:delimiter": "/", "s3:max-keys": "5"}},
		{"a-list-of-everything", "GET /bucket", nil, nil, 0, map[string]string{}}, // quirk Q116
		{"uploads-have-no-prefix", "GET /bucket?uploads&prefix=a", nil, nil, 0, map[string]string{}},
		{"a-copy", "PUT /bucket/key", header("X-Amz-Copy-Source", "/source/a%20b?versionId=1", "X-Amz-Tagging-Directive", "REPLACE",
			"X-Amz-Metadata-Directive", "REPLACE"), nil, 0, map[string]string{"s3:x-amz-copy-source": "source/a b", // quirk Q113
			"s3:x-amz-metadata-directive": "REPLACE", "s3:ObjectCreationOperation": "true"}},
		{"a-hoisted-header", "PUT /bucket/key?" + presigned + "&X-Amz-Storage-Class=GLACIER", nil, nil, 0,
			map[string]string{"s3:x-amz-storage-class": "GLACIER", "s3:ObjectCreationOperation": "true"}},
		{"a-part", "PUT /bucket/key?partNumber=1&uploadId=u", nil, nil, 0, map[string]string{"s3:ObjectCreationOperation": "false"}}, // quirk Q117
		{"days-that-remain-are-rounded-up", "PUT /bucket/key", header("X-Amz-Object-Lock-Mode", "COMPLIANCE",
			"X-Amz-Object-Lock-Retain-Until-Date", "2029-12-27T12:00:01Z"), nil, 0, map[string]string{ // quirk Q115
			"s3:object-lock-mode": "COMPLIANCE", "s3:object-lock-retain-until-date": "2029-12-27T12:00:01Z",
			"s3:object-lock-remaining-retention-days": "3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			needs := parsed(t, tc.request, tc.h).Needs(tc.sig, tc.h, now, tc.tls)
			if got := needs[len(needs)-1].Keys; !maps.Equal(got, tc.want) {
				t.Errorf("Keys(%s) = %v, want %v", tc.request, got, tc.want)
			}
		})
	}
}

func TestResources(t *testing.T) {
	for request, want := range map[string]string{
		"GET /":               "arn:aws:s3:::*", // quirk Q112
		"GET /bucket":         "arn:aws:s3:::bucket",
		"GET /bucket/a%2Ab/c": "arn:aws:s3:::bucket/a*b/c",
	} {
		if got := parsed(t, request, nil).Needs(nil, nil, now, 0)[0].Resource; got != want {
			t.Errorf("resource of %s = %s, want %s", request, got, want)
		}
	}
}

func TestNothingIsNeededBeforeTheBodyIsRead(t *testing.T) {
	for _, request := range []string{"PUT /bucket", "PUT /bucket/key?tagging", "POST /bucket?delete", "POST /bucket"} {
		if needs := parsed(t, request, nil).Needs(nil, nil, now, 0); len(needs) != 0 {
			t.Errorf("Needs(%s) = %v, want none, which is refused", request, needs)
		}
	}
}

func TestDeleteNeeds(t *testing.T) {
	h := header("X-Amz-Bypass-Governance-Retention", "true")
	r := parsed(t, "POST /bucket?delete", h)
	for _, tc := range []struct {
		d    Deletion
		want []string
	}{
		{Deletion{Key: "a"}, []string{"s3:DeleteObject arn:aws:s3:::bucket/a", "s3:BypassGovernanceRetention arn:aws:s3:::bucket/a"}},
		{Deletion{Key: "a", VersionID: "1"}, []string{"s3:DeleteObjectVersion arn:aws:s3:::bucket/a", "s3:BypassGovernanceRetention arn:aws:s3:::bucket/a"}},
	} {
		var got []string
		for _, n := range r.DeleteNeeds(&tc.d, nil, h, now, 0) {
			got = append(got, n.Action+" "+n.Resource)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("DeleteNeeds(%+v) = %q, want %q", tc.d, got, tc.want)
		}
	}
	needs := r.DeleteNeeds(&Deletion{Key: "a", ETag: "e"}, nil, nil, now, 0)
	if needs[0].Keys["s3:if-match"] != "e" {
		t.Errorf("s3:if-match = %q, want e", needs[0].Keys["s3:if-match"])
	}
}

func BenchmarkNeeds(b *testing.B) {
	sig := &sigv4.Signature{Payload: "UNSIGNED-PAYLOAD"}
	for _, tc := range []struct{ name, request string }{
		{"request=get", "GET /bucket/folder/key.txt"},
		{"request=list", "GET /bucket?list-type=2&prefix=folder%2F&delimiter=%2F&max-keys=1000"},
	} {
		b.Run(tc.name, func(b *testing.B) {
			r := parsed(b, tc.request, nil)
			b.ReportAllocs()
			for b.Loop() {
				r.Needs(sig, nil, now, tls.VersionTLS13)
			}
		})
	}
}
