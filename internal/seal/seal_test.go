// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

func create(t testing.TB) (*Keeper, string) {
	file := filepath.Join(t.TempDir(), "master.key")
	k, err := Create(file)
	if err != nil {
		t.Fatalf("Create(%s) = %v", file, err)
	}
	return k, file
}

func TestSealedTextComesBack(t *testing.T) {
	k, file := create(t)
	again, err := Open(file)
	if err != nil {
		t.Fatalf("Open(%s) = %v", file, err)
	}
	if k.ID() != again.ID() || len(k.ID()) != 16 {
		t.Errorf("ID() = %q, after reopening %q, want 16 equal digits", k.ID(), again.ID())
	}
	for _, plain := range []string{"", "s", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", strings.Repeat("long ", 100_000)} {
		sealed := k.Seal([]byte(plain), []byte("place"))
		if len(plain) > 8 && bytes.Contains(sealed, []byte(plain[:8])) {
			t.Errorf("Seal(%.20q) contains its plain text", plain)
		}
		if bytes.Equal(sealed, k.Seal([]byte(plain), []byte("place"))) {
			t.Errorf("two seals of %.20q are equal", plain)
		}
		got, err := again.Unseal(sealed, []byte("place"))
		if err != nil || string(got) != plain {
			t.Errorf("Unseal(Seal(%.20q)) = %.20q, %v", plain, got, err)
		}
	}
}

func TestUnsealRefuses(t *testing.T) {
	k, _ := create(t)
	other, _ := create(t)
	if k.ID() == other.ID() {
		t.Errorf("two keys have the same ID %s", k.ID())
	}
	sealed := k.Seal([]byte("secret"), []byte("accesskey/1/A"))
	for name, c := range map[string]struct {
		k       *Keeper
		sealed  []byte
		context string
		want    error
	}{
		"another-key":     {other, sealed, "accesskey/1/A", ErrKey},
		"another-context": {k, sealed, "accesskey/1/B", ErrTampered},
		"no-context":      {k, sealed, "", ErrTampered},
		"longer-context":  {k, sealed, "accesskey/1/A ", ErrTampered},
		"nothing":         {k, nil, "accesskey/1/A", ErrTampered},
		"only-a-prefix":   {k, sealed[:9], "accesskey/1/A", ErrTampered},
		"truncated":       {k, sealed[:len(sealed)-1], "accesskey/1/A", ErrTampered},
		"with-a-tail":     {k, append(bytes.Clone(sealed), 0), "accesskey/1/A", ErrTampered},
		"plain-text":      {k, []byte("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "accesskey/1/A", ErrTampered},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.k.Unseal(c.sealed, []byte(c.context))
			if !errors.Is(err, c.want) || got != nil {
				t.Errorf("Unseal = %q, %v, want error %v", got, err, c.want)
			}
		})
	}
	for i := range sealed {
		for bit := range 8 {
			bad := bytes.Clone(sealed)
			bad[i] ^= 1 << bit
			if got, err := k.Unseal(bad, []byte("accesskey/1/A")); err == nil {
				t.Fatalf("Unseal with bit %d of byte %d changed = %q, want an error", bit, i, got)
			}
		}
	}
}

func TestCreateMakesAPrivateFileOnce(t *testing.T) {
	_, file := create(t)
	info, err := os.Stat(file)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode of the master key = %v, %v, want 0600", info.Mode(), err)
	}
	before, _ := os.ReadFile(file)
	if _, err := Create(file); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create over a key = %v, want fs.ErrExist", err)
	}
	if after, _ := os.ReadFile(file); !bytes.Equal(before, after) {
		t.Error("Create over a key changed it")
	}
	entries, _ := os.ReadDir(filepath.Dir(file))
	if len(entries) != 1 {
		t.Errorf("Create leaves %v, want the key alone", entries)
	}
	if _, err := Create(filepath.Join(t.TempDir(), "no", "such", "dir")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Create in a missing directory = %v, want fs.ErrNotExist", err)
	}
}

func TestConcurrentCreatesMakeOneKey(t *testing.T) {
	file := filepath.Join(t.TempDir(), "master.key")
	var made atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			k, err := Create(file)
			if errors.Is(err, fs.ErrExist) {
				k, err = Open(file) // the winner's, whole
			} else {
				made.Add(1)
			}
			if err != nil || k == nil {
				t.Errorf("Create or Open = %v", err)
			}
		})
	}
	wg.Wait()
	if made.Load() != 1 {
		t.Errorf("%d of 20 calls of Create made a key, want 1", made.Load())
	}
}

func TestOpenRefusesExposedFiles(t *testing.T) {
	_, file := create(t)
	for mode, ok := range map[fs.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o620: false, 0o610: false, 0o644: false, 0o777: false} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		_, err := Open(file)
		if ok && err != nil || !ok && !errors.Is(err, ErrExposed) {
			t.Errorf("Open of a file of mode %04o = %v, want success %v", mode, err, ok)
		}
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	_, file := create(t)
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"empty":           {},
		"header-only":     good[:len(header)],
		"truncated":       good[:len(good)-5],
		"half":            good[:len(good)/2],
		"no-header":       good[len(header):],
		"longer-key":      append(bytes.Clone(good[:len(good)-2]), "AAAA=\n"...),
		"not-base64":      []byte(header + "****\n"),
		"newer-format":    bytes.Replace(good, []byte("-1 "), []byte("-2 "), 1),
		"endless-padding": append(bytes.Clone(good), bytes.Repeat([]byte(" "), 1000)...),
	} {
		t.Run(name, func(t *testing.T) {
			bad := filepath.Join(t.TempDir(), "bad.key")
			if err := os.WriteFile(bad, text, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(bad)
			if !errors.Is(err, ErrMalformed) {
				t.Fatalf("Open = %v, want ErrMalformed", err)
			}
			if secret := string(good[len(header) : len(header)+20]); strings.Contains(err.Error(), secret) {
				t.Error("the error shows the key")
			}
		})
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of no file = %v, want fs.ErrNotExist", err)
	}
	if _, err := Open(t.TempDir()); !errors.Is(err, ErrMalformed) {
		t.Errorf("Open of a directory = %v, want ErrMalformed", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	k, _ := create(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			context := []byte{byte(i)}
			for range 200 {
				if got, err := k.Unseal(k.Seal(context, context), context); err != nil || !bytes.Equal(got, context) {
					t.Errorf("Unseal(Seal(%v)) = %v, %v", context, got, err)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzUnseal(f *testing.F) {
	k, _ := create(f)
	f.Add(k.Seal([]byte("secret"), []byte("c")), []byte("c"), []byte("plain"))
	f.Add([]byte{}, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, sealed, context, plain []byte) {
		if got, err := k.Unseal(sealed, context); err == nil && (string(got) != "secret" || string(context) != "c") {
			t.Errorf("Unseal of bytes that nobody sealed = %q", got)
		}
		if got, err := k.Unseal(k.Seal(plain, context), context); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("Unseal(Seal(%q)) = %q, %v", plain, got, err)
		}
	})
}

func BenchmarkUnseal(b *testing.B) {
	k, _ := create(b)
	sealed := k.Seal([]byte("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), []byte("accesskey/123456789012/AKIAIOSFODNN7EXAMPLE"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Unseal(sealed, []byte("accesskey/123456789012/AKIAIOSFODNN7EXAMPLE")); err != nil {
			b.Fatal(err)
		}
	}
}
