// SPDX-License-Identifier: Apache-2.0

package npm

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packed returns a tarball of files, in pairs of name and text.
func packed(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Name: files[i], Mode: 0o644, Size: int64(len(files[i+1]))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFiles(t *testing.T) {
	tgz := packed(t, "package/data/a.json", "A", "package/readme", "R", "data/b.json", "outside")
	sum := sha512.Sum512(tgz)
	p := Package{Name: "x", Version: "1.0.0", Integrity: "sha512-" + base64.StdEncoding.EncodeToString(sum[:])}
	file := filepath.Join(t.TempDir(), "x.tgz")
	if err := os.WriteFile(file, tgz, 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"data/a.json": "A", "readme": "R"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, in := range map[string]string{"tarball": file, "unpacked": dir} {
		t.Run(name, func(t *testing.T) {
			got, err := p.Files(t.Context(), in, func(path string) bool { return strings.HasSuffix(path, ".json") })
			if err != nil || len(got) != 1 || string(got["data/a.json"]) != "A" {
				t.Errorf("Files(%s) = %q, %v, want data/a.json alone", name, got, err)
			}
		})
	}
}

func TestAnotherTarballIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.tgz")
	if err := os.WriteFile(file, packed(t, "package/a", "A"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := Package{Name: "x", Version: "1.0.0", Integrity: "sha512-AAAA"}
	_, err := p.Files(t.Context(), file, func(string) bool { return true })
	if err == nil || !strings.Contains(err.Error(), "x.tgz is not x@1.0.0") {
		t.Errorf("Files(another tarball) = %v, want an error", err)
	}
}
