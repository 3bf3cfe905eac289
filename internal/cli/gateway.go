// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

func gatewayCommand() *cobra.Command {
	var cfg config.Config
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Guard an object store, or other services, with IAM policies",
		Long: `Guard an object store, or other services that speak AWS's protocols: clients that
point at the gateway instead get what their policies allow, and the store is not
asked for the rest.

A gateway runs inside a server (innkeeper serve --upstream …) or, with this command,
apart from one. Apart it holds no long-term secret: it follows the accounts and
their policies, gets signing keys that are good for a day, and goes on for a while
when the server is away.`,
		Example: `  innkeeper serve --upstream http://127.0.0.1:9000 --upstream-credentials store.credentials
  innkeeper gateway --upstream http://127.0.0.1:9000 --upstream-credentials store.credentials
  innkeeper gateway enroll gw1 --out gw1.pem      # on the server
  innkeeper gateway --server https://inn.example.com:4283 --identity gw1.pem --upstream https://store.example.com --upstream-credentials store.credentials`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runGateway(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.StringVar(&cfg.Data, "data", "gateway", "directory of the gateway's files: its audit log")
	f.StringVar(&cfg.Gateway.Server, "server", d.Data, "server to follow: the data directory of one on this machine, or https://HOST:PORT of its --gateways-listen")
	f.StringVar(&cfg.Gateway.Identity, "identity", "", "file that innkeeper gateway enroll made; needed for a server elsewhere")
	f.DurationVar(&cfg.Gateway.OfflineFor, "offline-for", d.Gateway.OfflineFor, "how long the gateway goes on when the server is away")
	f.StringVar(&cfg.Gateway.Status, "status-listen", "", "address of /healthz, /readyz and /metrics (default none)")
	f.StringVar(&cfg.TLSCert, "tls-cert", "", "file of the TLS certificate chain; required beyond loopback")
	f.StringVar(&cfg.TLSKey, "tls-key", "", "file of its private key")
	f.StringVar(&cfg.Region, "region", d.Region, "region of the buckets that are made through the gateway")
	gatewayFlags(cmd, &cfg.Gateway, "listen")
	processFlags(cmd, &cfg)
	_ = cmd.MarkFlagRequired("upstream")
	cmd.AddCommand(gatewayEnrollCommand(), gatewayListCommand(), gatewayRevokeCommand())
	return cmd
}

// gatewayFlags are those of a gateway, inside a server or apart from one; listen
// names the one for its address.
func gatewayFlags(cmd *cobra.Command, g *config.Gateway, listen string) {
	d, f := config.Config{}.Defaults().Gateway, cmd.Flags()
	f.StringSliceVar(&g.Upstreams, "upstream", nil, "what to guard: the URL of an S3 store, or SERVICE=URL for another service, such as dynamodb=http://127.0.0.1:8000")
	f.StringVar(&g.Listen, listen, d.Listen, "address of the gateway")
	f.StringVar(&g.Credentials, "upstream-credentials", "", "file with the upstreams' own credentials, in the shared-credentials format: the profile of a service's name, or default (default none: upstreams get unsigned requests)")
	f.StringVar(&g.UpstreamRegion, "upstream-region", "", "region that upstreams want in signatures (default the server's)")
	f.StringVar(&g.Account, "upstream-account", "", "account that owns what services other than S3 hold (default the only one)")
	f.BoolVar(&g.Plaintext, "upstream-plaintext", false, "allow upstreams beyond loopback without TLS")
	f.StringVar(&g.Keys, "upstream-keys", d.Keys, "what the store does with keys that look like paths: probe (try it at start), strict (refuse them) or verbatim (it keeps them as they are)")
	f.StringVar(&g.ProbeBucket, "upstream-probe-bucket", "", "bucket in which probing may write (default one of its own, removed afterwards)")
	f.StringSliceVar(&g.Domains, "gateway-domain", nil, "name under which buckets are hosts, such as s3.example.com for BUCKET.s3.example.com")
	f.StringSliceVar(&g.Proxies, "trusted-proxies", nil, "networks of proxies in front of the gateway whose X-Forwarded-For and X-Forwarded-Proto are believed, such as 10.0.0.0/8")
	f.DurationVar(&g.Stall, "stall", d.Stall, "how long a client may stand still in the middle of an object")
	f.DurationVar(&g.Answer, "upstream-timeout", d.Answer, "how long an upstream may be silent")
}

func runGateway(ctx context.Context, cfg config.Config, stdout, stderr io.Writer) error {
	cfg = cfg.Defaults()
	if err := cfg.Validate(); err != nil {
		return err
	}
	log := logger(cfg, stderr)
	g, err := node.StartGateway(ctx, cfg, node.Options{Log: log})
	if err != nil {
		return err
	}
	log.Info("the gateway is open", "url", g.GatewayURL(), "server", cfg.Gateway.Server, "upstreams", strings.Join(cfg.Gateway.Upstreams, " "))
	if _, err := io.WriteString(stdout, endpoints(cfg.Gateway, g.GatewayURL())); err != nil {
		return err
	}
	return g.Run(ctx)
}

// A client says how the AWS CLI and the SDKs name a service.
type client struct {
	env      string // AWS_ENDPOINT_URL_…, by its service id (SDKs and Tools Reference Guide, "Service-specific endpoints")
	commands string // of the AWS CLI
}

// clients are the services whose names differ from that in signatures by more than
// the case of letters.
var clients = map[string]client{
	"s3":             {"S3", "s3|s3api|s3control"},
	"secretsmanager": {"SECRETS_MANAGER", "secretsmanager"},
	"logs":           {"CLOUDWATCH_LOGS", "logs"},
	"monitoring":     {"CLOUDWATCH", "cloudwatch"},
	"events":         {"EVENTBRIDGE", "events"},
}

func clientOf(service string) client {
	if c, ok := clients[service]; ok {
		return c
	}
	return client{strings.ToUpper(strings.ReplaceAll(service, "-", "_")), service}
}

// shim is a shell function for versions of the AWS CLI that do not read
// AWS_ENDPOINT_URL yet (before 2.13 and 1.29); it does no harm to others. g may be
// no gateway at all.
func shim(g config.Gateway, gateway string) string {
	services, err := g.Services()
	if err != nil || len(services) == 0 {
		return `aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }` + "\n"
	}
	var commands []string
	for _, name := range slices.Sorted(maps.Keys(services)) {
		commands = append(commands, clientOf(name).commands)
	}
	return fmt.Sprintf(`aws() { case $1 in %s) set -- --endpoint-url %s "$@";; *) set -- --endpoint-url "$AWS_ENDPOINT_URL" "$@";; esac; command aws "$@"; }`+"\n",
		strings.Join(commands, "|"), gateway)
}

// endpoints are the lines that point clients at a gateway.
func endpoints(g config.Gateway, url string) string {
	services, err := g.Services()
	if err != nil { // Validate has refused it
		return ""
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(services)) {
		fmt.Fprintf(&b, "export AWS_ENDPOINT_URL_%s=%s\n", clientOf(name).env, url)
	}
	return b.String()
}
