// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

func bucketCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "bucket",
		Short:   "Say which account owns a bucket behind a gateway",
		Example: "  innkeeper bucket adopt photos --account 111122223333\n  innkeeper bucket list",
	}
	cmd.AddCommand(bucketAdoptCommand(), bucketListCommand(), bucketReleaseCommand())
	return cmd
}

// bucketFlags is what the commands about buckets have in common.
type bucketFlags struct {
	cfg     config.Config
	account string
	output  string
}

func (b *bucketFlags) add(cmd *cobra.Command) {
	d, f := config.Config{}.Defaults(), cmd.Flags()
	f.StringVar(&b.cfg.Data, "data", d.Data, "data directory of the server")
	f.StringVar(&b.cfg.Store, "store", "", "as given to serve; needed when the server is not running")
	f.StringVar(&b.cfg.MasterKey, "master-key", "", "as given to serve; needed when the server is not running")
}

func (b *bucketFlags) check() error {
	if b.output != "text" && b.output != "json" {
		return badOutput(b.output, "text", "json")
	}
	return nil
}

// ask sends a request to the server, or does it on the store of one that does not
// run.
func (b *bucketFlags) ask(ctx context.Context, q *node.Buckets) error {
	err := node.RequestBuckets(ctx, b.cfg.Data, q)
	if errors.Is(err, node.ErrNotRunning) {
		err = node.BucketsOffline(ctx, b.cfg, q)
	}
	return err
}

// askAll is ask for any number of names; it returns what became of each.
func (b *bucketFlags) askAll(ctx context.Context, q node.Buckets, names []string) ([]node.OwnedBucket, error) {
	var all []node.OwnedBucket
	for some := range slices.Chunk(names, node.MaxBuckets) {
		part := q
		part.Names = some
		if err := b.ask(ctx, &part); err != nil {
			return all, err
		}
		all = append(all, part.Buckets...)
	}
	return all, nil
}

// print shows buckets, and returns errTold if one could not be done.
func (b *bucketFlags) print(cmd *cobra.Command, list []node.OwnedBucket) error {
	var failed error
	shown := make([]node.OwnedBucket, 0, len(list))
	for _, one := range list {
		if one.Error != "" {
			fmt.Fprintf(cmd.ErrOrStderr(), "innkeeper: %s\n", one.Error)
			failed = errTold
		} else {
			shown = append(shown, one)
		}
	}
	if b.output == "json" {
		if err := json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"buckets": shown}); err != nil {
			return err
		}
		return failed
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
	if len(shown) > 0 {
		fmt.Fprintln(w, "BUCKET\tACCOUNT\tREGION\tSINCE\tPOLICY")
	}
	for _, one := range shown {
		policy := "none"
		switch {
		case one.Public:
			policy = "public"
		case one.Policy:
			policy = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", one.Name, one.Account, one.Region, one.Created.Format("2006-01-02"), policy)
	}
	return errors.Join(w.Flush(), failed)
}

func bucketListCommand() *cobra.Command {
	var b bucketFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the buckets that have an owner",
		Long: `List the buckets that have an owner: those of one account, or of all.

The server of the data directory may be running or not. Run this on the server's
machine as the user that it runs as.`,
		Example: "  innkeeper bucket list\n  innkeeper bucket list --account 111122223333 --output json",
		Args:    operands(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return b.list(cmd) },
	}
	cmd.Flags().StringVar(&b.account, "account", "", "account whose buckets are listed (default all)")
	b.add(cmd)
	outputFlag(cmd, &b.output, "text", "json")
	return cmd
}

func (b *bucketFlags) list(cmd *cobra.Command) error {
	if err := b.check(); err != nil {
		return err
	}
	var all []node.OwnedBucket
	for q := (node.Buckets{Do: node.ListBuckets, Account: b.account, More: true}); q.More; {
		q.Buckets, q.More = nil, false
		if err := b.ask(cmd.Context(), &q); err != nil {
			return err
		}
		all = append(all, q.Buckets...)
		if q.More = q.More && len(q.Buckets) > 0; q.More {
			q.After = q.Buckets[len(q.Buckets)-1].Name
		}
	}
	return b.print(cmd, all)
}

func bucketReleaseCommand() *cobra.Command {
	var b bucketFlags
	cmd := &cobra.Command{
		Use:   "release NAME…",
		Short: "Take a bucket's owner away",
		Long: `Take the owner of buckets away, and with it their policies. What is in them stays
in the store; nobody gets at it through the gateway until an account adopts the
bucket.

The server of the data directory may be running or not. Run this on the server's
machine as the user that it runs as.`,
		Example: "  innkeeper bucket release photos",
		Args:    operands("NAME…"),
		RunE: func(cmd *cobra.Command, args []string) error {
			list, err := b.askAll(cmd.Context(), node.Buckets{Do: node.ReleaseBuckets}, args)
			var failed error
			for _, one := range list {
				if one.Error != "" {
					fmt.Fprintf(cmd.ErrOrStderr(), "innkeeper: %s\n", one.Error)
					failed = errTold
				}
			}
			return errors.Join(err, failed)
		},
	}
	b.add(cmd)
	return cmd
}

// bucketAdopt is the flags of bucket adopt.
type bucketAdopt struct {
	bucketFlags
	region string
	all    bool
	yes    bool
}

func bucketAdoptCommand() *cobra.Command {
	var a bucketAdopt
	cmd := &cobra.Command{
		Use:   "adopt NAME…",
		Short: "Give buckets that exist already to an account",
		Long: `Make an account the owner of buckets that are in the store behind the gateway
already. Through the gateway a bucket without an owner is not there. Adopted buckets
block public access and have no policy, until the account changes that.

With --all, of the buckets that the store lists, all that have no owner are shown,
and adopted with --yes.

The server of the data directory may be running or not. Run this on the server's
machine as the user that it runs as.`,
		Example: `  innkeeper bucket adopt photos backups --account 111122223333
  innkeeper bucket adopt --all --account 111122223333 --upstream http://127.0.0.1:9000 --upstream-credentials store.credentials`,
		RunE: a.run,
	}
	f := cmd.Flags()
	f.StringVar(&a.account, "account", "", "account that is to own them (required)")
	f.StringVar(&a.region, "region", "", "region that they are said to be in (default the server's)")
	f.BoolVar(&a.all, "all", false, "all buckets of the store that have no owner")
	f.BoolVar(&a.yes, "yes", false, "adopt what --all finds, instead of showing it")
	f.StringSliceVar(&a.cfg.Gateway.Upstreams, "upstream", nil, "URL of the store, for --all")
	f.StringVar(&a.cfg.Gateway.Credentials, "upstream-credentials", "", "file with the store's own credentials, as given to the gateway")
	f.StringVar(&a.cfg.Gateway.UpstreamRegion, "upstream-region", "", "region that the store wants in signatures (default us-east-1)")
	f.BoolVar(&a.cfg.Gateway.Plaintext, "upstream-plaintext", false, "allow a store beyond loopback without TLS")
	a.add(cmd)
	outputFlag(cmd, &a.output, "text", "json")
	_ = cmd.MarkFlagRequired("account")
	return cmd
}

func (a *bucketAdopt) run(cmd *cobra.Command, names []string) error {
	switch err := a.check(); {
	case err != nil:
		return err
	case a.all && len(names) > 0:
		return usageError(cmd, "NAME and --all exclude each other")
	case a.all && len(a.cfg.Gateway.Upstreams) == 0:
		return usageError(cmd, "--all needs --upstream")
	case !a.all && len(names) == 0:
		return usageError(cmd, "NAME is missing")
	}
	if a.all {
		var err error
		if names, err = a.ownerless(cmd.Context()); err != nil {
			return err
		}
		if !a.yes {
			return a.preview(cmd, names)
		}
	}
	list, err := a.askAll(cmd.Context(), node.Buckets{Do: node.AdoptBuckets, Account: a.account, Region: a.region}, names)
	return errors.Join(a.print(cmd, list), err)
}

// ownerless returns the buckets of the store that have no owner.
func (a *bucketAdopt) ownerless(ctx context.Context) ([]string, error) {
	stored, err := node.StoredBuckets(ctx, a.cfg)
	if err != nil {
		return nil, err
	}
	found, err := a.askAll(ctx, node.Buckets{Do: node.FindBuckets}, stored)
	var names []string
	for _, one := range found {
		if one.Account == "" {
			names = append(names, one.Name)
		}
	}
	return names, err
}

func (a *bucketAdopt) preview(cmd *cobra.Command, names []string) error {
	if a.output == "json" {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"adoptable": append([]string{}, names...)})
	}
	for _, name := range names {
		fmt.Fprintln(cmd.OutOrStdout(), name)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "innkeeper: %d buckets without an owner; with --yes account %s adopts them\n", len(names), a.account)
	return nil
}
