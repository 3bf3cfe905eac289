// SPDX-License-Identifier: Apache-2.0

package replica

import "testing"

// What leaves of every kind of record is a test of package store, which has them.
func TestSent(t *testing.T) {
	for _, test := range []struct {
		name, key, value string
		want             string
		seen             bool
	}{
		{"a-field-that-is-not-listed", "a/111122223333/user/ann", `1{"name":"ann","login":{"hash":"x"},"new":1}`, `1{"name":"ann"}`, true},
		{"what-is-listed-as-it-is", "a/111122223333/role/r", `1{"trust":"<{}>"}`, `1{"trust":"<{}>"}`, true},
		{"fields-of-keys", "acct/111122223333", `1{"keys":[{"id":"AKIA","sealed":"eA=="}]}`, `1{"keys":[{"id":"AKIA"}]}`, true},
		{"a-deleted-row", "a/111122223333/user/ann", "", "", true},
		{"a-row-that-nobody-can-read", "a/111122223333/user/ann", `1{"login":"secret`, "1", true},
		{"a-record-that-is-no-object", "a/111122223333/user/ann", `1["secret"]`, "1", true},
		{"keys-that-are-no-list", "a/111122223333/user/ann", `1{"keys":"secret"}`, "1", true},
		{"an-owner-of-a-bucket", "bucket/logs", "111122223333", "111122223333", true},
		{"a-row-of-a-bucket", "a/111122223333/bucket/logs", `1{"x":1}`, `1{"x":1}`, true},
		{"the-format", "sys/format", "1", "1", true},
		{"a-sealed-value", "sys/sealed/session-ring", "secret", "", false},
		{"a-gateway", "sys/gateway/edge", "secret", "", false},
		{"a-device", "a/111122223333/device/mfa/phone", `1{}`, "", false},
		{"a-directory-unheard-of", "a/111122223333/new/x", `1{}`, "", false},
		{"no-account", "a/user/ann", `1{}`, "", false},
		{"no-account-of-twelve-digits", "a/1111222233334/user/ann", `1{}`, "", false},
		{"below-an-account", "acct/111122223333/x", `1{}`, "", false},
		{"a-directory-that-begins-alike", "acct2/111122223333", `1{}`, "", false},
		{"nothing", "", "x", "", false},
		{"a-contents-without-a-directory", "a/111122223333/user", `1{}`, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, seen := Sent(test.key, []byte(test.value))
			if string(got) != test.want || seen != test.seen {
				t.Errorf("Sent(%s, %s) = %q, %t, want %q, %t", test.key, test.value, got, seen, test.want, test.seen)
			}
			if _, alone := Sent(test.key, nil); alone != seen {
				t.Errorf("Sent(%s, nil) = %t, want %t as with a value", test.key, alone, seen)
			}
		})
	}
}

func TestTaken(t *testing.T) {
	for key, want := range map[string]bool{
		"a/111122223333/used/AKIA":   true,
		"a/111122223333/bucket/logs": true,
		"a/111122223333/s3/block":    true,
		"bucket/logs":                true,
		"a/111122223333/user/ann":    false,
		"a/111122223333/org/x":       false,
		"a/111122223333/learn/all":   false,
		"a/x/used/AKIA":              false,
		"b/111122223333/used/AKIA":   false,
		"111122223333/used/AKIA":     false,
		"acct/111122223333":          false,
		"acct/used/x":                false,
		"sys/sealed/session-ring":    false,
		"sys/format":                 false,
		"":                           false,
	} {
		if got := Taken(key); got != want {
			t.Errorf("Taken(%s) = %t, want %t", key, got, want)
		}
	}
}
