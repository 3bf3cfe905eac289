// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/node"
	"github.com/innkeeper-iam/innkeeper/internal/trail"
	"github.com/innkeeper-iam/innkeeper/policy/advice"
)

func auditCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Read the audit log",
		Long: `Read the audit log of a data directory: who did what, what was decided, and why. The
server, or gateway, of the directory may be running or not.`,
		Example: `  innkeeper audit tail -f
  innkeeper audit query --principal ann --action 's3:*' --since 1h
  innkeeper audit denials --since 1h`,
	}
	cmd.AddCommand(auditTailCommand(), auditQueryCommand(), auditDenialsCommand())
	return cmd
}

// auditLog is the flags of the commands that read the audit log.
type auditLog struct {
	cfg          config.Config
	q            trail.Query
	since, until string
	limit        int
	follow       bool
	learned      bool
	advise       bool
	output       string
}

func auditTailCommand() *cobra.Command {
	var a auditLog
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Print the last records, and those to come",
		Example: `  innkeeper audit tail
  innkeeper audit tail -f --decision deny
  innkeeper audit tail -n 100 --output json`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.run(cmd, func(dir string, out *recordWriter) error { return a.tail(cmd.Context(), dir, out) })
		},
	}
	a.flags(cmd)
	cmd.Flags().BoolVarP(&a.follow, "follow", "f", false, "go on with records as they are written")
	cmd.Flags().IntVarP(&a.limit, "lines", "n", 10, "how many of the last records")
	return cmd
}

func auditQueryCommand() *cobra.Command {
	var a auditLog
	cmd := &cobra.Command{
		Use:   "query",
		Short: "Find records",
		Long: `Find records, oldest first. All that is asked must hold; of a record with several
checks, for one of them. In patterns * stands for any characters and ? for one.`,
		Example: `  innkeeper audit query --principal ann --since 1h
  innkeeper audit query --action s3:GetObject --resource 'arn:aws:s3:::photos/*' --decision deny
  innkeeper audit query --since 2026-12-01 --until 2026-12-02 --output json`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.run(cmd, func(dir string, out *recordWriter) error { return a.query(dir, out) })
		},
	}
	a.flags(cmd)
	a.times(cmd, "")
	cmd.Flags().IntVar(&a.limit, "limit", 0, "at most so many records, the latest (default all)")
	return cmd
}

func auditDenialsCommand() *cobra.Command {
	var a auditLog
	cmd := &cobra.Command{
		Use:   "denials",
		Short: "Sum up what was denied, or would have been",
		Long: `Sum up what was denied, or would have been while learning mode was on, for each
principal, action and resource; all sessions of a role are one.

With --learned it is what would break if learning ended; with --advise it says for each what
would allow it, as the policies stand now.`,
		Example: `  innkeeper audit denials --since 1h
  innkeeper audit denials --learned --since 30d --principal ann
  innkeeper audit denials --advise`,
		Args: operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.run(cmd, func(dir string, out *recordWriter) error { return a.denials(cmd, dir, out) })
		},
	}
	a.flags(cmd)
	a.times(cmd, "24h")
	f := cmd.Flags()
	f.BoolVar(&a.learned, "learned", false, "only what learning mode let pass")
	f.BoolVar(&a.advise, "advise", false, "say what would allow it")
	f.StringVar(&a.cfg.Store, "store", "", "as given to serve; needed for --advise when the server is not running")
	f.StringVar(&a.cfg.MasterKey, "master-key", "", "as given to serve; likewise")
	return cmd
}

func (a *auditLog) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&a.cfg.Data, "data", config.Config{}.Defaults().Data, "data directory of the server, or of a gateway apart")
	f.StringVar(&a.q.Principal, "principal", "", "`PATTERN` of who: an ARN, a name, an id of a principal or a key, or anonymous")
	f.StringVar(&a.q.Action, "action", "", "`PATTERN` of the action, such as s3:Get*")
	f.StringVar(&a.q.Resource, "resource", "", "`PATTERN` of the resource's ARN, or of its end")
	f.StringVar(&a.q.Account, "account", "", "`ID` of the account of who asked, or that it happened in")
	f.StringVar(&a.q.Event, "event", "", "`PATTERN` of the event's name, such as DeleteObjects")
	if cmd.Name() != "denials" {
		f.StringVar(&a.q.Decision, "decision", "", "what was decided: "+strings.Join(trail.Decisions, ", "))
		complete := cobra.FixedCompletions(trail.Decisions, cobra.ShellCompDirectiveNoFileComp)
		if err := cmd.RegisterFlagCompletionFunc("decision", complete); err != nil {
			panic(err) // the flag was added above
		}
	}
	outputFlag(cmd, &a.output, "text", "json")
}

func (a *auditLog) times(cmd *cobra.Command, since string) {
	cmd.Flags().StringVar(&a.since, "since", since, "`TIME` of the first record, or how long ago, such as 1h or 7d")
	cmd.Flags().StringVar(&a.until, "until", "", "`TIME` of the last record, or how long ago")
}

// run checks the flags and does something with the directory of the log.
func (a *auditLog) run(cmd *cobra.Command, do func(dir string, out *recordWriter) error) (err error) {
	if a.output != "text" && a.output != "json" {
		return badOutput(a.output, "text", "json")
	}
	now := time.Now()
	if a.q.From, err = parseWhen(a.since, now); err != nil {
		return fmt.Errorf("--since %q: %w", a.since, err)
	}
	if a.q.Until, err = parseWhen(a.until, now); err != nil {
		return fmt.Errorf("--until %q: %w", a.until, err)
	}
	if err := a.q.Validate(); err != nil {
		return err
	}
	if a.limit < 0 {
		return usageError(cmd, "a number of records must not be negative")
	}
	dir := filepath.Join(a.cfg.Data, "audit")
	out := newRecordWriter(cmd.OutOrStdout(), cmd.ErrOrStderr(), a.output == "json")
	if out.total, err = audit.Size(dir, a.q.From); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s holds no audit log: %w", a.cfg.Data, err)
	}
	if err == nil {
		err = do(dir, out)
	}
	return errors.Join(err, out.flush())
}

func (a *auditLog) query(dir string, out *recordWriter) error {
	if a.limit > 0 {
		return a.latest(dir, out)
	}
	for m, err := range a.q.Find(dir, out.progress) {
		if err != nil {
			return err
		}
		if err := out.write(&m); err != nil {
			return err
		}
	}
	return nil
}

func (a *auditLog) latest(dir string, out *recordWriter) error {
	list, err := a.q.Latest(dir, a.limit, out.progress)
	for i := range list {
		err = errors.Join(err, out.write(&list[i]))
	}
	return err
}

// followEvery is how often the log is looked at for more.
const followEvery = 100 * time.Millisecond

func (a *auditLog) tail(ctx context.Context, dir string, out *recordWriter) error {
	end, err := audit.End(dir)
	if err != nil {
		return err
	}
	before := a.q
	before.Until = end.Time // what comes later is followed
	if !a.follow {
		before.Until = time.Time{}
	}
	list, err := before.Latest(dir, a.limit, out.progress)
	if err != nil {
		return err
	}
	printed := make(map[string]bool)
	for i := range list {
		printed[list[i].Record.EventID] = true
		if err := out.write(&list[i]); err != nil {
			return err
		}
	}
	if err := out.flush(); err != nil || !a.follow {
		return err
	}
	more := func() bool {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(followEvery):
			return true
		}
	}
	for m, err := range a.q.Follow(dir, end, more) {
		if err != nil {
			return err
		}
		if id := m.Record.EventID; id != "" && printed[id] { // written while the last ones were read
			continue
		}
		if err := errors.Join(out.write(&m), out.flush()); err != nil {
			return err
		}
	}
	return nil
}

func (a *auditLog) denials(cmd *cobra.Command, dir string, out *recordWriter) error {
	if a.learned {
		a.q.Decision = trail.Learned
	}
	list, err := a.q.Denials(dir, out.progress)
	if err != nil && !errors.Is(err, trail.ErrMany) {
		return err
	}
	many := err
	if a.advise {
		for i := range list {
			list[i].Advice = a.adviceFor(cmd.Context(), &list[i])
		}
	}
	if a.output == "json" {
		err = json.NewEncoder(out.out).Encode(list)
	} else {
		err = out.denials(list)
	}
	return errors.Join(err, many)
}

// adviceFor says what would allow what was denied, as the policies stand now, or why
// that cannot be said.
func (a *auditLog) adviceFor(ctx context.Context, d *trail.Denial) string {
	found, err := node.Inquire(ctx, a.cfg, &node.Question{Record: json.RawMessage(d.Line)})
	if err != nil {
		return "No advice: " + err.Error() + "."
	}
	for i := range found {
		if r := &found[i].Request; r.Action == d.Action && r.Resource == d.Resource {
			return advice.For(r, &found[i].Set).Summary
		}
	}
	return "No advice: the record does not say enough."
}
