// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/minio/minio-go/v7"
	miniocreds "github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// config is what a program loads, without this machine's own settings.
func (s *server) config(t *testing.T, sessionToken string) aws.Config {
	t.Helper()
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	c, err := config.LoadDefaultConfig(t.Context(),
		config.WithSharedConfigFiles([]string{}), config.WithSharedCredentialsFiles([]string{}),
		config.WithRegion(region), config.WithBaseEndpoint(s.URL), config.WithHTTPClient(s.Client()), config.WithRetryMaxAttempts(1),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(keyID, secret, sessionToken)))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *server) s3(t *testing.T) *s3.Client {
	t.Helper()
	return s3.NewFromConfig(s.config(t, token), func(o *s3.Options) { o.UsePathStyle = true })
}

// each runs a test over plain HTTP and over TLS.
func each(t *testing.T, run func(t *testing.T, s *server)) {
	t.Run("plain", func(t *testing.T) { run(t, start(t, false)) })
	t.Run("tls", func(t *testing.T) { run(t, start(t, true)) })
}

func TestGoSDKQuery(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		const path = "/dépt/a+b=c&d %/"
		out, err := iam.NewFromConfig(s.config(t, "")).CreateUser(t.Context(), &iam.CreateUserInput{
			UserName: aws.String("ann"), Path: aws.String(path),
			Tags: []iamtypes.Tag{{Key: aws.String("k<&>"), Value: aws.String("ü\n\t ;")}},
		})
		if err != nil || *out.User.Path != path {
			t.Fatalf("CreateUser = %v, %v, want path %q", out, err, path)
		}
		if _, err := sts.NewFromConfig(s.config(t, token)).GetCallerIdentity(t.Context(), nil); err != nil {
			t.Fatalf("GetCallerIdentity: %v", err)
		}
		got := s.take()
		proto := 1
		if s.TLS != nil {
			proto = 2
		}
		if len(got) != 2 || got[0].Service != "iam" || got[1].Service != "sts" || got[1].Token != token || got[0].Proto != proto {
			t.Errorf("seen %+v", got)
		}
	})
}

// A presigned GetCallerIdentity is how other services learn who calls them.
func TestGoSDKPresignedIdentity(t *testing.T) {
	s := start(t, false)
	p, err := sts.NewPresignClient(sts.NewFromConfig(s.config(t, token))).PresignGetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if status := fetch(t, s.Client(), p.Method, p.URL, p.SignedHeader, ""); status != http.StatusOK {
		t.Errorf("status %d, want 200", status)
	}
	if got := s.take(); len(got) != 1 || !got[0].Presigned || got[0].Token != token {
		t.Errorf("seen %+v", got)
	}
}

func TestGoSDKObjects(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		client := s.s3(t)
		for _, key := range append([]string{"dots/../up", "./here"}, keys...) {
			for _, data := range []string{"", "data of " + key, strings.Repeat("large ", 50_000)} {
				if _, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key),
					Body: strings.NewReader(data), Metadata: map[string]string{"spaces": "a  b   c"}}); err != nil {
					t.Fatalf("PutObject(%q): %v", key, err)
				}
				if got, ok := s.object("/bucket/" + key); !ok || got != data {
					t.Errorf("PutObject(%q) stored %d bytes, %t, want %d", key, len(got), ok, len(data))
				}
			}
			out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key), Range: aws.String("bytes=0-9")})
			if err != nil {
				t.Fatalf("GetObject(%q): %v", key, err)
			}
			_ = out.Body.Close()
		}
		if _, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("bucket"),
			Prefix: aws.String("a b+c/ü&=;~*'"), Delimiter: aws.String("/"), ContinuationToken: aws.String("x==")}); err != nil {
			t.Fatalf("ListObjectsV2: %v", err)
		}
		want := "hash"
		if s.TLS != nil {
			want = sigv4.StreamingUnsignedTrailer
		}
		if got := payloads(s.take()); !slices.Contains(got, want) {
			t.Errorf("uploads declared %v, want %s among them", got, want)
		}
	})
}

// An upload that cannot be rewound is sent in chunks with a trailing checksum.
func TestGoSDKStream(t *testing.T) {
	s := start(t, true)
	data := strings.Repeat("stream", 100_000)
	for _, algorithm := range s3types.ChecksumAlgorithm("").Values() {
		switch algorithm {
		case "CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256":
		default:
			continue // newer than what S3 documents
		}
		if _, err := s.s3(t).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("stream"),
			Body: io.MultiReader(strings.NewReader(data)), ContentLength: aws.Int64(int64(len(data))), ChecksumAlgorithm: algorithm}); err != nil {
			t.Fatalf("PutObject with %s: %v", algorithm, err)
		}
		if got, _ := s.object("/bucket/stream"); got != data {
			t.Errorf("with %s %d bytes were stored, want %d", algorithm, len(got), len(data))
		}
		if got := payloads(s.take()); !slices.Equal(got, []string{sigv4.StreamingUnsignedTrailer}) {
			t.Errorf("the upload declared %v", got)
		}
	}
	if _, err := s.s3(t).PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("unsigned"), Body: strings.NewReader(data)},
		s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)); err != nil {
		t.Fatalf("PutObject with an unsigned payload: %v", err)
	}
}

func TestGoSDKPresignedObjects(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		p := s3.NewPresignClient(s.s3(t))
		for _, key := range keys {
			put, err := p.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key), ContentType: aws.String("text/plain")})
			if err != nil {
				t.Fatal(err)
			}
			if status := fetch(t, s.Client(), put.Method, put.URL, put.SignedHeader, "data"); status != http.StatusOK {
				t.Errorf("PUT %q: status %d, want 200", put.URL, status)
			}
			get, err := p.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: aws.String(key),
				ResponseContentDisposition: aws.String(`attachment; filename="a b+c.txt"`)}, s3.WithPresignExpires(time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if status := fetch(t, s.Client(), get.Method, get.URL, get.SignedHeader, ""); status != http.StatusOK {
				t.Errorf("GET %q: status %d, want 200", get.URL, status)
			}
			if status := fetch(t, s.Client(), get.Method, get.URL+"&x=1", get.SignedHeader, ""); status != http.StatusForbidden {
				t.Errorf("GET %q with a parameter more: status %d, want 403", get.URL, status)
			}
		}
	})
}

func fetch(t *testing.T, client *http.Client, method, target string, header http.Header, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header.Clone()
	out, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = out.Body.Close()
	return out.StatusCode
}

// tamper changes requests after they were signed.
type tamper struct {
	next   http.RoundTripper
	change func(r *http.Request)
}

func (t tamper) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	t.change(r)
	return t.next.RoundTrip(r)
}

func TestGoSDKRefused(t *testing.T) {
	s := start(t, false)
	for name, change := range map[string]func(r *http.Request){
		"header-added":   func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") },
		"header-changed": func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"body-changed": func(r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(bytes.Replace(body, []byte("ann"), []byte("bob"), 1)))
		},
		"query-added": func(r *http.Request) { r.URL.RawQuery = "Action=DeleteUser" },
		"signature":   func(r *http.Request) { a := r.Header["Authorization"]; a[0] = a[0][:len(a[0])-1] + "!" },
	} {
		t.Run(name, func(t *testing.T) {
			tampered := s.config(t, "")
			tampered.HTTPClient = &http.Client{Transport: tamper{s.Client().Transport, change}}
			_, err := iam.NewFromConfig(tampered).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")})
			if _, ok := errors.AsType[smithy.APIError](err); !ok || len(s.take()) != 0 {
				t.Errorf("CreateUser = %v, want a refusal", err)
			}
		})
	}
	other := s.config(t, "")
	other.Credentials = credentials.NewStaticCredentialsProvider(keyID, "another secret", "")
	_, err := iam.NewFromConfig(other).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "SignatureDoesNotMatch" ||
		!strings.Contains(e.ErrorMessage(), "The Canonical String for this request should have been\n'POST\n/\n\n") {
		t.Errorf("with another secret: CreateUser = %v, want SignatureDoesNotMatch with the canonical request", err)
	}
}

// MinIO's client is the one that signs chunks, and their trailers.
func TestMinIO(t *testing.T) {
	for _, test := range []struct {
		name     string
		secure   bool
		trailing bool
		want     string
	}{
		{"signed-chunks", false, false, sigv4.StreamingSigned},
		{"signed-chunks-and-trailer", false, true, sigv4.StreamingSignedTrailer},
		{"unsigned-chunks-and-trailer", true, true, sigv4.StreamingUnsignedTrailer},
		{"unsigned", true, false, sigv4.UnsignedPayload},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, test.secure)
			u, err := url.Parse(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			options := &minio.Options{Creds: miniocreds.NewStaticV4(keyID, secret, token), Region: region, Secure: test.secure,
				TrailingHeaders: test.trailing, BucketLookup: minio.BucketLookupPath}
			if test.secure {
				options.Transport = &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.pool()}}
			}
			client, err := minio.New(u.Host, options)
			if err != nil {
				t.Fatal(err)
			}
			var put minio.PutObjectOptions
			if test.trailing {
				put.Checksum = minio.ChecksumCRC32C
			}
			for _, key := range keys {
				for _, size := range []int{0, 1, 64 << 10, 200_001} {
					data := strings.Repeat("x", size)
					if _, err := client.PutObject(t.Context(), "bucket", key, strings.NewReader(data), int64(size), put); err != nil {
						t.Fatalf("PutObject(%q, %d bytes): %v", key, size, err)
					}
					if got, ok := s.object("/bucket/" + key); !ok || got != data {
						t.Errorf("PutObject(%q) stored %d bytes, %t, want %d", key, len(got), ok, size)
					}
				}
			}
			if got := payloads(s.take()); !slices.Contains(got, test.want) {
				t.Errorf("uploads declared %v, want %s", got, test.want)
			}
		})
	}
}

// Our own signer, over a real connection.
func TestOurs(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		signer := &sigv4.Signer{AccessKeyID: keyID, SecretAccessKey: secret, SessionToken: token, Region: region, Service: "s3"}
		data := strings.Repeat("ours ", 40_000)
		for _, payload := range []string{sigv4.HashPayload([]byte(data)), sigv4.UnsignedPayload, sigv4.StreamingSigned,
			sigv4.StreamingSignedTrailer, sigv4.StreamingUnsignedTrailer} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/bucket/a%20b%2Fc;~?x=a+b&y", strings.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(payload, "-TRAILER") {
				r.Header.Set("X-Amz-Trailer", "x-amz-checksum-sha256")
			}
			if err := signer.Sign(r, payload); err != nil {
				t.Fatal(err)
			}
			out, err := s.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = out.Body.Close()
			if got, _ := s.object("/bucket/a b/c;~"); out.StatusCode != http.StatusOK || got != data {
				t.Errorf("%s: status %d, %d bytes stored, want 200, %d", payload, out.StatusCode, len(got), len(data))
			}
			s.forget("/bucket/a b/c;~")
		}
	})
}
