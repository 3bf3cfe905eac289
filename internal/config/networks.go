// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

var (
	loopbackNetworks = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	privateNetworks  = []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("fc00::/7"),
	}
)

// Networks returns the networks besides the public internet where OpenID Connect
// issuers may be. A server that only its own machine can reach may look at
// issuers there: whoever can ask it to can look for himself.
func (c Config) Networks() []netip.Prefix {
	if host, _, err := net.SplitHostPort(c.Listen); c.IssuerNetworks == nil && err == nil && loopback(host) {
		return loopbackNetworks
	}
	list, err := networks(c.IssuerNetworks)
	if err != nil { // Validate has refused it
		return nil
	}
	return list
}

func networks(names []string) ([]netip.Prefix, error) {
	var list []netip.Prefix
	for _, name := range names {
		if name == "private" {
			list = append(list, privateNetworks...)
			continue
		}
		p, err := netip.ParsePrefix(name)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a network such as 10.0.0.0/8 nor the word private", name)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}

// isOrigin reports whether s is a URL of scheme, host and port alone.
func isOrigin(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil &&
		(u.Path == "" || u.Path == "/") && u.RawQuery == "" && u.Fragment == ""
}

// isPrivate reports whether what is fetched from an origin cannot be changed on
// its way: by TLS, or because it does not leave the machine.
func isPrivate(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || loopback(u.Hostname()))
}
