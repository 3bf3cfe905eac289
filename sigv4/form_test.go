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

// The example of S3's documentation (S3 API Reference, "Example: Browser-Based
// Upload using HTTP POST"), whose secret and signature it gives.
const (
	docPolicy = "eyAiZXhwaXJhdGlvbiI6ICIyMDE1LTEyLTMwVDEyOjAwOjAwLjAwMFoiLA0KICAiY29uZGl0aW9ucyI6IFsNCiAgICB7ImJ1Y2tldCI6ICJzaWd2NGV4YW1wbGVidWNrZXQifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci91c2VyMS8iXSwNCiAgICB7ImFjbCI6ICJwdWJsaWMtcmVhZCJ9LA0KICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL3NpZ3Y0ZXhhbXBsZWJ1Y2tldC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nlc3NmdWxfdXBsb2FkLmh0bWwifSwNCiAgICBbInN0YXJ0cy13aXRoIiwgIiRDb250ZW50LVR5cGUiLCAiaW1hZ2UvIl0sDQogICAgeyJ4LWFtei1tZXRhLXV1aWQiOiAiMTQzNjUxMjM2NTEyNzQifSwNCiAgICB7IngtYW16LXNlcnZlci1zaWRlLWVuY3J5cHRpb24iOiAiQUVTMjU2In0sDQogICAgWyJzdGFydHMtd2l0aCIsICIkeC1hbXotbWV0YS10YWciLCAiIl0sDQoNCiAgICB7IngtYW16LWNyZWRlbnRpYWwiOiAiQUtJQUlPU0ZPRE5ON0VYQU1QTEUvMjAxNTEyMjkvdXMtZWFzdC0xL3MzL2F3czRfcmVxdWVzdCJ9LA0KICAgIHsieC1hbXotYWxnb3JpdGhtIjogIkFXUzQtSE1BQy1TSEEyNTYifSwNCiAgICB7IngtYW16LWRhdGUiOiAiMjAxNTEyMjlUMDAwMDAwWiIgfQ0KICBdDQp9"
	docSign   = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
	docSecret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func docForm() map[string][]string {
	return map[string][]string{
		"key": {"user/user1/${filename}"}, "acl": {"public-read"}, "Content-Type": {"image/jpeg"},
		"X-Amz-Credential": {"AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
		"X-Amz-Algorithm":  {"AWS4-HMAC-SHA256"}, "X-Amz-Date": {"20151229T000000Z"},
		"Policy": {docPolicy}, "X-Amz-Signature": {docSign},
	}
}

func TestFormOfTheDocumentation(t *testing.T) {
	s, err := ParseForm(docForm())
	if err != nil {
		t.Fatal(err)
	}
	if want := (Credential{"AKIAIOSFODNN7EXAMPLE", "20151229", "us-east-1", "s3"}); s.Credential != want || !s.Form || s.Presigned {
		t.Errorf("ParseForm = %#v", s)
	}
	v := &Verifier{Now: at("20151229T120000Z"), Keys: new(KeyCache)}
	for range 2 { // the second time with the cached key
		if err := v.VerifyPolicy(s, docSecret, docPolicy); err != nil {
			t.Errorf("VerifyPolicy = %v, want nil", err)
		}
	}
	if err := v.VerifyPolicyKey(s, DeriveKey(docSecret, s.Date, s.Region, s.Service), docPolicy); err != nil {
		t.Errorf("VerifyPolicyKey = %v, want nil", err)
	}
}

func TestSignPolicy(t *testing.T) {
	signer := testSigner("s3")
	signer.SessionToken = "t0k3n"
	fields, err := signer.SignPolicy("e30=")
	if err != nil {
		t.Fatal(err)
	}
	form := map[string][]string{"policy": {"e30="}}
	for name, value := range fields {
		form[name] = []string{value}
	}
	s, err := ParseForm(form)
	if err != nil || s.SessionToken != "t0k3n" {
		t.Fatalf("ParseForm = %v, %v", s, err)
	}
	if err := (&Verifier{Now: signer.Now}).VerifyPolicy(s, signer.SecretAccessKey, "e30="); err != nil {
		t.Errorf("VerifyPolicy = %v, want nil", err)
	}
	if _, err := new(Signer).SignPolicy("e30="); err == nil {
		t.Error("SignPolicy without a key = nil, want an error")
	}
}

func TestParseFormErrors(t *testing.T) {
	edit := func(changes ...string) map[string][]string {
		f := docForm()
		for i := 0; i < len(changes); i += 2 {
			if delete(f, changes[i]); changes[i+1] != "" {
				f[changes[i]] = strings.Split(changes[i+1], "\n")
			}
		}
		return f
	}
	tests := []struct {
		name string
		form map[string][]string
		part string // of an IncompleteError
		want error  // that it is, if part is ""
	}{
		{"nothing", nil, "", ErrMissing},
		{"anonymous", map[string][]string{"key": {"a"}, "policy": {"e30="}}, "", ErrMissing},
		{"old-signature", map[string][]string{"AWSAccessKeyId": {"AKID"}, "policy": {"e30="}, "signature": {"c2ln"}}, "", ErrSigV2},
		{"both-signatures", edit("Signature", "c2ln"), "", ErrTwoForms},
		{"no-policy", edit("Policy", ""), "policy", nil},
		{"no-algorithm", edit("X-Amz-Algorithm", ""), "x-amz-algorithm", nil},
		{"no-credential", edit("X-Amz-Credential", ""), "x-amz-credential", nil},
		{"no-date", edit("X-Amz-Date", ""), "x-amz-date", nil},
		{"no-signature", edit("X-Amz-Signature", ""), "x-amz-signature", nil},
		{"field-twice", edit("X-Amz-Date", "20151229T000000Z\n20151229T000000Z"), "x-amz-date", nil},
		{"field-in-two-spellings", edit("x-amz-signature", docSign), "x-amz-signature", nil},
		{"algorithm", edit("X-Amz-Algorithm", "AWS4-HMAC-SHA1"), "x-amz-algorithm", nil},
		{"credential", edit("X-Amz-Credential", "AKID/s3/aws4_request"), "Credential", nil},
		{"date", edit("X-Amz-Date", "2015-12-29"), "x-amz-date", nil},
		{"token-too-long", edit("X-Amz-Security-Token", strings.Repeat("a", maxToken+1)), "x-amz-security-token", nil},
		{"terminator", edit("X-Amz-Credential", "AKID/20151229/us-east-1/s3/aws5_request"), "",
			&ScopeError{"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. "}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, err := ParseForm(test.form)
			if e, ok := errors.AsType[*IncompleteError](err); ok && test.part == e.Part {
				return
			}
			if test.part != "" || fmt.Sprintf("%T %v", err, err) != fmt.Sprintf("%T %v", test.want, test.want) {
				t.Errorf("ParseForm = %v, %T %v, want %s %v", s, err, err, test.part, test.want)
			}
		})
	}
}

func TestVerifyPolicyErrors(t *testing.T) {
	const day = 24 * time.Hour
	signed := at("20151229T000000Z")()
	otherDay := docForm()
	otherDay["X-Amz-Date"] = []string{"20151230T000000Z"}
	flipped := docForm()
	flipped["X-Amz-Signature"] = []string{docSign[:63] + "f"}
	tests := []struct {
		name           string
		form           map[string][]string
		v              Verifier
		secret, policy string
		want           string // the type of the error
	}{
		{"right", docForm(), Verifier{}, docSecret, docPolicy, "<nil>"},
		{"another-policy", docForm(), Verifier{}, docSecret, docPolicy + " ", "*sigv4.MismatchError"},
		{"no-policy", docForm(), Verifier{}, docSecret, "", "*sigv4.MismatchError"},
		{"another-signature", flipped, Verifier{}, docSecret, docPolicy, "*sigv4.MismatchError"},
		{"another-secret", docForm(), Verifier{}, docSecret + "x", docPolicy, "*sigv4.MismatchError"},
		{"no-secret", docForm(), Verifier{}, "", docPolicy, "*errors.errorString"},
		{"service", docForm(), Verifier{Services: []string{"iam"}}, docSecret, docPolicy, "*sigv4.ScopeError"},
		{"region", docForm(), Verifier{Regions: []string{"eu-west-1"}}, docSecret, docPolicy, "*sigv4.ScopeError"},
		{"date-of-another-day", otherDay, Verifier{}, docSecret, docPolicy, "*sigv4.ScopeError"},
		{"quirk-Q120-seven-days-old", docForm(), Verifier{Now: func() time.Time { return signed.Add(7 * day) }}, docSecret, docPolicy, "<nil>"},
		{"quirk-Q120-older", docForm(), Verifier{Now: func() time.Time { return signed.Add(7*day + time.Second) }}, docSecret, docPolicy, "*sigv4.ExpiredError"},
		{"from-the-future", docForm(), Verifier{Now: func() time.Time { return signed.Add(-6 * time.Minute) }}, docSecret, docPolicy, "*sigv4.SkewError"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.v.Now == nil {
				test.v.Now = at("20151229T000000Z")
			}
			s, err := ParseForm(test.form)
			if err != nil {
				t.Fatal(err)
			}
			if err := test.v.VerifyPolicy(s, test.secret, test.policy); fmt.Sprintf("%T", err) != test.want {
				t.Errorf("VerifyPolicy = %T %v, want %s", err, err, test.want)
			}
			key := DeriveKey(test.secret, s.Date, s.Region, s.Service)
			if err := test.v.VerifyPolicyKey(s, key, test.policy); fmt.Sprintf("%T", err) != test.want {
				t.Errorf("VerifyPolicyKey = %T %v, want %s", err, err, test.want)
			}
		})
	}
}

// A signature of a form is good for no request, and that of a request for no
// form.
func TestFormsAreNoRequests(t *testing.T) {
	v := &Verifier{Now: at(testStamp)}
	r := signedGet(t, testSigner("s3"))
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := v.VerifyPolicy(s, s3Secret, "e30="); err != ErrMissing {
		t.Errorf("VerifyPolicy of a request's signature = %v, want %v", err, ErrMissing)
	}
	s.Form = true
	if err := v.Verify(r, s, s3Secret, nil); err != ErrMissing {
		t.Errorf("Verify of a form's signature = %v, want %v", err, ErrMissing)
	}
	signer := testSigner("s3")
	nothing, err := signer.SignPolicy("")
	if err != nil {
		t.Fatal(err)
	}
	form := map[string][]string{"policy": {"e30="}}
	for name, value := range nothing {
		form[name] = []string{value}
	}
	if s, err = ParseForm(form); err != nil {
		t.Fatal(err)
	}
	if err := v.VerifyPolicy(s, s3Secret, ""); err == nil {
		t.Error("VerifyPolicy of no policy = nil, want an error")
	}
	if err := v.VerifyPolicy(&Signature{Form: true}, s3Secret, "e30="); err != ErrMissing {
		t.Errorf("VerifyPolicy of no signature = %v, want %v", err, ErrMissing)
	}
}

// Whatever of AWS's headers a request carries, its signature has to cover, in
// each form of signature and of body.
func TestUnsignedHeadersAreRefused(t *testing.T) {
	v := &Verifier{Now: at(testStamp)}
	stream := func(payload string) func() *http.Request {
		return func() *http.Request {
			r, _ := streamed(t, payload, crc32c, []byte("data"))
			return r
		}
	}
	requests := map[string]func() *http.Request{
		"presigned":               func() *http.Request { return presignedGet(t, testSigner("s3")) },
		"no-body":                 func() *http.Request { return signedGet(t, testSigner("s3")) },
		"signed-chunks":           stream(StreamingSigned),
		"signed-chunks-trailer":   stream(StreamingSignedTrailer),
		"unsigned-chunks-trailer": stream(StreamingUnsignedTrailer),
	}
	for name, newRequest := range requests {
		t.Run(name, func(t *testing.T) {
			if err := verifyOnce(v, newRequest(), nil); err != nil {
				t.Fatalf("unchanged: Verify = %v, want nil", err)
			}
			for _, header := range []string{"X-Amz-Acl", "x-amz-copy-source", "X-AMZ-META-A", "X-Amz-Tagging"} {
				r := newRequest()
				r.Header[header] = []string{"x"}
				if e, ok := errors.AsType[*UnsignedError](verifyOnce(v, r, nil)); !ok || e.Header != strings.ToLower(header) {
					t.Errorf("with %s: Verify = %v, want an *UnsignedError of it", header, e)
				}
			}
		})
	}
}
