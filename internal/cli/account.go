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

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

func accountCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "account",
		Short:   "Manage the accounts of a server",
		Example: "  innkeeper account add staging\n  innkeeper account quota 111122223333",
	}
	cmd.AddCommand(accountAddCommand(), accountQuotaCommand())
	return cmd
}

// accountAdd is the flags of account add.
type accountAdd struct {
	cfg         config.Config
	id          string
	credentials string
	output      string
}

func accountAddCommand() *cobra.Command {
	var a accountAdd
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Add an account with a first administrator",
		Long: `Add an account with a first administrator, and write that administrator's key to
a new file, NAME.credentials in the data directory unless told otherwise.

The server of the data directory may be running or not. Run this on the server's
machine as the user that it runs as.`,
		Example: `  innkeeper account add staging
  innkeeper account add staging --id 222233334444 --credentials ./staging.credentials`,
		Args: operands("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd, args[0]) },
	}
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.StringVar(&a.cfg.Data, "data", d.Data, "data directory of the server")
	f.StringVar(&a.cfg.Store, "store", "", "as given to serve; needed when the server is not running")
	f.StringVar(&a.cfg.MasterKey, "master-key", "", "as given to serve; needed when the server is not running")
	f.StringVar(&a.id, "id", "", "account id of twelve digits (default random)")
	f.StringVar(&a.credentials, "credentials", "", "file to write the key to; it must not exist (default NAME.credentials in the data directory)")
	outputFlag(cmd, &a.output, "text", "json")
	return cmd
}

func (a *accountAdd) run(cmd *cobra.Command, name string) error {
	if a.output != "text" && a.output != "json" {
		return badOutput(a.output, "text", "json")
	}
	if name == "" || filepath.Base(name) != name {
		return fmt.Errorf("account name %q must not be empty or hold a slash", name)
	}
	if a.credentials == "" {
		a.credentials = filepath.Join(a.cfg.Data, name+".credentials")
	}
	// The file comes first: a key that cannot be written down is never made.
	file, err := os.OpenFile(a.credentials, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists: choose another file with --credentials", a.credentials)
	}
	if err != nil {
		return err
	}
	req := node.NewAccount{Name: name, ID: a.id, Profile: "default"}
	if err := request(cmd.Context(), a.cfg, &req); err != nil {
		return errors.Join(err, file.Close(), os.Remove(a.credentials))
	}
	if _, err := file.WriteString(req.Credentials); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if a.output == "json" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]string{"id": req.ID, "name": name, "credentials": a.credentials})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "account %s (%s) is open; its administrator's key is in %s\n", req.ID, name, a.credentials)
	return nil
}

// request makes the account through the running server, or else on the store
// itself.
func request(ctx context.Context, cfg config.Config, req *node.NewAccount) error {
	err := node.RequestAccount(ctx, cfg.Data, req)
	if !errors.Is(err, node.ErrNotRunning) {
		return err
	}
	return node.AddAccountOffline(ctx, cfg, req)
}
