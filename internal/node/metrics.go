// SPDX-License-Identifier: Apache-2.0

package node

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// metrics is what a node tells about itself; it is the api.Observer.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	decisions *prometheus.CounterVec
	refusals  *prometheus.CounterVec
}

func newMetrics(s *store.Store) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "innkeeper_requests_total",
			Help: "Requests answered, by service, operation and error code (empty for success).",
		}, []string{"service", "operation", "code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "innkeeper_request_seconds",
			Help:    "Time from a request's arrival to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5},
		}, []string{"service"}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "innkeeper_decisions_total",
			Help: "Authorization decisions, by outcome.",
		}, []string{"outcome"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "innkeeper_verification_failures_total",
			Help: "Requests whose caller could not be verified, by cause.",
		}, []string{"cause"}),
	}
	m.registry.MustRegister(
		m.requests, m.seconds, m.decisions, m.refusals,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "innkeeper_store_revision",
			Help: "Revision of the store that this node has seen.",
		}, func() float64 { return float64(s.Revision()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "innkeeper_store_lag_seconds",
			Help: "Time since the store last confirmed that this node is up to date.",
		}, func() float64 { return s.Lag().Seconds() }),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	for _, o := range []policy.Outcome{policy.Allowed, policy.ExplicitDeny, policy.ImplicitDeny} {
		m.decisions.WithLabelValues(o.String())
	}
	return m
}

// Served implements api.Observer.
func (m *metrics) Served(service, operation, code string, took time.Duration) {
	m.requests.WithLabelValues(service, operation, code).Inc()
	m.seconds.WithLabelValues(service).Observe(took.Seconds())
}

// Refused implements api.Observer.
func (m *metrics) Refused(cause string) { m.refusals.WithLabelValues(cause).Inc() }

func (m *metrics) decided(o policy.Outcome) { m.decisions.WithLabelValues(o.String()).Inc() }
