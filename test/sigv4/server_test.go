// SPDX-License-Identifier: Apache-2.0

// Package sigv4 tests the signature library with the clients that people use:
// AWS SDKs, the AWS CLI and MinIO's client.
package sigv4

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const (
	keyID  = "AKIAIOSFODNN7EXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	token  = "session+token/of=a==role"
	region = "us-east-1"
)

// A server verifies every request as a service would, and answers just enough
// of IAM, STS and S3 for a client to be content.
type server struct {
	*httptest.Server
	verifier sigv4.Verifier

	mu      sync.Mutex        // guards below
	objects map[string]string // :: decoded path → data
	seen    []seen
}

// seen is what a request that verified said about itself.
type seen struct {
	Service, Method, Payload, Token string
	Presigned                       bool
	Proto                           int // HTTP major version
}

func start(t *testing.T, secure bool) *server {
	t.Helper()
	s := &server{
		objects:  make(map[string]string),
		verifier: sigv4.Verifier{Services: []string{"iam", "sts", "s3"}, Regions: []string{region}, Keys: new(sigv4.KeyCache)},
	}
	s.Server = httptest.NewUnstartedServer(s)
	if secure {
		s.EnableHTTP2 = true
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

// caFile writes the server's certificate for clients that read a file.
func (s *server) caFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// take returns what was seen since the last call.
func (s *server) take() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	got := s.seen
	s.seen = nil
	return got
}

// object returns the data stored at a path, and whether there is any.
func (s *server) object(path string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.objects[path]
	return data, ok
}

func (s *server) forget(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.objects, path)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sig, body, err := s.authenticate(r)
	if err != nil {
		code := "AccessDenied"
		if _, ok := errors.AsType[*sigv4.MismatchError](err); ok {
			code = "SignatureDoesNotMatch"
		}
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(http.StatusForbidden)
		if strings.Contains(r.Header.Get("Content-Type"), "form") {
			fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>", code, escape(err.Error()))
			return
		}
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, escape(err.Error()))
		return
	}
	s.mu.Lock()
	s.seen = append(s.seen, seen{sig.Service, r.Method, sig.Payload, sig.SessionToken, sig.Presigned, r.ProtoMajor})
	s.mu.Unlock()
	if sig.Service == "s3" {
		s.serveS3(w, r, string(body))
		return
	}
	form, err := url.ParseQuery(string(body))
	if len(body) == 0 {
		form, err = r.URL.Query(), nil
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	answerQuery(w, form)
}

// authenticate returns the signature and the whole body of a request.
func (s *server) authenticate(r *http.Request) (*sigv4.Signature, []byte, error) {
	sig, err := sigv4.Parse(r)
	if err != nil {
		return nil, nil, err
	}
	if sig.AccessKeyID != keyID {
		return nil, nil, errors.New("an unknown key")
	}
	if !sig.S3() {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, nil, err
		}
		return sig, body, s.verifier.Verify(r, sig, secret, body)
	}
	if err := s.verifier.Verify(r, sig, secret, nil); err != nil {
		return nil, nil, err
	}
	b, err := sig.Body(r)
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(b)
	return sig, body, err
}

func (s *server) serveS3(w http.ResponseWriter, r *http.Request, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	data, ok := s.objects[r.URL.Path]
	switch {
	case r.URL.Query().Has("list-type"):
		w.Header().Set("Content-Type", "application/xml")
		fmt.Fprintf(w, "<ListBucketResult><Name>bucket</Name><Prefix>%s</Prefix><KeyCount>0</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>",
			escape(r.URL.Query().Get("prefix")))
	case r.Method == http.MethodPut:
		s.objects[r.URL.Path] = body
		w.Header().Set("ETag", `"0123456789abcdef0123456789abcdef"`)
	case !ok:
		http.Error(w, "", http.StatusNotFound)
	default:
		w.Header().Set("ETag", `"0123456789abcdef0123456789abcdef"`)
		w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 08:15:00 GMT")
		_, _ = io.WriteString(w, data)
	}
}

func answerQuery(w io.Writer, form url.Values) {
	switch form.Get("Action") {
	case "CreateUser":
		fmt.Fprintf(w, `<CreateUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><CreateUserResult><User><Path>%s</Path><UserName>%s</UserName>`+
			`<UserId>AIDAEXAMPLE</UserId><Arn>arn:aws:iam::123456789012:user/x</Arn><CreateDate>2026-11-22T08:15:00Z</CreateDate></User></CreateUserResult></CreateUserResponse>`,
			escape(form.Get("Path")), escape(form.Get("UserName")))
	case "GetCallerIdentity":
		fmt.Fprint(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/x</Arn>`+
			`<UserId>AIDAEXAMPLE</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// payloads returns the payload declarations of uploads in what was seen; a hash
// counts as "hash".
func payloads(all []seen) []string {
	var got []string
	for _, s := range all {
		p := s.Payload
		if len(p) == len(sigv4.EmptyPayload) && !strings.HasPrefix(p, "STREAMING") {
			p = "hash"
		}
		if s.Method == http.MethodPut && !slices.Contains(got, p) {
			got = append(got, p)
		}
	}
	return got
}

// pool trusts the server's certificate.
func (s *server) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(s.Certificate())
	return p
}

// keys are object keys that clients encode in different ways.
var keys = []string{
	"plain.txt", "a b+c&d=e.txt", "ünï/çødé ☃", "per%25cent%", "semi;colon,comma", "~(tilde)'!*", "a//b", "query?#[x]@:$", `back\slash"quote"`, "trailing/",
}
