// SPDX-License-Identifier: Apache-2.0

// Package cli parses the command line and runs its subcommands.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command ran and the answer is no: a test failed, a request is denied
	exitError  = 2 // the command could not run
)

// What ends a command with an exit code and no further message: it has told
// already what is wrong.
var (
	errFailed = errors.New("failed")        // exitFailed
	errTold   = errors.New("could not run") // exitError
)

// Main runs the command line and returns its exit code. Errors go to stderr.
// SIGINT and SIGTERM end a long-running command gracefully, a second one at once.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := command()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.Is(err, errTold):
		return exitError
	}
	for line := range strings.Lines(err.Error()) {
		fmt.Fprintf(stderr, "innkeeper: %s\n", strings.TrimSuffix(line, "\n"))
	}
	return exitError
}

// command is the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:   "innkeeper",
		Short: "Identity and access management that anyone can run, in AWS's language",
		Example: `  innkeeper serve                # run the server, with its files in ./data
  innkeeper dev                  # a server to test against, which keeps nothing
  innkeeper account add staging  # one more account, with its administrator
  innkeeper test access.yaml     # test policies, without a server
  innkeeper explain access.yaml  # why a test fails, and what would cure it`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError(cmd, err.Error()) })
	root.AddCommand(serveCommand(), gatewayCommand(), devCommand(), accountCommand(), bucketCommand(), testCommand(), explainCommand(), auditCommand(), learnCommand(), trustCommand(), versionCommand())
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.HasSubCommands() && cmd.RunE == nil {
			cmd.Args = cobra.NoArgs // an unknown subcommand is an error
			cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	return root
}

// usageError is a fault of the command line itself.
func usageError(cmd *cobra.Command, msg string) error {
	return fmt.Errorf("%s; see %s --help", msg, cmd.CommandPath())
}

// operands takes exactly the operands with the given names, or, if the last name
// ends with "…", at least them.
func operands(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		more := len(names) > 0 && strings.HasSuffix(names[len(names)-1], "…")
		switch {
		case len(args) < len(names):
			return usageError(cmd, fmt.Sprintf("%s is missing", strings.TrimSuffix(names[len(args)], "…")))
		case len(args) > len(names) && !more:
			return usageError(cmd, fmt.Sprintf("unexpected argument %q", args[len(names)]))
		}
		return nil
	}
}
