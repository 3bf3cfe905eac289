// SPDX-License-Identifier: Apache-2.0

package extauthz_test

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/extauthz"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const annARN = "arn:aws:iam::" + iamtest.Account + ":user/ann"

// A site is Envoy's side of a server: a client of the protocol, and the headers of the proxy
// and of ann.
type site struct {
	auth.AuthorizationClient
	proxy, ann string
	key        *iamtest.Client // ann's
}

func start(t *testing.T) *site {
	t.Helper()
	s := iamtest.Start(t)
	key := s.User("ann", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["notes:GET","notes:Read","notes:POST"],"Resource":"arn:aws:notes:*:*:notes.example.com/x*"}}`)
	s.User("envoy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"innkeeper:Authorize","Resource":"`+annARN+`"}}`)
	credential := func(user string) string {
		body := s.Admin().OK("CreateServiceSpecificCredential", "UserName="+user, "ServiceName="+ask.CredentialService)
		pair := iamtest.Element(body, "ServiceUserName") + ":" + iamtest.Element(body, "ServicePassword")
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
	}
	log, err := audit.Open(audit.Options{Dir: filepath.Join(t.TempDir(), "audit"), NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	desk := ask.New(ask.Options{
		Store: s.Store(), Authn: authn.New(s.Store(), nil, time.Now), Authz: authz.New(log, nil, s.Store()), Audit: log,
		IDs: new(ids.Source), Now: time.Now, Region: "us-east-1",
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := extauthz.New(extauthz.Options{Desk: desk, Now: time.Now}).GRPC()
	go server.Serve(l)
	conn, err := grpc.NewClient(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Close()
		server.Stop()
		log.Close()
	})
	return &site{auth.NewAuthorizationClient(conn), credential("envoy"), credential("ann"), key}
}

// request is what Envoy sends for a request of a client.
func request(method, path string, headers, extensions map[string]string) *auth.CheckRequest {
	headers[":authority"], headers[":path"] = "notes.example.com", path
	return &auth.CheckRequest{Attributes: &auth.AttributeContext{
		Source: &auth.AttributeContext_Peer{Address: &core.Address{Address: &core.Address_SocketAddress{
			SocketAddress: &core.SocketAddress{Address: "192.0.2.7", PortSpecifier: &core.SocketAddress_PortValue{PortValue: 40000}},
		}}},
		Request: &auth.AttributeContext_Request{Http: &auth.AttributeContext_HttpRequest{
			Method: method, Path: path, Host: "notes.example.com", Scheme: "https", Headers: headers,
		}},
		ContextExtensions: extensions,
	}}
}

func (s *site) check(t *testing.T, credential string, q *auth.CheckRequest) *auth.CheckResponse {
	t.Helper()
	ctx := t.Context()
	if credential != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", credential)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	out, err := s.Check(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCheck(t *testing.T) {
	s := start(t)
	notes := map[string]string{"service": "notes"}
	for _, tt := range []struct {
		name                        string
		proxy, method, path, client string
		extensions                  map[string]string
		want                        int // of the client's request
	}{
		{"allowed", s.proxy, "GET", "/x?y=z", s.ann, notes, 200},
		{"denied", s.proxy, "GET", "/y", s.ann, notes, 403},
		{"nobody", s.proxy, "GET", "/x", "", notes, 401},
		{"a-wrong-password", s.proxy, "GET", "/x", "Basic eDp5", notes, 401},
		{"by-access", s.proxy, "HEAD", "/x", s.ann, map[string]string{"service": "notes", "map": "access"}, 200},
		{"ambiguous", s.proxy, "GET", "/x/..%2fadmin", s.ann, notes, 403},
		{"a-proxy-that-is-not-known", "Basic eDp5", "GET", "/x", s.ann, notes, 403},
		{"a-proxy-without-credential", "", "GET", "/x", s.ann, notes, 403},
		{"a-proxy-that-may-not-ask", s.ann, "GET", "/x", s.ann, notes, 403},
		{"no-service", s.proxy, "GET", "/x", s.ann, nil, 403},
		{"an-unknown-extension", s.proxy, "GET", "/x", s.ann, map[string]string{"service": "notes", "acount": "x"}, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			headers := map[string]string{"user-agent": "curl", "x-innkeeper-principal": "arn:aws:iam::" + iamtest.Account + ":root"}
			if tt.client != "" {
				headers["authorization"] = tt.client
			}
			out := s.check(t, tt.proxy, request(tt.method, tt.path, headers, tt.extensions))
			if ok := out.GetStatus().GetCode() == int32(codes.OK); ok != (tt.want == 200) || ok != (out.GetOkResponse() != nil) {
				t.Fatalf("Check = %v, want %d", out, tt.want)
			}
			if tt.want != 200 {
				denied := out.GetDeniedResponse()
				if int(denied.GetStatus().GetCode()) != tt.want || (tt.want == 401) != (len(denied.GetHeaders()) == 1) {
					t.Errorf("Check = %v, want %d", out, tt.want)
				}
				return
			}
			h := out.GetOkResponse().GetHeaders()[0]
			if h.GetHeader().GetKey() != "x-innkeeper-principal" || h.GetHeader().GetValue() != annARN ||
				h.GetAppendAction() != core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD {
				t.Errorf("first header = %v, want the principal in place of what the client said", h)
			}
			if removed := out.GetOkResponse().GetHeadersToRemove(); len(removed) != 1 || removed[0] != "authorization" {
				t.Errorf("removed headers = %v, want the client's credentials", removed)
			}
		})
	}
	out := s.check(t, s.proxy, request("GET", "/x", map[string]string{"authorization": s.ann}, map[string]string{"service": "notes", "keep_credentials": "true"}))
	if len(out.GetOkResponse().GetHeadersToRemove()) != 0 {
		t.Errorf("Check = %v, want the credentials kept", out)
	}
	if out := s.check(t, s.proxy, new(auth.CheckRequest)); out.GetDeniedResponse() == nil {
		t.Errorf("Check of nothing = %v, want a refusal", out)
	}
}

// TestCheckOfSignedBodies: a signature covers the body, which Envoy must send.
func TestCheckOfSignedBodies(t *testing.T) {
	s := start(t)
	for _, tt := range []struct {
		name, sent string
		partial    bool
		want       bool
	}{{"sent", "hello", false, true}, {"another", "hullo", false, false}, {"not-sent", "", false, false}, {"in-part", "hello", true, false}} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://notes.example.com/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			signer := sigv4.Signer{AccessKeyID: s.key.Key, SecretAccessKey: s.key.Secret, Region: "us-east-1", Service: "execute-api"}
			if err := signer.Sign(r, sigv4.HashPayload([]byte("hello"))); err != nil {
				t.Fatal(err)
			}
			q := request("POST", "/x", map[string]string{"authorization": r.Header.Get("Authorization"), "x-amz-date": r.Header.Get("X-Amz-Date")},
				map[string]string{"service": "notes"})
			q.Attributes.Request.Http.RawBody = []byte(tt.sent)
			if tt.partial {
				q.Attributes.Request.Http.Headers["x-envoy-auth-partial-body"] = "true"
			}
			if out := s.check(t, s.proxy, q); (out.GetOkResponse() != nil) != tt.want {
				t.Errorf("Check = %v, want it allowed: %t", out, tt.want)
			}
		})
	}
}
