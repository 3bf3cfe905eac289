// SPDX-License-Identifier: Apache-2.0

// Package extauthz answers Envoy, which asks whether a request may pass, by its external authorization protocol over gRPC.
//
// Envoy proves who it is in the metadata "authorization" (initial_metadata of its
// grpc_service), with a service-specific credential. What a route's requests mean to
// policies are the route's context extensions, named as the parameters of forward
// authentication: service, account, region, map, action, resource.
package extauthz

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	envoytype "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	rpc "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
)

// maxMessage is the most that a question may hold, in bytes: a request's headers
// and, where Envoy sends it, its body.
const maxMessage = 1 << 20

// Options are the parts of a Server. Desk and Now are needed.
type Options struct {
	Desk *ask.Desk
	Now  func() time.Time
	Log  *slog.Logger // nil: nothing is logged
}

// A Server answers Envoy. It is safe for concurrent use.
type Server struct {
	auth.UnimplementedAuthorizationServer
	o Options
}

// New returns a Server.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Server{o: o}
}

// GRPC returns a gRPC server with s registered, to be given listeners and stopped
// by its caller. Beyond loopback the options must hold TLS credentials.
func (s *Server) GRPC(options ...grpc.ServerOption) *grpc.Server {
	g := grpc.NewServer(append([]grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessage), grpc.MaxHeaderListSize(64 << 10)}, options...)...)
	auth.RegisterAuthorizationServer(g, s)
	return g
}

// Over is GRPC with connections over TLS, unless c is nil.
func (s *Server) Over(c *tls.Config) *grpc.Server {
	if c == nil {
		return s.GRPC()
	}
	return s.GRPC(grpc.Creds(credentials.NewTLS(c)))
}

// Check answers one question. It is an answer whatever happens, and no error:
// what Envoy does with those is a matter of its configuration.
func (s *Server) Check(ctx context.Context, q *auth.CheckRequest) (out *auth.CheckResponse, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Log.Error("panic while answering Envoy", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			out, err = refuse(http.StatusInternalServerError), nil
		}
	}()
	env := authz.Env{Time: s.o.Now()}
	if from, ok := peer.FromContext(ctx); ok {
		if addr, err := netip.ParseAddrPort(from.Addr.String()); err == nil {
			env.SourceIP = addr.Addr().Unmap().WithZone("").String()
		}
		env.Secure = from.AuthInfo != nil && from.AuthInfo.AuthType() == "tls"
	}
	var credential string
	if md, ok := metadata.FromIncomingContext(ctx); ok {
		if values := md.Get("authorization"); len(values) == 1 {
			credential = values[0]
		}
	}
	rt, ok := route(q.GetAttributes().GetContextExtensions())
	if !ok {
		s.o.Log.Warn("Envoy was not answered", "reason", "a context extension of the route is not known")
		return refuse(http.StatusForbidden), nil
	}
	a := s.o.Desk.Admit(ctx, "envoy", env, credential, rt, original(q.GetAttributes()))
	if a.Status != http.StatusOK {
		if a.Client == nil && a.Status != http.StatusUnauthorized {
			s.o.Log.Warn("Envoy was not answered", "status", a.Status, "reason", a.Message)
		}
		return refuse(a.Status), nil
	}
	return admit(a, q.GetAttributes().GetContextExtensions()["keep_credentials"] == "true"), nil
}

// route reads a route's context extensions. One that is not known is a mistake
// that must show: it may have been meant to restrict.
func route(extensions map[string]string) (*ask.Route, bool) {
	rt := new(ask.Route)
	fields := map[string]*string{
		"service": &rt.Service, "account": &rt.Account, "region": &rt.Region, "map": &rt.Map, "action": &rt.Action, "resource": &rt.Resource,
		"keep_credentials": new(string),
	}
	for name, value := range extensions {
		to := fields[name]
		if to == nil {
			return nil, false
		}
		*to = value
	}
	return rt, true
}

// original is the request that Envoy asks about.
func original(a *auth.AttributeContext) *ask.Original {
	r := a.GetRequest().GetHttp()
	o := &ask.Original{
		Method: r.GetMethod(), Host: r.GetHost(), Target: r.GetPath(), Secure: r.GetScheme() == "https" || a.GetTlsSession() != nil,
		Client: a.GetSource().GetAddress().GetSocketAddress().GetAddress(), Header: make(http.Header),
	}
	for name, value := range r.GetHeaders() {
		if !strings.HasPrefix(name, ":") {
			o.Header.Add(name, value)
		}
	}
	for _, h := range r.GetHeaderMap().GetHeaders() { // in place of the above, with encode_raw_headers
		if !strings.HasPrefix(h.GetKey(), ":") {
			value := h.GetValue()
			if raw := h.GetRawValue(); len(raw) > 0 {
				value = string(raw)
			}
			o.Header.Add(h.GetKey(), value)
		}
	}
	// Envoy marks a body of which it sent a part only.
	switch partial := o.Header.Get("X-Envoy-Auth-Partial-Body") == "true"; {
	case partial:
	case len(r.GetRawBody()) > 0:
		o.Body = r.GetRawBody()
	case r.GetBody() != "":
		o.Body = []byte(r.GetBody())
	}
	return o
}

// admit lets a request pass, with who makes it in place of its credentials.
func admit(a ask.Admission, keep bool) *auth.CheckResponse {
	ok := &auth.OkHttpResponse{Headers: []*core.HeaderValueOption{
		header("x-innkeeper-principal", a.Client.ARN), header("x-innkeeper-account", string(a.Client.Account)),
	}}
	if !keep {
		ok.HeadersToRemove = []string{"authorization"}
	}
	return &auth.CheckResponse{
		Status:       &rpc.Status{Code: int32(codes.OK)},
		HttpResponse: &auth.CheckResponse_OkResponse{OkResponse: ok},
	}
}

// refuse refuses a request, with what its client is told.
func refuse(status int) *auth.CheckResponse {
	code := codes.PermissionDenied
	denied := &auth.DeniedHttpResponse{Body: http.StatusText(status) + "\n"}
	switch {
	case status == http.StatusUnauthorized:
		code = codes.Unauthenticated
		denied.Headers = []*core.HeaderValueOption{header("www-authenticate", `Basic realm="innkeeper", charset="UTF-8"`)}
	case status >= http.StatusInternalServerError:
		code = codes.Unavailable
	default:
		status = http.StatusForbidden // a route that is wrong, too
	}
	denied.Status = &envoytype.HttpStatus{Code: envoytype.StatusCode(status)}
	return &auth.CheckResponse{
		Status:       &rpc.Status{Code: int32(code)},
		HttpResponse: &auth.CheckResponse_DeniedResponse{DeniedResponse: denied},
	}
}

func header(name, value string) *core.HeaderValueOption {
	return &core.HeaderValueOption{
		Header:       &core.HeaderValue{Key: name, Value: value},
		AppendAction: core.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
	}
}
