// SPDX-License-Identifier: Apache-2.0

// Package storage tests the gateway as people use it: clients of S3 that know nothing
// of it, in front of a real store.
package storage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/innkeeper-iam/innkeeper/sigv4"
	"github.com/innkeeper-iam/innkeeper/test/server"
	"github.com/innkeeper-iam/innkeeper/test/versity"
)

const (
	account = "111122223333" // the first account
	partner = "444455556666" // another one
	domain  = "s3.test"      // of the gateway
)

// A site is a server whose gateway stands in front of a store.
type site struct {
	*server.Server
	store    *versity.Store
	other    server.Key   // the administrator's of the other account
	http     *http.Client // which trusts the gateway, and finds it by any name
	ca       string       // file of the certificate that it has; "" without TLS
	endpoint string       // of S3 clients: the gateway's URL, by its domain if it has one
}

// guard runs a server with a gateway in front of a store, until the end of the test.
func guard(t *testing.T, store *versity.Store, o server.Options) *site {
	t.Helper()
	file, err := store.Credentials(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	o.Args = append(o.Args, "--account-id", account, "--upstream", store.URL, "--upstream-credentials", file,
		"--gateway-listen", "127.0.0.1:0", "--gateway-domain", domain)
	s := &site{Server: server.Start(t, o), store: store}
	s.endpoint = s.Gateway
	s.http = &http.Client{Transport: s.transport(o.Roots)}
	s.innkeeper(t, "account", "add", "partner", "--id", partner)
	if s.other, err = server.ReadKey(filepath.Join(s.Data, "partner.credentials")); err != nil {
		t.Fatal(err)
	}
	return s
}

// transport connects to the gateway, whatever it is called.
func (s *site) transport(roots *x509.CertPool) *http.Transport {
	_, address, _ := strings.Cut(s.Gateway, "://")
	tr := http.DefaultTransport.(*http.Transport).Clone()
	tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	tr.TLSClientConfig = &tls.Config{RootCAs: roots}
	return tr
}

// named makes S3 clients call the gateway by its domain, and buckets by theirs.
func (s *site) named() *site {
	s.endpoint = strings.Replace(s.Gateway, "127.0.0.1", domain, 1)
	return s
}

// sizes are those of the objects that are brought and fetched, by their names.
var sizes = map[string]int{"empty": 0, "byte": 1, "part": 5<<20 + 1, "large": 200 << 20}

// content is what objects begin with: bytes as long as the largest, the same in every
// run.
var content = sync.OnceValue(func() []byte {
	b := make([]byte, sizes["large"])
	_, _ = rand.NewChaCha8([32]byte{}).Read(b) // never fails
	return b
})

// innkeeper runs a command of the operator on the server's data and returns what it
// prints.
func (s *site) innkeeper(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.operator(t, args...)
	if err != nil {
		t.Fatalf("innkeeper %s: %v", strings.Join(args, " "), err)
	}
	return out
}

func (s *site) operator(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program, err := server.Program()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, append(args, "--data", s.Data)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		err = errors.New(strings.TrimSpace(stderr.String()))
	}
	return string(out), err
}

// s3 returns a client with a key, which does not retry.
func (s *site) s3(k server.Key, options ...func(*s3.Options)) *s3.Client {
	o := s3.Options{
		Region: server.Region, BaseEndpoint: &s.endpoint, UsePathStyle: s.endpoint == s.Gateway, RetryMaxAttempts: 1, HTTPClient: s.http,
		Credentials: credentials.NewStaticCredentialsProvider(k.ID, k.Secret, k.Token),
		// What users get, who load a configuration.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
	}
	return s3.New(o, options...)
}

// anonymous is for clients that do not sign.
func anonymous(o *s3.Options) { o.Credentials = aws.AnonymousCredentials{} }

// user makes a user of the first account with a policy of these statements, and
// returns its key.
func (s *site) user(t *testing.T, name string, statements ...string) server.Key {
	t.Helper()
	return s.userOf(t, s.Admin, name, statements...)
}

// userOf is user for the account of an administrator.
func (s *site) userOf(t *testing.T, admin server.Key, name string, statements ...string) server.Key {
	t.Helper()
	api := s.IAM(admin)
	do(t)(api.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}))
	if len(statements) > 0 {
		do(t)(api.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("own"), PolicyDocument: document(statements...)}))
	}
	return server.UserKey(must(api.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: &name}))(t).AccessKey)
}

// bucket makes a bucket of the first account with objects, whose content is their key.
func (s *site) bucket(t *testing.T, name string, keys ...string) *s3.Client {
	t.Helper()
	admin := s.s3(s.Admin)
	do(t)(admin.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &name}))
	for _, key := range keys {
		put(t, admin, name, key, key)
	}
	return admin
}

func put(t *testing.T, c *s3.Client, bucket, key, text string) *s3.PutObjectOutput {
	t.Helper()
	return must(c.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: strings.NewReader(text)}))(t)
}

// get returns an object's content.
func get(ctx context.Context, c *s3.Client, bucket, key string) (string, error) {
	out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", err
	}
	defer out.Body.Close()
	text, err := io.ReadAll(out.Body)
	return string(text), err
}

// reads wants an object that [site.bucket] made.
func reads(t *testing.T, c *s3.Client, bucket, key string) {
	t.Helper()
	if got, err := get(t.Context(), c, bucket, key); err != nil || got != key {
		t.Errorf("GetObject(%s, %s) = %.99q, %v, want %q", bucket, key, got, err, key)
	}
}

// refused wants the code of an error.
func refused(t *testing.T, what, want string, err error) {
	t.Helper()
	if got := server.Code(err); got != want {
		t.Errorf("%s: %q, want %s", what, got, want)
	}
}

// setPolicy gives a bucket a policy.
func setPolicy(t *testing.T, c *s3.Client, bucket string, statements ...string) {
	t.Helper()
	do(t)(c.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &bucket, Policy: document(statements...)}))
}

// allow is a statement.
func allow(actions, resources string, more ...string) string {
	quoted := func(list string) string { return `["` + strings.Join(strings.Fields(list), `","`) + `"]` }
	return fmt.Sprintf(`{"Effect":"Allow","Action":%s,"Resource":%s%s}`, quoted(actions), quoted(resources), strings.Join(append([]string{""}, more...), ","))
}

func document(statements ...string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`)
}

// must returns v, or fails the test with the error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// do fails the test when a step of its preparation fails.
func do(t *testing.T) func(any, error) {
	t.Helper()
	return func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sum names content by its hash.
func sum(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}

// sumOf is sum of the first bytes of [content], as many as an object of [sizes] has.
func sumOf(name string) string {
	return sums()[name]
}

var sums = sync.OnceValue(func() map[string]string {
	m := make(map[string]string)
	for name, size := range sizes {
		m[name], _ = sum(bytes.NewReader(content()[:size])) // memory is read
	}
	return m
})

// signer signs requests with a key, one by one.
func signer(k server.Key) *sigv4.Signer {
	return &sigv4.Signer{AccessKeyID: k.ID, SecretAccessKey: k.Secret, SessionToken: k.Token, Region: server.Region, Service: "s3"}
}

// A record is what a test looks at in an audit record.
type record struct {
	EventName, ErrorCode, ErrorMessage string
	AdditionalEventData                struct {
		UpstreamStatus               int
		UpstreamFailure, BrokenOffBy string
	}
	Innkeeper struct {
		Decision, Layer, Policy, Sid, Reason string
		Statement                            int
		Learned                              bool
	}
}

// latest returns the last record that the flags of innkeeper audit query find.
func (s *site) latest(t *testing.T, flags ...string) record {
	t.Helper()
	var text string
	for range 100 { // records of reads are written within a second
		if text = s.innkeeper(t, append([]string{"audit", "query", "--output", "json", "--limit", "1"}, flags...)...); text != "" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	var r record
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("innkeeper audit query %s = %q: %v", strings.Join(flags, " "), text, err)
	}
	return r
}
