// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/dev"
)

// devRootKeys is the variable with root keys, as for --root-key, with commas
// between them.
const devRootKeys = "INNKEEPER_DEV_ROOT_KEY"

// devServer is the flags of dev.
type devServer struct {
	o         dev.Options
	rootKeys  []string
	noEnforce bool
	cfg       config.Config // for the log
}

func devCommand() *cobra.Command {
	var d devServer
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run a server to test against, which keeps nothing",
		Long: `Run a server to test against: on loopback, in memory, gone when it ends.

Each account begins with a root key. Those that are not chosen are the same
everywhere: AKIA, the account's id and ROOT, such as AKIA123456789012ROOT, with
the secret that the command prints. A chosen one is ID:SECRET for the first
account, or ACCOUNT=ID:SECRET; the variable INNKEEPER_DEV_ROOT_KEY takes the
same, with commas between several. None of them is for production: everyone on
the machine can read what is given to --root-key.

  GET  /_innkeeper        what is on: signatures, policies, delay, seed, clock
  POST /_innkeeper/reset  empty everything but the accounts and their root keys
  POST /_innkeeper/clock  {"advance": "1h30m"} or {"set": "2030-01-02T03:04:05Z"}`,
		Example: `  innkeeper dev
  innkeeper dev --account 123456789012 --account 111111111111
  innkeeper dev --root-key test:test --listen 127.0.0.1:0
  innkeeper dev --seed 1 --delay 2s
  innkeeper dev --no-enforce`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return d.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.o.Listen, "listen", dev.DefaultListen, "address, on loopback; port 0 for any")
	f.StringSliceVar(&d.o.Accounts, "account", []string{dev.DefaultAccount}, "account id of twelve digits; may be repeated")
	f.StringArrayVar(&d.rootKeys, "root-key", nil, "root key of the first account as ID:SECRET, or of another as ACCOUNT=ID:SECRET; may be repeated")
	f.StringVar(&d.o.Region, "region", dev.DefaultRegion, "region of the printed settings and of audit records")
	f.Uint64Var(&d.o.Seed, "seed", 0, "make ids and secrets from this number: the same requests make the same ones (default by chance)")
	f.DurationVar(&d.o.Delay, "delay", 0, "how long a change takes to be visible, such as 2s")
	f.BoolVar(&d.noEnforce, "no-enforce", false, "let happen what policies refuse; it is recorded and logged")
	f.BoolVar(&d.cfg.LogJSON, "log-json", false, "log in JSON")
	return cmd
}

func (d *devServer) run(ctx context.Context, stdout, stderr io.Writer) error {
	if err := d.readRootKeys(os.Getenv(devRootKeys)); err != nil {
		return err
	}
	d.o.Version, d.o.Unchecked = Version, d.noEnforce
	log := logger(d.cfg.Defaults(), stderr)
	d.o.Log = log
	s, err := dev.Start(ctx, d.o)
	if err != nil {
		return err
	}
	log.Info("innkeeper dev is open; not for production", s.Posture()...)
	if err := d.welcome(stdout, s); err != nil {
		return err
	}
	return s.Run(ctx)
}

// readRootKeys reads those of --root-key, or else those of the variable.
func (d *devServer) readRootKeys(variable string) error {
	texts := d.rootKeys
	if len(texts) == 0 && variable != "" {
		texts = strings.Split(variable, ",")
	}
	if len(d.o.Accounts) == 0 {
		return fmt.Errorf("--account must not be empty")
	}
	for _, text := range texts {
		k, err := dev.ParseRootKey(text, d.o.Accounts[0])
		if err != nil {
			return err
		}
		d.o.RootKeys = append(d.o.RootKeys, k)
	}
	return nil
}

// welcome prints what points the AWS CLI and SDKs at the server. A chosen secret
// is left out: whoever chose it has it.
func (d *devServer) welcome(w io.Writer, s *dev.Server) error {
	first := s.Accounts()[0]
	if k, ok := s.RootKey(first); ok && !slices.ContainsFunc(d.o.RootKeys, func(k dev.RootKey) bool { return k.Account == first }) {
		if _, err := fmt.Fprintf(w, "export AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n", k.ID, k.Secret); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "export AWS_ENDPOINT_URL=%s AWS_REGION=%s AWS_DEFAULT_REGION=%[2]s\n", s.URL(), shellQuote(s.Region()))
	return err
}
