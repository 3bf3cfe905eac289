// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
)

// An Original is a request to a service that a proxy stands before, as the proxy
// tells it.
type Original struct {
	Method string
	Host   string // as in the Host header
	Target string // path and query, as they came
	Secure bool   // it came by TLS
	Client string // address; "" when not known
	Header http.Header
	Body   []byte // nil when the proxy did not pass it on
}

// A Route says what a proxy's requests mean to policies. It comes from the proxy's
// configuration, not from its clients.
type Route struct {
	Service  string // the prefix of actions, "notes"
	Account  string // that owns the service; "": the asker's
	Region   string // in resources; may be empty
	Map      string // how methods become actions; "" means "method"
	Action   string // of all requests, in place of Map
	Resource string // of all requests, in place of the path
}

// The values of Route.Map.
const (
	ByMethod = "method" // notes:GET
	ByAccess = "access" // notes:Read, notes:Write, notes:Delete
)

// access is how methods become actions by what they do to a resource (RFC 9110,
// section 9, and RFC 5789).
var access = map[string]string{
	http.MethodGet: "Read", http.MethodHead: "Read", http.MethodOptions: "Read",
	http.MethodPut: "Write", http.MethodPost: "Write", http.MethodPatch: "Write",
	http.MethodDelete: "Delete",
}

// Question returns what a request asks of the policies of whoever makes it. The
// error tells a route that is wrong as an *InvalidError, and else is an
// *AmbiguousError about the request.
func (rt *Route) Question(o *Original, who *authn.Caller, asker *authn.Caller) (*Question, error) {
	account := rt.Account
	if account == "" {
		account = string(asker.Account)
	}
	switch {
	case !isName(rt.Service):
		return nil, &InvalidError{Message: "the route has no service, a name of lower-case letters, digits and hyphens"}
	case !arn.IsAccountID(account):
		return nil, &InvalidError{Message: "the route's account is not twelve digits"}
	case rt.Region != "" && !isName(rt.Region):
		return nil, &InvalidError{Message: "the route's region is no name"}
	}
	q := &Question{Principal: Principal{Caller: who}, Action: rt.Service + ":" + rt.Action, Resource: rt.Resource, Account: account}
	if rt.Action == "" {
		name, err := rt.action(o.Method)
		if err != nil {
			return nil, err
		}
		q.Action = rt.Service + ":" + name
	}
	host, err := hostOf(o.Host)
	if err != nil {
		return nil, err
	}
	path, err := pathOf(o.Target)
	if err != nil {
		return nil, err
	}
	if rt.Resource == "" {
		q.Resource = arn.Parts{Partition: "aws", Service: rt.Service, Region: rt.Region, Account: account, Resource: host + path}.String()
	}
	q.Context, err = o.context()
	return q, err
}

func (rt *Route) action(method string) (string, error) {
	switch rt.Map {
	case "", ByMethod:
		for i := range len(method) {
			if c := method[i]; (c < 'A' || c > 'Z') && c != '-' {
				return "", &AmbiguousError{"the method is not one of HTTP"}
			}
		}
		if method == "" {
			return "", &AmbiguousError{"the method is not known"}
		}
		return method, nil
	case ByAccess:
		if name, ok := access[method]; ok {
			return name, nil
		}
		return "", &AmbiguousError{"nothing says what the method does"}
	}
	return "", &InvalidError{Message: "the route's map must be method or access"}
}

// isName reports whether s is a name of lower-case letters, digits and hyphens.
func isName(s string) bool {
	return s != "" && len(s) <= 63 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// context returns the condition keys of the connection.
func (o *Original) context() (Context, error) {
	keys := map[string]string{keySecure: fmt.Sprint(o.Secure)}
	if o.Client != "" {
		addr, err := netip.ParseAddr(o.Client)
		if err != nil {
			return Context{}, &AmbiguousError{"the client's address is not one"}
		}
		keys[keySourceIP] = addr.Unmap().WithZone("").String()
	}
	for key, name := range map[string]string{keyAgent: "User-Agent", keyReferer: "Referer"} {
		if value := o.Header.Get(name); value != "" {
			keys[key] = value
		}
	}
	return ContextOf(keys, nil)
}

// An AmbiguousError is a request that the service might read otherwise than the
// policies do. It is refused.
type AmbiguousError struct{ Message string }

func (e *AmbiguousError) Error() string { return e.Message }

// hostOf returns the name of a Host header in lower case, without its port.
func hostOf(host string) (string, error) {
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 {
		if strings.Trim(host[i+1:], "0123456789") != "" {
			return "", &AmbiguousError{"the host is not a name or an IPv4 address"}
		}
		name = host[:i]
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-._") != "" {
		return "", &AmbiguousError{"the host is not a name or an IPv4 address"}
	}
	return name, nil
}

// pathOf returns the path of a request target, decoded once.
//
// quirk Q148: what two programs could read in two ways is refused.
func pathOf(target string) (string, error) {
	raw, _, _ := strings.Cut(target, "?")
	if !strings.HasPrefix(raw, "/") {
		return "", &AmbiguousError{"the path does not begin with a slash"}
	}
	if strings.Contains(strings.ToUpper(raw), "%2F") {
		return "", &AmbiguousError{"the path has an escaped slash"}
	}
	path, err := url.PathUnescape(raw)
	if err != nil || !utf8.ValidString(path) {
		return "", &AmbiguousError{"the path is not well-formed"}
	}
	for i := range len(path) {
		if c := path[i]; c < ' ' || c == 0x7f || strings.IndexByte(`\;%#`, c) >= 0 {
			return "", &AmbiguousError{fmt.Sprintf("the path has the character %q", c)}
		}
	}
	rest := path[1:]
	for rest != "" {
		segment, after, more := strings.Cut(rest, "/")
		if segment == "" || segment == "." || segment == ".." {
			return "", &AmbiguousError{fmt.Sprintf("the path has the segment %q", segment)}
		}
		if !more {
			break
		}
		rest = after
	}
	return path, nil
}

// errTwice is a header that came more than once.
var errTwice = errors.New("ask: the Authorization header came twice")

// Client returns who made a request to a service: whoever signed it, for the
// service "execute-api" or the route's, or whose service-specific credential it
// has. A signature covers the body: without it only a request that has none is known.
// The error's Status is 401 unless it is a failure.
func (v *Visit) Client(ctx context.Context, rt *Route, o *Original) (*authn.Caller, error) {
	if len(o.Header["Authorization"]) > 1 {
		return nil, &unauthenticated{errTwice}
	}
	u, err := url.ParseRequestURI(o.Target)
	if err != nil {
		return nil, &AmbiguousError{"the path is not well-formed"}
	}
	r := &http.Request{Method: o.Method, Host: o.Host, URL: u, RequestURI: o.Target, Header: o.Header}
	c, err := v.desk.identify(ctx, r, o.Body, append(scopes[:len(scopes):len(scopes)], rt.Service))
	if err != nil {
		return nil, &unauthenticated{err}
	}
	return c, nil
}
