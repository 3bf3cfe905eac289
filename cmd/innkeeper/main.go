// SPDX-License-Identifier: Apache-2.0

// Command innkeeper is an identity and access management server that speaks
// AWS's APIs, and the tools around it.
package main

import (
	"os"

	"github.com/innkeeper-iam/innkeeper/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) }
