// SPDX-License-Identifier: Apache-2.0

package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// A Gateway is what can be set about a gateway. Its zero value is no gateway.
type Gateway struct {
	Upstreams      []string      // what is guarded: the URL of an S3 store, or SERVICE=URL; none: there is no gateway
	Listen         string        // address of the gateway; "" means 127.0.0.1:4281
	Credentials    string        // file of the upstreams' own credentials, in the shared-credentials format: the profile of a service's name, or default; "" means that they are sent unsigned requests
	UpstreamRegion string        // region of the signatures that upstreams get; "" means the node's
	Plaintext      bool          // upstreams beyond loopback may be reached without TLS
	Keys           string        // what the S3 store does with keys: "strict" (keys with dots or empty segments are refused), "verbatim" (it keeps all keys as they are) or "probe" (it is tried at start); "" means probe
	ProbeBucket    string        // bucket of the store where probing may write; "" means one of its own, removed afterwards
	Domains        []string      // names under which buckets are hosts: BUCKET.s3.example.com
	Proxies        []string      // networks of proxies in front of the gateway whose X-Forwarded headers are believed
	Stall          time.Duration // how long a client may stand still in the middle of a body; 0 means 60 s
	Answer         time.Duration // how long an upstream may be silent; 0 means 5 min

	Account string // that owns what services other than S3 hold; "" means the only account

	Server     string        // of a gateway apart: "https://inn.example.com:4283", or a node's data directory on the same machine
	Identity   string        // of a gateway apart: file of what `innkeeper gateway enroll` made
	Status     string        // of a gateway apart: address of /healthz, /readyz and /metrics; "" means none
	OfflineFor time.Duration // of a gateway apart: how long it goes on when the server is away; 0 means an hour
}

// Enabled reports whether there is a gateway.
func (g Gateway) Enabled() bool { return len(g.Upstreams) > 0 }

func (g Gateway) defaults() Gateway {
	g.Listen = cmp.Or(g.Listen, "127.0.0.1:4281")
	g.Keys = cmp.Or(g.Keys, "probe")
	g.Stall = cmp.Or(g.Stall, time.Minute)
	g.Answer = cmp.Or(g.Answer, 5*time.Minute)
	g.OfflineFor = cmp.Or(g.OfflineFor, time.Hour)
	return g
}

// problems lists what is wrong with a completed Gateway; tls says whether the
// node has a certificate.
func (g Gateway) problems(tls bool) (errs []error) {
	if !g.Enabled() {
		return nil
	}
	host, _, err := net.SplitHostPort(g.Listen)
	if err != nil {
		errs = append(errs, fmt.Errorf("--gateway-listen %q must be HOST:PORT, such as 127.0.0.1:4281", g.Listen))
	} else if !loopback(host) && !tls {
		errs = append(errs, fmt.Errorf("--gateway-listen %s is reachable from other machines: give --tls-cert and --tls-key, or listen on 127.0.0.1", g.Listen))
	}
	if _, err := g.Services(); err != nil {
		errs = append(errs, err)
	}
	if !strings.Contains(" strict verbatim probe ", " "+g.Keys+" ") {
		errs = append(errs, fmt.Errorf("--upstream-keys %q must be strict, verbatim or probe", g.Keys))
	}
	if _, err := networks(g.Proxies); err != nil {
		errs = append(errs, fmt.Errorf("--trusted-proxies: %w", err))
	}
	for _, d := range g.Domains {
		if d == "" || strings.ContainsAny(d, "/: *") || strings.HasPrefix(d, ".") {
			errs = append(errs, fmt.Errorf("--gateway-domain %q must be a host name such as s3.example.com", d))
		}
	}
	if g.Account != "" && !account(g.Account) {
		errs = append(errs, fmt.Errorf("--upstream-account %q must be twelve digits", g.Account))
	}
	if g.Stall < time.Second {
		errs = append(errs, errors.New("--stall must be at least a second"))
	}
	if g.Answer < time.Second {
		errs = append(errs, errors.New("--upstream-timeout must be at least a second"))
	}
	if host, _, err := net.SplitHostPort(g.Status); g.Status != "" && (err != nil || !loopback(host) && !tls) {
		errs = append(errs, fmt.Errorf("--status-listen %q must be HOST:PORT, on loopback unless --tls-cert and --tls-key are given", g.Status))
	}
	if strings.HasPrefix(g.Server, "https://") && (g.Identity == "" || !isOrigin(g.Server)) {
		errs = append(errs, fmt.Errorf("--server %s must be https://HOST:PORT, and --identity the file that innkeeper gateway enroll made", g.Server))
	}
	if strings.HasPrefix(g.Server, "http://") {
		errs = append(errs, fmt.Errorf("--server %s: gateways follow their server over TLS: https://HOST:PORT", g.Server))
	}
	if g.OfflineFor < time.Second {
		errs = append(errs, errors.New("--offline-for must be at least a second"))
	}
	return errs
}

// Services returns the upstreams by the name of their service in signatures, "s3"
// for a URL without one.
func (g Gateway) Services() (map[string]*url.URL, error) {
	list := make(map[string]*url.URL, len(g.Upstreams))
	for _, given := range g.Upstreams {
		service, at := "s3", given
		if name, rest, ok := strings.Cut(given, "="); ok && !strings.ContainsAny(name, ":/") {
			service, at = name, rest
		}
		if service == "" || strings.Trim(service, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return nil, fmt.Errorf("--upstream %q: a service is named as in signatures, such as s3 or dynamodb", given)
		}
		u, err := url.Parse(at)
		if err != nil || !isOrigin(at) {
			return nil, fmt.Errorf("--upstream %q must be a URL such as http://127.0.0.1:9000, without a path, or SERVICE=URL", given)
		}
		if !g.Plaintext && !isPrivate(at) {
			return nil, fmt.Errorf("--upstream %s is reached without TLS, so that others on the way can read and change everything: use https, or give --upstream-plaintext", given)
		}
		if list[service] != nil {
			return nil, fmt.Errorf("--upstream names %s twice", service)
		}
		u.Path = ""
		list[service] = u
	}
	return list, nil
}

// Trusted returns the networks of the proxies that are believed.
func (g Gateway) Trusted() []netip.Prefix {
	list, err := networks(g.Proxies)
	if err != nil { // Validate has refused it
		return nil
	}
	return list
}
