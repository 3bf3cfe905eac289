// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// Version is the release that this source is of or leads to.
const Version = "0.1.0-dev"

func versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  innkeeper version\n  innkeeper version --output json",
		Args:    operands(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := buildVersion()
			switch output {
			case "text":
				fmt.Fprintf(cmd.OutOrStdout(), "innkeeper %s (%s, %s/%s)\n", v.Version, v.Go, v.OS, v.Arch)
				return nil
			case "json":
				return json.NewEncoder(cmd.OutOrStdout()).Encode(v)
			}
			return badOutput(output, "text", "json")
		},
	}
	outputFlag(cmd, &output, "text", "json")
	return cmd
}

type versionInfo struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"` // of the source, when the build knows it
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func buildVersion() versionInfo {
	v := versionInfo{Version: Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}
