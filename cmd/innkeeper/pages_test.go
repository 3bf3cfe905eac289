// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/innkeeper-iam/innkeeper/internal/doctest"
)

// apiAddress is where the server of the pages listens; it has another port here.
const apiAddress = "127.0.0.1:4280"

// relayAddress is where it listens for gateways that run apart.
const relayAddress = "127.0.0.1:4283"

// gatewayAddress is where the gateway of the pages listens, and storeAddress is the
// object store behind it.
const (
	gatewayAddress = "127.0.0.1:4281"
	storeAddress   = "127.0.0.1:9000"
)

// makeRun is what "make run" starts, after the build. TestMakeRun holds the
// Makefile to it.
const makeRun = "innkeeper serve --data data"

// TestPages runs what the README and the pages in docs tell people to type.
func TestPages(t *testing.T) {
	root := filepath.Join("..", "..")
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(pages) == 0 {
		t.Fatalf("no page found: %v", err)
	}
	bin := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "innkeeper"), ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "") // restored at the end
			os.Unsetenv(name)
		}
	}
	for _, file := range append(pages, filepath.Join(root, "README.md")) {
		name := strings.TrimPrefix(filepath.ToSlash(file), "../../")
		t.Run(strings.ReplaceAll(name, "/", "-"), func(t *testing.T) { runPage(t, file, bin) })
	}
}

func runPage(t *testing.T, file, bin string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "\n$ aws ") {
		if _, err := exec.LookPath("aws"); err != nil {
			t.Skip("needs the AWS CLI")
		}
	}
	store := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	defer store.Close()
	doctest.Run(t, file, doctest.Env{
		Vars: []string{
			"PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"),
			"HOME=" + t.TempDir(),
			"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "LC_ALL=C.UTF-8", "TZ=UTC",
		},
		Rewrite: []string{
			apiAddress, freeAddress(t), relayAddress, freeAddress(t), gatewayAddress, freeAddress(t),
			storeAddress, store.Listener.Addr().String(),
		},
		Server: serverCommand,
	})
}

// serverCommand makes a server listen where the page's other commands look for
// it, which is not the default port here.
func serverCommand(command string) string {
	if rest, ok := strings.CutPrefix(command, "make run"); ok {
		command = makeRun + rest
	}
	if (strings.HasPrefix(command, "innkeeper serve") || strings.HasPrefix(command, "innkeeper dev")) && !strings.Contains(command, "--listen") {
		command += " --listen " + apiAddress
	}
	if strings.Contains(command, "--upstream ") && !strings.Contains(command, "--gateway-listen") {
		command += " --gateway-listen " + gatewayAddress
	}
	return command
}

// freeAddress returns a loopback address that nothing listens on at the moment.
func freeAddress(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestMakeRun(t *testing.T) {
	mk, err := exec.LookPath("make")
	if err != nil {
		t.Skip("needs make")
	}
	cmd := exec.Command(mk, "--no-print-directory", "-n", "run", "ARGS=")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if got := strings.TrimSpace(lines[len(lines)-1]); got != "exec bin/"+makeRun {
		t.Errorf("make -n run ends with %q, want %q", got, "exec bin/"+makeRun)
	}
}
