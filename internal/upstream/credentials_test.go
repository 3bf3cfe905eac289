// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

func TestSharedFile(t *testing.T) {
	const file = "# of the store\n[default]\naws_access_key_id = A1\naws_secret_access_key=s/e+c=\n\n[other]\n" +
		"AWS_ACCESS_KEY_ID=A2\naws_secret_access_key = two\naws_session_token = t\nregion = x\n;aws_session_token = u\n[empty]\n[half]\naws_access_key_id=A3\n"
	tests := []struct {
		name, text, profile string
		mode                os.FileMode
		want                Credentials
		wrong               string
	}{
		{"default", file, "", 0o600, Credentials{"A1", "s/e+c=", ""}, ""},
		{"named", file, "other", 0o400, Credentials{"A2", "two", "t"}, ""},
		{"missing-profile", file, "third", 0o600, Credentials{}, `profile "third" has no aws_access_key_id`},
		{"empty-profile", file, "empty", 0o600, Credentials{}, `profile "empty"`},
		{"no-secret", file, "half", 0o600, Credentials{}, `profile "half"`},
		{"readable-by-the-group", file, "", 0o640, Credentials{}, "may be read by others (mode 0640): run chmod 600 "},
		{"readable-by-all", file, "", 0o604, Credentials{}, "(mode 0604)"},
		{"a-huge-line", strings.Repeat("x", 1<<17), "", 0o600, Credentials{}, "too long"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "credentials")
			if err := os.WriteFile(path, []byte(test.text), test.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			get, err := SharedFile(path, test.profile)
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "two") {
					t.Errorf("SharedFile = %v, want an error with %q", err, test.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, err := get(t.Context()); got != test.want || err != nil {
				t.Errorf("SharedFile = %v, %v, want %v", got, err, test.want)
			}
		})
	}
	if _, err := SharedFile(filepath.Join(t.TempDir(), "none"), ""); !os.IsNotExist(err) {
		t.Errorf("SharedFile of no file = %v, want that it does not exist", err)
	}
}

// A file that changes is read again, within a second; one that is lost or
// opened to others stops the gateway.
func TestSharedFileChanges(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials")
	write := func(id string) {
		next := filepath.Join(dir, "next")
		if err := os.WriteFile(next, []byte("[default]\naws_access_key_id="+id+"\naws_secret_access_key=x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, path); err != nil {
			t.Fatal(err)
		}
	}
	write("A1")
	synctest.Test(t, func(t *testing.T) {
		get, err := SharedFile(path, "")
		if err != nil {
			t.Fatal(err)
		}
		is := func(want string, good bool) {
			t.Helper()
			if c, err := get(context.Background()); c.AccessKeyID != want || (err == nil) != good {
				t.Errorf("credentials = %v, %v, want %s", c, err, want)
			}
		}
		is("A1", true)
		write("A2")
		time.Sleep(recheck - 1)
		is("A1", true)
		time.Sleep(time.Nanosecond)
		is("A2", true)
		os.Chmod(path, 0o644)
		time.Sleep(recheck)
		is("", false)
		os.Chmod(path, 0o600)
		time.Sleep(recheck)
		is("A2", true)
		os.Remove(path)
		time.Sleep(recheck)
		is("", false)
		write("A3")
		time.Sleep(recheck)
		is("A3", true)
	})
}

func TestCredentialsPrintNoSecret(t *testing.T) {
	c := Credentials{"AKID", "s3cr3t", "t0k3n"}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "c", c)
	for _, text := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %s %v", c, c, c, struct{ C Credentials }{c}), log.String()} {
		if strings.Contains(text, "s3cr3t") || strings.Contains(text, "t0k3n") || !strings.Contains(text, "AKID") {
			t.Errorf("credentials print as %s", text)
		}
	}
	if b, _ := json.Marshal(c); strings.Contains(string(b), "s3cr3t") || strings.Contains(string(b), "t0k3n") {
		t.Errorf("credentials are %s in JSON", b)
	}
}

// Requests are signed with the credentials of the moment.
func TestRotation(t *testing.T) {
	var seen []string
	now := Credentials{"A1", "one", ""}
	u := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sig, err := sigv4.Parse(r)
		if err == nil {
			err = new(sigv4.Verifier).Verify(r, sig, map[string]string{"A1": "one", "A2": "two"}[sig.AccessKeyID], nil)
		}
		if err != nil {
			t.Error(err)
			return
		}
		seen = append(seen, sig.AccessKeyID+sig.SessionToken)
	}), Options{Credentials: func(context.Context) (Credentials, error) { return now, nil }})
	for _, now = range []Credentials{{"A1", "one", ""}, {"A2", "two", "t"}, {"A2", "two", "t"}, {"A2", "two", "u"}, {"A1", "one", ""}} {
		if _, _, err := send(t, u, &Request{Method: "GET", Path: "/"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(seen); got != "[A1 A2t A2t A2u A1]" {
		t.Errorf("signed by %s, want [A1 A2t A2t A2u A1]", got)
	}
}
