// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const one = `{"Reader": {"arn": "arn:aws:iam::aws:policy/x/Reader", "latestVersionId": "v2",
	"createdDate": "2020-01-02T03:04:05.678Z", "lastUpdatedDate": "2021-01-02T03:04:05.000Z",
	"versions": {"v1": {"document": {}}, "v2": {"document": {"Version":"2012-10-17","Statement":[]}}}}}`

func TestDecodeTakesTheCurrentVersion(t *testing.T) {
	policies, err := decode([]byte(one))
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(summarize(policies, nil))), "\n")
	const want = "/x/Reader ANPAUWJ4TO6GISMCHAIWY v2 2020-01-02T03:04:05Z 2021-01-02T03:04:05Z 52 db1fd5e37caba90d"
	if last := got[len(got)-1]; last != want {
		t.Errorf("summarize ends with %q, want %q", last, want)
	}
}

func TestDecodeRefusesWhatItDoesNotUnderstand(t *testing.T) {
	for _, test := range []struct{ name, old, new string }{
		{"not-json", "{", "["},
		{"another-partition", "arn:aws:", "arn:aws-cn:"},
		{"name-not-at-the-end-of-the-arn", "/Reader", "/Writer"},
		{"arn-with-a-space", "/x/", "/x y/"},
		{"no-such-version", `"v2",`, `"v3",`},
		{"updated-before-created", "2021", "2019"},
		{"no-date", "createdDate", "madeDate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := strings.Replace(one, test.old, test.new, 1)
			if in == one {
				t.Fatal("the case changes nothing")
			}
			if _, err := decode([]byte(in)); err == nil {
				t.Error("decode succeeded, want an error")
			}
		})
	}
}

func TestInputRefusesAnotherTarball(t *testing.T) {
	file := filepath.Join(t.TempDir(), "other.tgz")
	if err := os.WriteFile(file, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := input(t.Context(), file)
	if err == nil || !strings.Contains(err.Error(), "integrity") {
		t.Errorf("input(another tarball) = %v, want an integrity error", err)
	}
}

func TestShrinkIsRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policies.txt")
	if err := notShrunk(file, 1); err != nil {
		t.Errorf("notShrunk(no file) = %v, want nil", err)
	}
	if err := os.WriteFile(file, []byte("# head\n"+strings.Repeat("x\n", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, refused := range map[int]bool{197: true, 198: false, 200: false, 300: false} {
		if err := notShrunk(file, n); (err != nil) != refused {
			t.Errorf("notShrunk(200 before, %d) = %v, want an error: %v", n, err, refused)
		}
	}
}

func TestCompareTellsADifference(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{"policies.txt": []byte("a")}
	if err := compare(dir, files); err == nil {
		t.Error("compare(no file) = nil, want an error")
	}
	if err := os.WriteFile(filepath.Join(dir, "policies.txt"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := compare(dir, files); err != nil {
		t.Errorf("compare(the same) = %v, want nil", err)
	}
	files["policies.txt"] = []byte("b")
	if err := compare(dir, files); err == nil {
		t.Error("compare(another) = nil, want an error")
	}
}
