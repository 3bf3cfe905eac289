// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/sink"
)

// auditDir is the directory of the audit log.
func (n *Node) auditDir() string { return filepath.Join(n.cfg.Data, "audit") }

// keep is what the configuration says of how much of the log stays.
func keep(a config.Audit) (audit.Keep, error) {
	l, err := a.Limits()
	if err != nil {
		return audit.Keep{}, fmt.Errorf("--audit-keep: %w", err)
	}
	return audit.Keep{For: l.For, Files: l.Files, Bytes: l.Bytes}, nil
}

// An aim is where the audit log is sent.
type aim struct {
	name string
	to   sink.Destination
}

// aims are the destinations that the configuration names. They are not reached for
// yet.
func aims(a config.Audit, log *slog.Logger) (list []aim, err error) {
	if a.Webhook != "" {
		to, err := sink.NewWebhook(a.Webhook, a.WebhookToken)
		if err != nil {
			return nil, fmt.Errorf("--audit-webhook: %w", err)
		}
		list = append(list, aim{"webhook", to})
	}
	if a.Syslog != "" {
		to, err := sink.NewSyslog(a.Syslog)
		if err != nil {
			return nil, fmt.Errorf("--audit-syslog: %w", err)
		}
		if to.Plaintext() {
			log.Warn("audit records travel to the syslog server for everybody to read; tls:// would hide them")
		}
		list = append(list, aim{"syslog", to})
	}
	return list, nil
}

// startSinks begins to send the audit log to where the configuration says.
func (n *Node) startSinks() error {
	for _, a := range n.aims {
		s, err := sink.Start(sink.Options{
			Name: a.name, Dir: n.auditDir(), File: filepath.Join(n.cfg.Data, a.name+".mark"), To: a.to, Log: n.log,
		})
		if err != nil {
			return err
		}
		n.sinks = append(n.sinks, s)
	}
	n.metrics.registry.MustRegister(sinkMetrics(n.sinks))
	return nil
}

// closeSinks ends the sinks. What they have not sent, they send after the next start.
func (n *Node) closeSinks() (errs []error) {
	for _, s := range n.sinks {
		errs = append(errs, s.Close())
	}
	return errs
}

// sinkMetrics are how the sinks are doing.
type sinkMetrics []*sink.Sink

var (
	sinkLag = prometheus.NewDesc("innkeeper_audit_sink_lag_seconds",
		"Age of the oldest audit record that a sink has still to deliver.", []string{"sink"}, nil)
	sinkRecords = prometheus.NewDesc("innkeeper_audit_sink_records_total",
		"Audit records that a sink has delivered.", []string{"sink"}, nil)
	sinkFailures = prometheus.NewDesc("innkeeper_audit_sink_failures_total",
		"Attempts of a sink to deliver records that failed.", []string{"sink"}, nil)
)

// Describe implements prometheus.Collector.
func (m sinkMetrics) Describe(to chan<- *prometheus.Desc) {
	to <- sinkLag
	to <- sinkRecords
	to <- sinkFailures
}

// Collect implements prometheus.Collector.
func (m sinkMetrics) Collect(to chan<- prometheus.Metric) {
	for _, s := range m {
		st := s.Status()
		to <- prometheus.MustNewConstMetric(sinkLag, prometheus.GaugeValue, st.Lag.Seconds(), s.Name())
		to <- prometheus.MustNewConstMetric(sinkRecords, prometheus.CounterValue, float64(st.Sent), s.Name())
		to <- prometheus.MustNewConstMetric(sinkFailures, prometheus.CounterValue, float64(st.Failures), s.Name())
	}
}
