// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/innkeeper-iam/innkeeper/policy"
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

// plain styles nothing.
func plain(_ policy.Tone, text string) string { return text }

// styleFor colours what is good and bad, if w is a terminal where colour is
// welcome.
func styleFor(w io.Writer) func(policy.Tone, string) string {
	if !isTerminal(w) {
		return plain
	}
	return func(tone policy.Tone, text string) string {
		switch tone {
		case policy.Good:
			return "\x1b[32m" + text + "\x1b[0m"
		case policy.Bad:
			return "\x1b[31m" + text + "\x1b[0m"
		}
		return text
	}
}

func badOutput(got string, choices ...string) error {
	return fmt.Errorf("--output %q: must be %s", got, strings.Join(choices, " or "))
}
