// SPDX-License-Identifier: Apache-2.0

// Package docs runs the commands of the README and of docs/ as they are printed.
package docs

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/doctest"
)

// address is the one that the pages show.
const address = "127.0.0.1:4280"

func TestPages(t *testing.T) {
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", bin, "./cmd/innkeeper")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("pages = %v, %v", pages, err)
	}
	for _, page := range append(pages, "../../README.md") {
		name, _ := filepath.Rel("../..", page)
		t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) {
			here := freeAddress(t)
			home := t.TempDir()
			doctest.Run(t, page, doctest.Env{
				Vars: []string{
					"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "AWS_CONFIG_FILE=" + filepath.Join(home, "config"),
					"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "COLUMNS=1000",
				},
				Rewrite: []string{address, here},
				Server:  func(command string) string { return strings.Replace(command, "serve", "serve --listen "+here, 1) },
			})
		})
	}
}

// freeAddress is a loopback address that nothing listens on.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
