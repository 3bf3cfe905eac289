// SPDX-License-Identifier: Apache-2.0

package passwords

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func TestHash(t *testing.T) {
	h := New()
	hash := h.Hash("Pa55word!")
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") || strings.Contains(hash, "Pa55word") {
		t.Errorf("Hash = %s", hash)
	}
	if hash == h.Hash("Pa55word!") {
		t.Error("two hashes of one password are the same")
	}
	for _, tt := range []struct {
		name, hash, password string
		want                 bool
	}{
		{"the-password", hash, "Pa55word!", true},
		{"another-case", hash, "pa55word!", false},
		{"nothing", hash, "", false},
		{"more", hash, "Pa55word!x", false},
		{"an-empty-hash", "", "", false},
		{"a-cut-hash", hash[:len(hash)-30], "Pa55word!", false},
		{"another-algorithm", strings.Replace(hash, "argon2id", "argon2i", 1), "Pa55word!", false},
		{"a-cost-out-of-range", strings.Replace(hash, "m=19456", "m=99999999", 1), "Pa55word!", false},
		{"no-passes", strings.Replace(hash, "t=2", "t=0", 1), "Pa55word!", false},
		{"another-cost", strings.Replace(hash, "t=2", "t=3", 1), "Pa55word!", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := h.Matches(tt.hash, tt.password); got != tt.want {
				t.Errorf("Matches(%q) = %v, want %v", tt.password, got, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	all := &store.PasswordRules{MinLength: 10, Symbols: true, Numbers: true, Uppercase: true, Lowercase: true}
	for _, tt := range []struct {
		name     string
		rules    *store.PasswordRules
		password string
		want     string
	}{
		{"three-kinds", nil, "Passw0rds", ""},
		{"too-short", nil, "Pass1!a", "Password should have a minimum length of 8"},
		{"two-kinds", nil, "lower123", "Password should meet 1 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one symbol"},
		{"one-kind", nil, "abcdefgh", "Password should meet 2 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one number, Password should have at least one symbol"},
		{"the-users-name", nil, "ann.SMITH-1", "Password should not be the name of the user or the account"},
		{"the-accounts-name", nil, "acme-Corp1", "Password should not be the name of the user or the account"},
		{"letters-beyond-ascii-are-of-no-kind", nil, "ÄÖÜäöüßéèa1", "Password should meet 1 more of the following requirements: Password should have at least one uppercase letter, Password should have at least one symbol"},
		{"every-rule-met", all, "Pass1word!", ""},
		{"length-alone", &store.PasswordRules{MinLength: 6}, "aaaaaa", ""},
		{"characters-count-not-bytes", &store.PasswordRules{MinLength: 6}, "äää", "Password should have a minimum length of 6"},
		{"the-users-name-by-own-rules", &store.PasswordRules{MinLength: 6}, "Ann.smith-1", ""},
		{"every-rule-broken", all, "ß", "Password should have a minimum length of 10, Password should have at least one uppercase letter, Password should have at least one lowercase letter, Password should have at least one number, Password should have at least one symbol"},
		{"a-symbol-of-another-set", &store.PasswordRules{MinLength: 6, Symbols: true}, "abc/def~", "Password should have at least one symbol"},
		{"a-quote-is-a-symbol", &store.PasswordRules{MinLength: 6, Symbols: true}, "abc'def", ""},
		{"no-number", &store.PasswordRules{MinLength: 6, Numbers: true}, "abcdef", "Password should have at least one number"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := Check(tt.rules, tt.password, "Ann.smith-1", "Acme-corp1", ""); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("Check(%q) = %q, want %q", tt.password, got, tt.want)
			}
		})
	}
}

func TestReuse(t *testing.T) {
	h := New()
	now := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	rules := &store.PasswordRules{Reuse: 3}
	l := &store.LoginProfile{Hash: h.Hash("0"), Tries: store.Tries{Failures: 2}}
	for i := 1; i <= 4; i++ {
		Replace(rules, l, h.Hash(fmt.Sprint(i)), now)
	}
	if len(l.Past) != 2 || !l.Changed.Equal(now.Truncate(time.Second)) || l.Failures != 0 {
		t.Errorf("after four changes: %d past hashes, changed %v, %d failures", len(l.Past), l.Changed, l.Failures)
	}
	for password, want := range map[string]bool{"4": true, "3": true, "2": true, "1": false, "0": false, "new": false} {
		if got := h.CheckReuse(rules, l, password) != nil; got != want {
			t.Errorf("CheckReuse(%s) refuses: %v, want %v", password, got, want)
		}
	}
	if err := h.CheckReuse(&store.PasswordRules{Reuse: 1}, l, "3"); err != nil {
		t.Errorf("CheckReuse of one = %v: only the present password may not come again", err)
	}
	if err := h.CheckReuse(nil, l, "4"); err != nil {
		t.Errorf("CheckReuse without rules = %v", err)
	}
	Replace(&store.PasswordRules{Reuse: 1}, l, "x", now)
	if len(l.Past) != 0 {
		t.Errorf("a rule of one keeps %d past hashes", len(l.Past))
	}
}

func BenchmarkHash(b *testing.B) {
	h := New()
	b.ReportAllocs()
	for b.Loop() {
		h.Hash("Pa55word!")
	}
}
