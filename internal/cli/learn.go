// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
)

func learnCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "learn",
		Short: "Let gateways allow, for a while, what they would deny",
		Long: `Let gateways allow, for a while, what they would deny, and mark it in the audit log,
so that policies can be written from what happens. It ends by itself.`,
		Example: `  innkeeper learn start --account 111122223333 --principal ann --for 72h
  innkeeper audit denials --learned --since 72h  # what would break
  innkeeper learn stop --account 111122223333 --principal ann`,
	}
	cmd.AddCommand(learnStartCommand(), learnListCommand(), learnStopCommand())
	return cmd
}

// learn is the flags of the commands about learning mode.
type learn struct {
	cfg    config.Config
	ask    node.Learning
	until  string
	span   string
	output string
}

const learnWhere = `

The server of the data directory may be running or not. Run this on the server's
machine as the user that it runs as.`

func learnStartCommand() *cobra.Command {
	l := learn{ask: node.Learning{Do: node.StartLearning}}
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Begin to allow what would be denied",
		Long: `Begin to allow what gateways would deny to a principal, or to everybody in an
account, until a time at most 90 days ahead.

Never allowed are the API of innkeeper itself, what belongs to another account, requests
without a signature, what a session policy does not allow, and what a policy denies
explicitly, unless --include-explicit is given.` + learnWhere,
		Example: `  innkeeper learn start --account 111122223333 --principal ann --for 72h
  innkeeper learn start --principal arn:aws:iam::111122223333:role/ci --until 2026-12-31T18:00:00Z
  innkeeper learn start --account 111122223333 --for 14d`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error { return l.start(cmd) },
	}
	l.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&l.until, "until", "", "`TIME` of the end, such as 2026-12-31T18:00:00Z")
	f.StringVar(&l.span, "for", "", "`SPAN` to the end, such as 72h or 14d")
	f.BoolVar(&l.ask.Explicit, "include-explicit", false, "allow also what a policy denies explicitly")
	return cmd
}

func learnListCommand() *cobra.Command {
	l := learn{ask: node.Learning{Do: node.ListLearning}}
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List who is learning, or did",
		Long:    `List who is learning, and whose time is over; learn stop removes those.` + learnWhere,
		Example: "  innkeeper learn list",
		Args:    operands(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return l.run(cmd) },
	}
	l.flags(cmd)
	return cmd
}

func learnStopCommand() *cobra.Command {
	l := learn{ask: node.Learning{Do: node.StopLearning}}
	cmd := &cobra.Command{
		Use:     "stop",
		Short:   "Enforce again what is decided",
		Long:    `Enforce again what is decided about a principal, or in an account.` + learnWhere,
		Example: "  innkeeper learn stop --account 111122223333 --principal ann",
		Args:    operands(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return l.run(cmd) },
	}
	l.flags(cmd)
	return cmd
}

func (l *learn) flags(cmd *cobra.Command) {
	d, f := config.Config{}.Defaults(), cmd.Flags()
	if l.ask.Do == node.ListLearning {
		f.StringVar(&l.ask.Account, "account", "", "`ID` of the account (default all)")
	} else {
		f.StringVar(&l.ask.Account, "account", "", "`ID` of the account (default the one in the principal's ARN)")
		f.StringVar(&l.ask.Principal, "principal", "", "`NAME` or ARN of a user or a role, or ARN of the root user (default the whole account)")
	}
	f.StringVar(&l.cfg.Data, "data", d.Data, "data directory of the server")
	f.StringVar(&l.cfg.Store, "store", "", "as given to serve; needed when the server is not running")
	f.StringVar(&l.cfg.MasterKey, "master-key", "", "as given to serve; needed when the server is not running")
	outputFlag(cmd, &l.output, "text", "json")
}

func (l *learn) start(cmd *cobra.Command) (err error) {
	if (l.until == "") == (l.span == "") {
		return usageError(cmd, "give the end of learning: either --until TIME or --for SPAN")
	}
	now := time.Now()
	if l.until != "" {
		if l.ask.Until, err = time.Parse(time.RFC3339, l.until); err != nil {
			return fmt.Errorf("--until %q: must be a time such as 2026-12-31T18:00:00Z", l.until)
		}
	} else {
		span, err := parseSpan(l.span)
		if err != nil {
			return fmt.Errorf("--for %q: %w", l.span, err)
		}
		l.ask.Until = now.Add(span).Truncate(time.Second)
	}
	return l.run(cmd)
}

func (l *learn) run(cmd *cobra.Command) error {
	if l.output != "text" && l.output != "json" {
		return badOutput(l.output, "text", "json")
	}
	if err := node.RequestLearning(cmd.Context(), l.cfg, &l.ask); err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if l.output == "json" {
		enc := json.NewEncoder(out)
		if l.ask.Do != node.ListLearning {
			return enc.Encode(l.ask.Entries[0])
		}
		return enc.Encode(append([]node.LearningEntry{}, l.ask.Entries...))
	}
	if l.ask.Do == node.ListLearning {
		return writeLearning(out, l.ask.Entries)
	}
	e := &l.ask.Entries[0]
	who := cmp.Or(e.Principal, "account "+e.Account)
	if l.ask.Do == node.StopLearning {
		fmt.Fprintf(out, "%s is not learning any more\n", who)
		return nil
	}
	fmt.Fprintf(out, "%s is learning until %s\n", who, e.Until.UTC().Format(time.RFC3339))
	return nil
}

func writeLearning(out io.Writer, list []node.LearningEntry) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "ACCOUNT\tPRINCIPAL\tSINCE\tUNTIL\tEXPLICIT DENIES\tSTATE")
	for _, e := range list {
		explicit, state := "denied", "over"
		if e.Explicit {
			explicit = "allowed"
		}
		if e.Active {
			state = "learning"
		}
		fmt.Fprintln(w, strings.Join([]string{
			e.Account, cmp.Or(e.Principal, "everybody"), e.Since.UTC().Format(time.RFC3339), e.Until.UTC().Format(time.RFC3339), explicit, state,
		}, "\t"))
	}
	return w.Flush()
}
