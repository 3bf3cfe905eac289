// SPDX-License-Identifier: Apache-2.0

package gateway

import (
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
)

// A Watch tells what the connection of a request says about its client.
type Watch struct {
	// Proxies are the networks of proxies whose X-Forwarded-For and
	// X-Forwarded-Proto are believed; none: nobody's are.
	Proxies []netip.Prefix
	Now     func() time.Time
}

// maxForwarded is how many addresses of X-Forwarded-For are looked at.
const maxForwarded = 32

// Env returns the environment of a request. Behind trusted proxies, the client is
// the last one in X-Forwarded-For that is not one of them: whatever stands before
// it, the client may have written itself. A header that cannot be read leaves the
// address of the nearest proxy that could be.
func (w *Watch) Env(r *http.Request) authz.Env {
	env := authz.Env{Time: w.Now(), UserAgent: r.UserAgent(), Referer: r.Referer(), Secure: r.TLS != nil}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return env
	}
	client := plain(peer.Addr())
	if w.trusts(client) {
		env.Secure = secure(r)
		client = w.behind(client, r.Header["X-Forwarded-For"])
	}
	env.SourceIP = client.String()
	return env
}

// behind returns the client for whom a trusted proxy asks.
func (w *Watch) behind(client netip.Addr, forwarded []string) netip.Addr {
	list := strings.Join(forwarded, ",")
	for range maxForwarded {
		if list == "" || !w.trusts(client) {
			break
		}
		last := list
		if i := strings.LastIndexByte(list, ','); i >= 0 {
			list, last = list[:i], list[i+1:]
		} else {
			list = ""
		}
		addr, ok := address(strings.TrimSpace(last))
		if !ok {
			break
		}
		client = addr
	}
	return client
}

// address reads an entry of X-Forwarded-For: an address, perhaps with a port.
func address(s string) (netip.Addr, bool) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return plain(addr), true
	}
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return plain(ap.Addr()), true
	}
	return netip.Addr{}, false
}

// plain is the form of an address that policies compare: IPv4 as such, no zone.
func plain(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

func (w *Watch) trusts(a netip.Addr) bool {
	for _, p := range w.Proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// secure reports whether a request that a trusted proxy passed on came to it over
// TLS. Several proxies must all say so: the first may be the client's word.
func secure(r *http.Request) bool {
	said := r.Header["X-Forwarded-Proto"]
	if len(said) == 0 {
		return r.TLS != nil
	}
	for _, line := range said {
		for proto := range strings.SplitSeq(line, ",") {
			if !strings.EqualFold(strings.TrimSpace(proto), "https") {
				return false
			}
		}
	}
	return true
}
