// SPDX-License-Identifier: Apache-2.0

// Package replica says what a replica of a store sees of it, and what it may change.
//
// It sees what deciding needs: no secret, sealed or not, nothing that says how somebody signs in, and nobody's address.
// What leaves is listed here, field by field, by the names that records have in rows (package store): a field that is
// new stays where it is until somebody thinks about it.
package replica

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Directories of the store's rows; package store has the layout.
const (
	keyFormat   = "sys/format"
	dirBucket   = "bucket/"
	dirAccount  = "acct/"
	dirContents = "a/"
	dirUsed     = "used/"
)

// fields are the directories of an account's contents whose records leave, with
// the fields that do.
var fields = map[string]string{
	"user/":   "attached boundary created groups id inline keys name path tags",
	"group/":  "attached created id inline name path",
	"role/":   "attached boundary created description id inline maxSession name path tags trust",
	"policy/": "created default description id last name path tags updated versions",
	dirUsed:   "region service time",
}

// Of an account, and of each access key in a record's field keys.
const (
	accountFields = "alias closedAt created id keys name organization quotas"
	keyFields     = "created id inactive"
)

// whole are the directories whose rows leave as they are: organizations, learning
// mode and buckets.
var whole = map[string]bool{"org/": true, "learn/": true, "bucket/": true, "s3/": true}

// taken are the directories of an account in which a replica may change rows.
var taken = map[string]bool{dirUsed: true, "bucket/": true, "s3/": true}

// split returns the directory of a row within its account, "" for the account's
// own row. It reports false for rows of no account.
func split(key string) (dir string, ok bool) {
	if id, ok := strings.CutPrefix(key, dirAccount); ok {
		return "", isAccount(id)
	}
	id, rest, _ := strings.Cut(strings.TrimPrefix(key, dirContents), "/")
	i := strings.IndexByte(rest, '/') + 1
	return rest[:i], i > 0 && isAccount(id) && strings.HasPrefix(key, dirContents)
}

func isAccount(id string) bool { return len(id) == 12 && strings.Trim(id, "0123456789") == "" }

// Sent returns what leaves of a row's value, nil of nil, and false for a row that
// a replica does not see, which depends on the key alone.
func Sent(key string, value []byte) ([]byte, bool) {
	if key == keyFormat || strings.HasPrefix(key, dirBucket) {
		return value, true
	}
	dir, ok := split(key)
	if ok && whole[dir] {
		return value, true
	}
	names, listed := fields[dir]
	if dir == "" {
		names, listed = accountFields, true
	}
	if !ok || !listed || len(value) == 0 {
		return nil, ok && listed
	}
	var rec map[string]json.RawMessage
	if json.Unmarshal(value[1:], &rec) != nil || only(rec, names) != nil {
		return value[:1], true // as unreadable there as here
	}
	out := new(bytes.Buffer)
	out.WriteByte(value[0]) // the format
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if e.Encode(rec) != nil {
		return value[:1], true
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), true
}

// only deletes every field but those that are named.
func only(rec map[string]json.RawMessage, names string) error {
	for name := range rec {
		if !strings.Contains(" "+names+" ", " "+name+" ") {
			delete(rec, name)
		}
	}
	if rec["keys"] == nil {
		return nil
	}
	var keys []map[string]json.RawMessage
	if err := json.Unmarshal(rec["keys"], &keys); err != nil {
		return err
	}
	for _, k := range keys {
		if err := only(k, keyFields); err != nil {
			return err
		}
	}
	var err error
	rec["keys"], err = json.Marshal(keys)
	return err
}

// Taken reports whether a replica may change a row: when something was last used,
// and buckets, whose API gateways serve.
func Taken(key string) bool {
	dir, ok := split(key)
	return ok && taken[dir] || strings.HasPrefix(key, dirBucket)
}
