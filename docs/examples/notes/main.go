// SPDX-License-Identifier: Apache-2.0

// The notes command is a small HTTP service that IAM policies guard, with actions
// and ARNs of its own. README.md walks through it.
//
// The caller signs in with HTTP Basic from a table in guard.go, which stands for
// the sign-in that you have; hence it listens on loopback only.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:8080", "loopback `address` to listen on")
	folder := flag.String("policies", "policies", "`folder` with the policies")
	flag.Parse()
	if err := run(*listen, *folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until it is interrupted. Where it listens goes to standard output,
// every decision to standard error.
func run(listen, folder string) error {
	g := &guard{folder: os.DirFS(folder), log: slog.New(slog.NewJSONHandler(os.Stderr, nil))}
	if err := g.load(); err != nil {
		return err
	}
	if a, err := netip.ParseAddrPort(listen); err != nil || !a.Addr().IsLoopback() {
		return fmt.Errorf("%s is no address on loopback, and HTTP Basic needs TLS anywhere else", listen)
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Printf("notes on http://%s\n", l.Addr())

	server := &http.Server{Handler: newService(g), ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
