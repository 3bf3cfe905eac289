// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/innkeeper-iam/innkeeper/internal/askapi"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
)

// handler routes the operator's paths, those of issuers and those of the
// authorization API beside the API, which answers every other request as it came: AWS clients post to "/", and a path that is cleaned or
// redirected first would not be the one that was signed, nor be recorded.
func (n *Node) handler(api http.Handler) http.Handler {
	operator := map[string]http.Handler{
		"/healthz": http.HandlerFunc(healthz),
		"/readyz":  http.HandlerFunc(n.readyz),
		"/metrics": promhttp.HandlerFor(n.metrics.registry, promhttp.HandlerOpts{}),
	}
	asking := n.asking()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if askapi.Serves(r.URL.Path) {
			asking.ServeHTTP(w, r)
			return
		}
		h, ok := operator[r.URL.Path]
		if issuer.Serves(r.URL.Path) {
			h, ok = n.issuer, true
		}
		if !ok || r.Method != http.MethodGet && r.Method != http.MethodHead {
			h = api
		}
		h.ServeHTTP(w, r)
	})
}

// healthz says that the process runs and serves.
func healthz(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) }

// readyz says whether the node should get requests.
func (n *Node) readyz(w http.ResponseWriter, _ *http.Request) {
	if err := n.Ready(); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Write([]byte("ready\n"))
}

// Ready returns why the node should get no requests, or nil: its view of the
// store is stale, or the audit log cannot be written.
func (n *Node) Ready() error {
	return errors.Join(n.store.Ready(), n.audit.Ready())
}
