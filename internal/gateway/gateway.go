// SPDX-License-Identifier: Apache-2.0

// Package gateway is the front of the gateways: it takes connections, finds out who
// is really asking and which service a request is for, and hands it to the gateway of
// that service.
package gateway

import (
	"net/http"
	"strings"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// A Front is the handler of a gateway's listener. At least one of S3 and Others
// is set. It is safe for concurrent use.
type Front struct {
	S3     http.Handler // nil: there is no object store
	Others http.Handler // every other service, which refuses those that it does not know; nil: there are none
}

// ServeHTTP hands a request on by the service that its signature is made for. What
// is not signed at all, or not with Version 4, can be for S3 alone, which knows
// anonymous requests and forms; it has the errors for the rest, too.
func (f *Front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case f.Others == nil:
		f.S3.ServeHTTP(w, r)
	case f.S3 == nil || forOthers(r):
		f.Others.ServeHTTP(w, r)
	default:
		f.S3.ServeHTTP(w, r)
	}
}

// forOthers reports whether a request is for a service that is not S3: by the scope of
// its signature, and an unsigned one by the header that only the JSON protocols have.
// Whoever the request is handed to parses the signature again, and verifies it.
func forOthers(r *http.Request) bool {
	sig, err := sigv4.Parse(r)
	if err == nil {
		return !sig.S3()
	}
	return r.Header.Get("X-Amz-Target") != "" || strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
}
