// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"errors"
	"strings"
	"testing"
)

func TestPrefix(t *testing.T) {
	for _, test := range []struct{ name, prefix, end string }{
		{"nothing-is-everything", "", ""},
		{"a-plain-one", "user/", "user0"},
		{"ends-in-the-last-byte", "a\xff", "b"},
		{"is-the-last-byte", "\xff\xff", ""},
		{"before-the-last-byte", "\xfe", "\xff"},
		{"no-text", "\x00", "\x01"},
		{"ends-within-a-rune", "\xc3", "\xc4"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if start, end := Prefix(test.prefix); start != test.prefix || end != test.end {
				t.Errorf("Prefix(%q) = %q, %q, want %q, %q", test.prefix, start, end, test.prefix, test.end)
			}
		})
	}
}

// FuzzPrefix holds the range against strings.HasPrefix.
func FuzzPrefix(f *testing.F) {
	f.Add("a", "ab")
	f.Add("a\xff", "b")
	f.Add("\xff", "\xff\xff\xff")
	f.Fuzz(func(t *testing.T, prefix, key string) {
		start, end := Prefix(prefix)
		got := start <= key && (end == "" || key < end)
		if want := strings.HasPrefix(key, prefix); got != want {
			t.Errorf("%q is within Prefix(%q) = %q, %q: %t, want %t", key, prefix, start, end, got, want)
		}
	})
}

func TestCheckNamesTheKeyAndNotTheValue(t *testing.T) {
	secret := strings.Repeat("secret", MaxValue/6+1)
	for _, txn := range []Txn{
		{Then: []Op{{Key: "name", Value: []byte(secret)}}},
		{Then: []Op{{Key: "name", Value: []byte("secret"), Delete: true}}},
		{Then: []Op{{Key: "name", Value: []byte("secret")}, {Key: "name"}}},
	} {
		err := Check(txn)
		if !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrInvalid) {
			t.Fatalf("Check() = %v, want ErrTooLarge or ErrInvalid", err)
		}
		if s := err.Error(); !strings.Contains(s, "name") || strings.Contains(s, "secret") {
			t.Errorf("Check() = %.100s, want the key in it, and not the value", s)
		}
	}
}

func TestCheckAtTheLimits(t *testing.T) {
	value := make([]byte, MaxValue)
	for _, test := range []struct {
		name string
		txn  Txn
		want error
	}{
		{"largest-value", Txn{Then: []Op{{Key: "a", Value: value}}}, nil},
		{"largest-transaction", Txn{Then: []Op{{Key: "a", Value: value}, {Key: "b", Value: value[:MaxTxn-MaxValue-2]}}}, nil},
		{"one-more-byte", Txn{Then: []Op{{Key: "a", Value: value}, {Key: "b", Value: value[:MaxTxn-MaxValue-1]}}}, ErrTooLarge},
		{"one-more-byte-compared", Txn{
			If:   []Compare{{Key: "c"}},
			Then: []Op{{Key: "a", Value: value}, {Key: "b", Value: value[:MaxTxn-MaxValue-2]}},
		}, ErrTooLarge},
		{"a-key-compared-twice", Txn{If: []Compare{{Key: "a"}, {Key: "a"}}, Then: []Op{{Key: "a"}}}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := Check(test.txn); !errors.Is(err, test.want) {
				t.Errorf("Check() = %v, want %v", err, test.want)
			}
		})
	}
}
