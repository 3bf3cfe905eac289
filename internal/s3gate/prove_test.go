// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// presign returns the target of a presigned request.
func (w *world) presign(by *iamtest.Client, method, target string, expires time.Duration, headers ...string) string {
	w.t.Helper()
	r := w.request(method, target, "", headers...)
	text, err := w.signer(by).Presign(r, expires, "")
	must(w.t, err)
	_, rest, _ := strings.Cut(text, "://")
	return rest[strings.IndexByte(rest, '/'):]
}

func TestWhoSigned(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	reader := w.User("reader", allow("s3:*", "*"))
	stranger := w.Client(reader.Key, "not the secret", "")
	gone := w.Client("AKIA"+reader.Key[4:19]+"A", reader.Secret, "")
	if gone.Key == reader.Key {
		gone.Key = reader.Key[:19] + "B"
	}

	r := w.refuse(stranger, "SignatureDoesNotMatch", "GET", "/box/k", "")
	for _, name := range []string{"StringToSign", "CanonicalRequest", "StringToSignBytes", "AWSAccessKeyId", "RequestId", "HostId"} {
		if iamtest.Element(r.body, name) == "" {
			t.Errorf("SignatureDoesNotMatch has no %s: %s", name, r.body)
		}
	}
	if rec := w.last(); rec.Identity.Type != "Unknown" || rec.ErrorCode != "SignatureDoesNotMatch" || strings.Contains(rec.ErrorMessage, "GET") {
		t.Errorf("the record of a wrong signature is %+v", rec)
	}
	if r := w.refuse(gone, "InvalidAccessKeyId", "GET", "/box/k", ""); r.status != 403 {
		t.Errorf("InvalidAccessKeyId = %d, want 403", r.status)
	}

	t.Run("the-region-and-any-other", func(t *testing.T) {
		for _, region := range []string{"us-east-1", "eu-central-1", "mars"} {
			s := w.signer(reader)
			s.Region = region
			req := w.request("GET", "/box/k", "")
			must(t, s.Sign(req, sigv4.EmptyPayload))
			if r := w.send(req); r.status != 200 {
				t.Errorf("a signature for region %s = %d %s", region, r.status, r.body)
			}
		}
	})
	t.Run("another-service", func(t *testing.T) {
		s := w.signer(reader)
		s.Service = "iam"
		req := w.request("GET", "/box/k", "")
		must(t, s.Sign(req, sigv4.EmptyPayload))
		if r := w.send(req); r.code() != "AuthorizationHeaderMalformed" {
			t.Errorf("a signature for iam = %d %s", r.status, r.body)
		}
	})
	t.Run("skewed", func(t *testing.T) {
		s := w.signer(reader)
		s.Now = func() time.Time { return w.clock.Now().Add(-16 * time.Minute) }
		req := w.request("GET", "/box/k", "")
		must(t, s.Sign(req, sigv4.EmptyPayload))
		if r := w.send(req); r.code() != "RequestTimeTooSkewed" || r.status != 403 || iamtest.Element(r.body, "MaxAllowedSkewMilliseconds") != "900000" {
			t.Errorf("a signature of 16 minutes ago = %d %s", r.status, r.body)
		}
	})
	t.Run("signature-version-2", func(t *testing.T) {
		for _, r := range []*reply{
			w.refuse(nil, "InvalidRequest", "GET", "/box/k?AWSAccessKeyId="+reader.Key+"&Expires=1999999999&Signature=abc%3D", ""),
			w.refuse(nil, "InvalidRequest", "GET", "/box/k", "", "Authorization: AWS "+reader.Key+":abc="),
		} {
			if !strings.Contains(r.body, "signature_version") {
				t.Errorf("SigV2 = %s, want the client setting named", r.body)
			}
		}
	})
	t.Run("two-signatures", func(t *testing.T) {
		req := w.request("GET", w.presign(reader, "GET", "/box/k", time.Hour), "")
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x/20260102/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00")
		if r := w.send(req); r.code() != "InvalidArgument" {
			t.Errorf("two signatures = %d %s", r.status, r.body)
		}
	})
	t.Run("an-unsigned-header", func(t *testing.T) {
		req := w.request("PUT", "/box/k2", "v")
		must(t, w.signer(reader).Sign(req, sigv4.HashPayload([]byte("v"))))
		req.Header.Set("X-Amz-Tagging", "a=b")
		if r := w.send(req); r.code() != "AccessDenied" || iamtest.Element(r.body, "HeadersNotSigned") != "x-amz-tagging" {
			t.Errorf("an unsigned x-amz-tagging = %d %s", r.status, r.body)
		}
	})
	t.Run("no-aws-signature", func(t *testing.T) {
		for _, v := range []string{"Bearer abc", "Basic YTpi", "AWS4-ECDSA-P256-SHA256 Credential=x", ""} {
			if r := w.refuse(nil, "AuthorizationHeaderMalformed", "GET", "/box/k", "", "Authorization: "+v); r.status != 400 {
				t.Errorf("Authorization: %s = %d, want 400", v, r.status)
			}
		}
	})
}

func TestPresigned(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	reader := w.User("reader", allow("s3:*", "*"))

	link := w.presign(reader, "GET", "/box/k", time.Hour)
	if r := w.want(nil, "GET", link, "", 200); r.body != "v" {
		t.Errorf("a presigned GET = %q, want v", r.body)
	}
	rec := w.last()
	if got := additional(t, &rec)["AuthenticationMethod"]; got != "QueryString" || strings.Contains(string(rec.RequestParameters), "X-Amz") {
		t.Errorf("the record has method %v and parameters %s", got, rec.RequestParameters)
	}
	w.refuse(nil, "SignatureDoesNotMatch", "GET", strings.Replace(link, "/box/k", "/box/k2", 1), "")
	w.refuse(nil, "SignatureDoesNotMatch", "PUT", link, "w")
	if r := w.want(nil, "PUT", w.presign(reader, "PUT", "/box/k3", time.Hour), "three", 200); r.header.Get("Etag") == "" {
		t.Error("a presigned PUT has no ETag")
	}

	session := reader.Session("GetSessionToken", "DurationSeconds=900")
	lent := w.presign(session, "GET", "/box/k", 24*time.Hour)
	w.want(nil, "GET", lent, "", 200)
	w.clock.Advance(16 * time.Minute)
	w.want(nil, "GET", link, "", 200)
	if r := w.refuse(nil, "ExpiredToken", "GET", lent, ""); r.status != 400 {
		t.Errorf("ExpiredToken = %d, want 400", r.status)
	}
	if rec := w.last(); strings.Contains(string(rec.RequestParameters), session.Token[:20]) {
		t.Errorf("the record holds the session token: %s", rec.RequestParameters)
	}
	w.clock.Advance(45 * time.Minute)
	if r := w.refuse(nil, "AccessDenied", "GET", link, ""); iamtest.Element(r.body, "Message") != "Request has expired" {
		t.Errorf("an expired URL = %s", r.body)
	}
}

func TestSessions(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	w.Admin().OK("CreateRole", "RoleName=reader", `AssumeRolePolicyDocument={"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"111122223333"},"Action":"sts:AssumeRole"}]}`)
	w.Admin().OK("PutRolePolicy", "RoleName=reader", "PolicyName=all", "PolicyDocument="+allow("s3:*", "*"))
	role := "arn:aws:iam::111122223333:role/reader"

	full := w.Admin().Assume(role, "full")
	w.want(full, "GET", "/box/k", "", 200)
	if rec := w.last(); rec.Identity.Type != "AssumedRole" || !strings.HasSuffix(rec.Identity.ARN, "assumed-role/reader/full") {
		t.Errorf("the record of a role session has %+v", rec.Identity)
	}
	less := w.Admin().Assume(role, "less", "Policy="+allow("s3:PutObject", "*"))
	r := w.refuse(less, "AccessDenied", "GET", "/box/k", "")
	if want := `User: arn:aws:sts::111122223333:assumed-role/reader/less is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::box/k" because no session policy allows the s3:GetObject action`; iamtest.Element(r.body, "Message") != want {
		t.Errorf("the refusal says %q, want %q", iamtest.Element(r.body, "Message"), want)
	}
	w.want(less, "PUT", "/box/k", "w", 200)

	bounded := w.User("bounded", allow("s3:*", "*"))
	w.Admin().OK("CreatePolicy", "PolicyName=edge", "PolicyDocument="+allow("s3:GetObject", "arn:aws:s3:::box/public/*"))
	w.Admin().OK("PutUserPermissionsBoundary", "UserName=bounded", "PermissionsBoundary=arn:aws:iam::111122223333:policy/edge")
	w.want(w.Admin(), "PUT", "/box/public/k", "v", 200)
	w.want(bounded, "GET", "/box/public/k", "", 200)
	w.refuse(bounded, "AccessDenied", "GET", "/box/k", "")

	wrong := w.Client(full.Key, full.Secret, full.Token[:len(full.Token)-8])
	if r := w.refuse(wrong, "InvalidToken", "GET", "/box/k", ""); r.status != 400 {
		t.Errorf("InvalidToken = %d, want 400", r.status)
	}
	w.Admin().OK("DeleteRolePolicy", "RoleName=reader", "PolicyName=all")
	w.Admin().OK("DeleteRole", "RoleName=reader")
	w.refuse(full, "InvalidToken", "GET", "/box/k", "")
}

// TestHoisted: headers that a presigned URL carries as parameters count.
func TestHoisted(t *testing.T) {
	w := start(t)
	writer := w.User("writer", statement("Allow", "s3:PutObject", "*", `,"Condition":{"StringEquals":{"s3:x-amz-storage-class":"STANDARD"}}`))
	sign := func(class string) string {
		return w.presign(writer, "PUT", "/box/k?"+url.Values{"x-amz-storage-class": {class}}.Encode(), time.Hour)
	}
	w.want(nil, "PUT", sign("STANDARD"), "v", 200)
	if got := w.store.last.Load().Header.Get("X-Amz-Storage-Class"); got != "STANDARD" {
		t.Errorf("the store got storage class %q, want STANDARD", got)
	}
	w.refuse(nil, "AccessDenied", "PUT", sign("GLACIER"), "v")
	if rec := w.last(); !strings.Contains(string(rec.RequestParameters), `"x-amz-storage-class":"GLACIER"`) {
		t.Errorf("the record has parameters %s", rec.RequestParameters)
	}
	const key = "x-amz-server-side-encryption-customer-key"
	w.do(nil, "PUT", w.presign(w.Admin(), "PUT", "/box/k?"+key+"=c2VjcmV0IGtleQ%3D%3D", time.Hour), "v")
	if rec := w.last(); rec.EventName != "PutObject" || strings.Contains(string(rec.AppendJSON(nil)), "c2VjcmV0") {
		t.Errorf("the record of a customer's key is %s", rec.AppendJSON(nil))
	}
	w.refuse(nil, "AccessControlListNotSupported", "PUT", w.presign(w.Admin(), "PUT", "/box/k?x-amz-acl=authenticated-read", time.Hour), "v")
}

// TestPreflight: Q126, CORS is not answered.
func TestPreflight(t *testing.T) {
	w := start(t)
	if r := w.refuse(nil, "AccessForbidden", http.MethodOptions, "/box/k", "", "Origin: https://example.com", "Access-Control-Request-Method: GET"); r.status != 403 {
		t.Errorf("OPTIONS = %d, want 403", r.status)
	}
}
