// SPDX-License-Identifier: Apache-2.0

package node

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// handler routes the operator's paths beside the API, which answers every other
// path: AWS clients post to "/".
func (n *Node) handler(api http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := n.Ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Write([]byte("ready\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(n.metrics.registry, promhttp.HandlerOpts{}))
	return mux
}

// Ready returns why the node should get no requests, or nil: its view of the
// store is stale, or the audit log cannot be written.
func (n *Node) Ready() error {
	return errors.Join(n.store.Ready(), n.audit.Ready())
}
