// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

// accountQuota is the flags of account quota.
type accountQuota struct {
	cfg    config.Config
	output string
}

func accountQuotaCommand() *cobra.Command {
	var a accountQuota
	cmd := &cobra.Command{
		Use:   "quota ACCOUNT [NAME=LIMIT]…",
		Short: "Show and change the quotas of an account",
		Long: `Show the quotas of an account, which are AWS's defaults until they are changed.
NAME=LIMIT changes one first, NAME=default takes the change back. A limit that is
lowered takes nothing away that is there already.

The server of the data directory may be running or not. Run this on the server's
machine as the user that it runs as.`,
		Example: `  innkeeper account quota 111122223333
  innkeeper account quota 111122223333 UsersPerAccount=20000 PoliciesPerRole=20
  innkeeper account quota 111122223333 UsersPerAccount=default`,
		Args: func(cmd *cobra.Command, args []string) error {
			return operands("ACCOUNT")(cmd, args[:min(len(args), 1)])
		},
		RunE: a.run,
	}
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.StringVar(&a.cfg.Data, "data", d.Data, "data directory of the server")
	f.StringVar(&a.cfg.Store, "store", "", "as given to serve; needed when the server is not running")
	f.StringVar(&a.cfg.MasterKey, "master-key", "", "as given to serve; needed when the server is not running")
	outputFlag(cmd, &a.output, "text", "json")
	return cmd
}

func (a *accountQuota) run(cmd *cobra.Command, args []string) error {
	if a.output != "text" && a.output != "json" {
		return badOutput(a.output, "text", "json")
	}
	q := node.Quotas{Account: args[0], Set: make(map[string]*int)}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		limit, err := strconv.Atoi(value)
		switch {
		case !ok || name == "":
			return fmt.Errorf("%q: want NAME=LIMIT or NAME=default", arg)
		case value == "default":
			q.Set[name] = nil
		case err != nil:
			return fmt.Errorf("%q: the limit must be a number, or default", arg)
		default:
			q.Set[name] = &limit
		}
	}
	err := node.RequestQuotas(cmd.Context(), a.cfg.Data, &q)
	if errors.Is(err, node.ErrNotRunning) {
		err = node.QuotasOffline(cmd.Context(), a.cfg, &q)
	}
	if err != nil {
		return err
	}
	if a.output == "json" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(q)
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "QUOTA\tLIMIT\tDEFAULT")
	for _, one := range q.Quotas {
		fmt.Fprintf(w, "%s\t%d\t%d\n", one.Name, one.Limit, one.Default)
	}
	return w.Flush()
}
