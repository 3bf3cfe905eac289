// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

var (
	//go:embed testdata/*.py testdata/*.mjs
	scripts embed.FS
	//go:embed js/package.json
	jsPackage []byte
	//go:embed js/package-lock.json
	jsLock []byte
)

// boto3 runs a script of testdata with every boto3 that is here, on a server
// each, and wants so many checks of it. What with returns is added to the
// environment.
func boto3(t *testing.T, script string, least int, with func(*testing.T, *server.Server) []string) {
	for _, python := range server.Pythons(t) {
		t.Run(filepath.Dir(python), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			server.Script(t, command(t, s, with, python, filepath.Join(unpacked(t), script)), least)
		})
	}
}

// javaScript is boto3 for the AWS SDK for JavaScript. The test is skipped where
// Node.js is not installed.
func javaScript(t *testing.T, script string, least int, with func(*testing.T, *server.Server) []string) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	t.Parallel()
	modules := installed(t)
	s := server.Start(t, server.Options{})
	cmd := command(t, s, with, node, "--no-warnings", filepath.Join(unpacked(t), script))
	cmd.Env = append(cmd.Env, "INNKEEPER_MODULES="+modules)
	server.Script(t, cmd, least)
}

// unpacked returns a directory with the scripts.
func unpacked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, must(fs.Sub(scripts, "testdata"))(t)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// command is a program in a session of its own: one that asks for a code finds
// no terminal.
func command(t *testing.T, s *server.Server, with func(*testing.T, *server.Server) []string, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Env = s.Environ(t, s.Admin)
	if with != nil {
		cmd.Env = append(cmd.Env, with(t, s)...)
	}
	return cmd
}

// inputs is what the everyday scripts are given beside their credentials.
func inputs(t *testing.T, _ *server.Server) []string {
	t.Helper()
	tags, err := json.Marshal(tagPairs)
	if err != nil {
		t.Fatal(err)
	}
	return []string{"INNKEEPER_TAGS=" + string(tags), "INNKEEPER_DOCUMENT=" + oddDocument, "INNKEEPER_TEXT=" + oddText}
}

func boto3Everyday(t *testing.T)      { boto3(t, "everyday.py", 8, inputs) }
func boto3Federation(t *testing.T)    { boto3(t, "federation.py", 4, visitors) }
func boto3MFA(t *testing.T)           { boto3(t, "mfa.py", 4, nil) }
func boto3Organizations(t *testing.T) { boto3(t, "organizations.py", 6, nil) }

func javaScriptEveryday(t *testing.T)      { javaScript(t, "everyday.mjs", 8, inputs) }
func javaScriptFederation(t *testing.T)    { javaScript(t, "federation.mjs", 6, visitors) }
func javaScriptMFA(t *testing.T)           { javaScript(t, "mfa.mjs", 5, nil) }
func javaScriptOrganizations(t *testing.T) { javaScript(t, "organizations.mjs", 5, nil) }

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
