// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// signedPost is a POST of IAM with a body and some headers.
func signedPost(t testing.TB, s *Signer, body string) *http.Request {
	r := mustRequest(t, "POST", "https://iam.example/path/x?b=2&a=1&a=0", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Add("X-Amz-Meta-Two", "one")
	r.Header.Add("X-Amz-Meta-Two", "two")
	if err := s.Sign(r, HashPayload([]byte(body))); err != nil {
		t.Fatal(err)
	}
	return received(r)
}

func presignedGet(t testing.TB, s *Signer) *http.Request {
	r := mustRequest(t, "GET", "https://bucket.example/a/b%20c?versionId=3", nil)
	r.Header.Set("X-Amz-Meta-One", "1")
	u, err := s.Presign(r, time.Hour, "")
	if err != nil {
		t.Fatal(err)
	}
	out := mustRequest(t, "GET", u, nil)
	out.Header = r.Header
	return received(out)
}

func refused(t *testing.T, v *Verifier, r *http.Request, body []byte) {
	t.Helper()
	if err := verifyOnce(v, r, body); err == nil {
		t.Errorf("Verify = nil, want an error")
	}
}

// TestEveryPartIsSigned changes each part of a signed request in turn.
func TestEveryPartIsSigned(t *testing.T) {
	const body = "Action=ListUsers&Version=2010-05-08"
	signer := testSigner("iam")
	signer.SessionToken = "session token"
	v := &Verifier{Now: signer.Now}
	if err := verifyOnce(v, signedPost(t, signer, body), []byte(body)); err != nil {
		t.Fatalf("unchanged: Verify = %v, want nil", err)
	}
	tests := map[string]func(r *http.Request){
		"method":           func(r *http.Request) { r.Method = "PUT" },
		"host":             func(r *http.Request) { r.Host = "iam.example:443" },
		"path":             func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/x", "/y", 1) },
		"path-encoding":    func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/x", "/%78", 1) },
		"path-with-slash":  func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/x", "/x/", 1) },
		"query-value":      func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "b=2", "b=3", 1) },
		"query-name":       func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "b=2", "B=2", 1) },
		"query-more":       func(r *http.Request) { r.RequestURI += "&c" },
		"query-less":       func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "&a=0", "", 1) },
		"query-gone":       func(r *http.Request) { r.RequestURI, _, _ = strings.Cut(r.RequestURI, "?") },
		"query-semicolon":  func(r *http.Request) { r.RequestURI += ";x" },
		"content-type":     func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"header-value":     func(r *http.Request) { r.Header["X-Amz-Meta-Two"][0] = "ones" },
		"header-order":     func(r *http.Request) { r.Header["X-Amz-Meta-Two"] = []string{"two", "one"} },
		"header-gone":      func(r *http.Request) { r.Header.Del("X-Amz-Meta-Two") },
		"header-added":     func(r *http.Request) { r.Header.Set("X-Amz-Meta-Three", "") },
		"token":            func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") },
		"token-gone":       func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") },
		"date":             func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261122T081501Z") },
		"date-gone":        func(r *http.Request) { r.Header.Del("X-Amz-Date") },
		"signed-headers":   func(r *http.Request) { editAuth(r, "content-type;", "") },
		"scope-date":       func(r *http.Request) { editAuth(r, "/20261122/", "/20261121/") },
		"scope-region":     func(r *http.Request) { editAuth(r, "us-east-1", "us-east-2") },
		"scope-service":    func(r *http.Request) { editAuth(r, "/iam/", "/sts/") },
		"scope-terminator": func(r *http.Request) { editAuth(r, "aws4_request", "aws4-request") },
		"signature-cut":    func(r *http.Request) { a := r.Header["Authorization"]; a[0] = a[0][:len(a[0])-1] },
		"signature-longer": func(r *http.Request) { r.Header["Authorization"][0] += "0" },
		"signature-in-capitals": func(r *http.Request) {
			head, sig, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", head+"Signature="+strings.ToUpper(sig))
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			r := signedPost(t, signer, body)
			change(r)
			refused(t, v, r, []byte(body))
		})
	}
	t.Run("every-character-of-the-signature", func(t *testing.T) {
		for i := range hexSize {
			r := signedPost(t, signer, body)
			a := []byte(r.Header.Get("Authorization"))
			a[len(a)-1-i] ^= 1
			r.Header.Set("Authorization", string(a))
			refused(t, v, r, []byte(body))
		}
	})
	t.Run("body", func(t *testing.T) {
		r := signedPost(t, signer, body)
		refused(t, v, r, []byte(body+"&X=1"))
		refused(t, v, r, []byte{})
		refused(t, v, r, nil)
	})
	t.Run("secret", func(t *testing.T) {
		r := signedPost(t, signer, body)
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"", s3Secret + "x", suiteSecret} {
			if err := v.Verify(r, s, secret, []byte(body)); err == nil {
				t.Errorf("Verify with secret %q = nil, want an error", secret)
			}
		}
	})
}

// A caller that found no secret must not accept what anyone can sign: with an
// empty secret, or with no key.
func TestNoSecret(t *testing.T) {
	const signed = "host;x-amz-date"
	c := Credential{s3ID, "20261122", "us-east-1", "iam"}
	v := &Verifier{Now: at(testStamp)}
	r := headerRequest("")
	canonical, _ := oracleCanonical(r, "iam", signed, EmptyPayload)
	sum := HashPayload([]byte(canonical))
	byNoKey := hmacSHA256(make([]byte, 32), []byte(algorithm+"\n"+testStamp+"\n"+c.Scope()+"\n"+sum))
	for _, signature := range []string{oracleSignature(canonical, "", testStamp, c), hex.EncodeToString(byNoKey[:])} {
		r.Header.Set("Authorization", algorithm+" Credential="+c.String()+", SignedHeaders="+signed+", Signature="+signature)
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{"Verify": v.Verify(r, s, "", nil), "VerifyKey": v.VerifyKey(r, s, Key{}, nil)} {
			if err != errNoKey {
				t.Errorf("%s = %v, want %v", name, err, errNoKey)
			}
		}
	}
	if key := DeriveKey("", "20261122", "us-east-1", "iam"); key != (Key{}) {
		t.Error("DeriveKey of no secret is a key")
	}
}

func editAuth(r *http.Request, old, text string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, text, 1))
}

func TestEveryPartIsPresigned(t *testing.T) {
	signer := testSigner("s3")
	signer.SessionToken = "session+token"
	v := &Verifier{Now: signer.Now}
	if err := verifyOnce(v, presignedGet(t, signer), nil); err != nil {
		t.Fatalf("unchanged: Verify = %v, want nil", err)
	}
	_, query, _ := strings.Cut(presignedGet(t, signer).RequestURI, "?")
	for pair := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		flipped := value[:len(value)-1] + string(value[len(value)-1]^1)
		for change, with := range map[string]string{"flipped": name + "=" + flipped, "empty": name + "=", "gone": "",
			"renamed": "x" + pair, "twice": pair + "&" + pair} {
			t.Run(name+"-"+change, func(t *testing.T) {
				r := presignedGet(t, signer)
				r.RequestURI = strings.Replace(r.RequestURI, pair, with, 1)
				refused(t, v, r, nil)
			})
		}
	}
	tests := map[string]func(r *http.Request){
		"method":         func(r *http.Request) { r.Method = "HEAD" },
		"host":           func(r *http.Request) { r.Host = "other.example" },
		"path":           func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/b", "/c", 1) },
		"path-dots":      func(r *http.Request) { r.RequestURI = "/x/.." + r.RequestURI },
		"path-slashes":   func(r *http.Request) { r.RequestURI = "/" + r.RequestURI },
		"path-encoded":   func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "/b", "%2Fb", 1) },
		"path-malformed": func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "%20", "%2", 1) },
		"query-more":     func(r *http.Request) { r.RequestURI += "&acl" },
		"header-value":   func(r *http.Request) { r.Header.Set("X-Amz-Meta-One", "2") },
		"header-added":   func(r *http.Request) { r.Header.Set("X-Amz-Acl", "public-read") },
		"payload-added":  func(r *http.Request) { r.Header.Set("X-Amz-Content-Sha256", UnsignedPayload) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			r := presignedGet(t, signer)
			change(r)
			refused(t, v, r, nil)
		})
	}
	t.Run("body-must-be-signed-when-it-is-given", func(t *testing.T) {
		refused(t, v, presignedGet(t, signer), []byte("body"))
	})
}

// What a client may write in several ways verifies in each.
func TestSameMeaning(t *testing.T) {
	signer := testSigner("s3")
	r := mustRequest(t, "GET", "http://bucket.example/a%7Eb/~c%2Fd?prefix=a%20b&acl", nil)
	if err := signer.Sign(r, EmptyPayload); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"/a%7Eb/~c%2Fd?prefix=a%20b&acl", "/a~b/%7ec%2fd?acl=&prefix=a+b", "/%61~b/~c%2Fd?&acl&&prefix=%61%20b&",
		"http://bucket.example/a~b/~c%2Fd?prefix=a%20b&acl"} {
		in := received(r)
		in.RequestURI = target
		if err := verifyOnce(&Verifier{Now: signer.Now}, in, nil); err != nil {
			t.Errorf("%s: Verify = %v, want nil", target, err)
		}
	}
}

func TestContentLengthAndTransferEncodingAreSigned(t *testing.T) {
	const signed = "content-length;host;transfer-encoding;x-amz-date"
	r := headerRequest("", "X-Amz-Date", testStamp)
	r.ContentLength, r.TransferEncoding = 12, []string{"chunked"}
	c := Credential{s3ID, "20261122", "us-east-1", "iam"}
	canonical := "POST\n/\n\ncontent-length:12\nhost:iam.example\ntransfer-encoding:chunked\nx-amz-date:" + testStamp + "\n\n" + signed + "\n" + EmptyPayload
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.String()+", SignedHeaders="+signed+", Signature="+
		oracleSignature(canonical, s3Secret, testStamp, c))
	v := &Verifier{Now: at(testStamp)}
	if err := verifyOnce(v, r, nil); err != nil {
		t.Errorf("Verify = %v, want nil", err)
	}
	r.ContentLength = 13
	refused(t, v, r, nil)
}

func TestVerifyErrors(t *testing.T) {
	signer := testSigner("iam")
	post := func(t *testing.T) *http.Request { return signedPost(t, signer, "") }
	get := func(t *testing.T) *http.Request { return presignedGet(t, testSigner("s3")) }
	edited := func(old, text string) func(t *testing.T) *http.Request {
		return func(t *testing.T) *http.Request {
			r := post(t)
			editAuth(r, old, text)
			return r
		}
	}
	tests := []struct {
		name string
		v    Verifier
		r    func(t *testing.T) *http.Request
		want error // its type and text
	}{
		{"too-old", Verifier{Now: at("20261122T082500Z")}, post, &SkewError{at(testStamp)(), at("20261122T082500Z")(), 5 * time.Minute}},
		{"too-new", Verifier{Now: at("20261122T080000Z")}, post, &SkewError{at(testStamp)(), at("20261122T080000Z")(), 5 * time.Minute}},
		{"just-in-time", Verifier{Now: at("20261122T082000Z")}, post, nil},
		{"just-not-too-new", Verifier{Now: at("20261122T081000Z")}, post, nil},
		{"own-skew", Verifier{Now: at("20261122T081600Z"), Skew: 30 * time.Second}, post, &SkewError{at(testStamp)(), at("20261122T081600Z")(), 30 * time.Second}},
		{"presigned-in-time", Verifier{Now: at("20261122T091500Z")}, get, nil},
		{"presigned-expired", Verifier{Now: at("20261122T091501Z")}, get, &ExpiredError{at("20261122T091500Z")(), at("20261122T091501Z")()}},
		{"presigned-too-new", Verifier{Now: at("20261122T080959Z")}, get, &SkewError{at(testStamp)(), at("20261122T080959Z")(), 5 * time.Minute}},
		{"presigned-for-too-long", Verifier{Now: at(testStamp), MaxExpires: time.Minute}, get, &IncompleteError{"X-Amz-Expires",
			"X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 60 seconds"}},
		{"service", Verifier{Now: at(testStamp), Services: []string{"sts"}}, post, &ScopeError{"Credential should be scoped to correct service: 'sts'. "}},
		{"empty-service", Verifier{Now: at(testStamp)}, edited("/iam/", "//"), &ScopeError{"Credential should be scoped to correct service: ''. "}},
		{"one-of-the-services", Verifier{Now: at(testStamp), Services: []string{"sts", "iam"}}, post, nil},
		{"region", Verifier{Now: at(testStamp), Regions: []string{"eu-west-1"}}, post, &ScopeError{"Credential should be scoped to a valid region, not 'us-east-1'. "}},
		{"empty-region", Verifier{Now: at(testStamp)}, edited("/us-east-1/", "//"), &ScopeError{"Credential should be scoped to a valid region, not ''. "}},
		{"scope-date", Verifier{Now: at(testStamp)}, edited("/20261122/", "/20261121/"), &ScopeError{
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261121' != '20261122', from '20261122T081500Z'."}},
		{"host-unsigned", Verifier{Now: at(testStamp)}, edited("host;", ""), &UnsignedError{"host"}},
		{"amz-header-unsigned", Verifier{Now: at(testStamp)}, edited("x-amz-date;", ""), &UnsignedError{"x-amz-date"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			body := []byte{}
			r := test.r(t)
			if r.Method == "GET" {
				body = nil
			}
			if err := verifyOnce(&test.v, r, body); fmt.Sprintf("%T %v", err, err) != fmt.Sprintf("%T %v", test.want, test.want) {
				t.Errorf("Verify = %T %v, want %T %v", err, err, test.want, test.want)
			}
		})
	}
	if err := new(Verifier).Verify(post(t), new(Signature), s3Secret, nil); err != ErrMissing {
		t.Errorf("Verify of no Signature = %v, want %v", err, ErrMissing)
	}
}

// A presigned request may be good for 7 days and no longer.
func TestWeek(t *testing.T) {
	signer := testSigner("s3")
	for expires, good := range map[time.Duration]bool{7 * 24 * time.Hour: true, 7*24*time.Hour + time.Second: false} {
		u, err := signer.Presign(mustRequest(t, "GET", "https://bucket.example/a", nil), expires, "")
		if err != nil {
			t.Fatal(err)
		}
		err = verifyOnce(&Verifier{Now: signer.Now}, received(mustRequest(t, "GET", u, nil)), nil)
		if good != (err == nil) {
			t.Errorf("presigned for %v: Verify = %v, want good = %t", expires, err, good)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	now := at(testStamp)()
	tests := []struct {
		err  error
		want string
	}{
		{&SkewError{at("20261122T080000Z")(), now, 5 * time.Minute},
			"Signature expired: 20261122T080000Z is now earlier than 20261122T081000Z (20261122T081500Z - 5 min.)"},
		{&SkewError{at("20261122T083000Z")(), now, 5 * time.Minute},
			"Signature not yet current: 20261122T083000Z is still later than 20261122T082000Z (20261122T081500Z + 5 min.)"},
		{&SkewError{at("20261122T080000Z")(), now, 90 * time.Second},
			"Signature expired: 20261122T080000Z is now earlier than 20261122T081330Z (20261122T081500Z - 1m30s.)"},
		{&UnsignedError{"host"}, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{&UnsignedError{"x-amz-a"}, "'x-amz-a' must be a 'SignedHeader' in the AWS Authorization."},
	}
	for _, test := range tests {
		if got := test.err.Error(); got != test.want {
			t.Errorf("%#v = %q, want %q", test.err, got, test.want)
		}
	}
}

// The message of a mismatch shows what the server canonicalised, and nothing
// that is secret.
func TestMismatch(t *testing.T) {
	signer := testSigner("iam")
	signer.SessionToken = "s3ss10n"
	r := mustRequest(t, "GET", "https://iam.example/?Action=ChangePassword&NewPassword=hunter2&OldPassword=&X-Extra-Token=t0k3n", nil)
	r.Header.Set("X-Amz-Server-Side-Encryption-Customer-Key", "c5k")
	if err := signer.Sign(r, ""); err != nil {
		t.Fatal(err)
	}
	in := received(r)
	s, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	err = (&Verifier{Now: signer.Now}).Verify(in, s, suiteSecret, nil)
	e, ok := errors.AsType[*MismatchError](err)
	if !ok {
		t.Fatalf("Verify = %v, want a *MismatchError", err)
	}
	const signed = "host;x-amz-date;x-amz-security-token;x-amz-server-side-encryption-customer-key"
	want := "GET\n/\nAction=ChangePassword&NewPassword=***&OldPassword=&X-Extra-Token=***\nhost:iam.example\nx-amz-date:20261122T081500Z\n" +
		"x-amz-security-token:***\nx-amz-server-side-encryption-customer-key:***\n\n" + signed + "\n" + EmptyPayload
	if e.CanonicalRequest != want {
		t.Errorf("CanonicalRequest = %q, want %q", e.CanonicalRequest, want)
	}
	full, _ := oracleCanonical(in, "iam", signed, EmptyPayload)
	if want := algorithm + "\n" + testStamp + "\n20261122/us-east-1/iam/aws4_request\n" + HashPayload([]byte(full)); e.StringToSign != want {
		t.Errorf("StringToSign = %q, want %q", e.StringToSign, want)
	}
	text := err.Error()
	if !strings.HasPrefix(text, "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. "+
		"Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'GET\n") {
		t.Errorf("Error() = %q", text)
	}
	for _, secret := range []string{"hunter2", "t0k3n", "s3ss10n", "c5k", s.signature} {
		if strings.Contains(text, secret) {
			t.Errorf("Error() repeats %q", secret)
		}
	}
}

// A client's own request verifies before it is sent, as a server sees it.
func TestClientRequest(t *testing.T) {
	signer := testSigner("iam")
	for _, target := range []string{"https://iam.example", "https://iam.example/a b/ü", "https://iam.example/a%2Fb/?q=%zz"} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		r := &http.Request{URL: u}
		err = signer.Sign(r, "")
		if strings.Contains(target, "%zz") {
			if _, ok := errors.AsType[*IncompleteError](err); !ok {
				t.Errorf("Sign(%s) = %v, want an *IncompleteError", target, err)
			}
			continue
		}
		if err == nil {
			err = verifyOnce(&Verifier{Now: signer.Now}, r, nil)
		}
		if err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
}

// TestAllocations holds the figure that a request with a cached key costs.
func TestAllocations(t *testing.T) {
	signer := testSigner("s3")
	r := signedGet(t, signer)
	v := Verifier{Now: signer.Now, Keys: new(KeyCache)}
	got := testing.AllocsPerRun(100, func() {
		if err := verifyOnce(&v, r, nil); err != nil {
			t.Fatal(err)
		}
	})
	if got > 4 {
		t.Errorf("a verification allocates %v times, want at most 4", got)
	}
}
