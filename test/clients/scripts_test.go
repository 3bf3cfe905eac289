// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

var (
	//go:embed testdata/boto.py
	botoScript string
	//go:embed testdata/matrix.mjs
	matrixScript string
	//go:embed js/package.json
	jsPackage []byte
	//go:embed js/package-lock.json
	jsLock []byte
)

// inputs is what every script is given beside its credentials.
func inputs(t *testing.T) []string {
	t.Helper()
	tags, err := json.Marshal(tagPairs)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"INNKEEPER_TAGS=" + string(tags), "INNKEEPER_DOCUMENT=" + oddDocument, "INNKEEPER_TEXT=" + oddText}
}

func TestBoto3(t *testing.T) {
	for _, python := range server.Pythons(t) {
		t.Run(filepath.Dir(python), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			cmd := exec.CommandContext(t.Context(), python, "-")
			cmd.Env = append(s.Environ(t, s.Admin), inputs(t)...)
			cmd.Stdin = strings.NewReader(botoScript)
			server.Script(t, cmd, 8)
		})
	}
}

func TestJavaScript(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	t.Parallel()
	modules := installed(t)
	s := server.Start(t, server.Options{})
	script := filepath.Join(t.TempDir(), "matrix.mjs")
	if err := os.WriteFile(script, []byte(matrixScript), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, "--no-warnings", script)
	cmd.Env = append(s.Environ(t, s.Admin), inputs(t)...)
	cmd.Env = append(cmd.Env, "INNKEEPER_MODULES="+modules)
	server.Script(t, cmd, 8)
}

// installed returns a directory with the pinned SDK, which it installs there the
// first time.
func installed(t *testing.T) string {
	t.Helper()
	cache, err := server.Cache()
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(jsLock)
	dir := filepath.Join(cache, "js-"+hex.EncodeToString(sum[:6]))
	unlock, err := server.Lock(dir + ".lock")
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	done := filepath.Join(dir, "done")
	if _, err := os.Stat(done); !errors.Is(err, fs.ErrNotExist) {
		return dir
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed")
	}
	err = errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "package.json"), jsPackage, 0o600),
		os.WriteFile(filepath.Join(dir, "package-lock.json"), jsLock, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("the JavaScript SDK cannot be installed: %v\n%s", err, out)
	}
	if err := os.WriteFile(done, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}
