// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// outputFlag adds --output with its choices, the first being the default.
func outputFlag(cmd *cobra.Command, value *string, choices ...string) {
	cmd.Flags().StringVarP(value, "output", "o", choices[0], "form of the output: "+strings.Join(choices, ", "))
	complete := cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc("output", complete); err != nil {
		panic(err) // the flag was added above
	}
}

// isTerminal reports whether w is a terminal where colour is welcome.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func badOutput(got string, choices ...string) error {
	return fmt.Errorf("--output %q: must be %s", got, strings.Join(choices, " or "))
}
