// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

// enrolment is the flags of gateway enroll, list and revoke.
type enrolment struct {
	cfg    config.Config
	out    string
	days   int
	output string
}

func (e *enrolment) flags(cmd *cobra.Command) {
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.StringVar(&e.cfg.Data, "data", d.Data, "data directory of the server")
	f.StringVar(&e.cfg.Store, "store", "", "as given to serve; needed when the server is not running")
	f.StringVar(&e.cfg.MasterKey, "master-key", "", "as given to serve; needed when the server is not running")
}

// request has the running server do something about gateways, or else does it on
// the store itself.
func (e *enrolment) request(ctx context.Context, req *node.Enrolment) error {
	err := node.RequestEnrolment(ctx, e.cfg.Data, req)
	if !errors.Is(err, node.ErrNotRunning) {
		return err
	}
	return node.EnrolmentOffline(ctx, e.cfg, req)
}

func gatewayEnrollCommand() *cobra.Command {
	var e enrolment
	cmd := &cobra.Command{
		Use:   "enroll NAME",
		Short: "Let a gateway run apart from the server",
		Long: `Let a gateway run apart from the server: write its identity, a private key and
certificates, to a new file, NAME.pem in the data directory unless told otherwise.
Bring it to the gateway's machine, over a way where nobody else can read it, and
give it to gateway --identity. The gateway renews it before it ends.

The server of the data directory may be running or not. Run this on the server's
machine as the user that it runs as.`,
		Example: "  innkeeper gateway enroll edge\n  innkeeper gateway enroll edge --out edge.pem --days 30",
		Args:    operands("NAME"),
		RunE:    func(cmd *cobra.Command, args []string) error { return e.enroll(cmd, args[0]) },
	}
	e.flags(cmd)
	cmd.Flags().StringVar(&e.out, "out", "", "file to write the identity to; it must not exist (default NAME.pem in the data directory)")
	cmd.Flags().IntVar(&e.days, "days", 90, "how long the certificate is good, unless it is renewed")
	return cmd
}

func (e *enrolment) enroll(cmd *cobra.Command, name string) error {
	switch {
	case name == "" || filepath.Base(name) != name:
		return fmt.Errorf("the name %q must not be empty or hold a slash", name)
	case e.days < 1:
		return errors.New("--days must be at least 1")
	case e.out == "":
		e.out = filepath.Join(e.cfg.Data, name+".pem")
	}
	// The file comes first: a key that cannot be written down is never made.
	file, err := os.OpenFile(e.out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists: choose another file with --out", e.out)
	}
	if err != nil {
		return err
	}
	req := node.Enrolment{Do: node.EnrollGateway, Name: name, Days: e.days}
	if err := e.request(cmd.Context(), &req); err != nil {
		return errors.Join(err, file.Close(), os.Remove(e.out))
	}
	_, err = file.WriteString(req.Identity)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	fmt.Fprintf(cmd.OutOrStdout(), "gateway %s is enrolled; its identity is in %s\n", name, e.out)
	return nil
}

func gatewayListCommand() *cobra.Command {
	var e enrolment
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List the gateways that may run apart from the server",
		Example: "  innkeeper gateway list\n  innkeeper gateway list --output json",
		Args:    operands(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return e.list(cmd) },
	}
	e.flags(cmd)
	outputFlag(cmd, &e.output, "text", "json")
	return cmd
}

func (e *enrolment) list(cmd *cobra.Command) error {
	if e.output != "text" && e.output != "json" {
		return badOutput(e.output, "text", "json")
	}
	req := node.Enrolment{Do: node.ListGateways}
	if err := e.request(cmd.Context(), &req); err != nil {
		return err
	}
	if e.output == "json" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"gateways": req.Gateways})
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "GATEWAY\tENROLLED\tGOOD UNTIL")
	for _, g := range req.Gateways {
		until := time.Time{}
		for _, c := range g.Certificates {
			until = c.Expires // the newest is the last
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", g.Name, g.Enrolled.Format(time.RFC3339), until.Format(time.RFC3339))
	}
	return w.Flush()
}

func gatewayRevokeCommand() *cobra.Command {
	var e enrolment
	cmd := &cobra.Command{
		Use:   "revoke NAME",
		Short: "Turn a gateway away, at once",
		Long: `Turn a gateway away, at once: the server answers it no more, and it serves no more
requests. What it knows already it knows: if the machine was taken over, make new
access keys for those who used it, since what was derived from the old ones is good
for a week.`,
		Example: "  innkeeper gateway revoke edge",
		Args:    operands("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := e.request(cmd.Context(), &node.Enrolment{Do: node.RevokeGateway, Name: args[0]}); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "gateway %s is turned away\n", args[0])
			return nil
		},
	}
	e.flags(cmd)
	return cmd
}
