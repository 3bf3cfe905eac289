// SPDX-License-Identifier: Apache-2.0

// Command etcdserver is etcd itself, built by the tests that need a real one. It ends when its standard input does, so
// that no test leaves it behind.
package main

import (
	"io"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	etcdmain.Main(os.Args)
}
