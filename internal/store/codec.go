// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

const (
	keyFormat = "sys/format"
	keyMaster = "sys/key"

	dirSealed   = "sys/sealed/"
	dirAlias    = "alias/"
	dirMail     = "mail/"
	dirBucket   = "bucket/"
	dirAccount  = "acct/"
	dirContents = "a/"

	dirUser    = "user/"
	dirGroup   = "group/"
	dirRole    = "role/"
	dirPolicy  = "policy/"
	dirProfile = "profile/"
	dirOIDC    = "oidc/"
	dirSAML    = "saml/"
	dirDevice  = "device/"
	dirCert    = "cert/"
	dirUsed    = "used/"
)

// format is the newest format that this version reads, and the one it writes.
const format = '1'

// lower returns a name as rows and indexes have it: names are unique without
// regard to letter case (UG-Identifiers, "Friendly names and paths").
func lower(name string) string { return strings.ToLower(name) }

func contents(account string) string { return dirContents + account + "/" }

// owner returns the account that a key belongs to and the rest of the key:
// "" for its directory row. It reports false for the keys of no account.
func owner(key string) (account, rest string, ok bool) {
	if id, ok := strings.CutPrefix(key, dirAccount); ok {
		return id, "", true
	}
	key, ok = strings.CutPrefix(key, dirContents)
	if !ok {
		return "", "", false
	}
	return strings.Cut(key, "/")
}

// encode returns the value of a record.
func encode(rec any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte(format)
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(rec); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// decode reads what encode made. The error wraps ErrFormat for a value of
// another format.
func decode[T any](value []byte) (*T, error) {
	if len(value) == 0 || value[0] != format {
		return nil, fmt.Errorf("format %.1q, want %q: %w", value, format, ErrFormat)
	}
	rec := new(T)
	if err := json.Unmarshal(value[1:], rec); err != nil {
		return nil, err
	}
	return rec, nil
}

// stamp is the time of a record: UTC, whole seconds, as AWS answers it.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// checkName refuses what IAM names cannot contain, so that no name can be
// mistaken for another part of a key. The pattern is that of the IAM API
// reference, [\w+=,.@-]+.
func checkName(kind Kind, name string) error {
	if kind == KindOIDC {
		return checkIssuer(name)
	}
	if name == "" || len(name) > 128 {
		return invalid("%s name %.130q", kind, name)
	}
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_+=,.@-", c) >= 0:
		default:
			return invalid("%s name %q", kind, name)
		}
	}
	return nil
}

// checkPath refuses paths that do not begin and end with a slash, and
// characters outside of the visible ASCII ones (IAM API reference, "Path").
func checkPath(path string) error {
	if len(path) > 512 || !strings.HasPrefix(path, "/") || !strings.HasSuffix(path, "/") {
		return invalid("path %.520q", path)
	}
	for i := range len(path) {
		if path[i] <= ' ' || path[i] > '~' {
			return invalid("path %q", path)
		}
	}
	return nil
}

func checkAccountID(id string) error {
	if len(id) != 12 || strings.Trim(id, "0123456789") != "" {
		return invalid("account id %.20q", id)
	}
	return nil
}
