// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// passes are the request headers that an upstream gets. It is a list of what
// is known to be harmless, since stores act on headers of their own: there are
// such that override the method or the path, that force the removal of a
// bucket with all its objects, and that unpack an archive into many objects.
var passes = set("Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers",
	"Access-Control-Request-Method", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language",
	"Content-Location", "Content-Md5", "Content-Range", "Content-Type", "Expires", "If-Match", "If-Modified-Since",
	"If-None-Match", "If-Range", "If-Unmodified-Since", "Origin", "Pragma", "Range", "Referer", "Smithy-Protocol",
	"User-Agent")

// passPrefixes begin the names of AWS's own headers, of which a caller's
// signature covers all that begin with X-Amz-.
var passPrefixes = []string{"X-Amz-", "X-Amzn-", "Amz-Sdk-"}

// stays are headers with these prefixes that are about the client's signature
// and encoding. The last one makes stores unpack an archive into objects that
// nobody was asked about.
var stays = set("X-Amz-Content-Sha256", "X-Amz-Date", "X-Amz-Decoded-Content-Length", "X-Amz-Security-Token",
	"X-Amz-Trailer", "X-Amz-Meta-Snowball-Auto-Extract")

// Forwardable returns the headers of a client's request that an upstream gets:
// those of HTTP that describe the body, conditions and ranges, and AWS's own.
// It leaves out headers between two hops, those of the client's signature,
// of the aws-chunked encoding, cookies, what proxies say about the client, and
// all that is not known. h is not changed; values are shared with it.
func Forwardable(h http.Header) http.Header {
	out := make(http.Header, len(h)+4) // room for those of the new signature
	for name, values := range h {
		if !passes[name] && (stays[name] || !slices.ContainsFunc(passPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })) {
			continue
		}
		out[name] = values
	}
	for _, list := range h["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			delete(out, http.CanonicalHeaderKey(strings.Trim(name, " \t")))
		}
	}
	if enc, ok := out["Content-Encoding"]; ok {
		if enc = withoutChunked(enc); len(enc) > 0 {
			out["Content-Encoding"] = enc
		} else {
			delete(out, "Content-Encoding")
		}
	}
	return out
}

// withoutChunked returns the codings of values other than aws-chunked.
func withoutChunked(values []string) []string {
	if !slices.ContainsFunc(values, func(v string) bool { return strings.Contains(strings.ToLower(v), "aws-chunked") }) {
		return values
	}
	var kept []string
	for _, v := range values {
		for coding := range strings.SplitSeq(v, ",") {
			coding = strings.Trim(coding, " \t")
			if coding != "" && !strings.EqualFold(coding, "aws-chunked") {
				kept = append(kept, coding)
			}
		}
	}
	if kept == nil {
		return nil
	}
	return []string{strings.Join(kept, ",")}
}

// withheld are the headers of an answer that clients do not get: those between
// two hops; those that would speak for the gateway's own host (cookies, other
// ways to reach it, what browsers shall remember); demands for credentials that
// are the gateway's; and what server it is.
var withheld = set("Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade",
	"Alt-Svc", "Clear-Site-Data", "Refresh", "Set-Cookie", "Set-Cookie2", "Strict-Transport-Security",
	"Proxy-Authentication-Info", "Authentication-Info", "Www-Authenticate", "Server", "Via", "X-Powered-By")

// metaPrefix begins the headers of an object's metadata.
const metaPrefix = "X-Amz-Meta-"

// passBack copies the headers of an answer to w, except those that w has
// already: they are the gateway's own. Names of metadata are written in lower
// case, as S3 does (S3 User Guide, "User-defined object metadata"): clients such as boto3 give them to
// programs as they come.
func passBack(w http.Header, resp *http.Response) {
	var hop map[string]bool // named in Connection
	for _, list := range resp.Header["Connection"] {
		for name := range strings.SplitSeq(list, ",") {
			if hop == nil {
				hop = make(map[string]bool)
			}
			hop[http.CanonicalHeaderKey(strings.Trim(name, " \t"))] = true
		}
	}
	for name, values := range resp.Header {
		if withheld[name] || hop[name] {
			continue
		}
		if _, ours := w[name]; ours {
			continue
		}
		if name == "Location" && !relative(values) {
			continue
		}
		if strings.HasPrefix(name, metaPrefix) {
			name = strings.ToLower(name)
		}
		w[name] = values
	}
	if _, ok := w["Content-Type"]; !ok {
		w["Content-Type"] = nil // an object without a type gets none
	}
}

// relative reports whether a Location names no host: others are the upstream's
// own, which clients cannot or should not reach.
func relative(values []string) bool {
	if len(values) != 1 {
		return false
	}
	u, err := url.Parse(values[0])
	return err == nil && u.Scheme == "" && u.Host == "" && strings.HasPrefix(values[0], "/") &&
		!strings.HasPrefix(values[0], "//") && !strings.Contains(values[0], `\`)
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
