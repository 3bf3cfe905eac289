// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

func serveCommand() *cobra.Command {
	var cfg config.Config
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server: IAM and STS on one endpoint, for the AWS CLI and every AWS SDK.

On an empty data directory it makes the store, a master key, an account and a
first administrator, whose key it writes to admin.credentials there.`,
		Example: `  innkeeper serve
  innkeeper serve --data /var/lib/innkeeper
  innkeeper serve --listen 10.0.0.5:4280 --tls-cert cert.pem --tls-key key.pem
  innkeeper serve --upstream http://127.0.0.1:9000 --upstream-credentials store.credentials
  innkeeper serve --store etcd://10.0.0.5:2379,10.0.0.6:2379/innkeeper --master-key master.key`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.StringVar(&cfg.Data, "data", d.Data, "directory of the server's files")
	f.StringVar(&cfg.Listen, "listen", d.Listen, "address of the API")
	f.StringVar(&cfg.Store, "store", "", "file of the embedded store, or etcd://HOST:PORT[,HOST:PORT…]/PREFIX (default innkeeper.db in the data directory)")
	f.StringVar(&cfg.MasterKey, "master-key", "", "file of the master key (default master.key in the data directory)")
	f.StringVar(&cfg.TLSCert, "tls-cert", "", "file of the TLS certificate chain; required beyond loopback")
	f.StringVar(&cfg.TLSKey, "tls-key", "", "file of its private key")
	f.StringVar(&cfg.Region, "region", d.Region, "region named in credentials files and audit records")
	f.StringVar(&cfg.PublicURL, "public-url", "", "where clients reach the API, such as https://inn.example.com (default the address of the API)")
	f.StringSliceVar(&cfg.IssuerNetworks, "issuer-networks", nil, "networks besides the public internet where OpenID Connect issuers may be, such as 10.0.0.0/8, or private for all private ones (default loopback when the API listens on loopback)")
	f.StringVar(&cfg.AccountID, "account-id", "", "id of the account made on an empty store (default random)")
	f.StringVar(&cfg.AccountName, "account-name", d.AccountName, "name of the account made on an empty store")
	f.StringVar(&cfg.Gateways, "gateways-listen", "", "address where gateways that run apart follow this server, over mutual TLS (default only on this machine)")
	f.StringVar(&cfg.Envoy, "authz-listen", "", "address where Envoy asks for authorization, over gRPC (default none)")
	gatewayFlags(cmd, &cfg.Gateway, "gateway-listen")
	processFlags(cmd, &cfg)
	return cmd
}

// processFlags are those of everything that serves and keeps an audit log.
func processFlags(cmd *cobra.Command, cfg *config.Config) {
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.DurationVar(&cfg.Drain, "drain", d.Drain, "how long requests may take to finish on shutdown")
	auditFlags(cmd, cfg)
	f.BoolVar(&cfg.LogJSON, "log-json", false, "log in JSON")
	f.StringVar(&cfg.LogLevel, "log-level", d.LogLevel, "least level that is logged: debug, info, warn, error")
}

func serve(ctx context.Context, cfg config.Config, stdout, stderr io.Writer) error {
	cfg = cfg.Defaults()
	if err := cfg.Validate(); err != nil {
		return err
	}
	log := logger(cfg, stderr)
	n, err := node.Start(ctx, cfg, node.Options{Log: log})
	if err != nil {
		return err
	}
	log.Info("innkeeper is open", n.Posture()...)
	if err := welcome(stdout, cfg, n); err != nil {
		return err
	}
	return n.Run(ctx)
}

func logger(cfg config.Config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.LogLevel)); err != nil {
		level = slog.LevelInfo // Validate has refused every other name
	}
	opts := &slog.HandlerOptions{Level: level}
	if cfg.LogJSON {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// welcome prints the lines that point the AWS CLI at the server, and at its gateway. The
// first one is left out when the administrator's key is not here: another node of the store
// has it.
func welcome(w io.Writer, cfg config.Config, n *node.Node) error {
	file, err := filepath.Abs(n.CredentialsFile())
	if err != nil {
		return err
	}
	credentials := ""
	if _, err := os.Stat(file); err == nil {
		credentials = fmt.Sprintf("export AWS_SHARED_CREDENTIALS_FILE=%s\n", shellQuote(file))
	}
	_, err = fmt.Fprintf(w, "%sexport AWS_ENDPOINT_URL=%s AWS_REGION=%s AWS_DEFAULT_REGION=%[3]s\n%s%s",
		credentials, n.URL(), shellQuote(cfg.Region), endpoints(cfg.Gateway, n.GatewayURL()), shim(cfg.Gateway, n.GatewayURL()))
	return err
}

// shellQuote quotes s for a POSIX shell when it needs it.
func shellQuote(s string) string {
	for _, r := range s {
		if !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '/' || r == '.' || r == '-' || r == '_') {
			return "'" + quoteReplacer.Replace(s) + "'"
		}
	}
	return s
}

var quoteReplacer = strings.NewReplacer("'", `'\''`)
