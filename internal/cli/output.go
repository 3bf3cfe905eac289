// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
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

func badOutput(got string, choices ...string) error {
	return fmt.Errorf("--output %q: must be %s", got, strings.Join(choices, " or "))
}
