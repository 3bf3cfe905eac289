// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
)

// A Context holds the condition keys that an asker gives with a question. The zero
// Context has none. Make one with ContextOf.
type Context struct {
	keys  map[string]string
	lists map[string][]string
}

// ContextOf returns the condition keys of a question: each value is a string or a
// list of strings. The error tells the first problem. Keys that follow from who the
// principal is, from the clock or from the store cannot be given, and no key twice
// in different letter case.
func ContextOf(single map[string]string, lists map[string][]string) (Context, error) {
	seen := make(map[string]bool, len(single)+len(lists))
	check := func(key string) error {
		name := strings.ToLower(key)
		switch {
		case seen[name]:
			return fmt.Errorf("the context key %.128q is given twice", key)
		case !strings.Contains(key, ":"):
			return fmt.Errorf("%.128q is no condition key: those have a prefix, as aws:SourceIp", key)
		case ours(name):
			return fmt.Errorf("the context key %.128q cannot be given: it follows from the principal, the resource or the clock", key)
		}
		seen[name] = true
		return nil
	}
	for _, key := range slices.Sorted(maps.Keys(single)) {
		if err := check(key); err != nil {
			return Context{}, err
		}
		if strings.EqualFold(key, keySourceIP) {
			if _, err := netip.ParseAddr(single[key]); err != nil {
				return Context{}, fmt.Errorf("%s: %.64q is no address", key, single[key])
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(lists)) {
		if err := check(key); err != nil {
			return Context{}, err
		}
		if slices.ContainsFunc(connection[:], func(k string) bool { return strings.EqualFold(k, key) }) {
			return Context{}, fmt.Errorf("the context key %.128q has one value", key)
		}
	}
	return Context{single, lists}, nil
}

// Keys of the connection that the principal's request would come by.
const (
	keySourceIP = "aws:SourceIp"
	keyAgent    = "aws:UserAgent"
	keyReferer  = "aws:Referer"
	keySecure   = "aws:SecureTransport"
	keyRegion   = "aws:RequestedRegion"
)

var connection = [...]string{keySourceIP, keyAgent, keyReferer, keySecure, keyRegion}

// Condition keys that no asker gives, in lower case: whole names, and what names
// begin with.
var (
	oursWhole = []string{
		"aws:assumedroot", "aws:currenttime", "aws:epochtime", "aws:federatedprovider", "aws:resourceaccount", "aws:sourceidentity",
		"aws:tokenissuetime", "aws:userid", "aws:username", "aws:viaawsservice",
	}
	oursBegin = []string{"aws:calledvia", "aws:multifactorauth", "aws:principal", "aws:resourceorg", "innkeeper:", "saml:"}
)

// ours reports whether a key, in lower case, is not for askers to give. Those that
// begin with a host name are claims of identity providers about the principal.
func ours(name string) bool {
	prefix, _, _ := strings.Cut(name, ":")
	return slices.Contains(oursWhole, name) || strings.Contains(prefix, ".") ||
		slices.ContainsFunc(oursBegin, func(p string) bool { return strings.HasPrefix(name, p) })
}

// get returns the value of a single-valued key in any letter case, "" for none.
func (c Context) get(key string) string {
	if value, ok := c.keys[key]; ok {
		return value
	}
	for k, value := range c.keys {
		if strings.EqualFold(k, key) {
			return value
		}
	}
	return ""
}

func (c Context) region() string { return c.get(keyRegion) }

// env is what the questions say about the connection of the principal. One that
// says nothing about TLS is about a connection without it.
func (c Context) env(now time.Time) *authz.Env {
	return &authz.Env{
		Time: now, SourceIP: c.get(keySourceIP), UserAgent: c.get(keyAgent), Referer: c.get(keyReferer),
		Secure: strings.EqualFold(c.get(keySecure), "true"),
	}
}

// plain returns the keys that are not of the connection. The caller owns the map.
func (c Context) plain() map[string]string {
	keys := make(map[string]string, len(c.keys))
	for k, value := range c.keys {
		if !slices.ContainsFunc(connection[:], func(name string) bool { return strings.EqualFold(name, k) }) {
			keys[k] = value
		}
	}
	return keys
}
