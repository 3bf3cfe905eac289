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
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1 // the command ran and the answer is no: a test failed
	exitError  = 2 // the command could not run
)

// errFailed makes a command end with exitFailed; what failed is told already.
var errFailed = errors.New("failed")

// Main runs the command line and returns its exit code. Errors go to stderr.
// SIGINT and SIGTERM end a long-running command gracefully.
func Main(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
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
	}
	fmt.Fprintf(stderr, "innkeeper: %v\n", err)
	return exitError
}

// command is the whole command line.
func command() *cobra.Command {
	root := &cobra.Command{
		Use:           "innkeeper",
		Short:         "Identity and access management that anyone can run, in AWS's language",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(serveCommand(), accountCommand(), testCommand(), versionCommand())
	return root
}
