// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
)

// auditFlags are those of whatever keeps an audit log: what stays of it, and where
// it is sent.
func auditFlags(cmd *cobra.Command, cfg *config.Config) {
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.Int64Var(&cfg.AuditMax, "audit-max", d.AuditMax, "size in bytes at which the audit log is rotated")
	f.StringSliceVar(&cfg.Audit.Keep, "audit-keep", nil, "how much of the rotated audit log stays: an age such as 90d, a size such as 20GiB, a number of files such as 500, or several with commas between (default all)")
	f.StringVar(&cfg.Audit.Webhook, "audit-webhook", "", "URL that audit records are posted to as lines of JSON; https beyond loopback")
	f.StringVar(&cfg.Audit.WebhookToken, "audit-webhook-token", "", "file of the bearer token for the webhook")
	f.StringVar(&cfg.Audit.Syslog, "audit-syslog", "", "syslog server that audit records are sent to: tls://HOST:6514, tcp://HOST:601, udp://HOST:514 or unix:///dev/log")
}
