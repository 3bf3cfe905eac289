// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

const (
	testStamp = "20261122T081500Z"
	testScope = "/20261122/us-east-1/iam/aws4_request"
	hexA      = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)

func headerRequest(authorization string, headers ...string) *http.Request {
	r := &http.Request{Method: "POST", RequestURI: "/", Host: "iam.example", Header: http.Header{"X-Amz-Date": {testStamp}}}
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header[headers[i]] = strings.Split(headers[i+1], "\n")
		}
	}
	return r
}

func queryRequest(query string) *http.Request {
	return &http.Request{Method: "GET", RequestURI: "/?" + query, Host: "iam.example", Header: http.Header{}}
}

func TestParseHeader(t *testing.T) {
	r := headerRequest("AWS4-HMAC-SHA256 Credential=AKID"+testScope+", SignedHeaders=host;x-amz-date, Signature="+hexA,
		"X-Amz-Security-Token", "token")
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := (Credential{"AKID", "20261122", "us-east-1", "iam"}); s.Credential != want || s.Presigned ||
		s.SessionToken != "token" || s.SignedHeaders != "host;x-amz-date" || !s.Time.Equal(at(testStamp)()) || s.Payload != "" {
		t.Errorf("Parse = %#v", s)
	}
}

func TestParsePresigned(t *testing.T) {
	r := queryRequest("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20261122%2fus-east-1%2fs3%2Faws4_request" +
		"&X-Amz-Date=20261122T081500Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host%3Brange&X%2DAmz-Security-Token=a%2Bb&X-Amz-Signature=" + hexA)
	encoded := queryRequest("")
	encoded.RequestURI = strings.NewReplacer("X-Amz-", "X%2dAmz-", "Signature", "S%69gnature").Replace(r.RequestURI)
	for _, r := range []*http.Request{r, encoded} {
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if want := (Credential{"AKID", "20261122", "us-east-1", "s3"}); s.Credential != want || !s.Presigned ||
			s.SessionToken != "a+b" || s.SignedHeaders != "host;range" || s.Expires != time.Minute || s.Payload != UnsignedPayload {
			t.Errorf("Parse(%s) = %#v", r.RequestURI, s)
		}
	}
}

// The Date header counts when there is no X-Amz-Date, in either form.
func TestParseDateHeader(t *testing.T) {
	for _, date := range []string{"Sun, 22 Nov 2026 08:15:00 GMT", testStamp} {
		r := headerRequest("AWS4-HMAC-SHA256 Credential=AKID"+testScope+", SignedHeaders=date;host, Signature="+hexA,
			"X-Amz-Date", "", "Date", date)
		s, err := Parse(r)
		if err != nil || !s.Time.Equal(at(testStamp)()) || s.date != testStamp {
			t.Errorf("Parse with Date %q = %v, %v, want %s", date, s, err, testStamp)
		}
	}
}

// A client that signs with Signature Version 2 is told which of its settings to
// change, unless it signs with Version 4, too.
func TestParseSigV2(t *testing.T) {
	const v2, v4 = "AWSAccessKeyId=AKID&Signature=a%3D&Expires=1", "X-Amz-Algorithm=AWS4-HMAC-SHA256"
	both := queryRequest(v2)
	both.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID"+testScope+", SignedHeaders=host, Signature="+hexA)
	for name, test := range map[string]struct {
		r    *http.Request
		want error
	}{
		"header":                {headerRequest("AWS AKID:c2lnbmF0dXJl"), ErrSigV2},
		"presigned":             {queryRequest(v2), ErrSigV2},
		"presigned-with-others": {queryRequest("x-id=GetObject&" + v2 + "&versionId=1"), ErrSigV2},
		"names-encoded":         {queryRequest("%41WSAccessKeyId=AKID&Signatur%65=a"), ErrSigV2},
		"query-api":             {queryRequest("Action=ListUsers&SignatureVersion=2&SignatureMethod=HmacSHA256"), ErrSigV2},
		"beside-a-header":       {both, ErrTwoForms},
		"beside-a-query":        {queryRequest(v2 + "&" + v4), ErrTwoForms},
		"a-parameter-Signature": {queryRequest("Signature=a"), ErrMissing},
	} {
		s, err := Parse(test.r)
		if err != test.want {
			t.Errorf("%s: Parse = %v, %v, want %v", name, s, err, test.want)
		}
	}
	if text := ErrSigV2.Error(); !strings.Contains(text, "set signature_version = s3v4") {
		t.Errorf("the message is %q, want the setting in it", text)
	}
}

func TestParseErrors(t *testing.T) {
	const good = "AWS4-HMAC-SHA256 Credential=AKID" + testScope + ", SignedHeaders=host, Signature=" + hexA
	presigned := func(replace ...string) *http.Request {
		return queryRequest(strings.NewReplacer(replace...).Replace("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID" +
			testScope + "&X-Amz-Date=20261122T081500Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=" + hexA))
	}
	with := func(r *http.Request, name, value string) *http.Request {
		r.Header.Set(name, value)
		return r
	}
	tests := []struct {
		name string
		r    *http.Request
		part string // of an IncompleteError, "" for another error
		text string // that the message has
		is   error
	}{
		{"no-signature", headerRequest(""), "", "", ErrMissing},
		{"header-and-query", with(presigned(), "Authorization", good), "", "", ErrTwoForms},
		{"bearer-and-query", with(presigned(), "Authorization", "Bearer x"), "", "", ErrTwoForms},
		{"two-headers", headerRequest("", "Authorization", good+"\n"+good), "", "", ErrTwoForms},
		{"another-scheme", headerRequest("Bearer x"), "Credential", "Authorization header requires 'Credential' parameter. " +
			"Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. " +
			"(Hashed with SHA-256 and encoded with Base64) Authorization=", nil},
		{"another-algorithm", headerRequest("AWS4-ECDSA-P256-SHA256 Credential=a"), "Algorithm", "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'", nil},
		{"nothing-but-the-algorithm", headerRequest("AWS4-HMAC-SHA256", "X-Amz-Date", ""), "Credential",
			"requires existence of either a 'X-Amz-Date' or a 'Date' header. ", nil},
		{"no-signature-parameter", headerRequest("AWS4-HMAC-SHA256 Credential=AKID" + testScope + ", SignedHeaders=host"), "Signature",
			"Authorization header requires 'Signature' parameter. (Hashed", nil},
		{"parameter-twice", headerRequest(good + ", Signature=" + hexA), "Authorization", "repeated", nil},
		{"unknown-parameter", headerRequest(good + ", Extra=1"), "Authorization", "unknown", nil},
		{"parameter-without-value", headerRequest("AWS4-HMAC-SHA256 Credential"), "Authorization", "malformed", nil},
		{"header-too-long", headerRequest(good + strings.Repeat(" ", maxAuthorization)), "Authorization", "longer", nil},
		{"no-date", headerRequest(good, "X-Amz-Date", ""), "X-Amz-Date", "'X-Amz-Date' or a 'Date' header", nil},
		{"two-dates", headerRequest(good, "X-Amz-Date", testStamp+"\n"+testStamp), "X-Amz-Date", "once", nil},
		{"bad-date", headerRequest(good, "X-Amz-Date", "2026-11-22T08:15:00Z"), "X-Amz-Date", "Date must be in ISO-8601 'basic format'. Got '2026-11-22T08:15:00Z'", nil},
		{"impossible-date", headerRequest(good, "X-Amz-Date", "20260230T081500Z"), "X-Amz-Date", "ISO-8601", nil},
		{"impossible-time", headerRequest(good, "X-Amz-Date", "20261122T246000Z"), "X-Amz-Date", "ISO-8601", nil},
		{"impossible-minute", headerRequest(good, "X-Amz-Date", "20261122T086000Z"), "X-Amz-Date", "ISO-8601", nil},
		{"impossible-second", headerRequest(good, "X-Amz-Date", "20261122T080060Z"), "X-Amz-Date", "ISO-8601", nil},
		{"date-too-long", headerRequest(good, "X-Amz-Date", testStamp+"0"), "X-Amz-Date", "ISO-8601", nil},
		{"fraction-of-a-second", headerRequest(good, "X-Amz-Date", "20261122T081500.5Z"), "X-Amz-Date", "ISO-8601", nil},
		{"two-tokens", headerRequest(good, "X-Amz-Security-Token", "a\nb"), "X-Amz-Security-Token", "once", nil},
		{"token-too-long", headerRequest(good, "X-Amz-Security-Token", strings.Repeat("a", maxToken+1)), "X-Amz-Security-Token", "longer", nil},
		{"credential-of-four", headerRequest(strings.Replace(good, "us-east-1/", "", 1)), "Credential", "exactly 5 slash-delimited elements", nil},
		{"credential-of-six", headerRequest(strings.Replace(good, "us-east-1/", "us/east/", 1)), "Credential", "exactly 5 slash-delimited elements", nil},
		{"credential-without-key", headerRequest(strings.Replace(good, "AKID", "", 1)), "Credential", "exactly 5", nil},
		{"credential-with-a-space", headerRequest(strings.Replace(good, "us-east-1", "us east", 1)), "Credential", "character", nil},
		{"credential-too-long", headerRequest(strings.Replace(good, "AKID", strings.Repeat("A", maxElement+1), 1)), "Credential", "too long", nil},
		{"terminator", headerRequest(strings.Replace(good, "aws4_request", "aws5_request", 1)), "",
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ", nil},
		{"signed-headers-in-capitals", headerRequest(strings.Replace(good, "=host", "=Host", 1)), "SignedHeaders", "lower case", nil},
		{"signed-headers-unsorted", headerRequest(strings.Replace(good, "=host", "=host;a", 1)), "SignedHeaders", "sorted", nil},
		{"signed-headers-twice", headerRequest(strings.Replace(good, "=host", "=host;host", 1)), "SignedHeaders", "once", nil},
		{"signed-headers-with-an-empty-name", headerRequest(strings.Replace(good, "=host", "=host;", 1)), "SignedHeaders", "", nil},
		{"signed-headers-with-a-newline", presigned("=host", "=host%3Bx%0A"), "SignedHeaders", "", nil},
		{"too-many-signed-headers", headerRequest(strings.Replace(good, "=host", "="+manyNames(maxSignedHeaders+1), 1)), "SignedHeaders", "", nil},
		{"s3-without-payload", headerRequest(strings.Replace(good, "/iam/", "/s3/", 1)), "X-Amz-Content-Sha256", "Missing required header for this request: x-amz-content-sha256", nil},
		{"s3-with-odd-payload", headerRequest(strings.Replace(good, "/iam/", "/s3/", 1), "X-Amz-Content-Sha256", strings.ToUpper(hexA)), "X-Amz-Content-Sha256", "or a valid sha256 value.", nil},
		{"s3-with-two-payloads", headerRequest(strings.Replace(good, "/iam/", "/s3/", 1), "X-Amz-Content-Sha256", hexA+"\n"+hexA), "X-Amz-Content-Sha256", "once", nil},
		{"presigned-without-most", queryRequest("X-Amz-Algorithm=AWS4-HMAC-SHA256"), "X-Amz-Credential",
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. ", nil},
		{"presigned-other-algorithm", presigned("HMAC-SHA256", "HMAC-SHA1"), "X-Amz-Algorithm", "Unsupported AWS 'algorithm'", nil},
		{"presigned-parameter-twice", presigned("X-Amz-Date=", "X-Amz-Expires=1&X-Amz-Date="), "X-Amz-Expires", "once", nil},
		{"presigned-bad-expires", presigned("=60", "=1h"), "X-Amz-Expires", "X-Amz-Expires should be a number", nil},
		{"presigned-negative-expires", presigned("=60", "=-60"), "X-Amz-Expires", "positive", nil},
		{"presigned-zero-expires", presigned("=60", "=0"), "X-Amz-Expires", "positive", nil},
		{"presigned-s3-without-expires", presigned("&X-Amz-Expires=60", "", "/iam/", "/s3/"), "X-Amz-Expires", "must include", nil},
		{"presigned-with-token-header", with(presigned(), "X-Amz-Security-Token", "a"), "X-Amz-Security-Token", "must not have", nil},
		{"presigned-with-date-header", with(presigned(), "X-Amz-Date", testStamp), "X-Amz-Date", "must not have", nil},
		{"malformed-percent-in-query", queryRequest("a=%2&X-Amz-Algorithm=x"), "URI", "percent-encoding", nil},
		{"bad-first-hex-digit", queryRequest("a=%g0&X-Amz-Algorithm=x"), "URI", "percent-encoding", nil},
		{"bad-second-hex-digit", queryRequest("%0g=a&X-Amz-Algorithm=x"), "URI", "percent-encoding", nil},
		{"semicolon-in-query", queryRequest("a;b&X-Amz-Algorithm=x"), "URI", "semicolon", nil},
		{"too-many-parameters", queryRequest(strings.Repeat("a&", maxParams+1) + "X-Amz-Algorithm=x"), "URI", "more than 1024 parameters", nil},
		{"target-too-long", queryRequest(strings.Repeat("a", maxTarget)), "URI", "longer", nil},
		{"target-without-a-slash", &http.Request{RequestURI: "*"}, "URI", "slash", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := Parse(test.r)
			if err == nil {
				t.Fatalf("Parse = %v, nil, want an error", s)
			}
			if test.is != nil && !errors.Is(err, test.is) {
				t.Errorf("Parse = %v, want %v", err, test.is)
			}
			e, ok := errors.AsType[*IncompleteError](err)
			if ok != (test.part != "") || ok && e.Part != test.part {
				t.Errorf("Parse = %#v, want part %q", err, test.part)
			}
			if !strings.Contains(err.Error(), test.text) {
				t.Errorf("Parse = %v, want it to say %q", err, test.text)
			}
		})
	}
}

func manyNames(n int) string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("h%04d", i))
	}
	return strings.Join(names, ";")
}

// Printing a Signature shows who signed, never a token, signature or key.
func TestSignaturePrintsNoSecret(t *testing.T) {
	s := &Signature{Credential: Credential{"AKID", "20261122", "us-east-1", "iam"}, SessionToken: "token", signature: hexA, key: Key{'k', 'e', 'y'}}
	for _, format := range []string{"%v", "%+v", "%s", "%#v"} {
		for _, v := range []any{s, *s} {
			if got := fmt.Sprintf(format, v); got != "AKID"+testScope {
				t.Errorf("Sprintf(%q) = %q", format, got)
			}
		}
		if got := fmt.Sprintf(format, Key{1}); got != "sigv4.Key(hidden)" {
			t.Errorf("Sprintf(%q, Key) = %q", format, got)
		}
	}
}

// FuzzParse checks that whatever Parse accepts is well formed and repeats what
// the request says.
func FuzzParse(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKID"+testScope+", SignedHeaders=host, Signature="+hexA, "", testStamp, hexA)
	f.Add("", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID"+testScope+
		"&X-Amz-Date=20261122T081500Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=a", "", "")
	f.Add("AWS a:b", "AWSAccessKeyId=a&Signature=b", "Sun, 22 Nov 2026 08:15:00 GMT", UnsignedPayload)
	f.Fuzz(func(t *testing.T, auth, query, date, payload string) {
		r := &http.Request{Method: "GET", RequestURI: "/?" + query, Host: "inn.example", Header: http.Header{}}
		for name, value := range map[string]string{"Authorization": auth, "Date": date, "X-Amz-Content-Sha256": payload} {
			if value != "" {
				r.Header[name] = []string{value}
			}
		}
		s, err := Parse(r)
		if err != nil {
			if s != nil && err == nil || err.Error() == "" {
				t.Fatalf("Parse = %v, %v", s, err)
			}
			return
		}
		if s.Presigned == (auth != "") || s.AccessKeyID == "" || !validSignedHeaders(s.SignedHeaders) ||
			formatTime(s.Time) != s.date || s.Expires < 0 || s.S3() != (s.Payload != "") ||
			strings.Count(s.String(), "/") != 4 || strings.ContainsAny(s.String()+s.SignedHeaders, "\r\n ") {
			t.Fatalf("Parse = %#v", s)
		}
		if !s.Presigned && !strings.Contains(auth, s.String()) {
			t.Fatalf("Parse = %v, which is not in %q", s, auth)
		}
	})
}
