// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// Credentials are what an upstream knows the gateway by. They print as their
// access key id.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string `json:"-"`
	SessionToken    string `json:"-"` // "" for long-term credentials
}

// String returns the access key id.
func (c Credentials) String() string { return c.AccessKeyID }

// GoString is String.
func (c Credentials) GoString() string { return c.AccessKeyID }

// LogValue is the access key id.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.AccessKeyID) }

// Static returns c, always. It is for Options.Credentials.
func Static(c Credentials) func(context.Context) (Credentials, error) {
	return func(context.Context) (Credentials, error) { return c, nil }
}

// recheck is how often a file is looked at.
const recheck = time.Second

// SharedFile returns what reads credentials from a profile, "" for "default",
// of a file in the form of ~/.aws/credentials. It is for Options.Credentials.
//
// The file is read again when it has changed, which is seen within a second:
// replace it by renaming another one, since a file in the middle of being
// written is an error. A file that others than its owner may read is an error,
// too. SharedFile itself fails if the file cannot be used now.
func SharedFile(path, profile string) (func(context.Context) (Credentials, error), error) {
	if profile == "" {
		profile = "default"
	}
	s := &sharedFile{path: path, profile: profile}
	if _, err := s.get(context.Background()); err != nil {
		return nil, err
	}
	return s.get, nil
}

type sharedFile struct {
	path, profile string

	mu      sync.Mutex // guards below
	checked time.Time
	read    fs.FileInfo // of what cred was read from
	cred    Credentials
	err     error
}

func (s *sharedFile) get(context.Context) (Credentials, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.checked.IsZero() || now.Sub(s.checked) >= recheck {
		s.checked = now
		s.check()
	}
	return s.cred, s.err
}

// check reads the file if it has changed.
func (s *sharedFile) check() {
	info, err := os.Stat(s.path)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = fmt.Errorf("%s holds secrets and may be read by others (mode %04o): run chmod 600 %[1]s", s.path, info.Mode().Perm())
	}
	if err != nil {
		s.cred, s.read, s.err = Credentials{}, nil, err
		return
	}
	if s.read != nil && os.SameFile(s.read, info) && s.read.ModTime().Equal(info.ModTime()) && s.read.Size() == info.Size() {
		return
	}
	if s.cred, s.err = readShared(s.path, s.profile); s.err == nil {
		s.read = info
	} else {
		s.read = nil
	}
}

// readShared reads one profile. Its errors repeat no value of the file.
func readShared(path, profile string) (c Credentials, err error) {
	f, err := os.Open(path)
	if err != nil {
		return c, err
	}
	defer f.Close()
	to := map[string]*string{"aws_access_key_id": &c.AccessKeyID, "aws_secret_access_key": &c.SecretAccessKey,
		"aws_session_token": &c.SessionToken}
	in := false
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if section, ok := strings.CutPrefix(line, "["); ok {
			section, _, _ = strings.Cut(section, "]")
			in = strings.TrimSpace(section) == profile
			continue
		}
		if !in || line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		name, value, _ := strings.Cut(line, "=")
		if v := to[strings.ToLower(strings.TrimSpace(name))]; v != nil {
			*v = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil {
		return Credentials{}, fmt.Errorf("%s: %w", path, err)
	}
	if c.AccessKeyID == "" || c.SecretAccessKey == "" {
		return Credentials{}, fmt.Errorf("%s: profile %q has no aws_access_key_id and aws_secret_access_key", path, profile)
	}
	return c, nil
}
