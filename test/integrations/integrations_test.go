// SPDX-License-Identifier: Apache-2.0

// Package integrations runs what the pages in docs/integrations show with the real programs.
package integrations

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// A site is a server with the users ann and proxy, who may ask about ann.
type site struct {
	*server.Server
	iam        *iam.Client
	ann, proxy string // service-specific credentials, USER:PASSWORD
}

func start(t *testing.T) *site {
	t.Helper()
	s := &site{Server: server.Start(t, server.Options{})}
	s.iam = s.IAM(s.Admin)
	s.ann = s.user(t, "ann", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"notes:*","Resource":"*"},
		{"Effect":"Deny","Action":"notes:*","Resource":"arn:aws:notes:*:*:*/admin*"}]}`)
	s.proxy = s.user(t, "proxy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"innkeeper:Authorize","Resource":"*"}}`)
	return s
}

// user makes a user with a policy and returns its service-specific credential.
func (s *site) user(t *testing.T, name, policy string) string {
	t.Helper()
	if _, err := s.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("test"), PolicyDocument: &policy}); err != nil {
		t.Fatal(err)
	}
	out, err := s.iam.CreateServiceSpecificCredential(t.Context(), &iam.CreateServiceSpecificCredentialInput{
		UserName: &name, ServiceName: aws.String("innkeeper.amazonaws.com"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ServiceSpecificCredential.ServiceUserName + ":" + *out.ServiceSpecificCredential.ServicePassword
}

func encoded(credential string) string { return base64.StdEncoding.EncodeToString([]byte(credential)) }

// block returns the first block of a language in a page of docs/integrations.
func block(t *testing.T, page, language string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "integrations", page))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "\n```"+language+"\n")
	body, _, closed := strings.Cut(rest, "\n```")
	if !ok || !closed {
		t.Fatalf("%s has no block of %s", page, language)
	}
	return body
}

// nginx runs nginx with the page's configuration and returns its URL.
func (s *site) nginx(t *testing.T, backend string) string {
	t.Helper()
	program, err := exec.LookPath("nginx")
	if err != nil {
		program = "/usr/sbin/nginx" // not on everybody's PATH
	}
	addr, dir := server.FreeAddress(t), t.TempDir()
	locations := strings.NewReplacer(
		"http://127.0.0.1:4280", s.URL, "http://127.0.0.1:8081", backend, "BASE64", encoded(s.proxy),
	).Replace(block(t, "nginx.md", "nginx"))
	var temp strings.Builder
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&temp, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf("daemon off;\nworker_processes 1;\npid %s/pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n%sserver {\nlisten %s;\nmerge_slashes off;\n%s\n}\n}\n",
		dir, temp.String(), addr, locations)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log := new(bytes.Buffer)
	cmd := exec.Command(program, "-p", dir, "-c", config, "-e", "stderr")
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		if t.Failed() {
			t.Logf("log of nginx:\n%s", log)
		}
	})
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
			return "http://" + addr
		}
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("nginx does not listen: %v", err)
		}
	}
}

func TestNginx(t *testing.T) {
	s := start(t)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s %s by %s, %q", r.Method, r.RequestURI, r.Header.Get("X-Other"), r.Header.Get("X-Innkeeper-Principal"), r.Header.Get("Authorization"))
	}))
	defer backend.Close()
	url := s.nginx(t, backend.URL)
	ann := "Basic " + encoded(s.ann)
	_, account, _ := strings.Cut(strings.SplitN(s.ann, ":", 2)[0], "-at-")
	for _, tt := range []struct {
		name, method, path, authorization string
		status                            int
		body                              string
	}{
		{"allowed", "GET", "/x?y=z", ann, 200, "GET /x?y=z  by " + "arn:aws:iam::" + account + ":user/ann" + `, ""`},
		{"with-a-body", "POST", "/x", ann, 200, "POST /x  by "},
		{"denied", "GET", "/admin/x", ann, 403, ""},
		{"denied-in-an-escape", "GET", "/%61dmin", ann, 403, ""},
		{"dots", "GET", "/x/../admin", ann, 403, ""},
		{"two-slashes", "GET", "//admin", ann, 403, ""},
		{"nobody", "GET", "/x", "", 401, ""},
		{"somebody-else", "GET", "/x", "Basic eDp5", 401, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), tt.method, url+"/", strings.NewReader("hello"))
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Opaque = "//" + r.URL.Host + tt.path // sent as it stands
			r.Header.Set("X-Innkeeper-Principal", "arn:aws:iam::"+account+":root")
			r.Header.Set("X-Original-URI", "/x")
			r.Header.Set("X-Forwarded-Uri", "/x")
			if tt.authorization != "" {
				r.Header.Set("Authorization", tt.authorization)
			}
			resp, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.status || !strings.HasPrefix(string(body), tt.body) {
				t.Errorf("%s %s = %d %s, want %d %s", tt.method, tt.path, resp.StatusCode, body, tt.status, tt.body)
			}
			if got := resp.Header.Get("WWW-Authenticate"); (got != "") != (tt.status == 401) {
				t.Errorf("WWW-Authenticate of %d = %q", resp.StatusCode, got)
			}
		})
	}
}

// TestTokenOfTheSDK asks with a token that the AWS SDK's presigner makes, as
// aws-iam-authenticator does with it.
func TestTokenOfTheSDK(t *testing.T) {
	s := start(t)
	key, err := s.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("ann")})
	if err != nil {
		t.Fatal(err)
	}
	client := sts.NewFromConfig(s.Config(server.UserKey(key.AccessKey)))
	presigned, err := sts.NewPresignClient(client).PresignGetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}, func(o *sts.PresignOptions) {
		o.ClientOptions = append(o.ClientOptions, func(o *sts.Options) {
			o.APIOptions = append(o.APIOptions, smithyhttp.SetHeaderValue("x-k8s-aws-id", "dev"), smithyhttp.SetHeaderValue("X-Amz-Expires", "60"))
		})
		o.Presigner = v4.NewSigner()
	})
	if err != nil {
		t.Fatal(err)
	}
	token := "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(presigned.URL))
	for cluster, want := range map[string]bool{"dev": true, "prod": false} {
		body := `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"` + token + `"}}`
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/authorize/v1/tokenreview/"+cluster, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Basic "+encoded(s.proxy))
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var out struct {
			Status struct {
				Authenticated bool
				User          struct{ Username string }
			}
		}
		if err := json.Unmarshal(text, &out); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if out.Status.Authenticated != want || strings.HasSuffix(out.Status.User.Username, ":user/ann") != want {
			t.Errorf("cluster %s = %d %s, want it authenticated: %t\n%s", cluster, resp.StatusCode, text, want, presigned.URL)
		}
	}
}
