// SPDX-License-Identifier: Apache-2.0

// Package npm reads the files of pinned packages of the npm registry, for generators.
package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// maxFile limits what is read of one file.
const maxFile = 512 << 20

// A Package is one version of a package.
type Package struct {
	Name, Version string
	Integrity     string // of its tarball, as the registry and lock files have it: "sha512-…"
}

func (p Package) String() string { return p.Name + "@" + p.Version }

// Files returns the files of the package whose path within it want accepts, by
// that path. They are read from in, a tarball or an unpacked directory, or from
// what npm fetches when in is "". Another tarball than the pinned one is an
// error; a directory is taken as it is.
func (p Package) Files(ctx context.Context, in string, want func(path string) bool) (map[string][]byte, error) {
	if in == "" {
		dir, err := os.MkdirTemp("", "npm")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		if in, err = p.fetch(ctx, dir); err != nil {
			return nil, err
		}
	}
	info, err := os.Stat(in)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return unpacked(in, want)
	}
	tgz, err := os.ReadFile(in)
	if err != nil {
		return nil, err
	}
	sum := sha512.Sum512(tgz)
	if got := "sha512-" + base64.StdEncoding.EncodeToString(sum[:]); got != p.Integrity {
		return nil, fmt.Errorf("%s is not %s: its integrity is %s, want %s", filepath.Base(in), p, got, p.Integrity)
	}
	return extract(tgz, want)
}

// fetch downloads the package's tarball into dir and returns its name; no
// script of the package is run.
func (p Package) fetch(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "npm", "pack", "--ignore-scripts", "--silent", p.String())
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("npm pack %s: %w", p, err)
	}
	return filepath.Join(dir, filepath.Base(strings.TrimSpace(string(out)))), nil
}

// unpacked is extract for an unpacked directory.
func unpacked(dir string, want func(string) bool) (map[string][]byte, error) {
	files := make(map[string][]byte)
	root := os.DirFS(dir)
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !want(name) {
			return err
		}
		files[name], err = fs.ReadFile(root, name)
		return err
	})
	return files, err
}

// extract returns the wanted files of a package tarball.
func extract(tgz []byte, want func(string) bool) (map[string][]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(tgz))
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err == io.EOF {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		name, ok := strings.CutPrefix(h.Name, "package/")
		if !ok || h.Typeflag != tar.TypeReg || !want(name) {
			continue
		}
		if h.Size > maxFile {
			return nil, fmt.Errorf("%s has %d bytes, at most %d", name, h.Size, maxFile)
		}
		if files[name], err = io.ReadAll(t); err != nil {
			return nil, err
		}
	}
}
