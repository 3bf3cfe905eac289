// SPDX-License-Identifier: Apache-2.0

package ids

import (
	"encoding/base32"
	"errors"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// slowAccount is the documented formula, written out: decode the sixteen
// characters, take six bytes, mask and shift.
func slowAccount(id string) string {
	b, err := base32.StdEncoding.DecodeString(id[4:20])
	if err != nil {
		return ""
	}
	var v uint64
	for _, c := range b[:6] {
		v = v<<8 | uint64(c)
	}
	n := strconv.FormatUint((v&0x7fffffffff80)>>7, 10)
	return strings.Repeat("0", max(0, 12-len(n))) + n
}

func TestAccountOfKnownKeys(t *testing.T) {
	for _, c := range []struct{ name, id, want string }{
		{"the-key-of-aws-examples", "AKIAIOSFODNN7EXAMPLE", "581039954779"},
		{"the-key-of-a-published-decoder", "ASIAQNZGKIQY56JQ7WML", "029608264753"},
		{"a-unique-id", "AIDAQNZGKIQY56JQ7WMLZ", "029608264753"},
		{"the-smallest-account", "AKIAQAAAAAAAAAAAAAAA", "000000000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := Account(c.id); got != c.want || !ok {
				t.Errorf("Account(%q) = %q, %v, want %q", c.id, got, ok, c.want)
			}
			if slow := slowAccount(c.id); slow != c.want {
				t.Errorf("the formula gives %q for %q, want %q", slow, c.id, c.want)
			}
		})
	}
}

func TestAccountRefusesOtherForms(t *testing.T) {
	for _, c := range []struct{ name, id string }{
		{"empty", ""},
		{"too-short", "AKIAIOSFODNN7EXAMPL"},
		{"too-long", "AIDAIOSFODNN7EXAMPLEAA"},
		{"lower-case", "akiaiosfodnn7example"},
		{"lower-case-in-the-middle", "AKIAIOSFODNN7exAMPLE"},
		{"digit-zero", "AKIA0OSFODNN7EXAMPLE"},
		{"digit-one-at-the-end", "AKIAIOSFODNN7EXAMPL1"},
		{"digit-eight-in-the-last-place-of-a-unique-id", "AIDAQNZGKIQY56JQ7WML8"},
		{"digit-in-the-prefix", "AK2AIOSFODNN7EXAMPLE"},
		{"padding", "AKIAIOSFODNN7EXAMP=="},
		{"line-break", "AKIAIOSFODNN7EXAMPL\n"},
		{"account-of-thirteen-digits", "AKIA7777777777777777"},
		{"not-ascii", "AKIAIOSFODNN7EXAMPé"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, ok := Account(c.id); ok || got != "" {
				t.Errorf("Account(%q) = %q, %v, want none", c.id, got, ok)
			}
		})
	}
}

func TestIdentifiersCarryTheirAccount(t *testing.T) {
	var s Source
	key := regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`)
	unique := regexp.MustCompile(`^AROA[A-Z2-7]{17}$`)
	for _, account := range []string{"000000000000", "000000000001", "029608264753", "123456789012", "999999999999"} {
		for range 200 {
			k, u := s.AccessKeyID(LongLivedKey, account), s.Unique(Role, account)
			if !key.MatchString(k) {
				t.Fatalf("AccessKeyID(AKIA, %s) = %q, want %v", account, k, key)
			}
			if !unique.MatchString(u) {
				t.Fatalf("Unique(AROA, %s) = %q, want %v", account, u, unique)
			}
			for _, id := range []string{k, u} {
				if got, ok := Account(id); got != account || !ok {
					t.Fatalf("Account(%q) = %q, %v, want %q", id, got, ok, account)
				}
				if c := id[4]; c >= 'A' && c < 'Q' { // the highest bit, which AWS's own set too
					t.Fatalf("%q has %q after its prefix, want the marker bit", id, c)
				}
			}
		}
	}
}

func TestMalformedAccountPanics(t *testing.T) {
	for _, account := range []string{"", "aws", "12345678901", "1234567890123", "12345678901x", "-12345678901"} {
		t.Run("account="+account, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Errorf("Unique(AIDA, %q) does not panic", account)
				}
			}()
			new(Source).Unique(User, account)
		})
	}
}

func TestNothingRepeats(t *testing.T) {
	var s Source
	var mu sync.Mutex
	seen := make(map[string]bool)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 2500 {
				made := []string{s.AccessKeyID(SessionKey, "123456789012"), s.Unique(User, "123456789012"), s.Secret(), s.RequestID()}
				mu.Lock()
				for _, id := range made {
					if seen[id] {
						t.Errorf("%q was made twice", id)
					}
					seen[id] = true
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestForms(t *testing.T) {
	var s Source
	for name, c := range map[string]struct {
		make func() string
		form string
	}{
		"secret":     {s.Secret, `^[A-Za-z0-9/+]{40}$`},
		"request-id": {s.RequestID, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`},
		"account-id": {s.AccountID, `^[1-9][0-9]{11}$`},
	} {
		form := regexp.MustCompile(c.form)
		used := make(map[rune]bool)
		for range 2000 {
			got := c.make()
			if !form.MatchString(got) {
				t.Fatalf("%s = %q, want %v", name, got, form)
			}
			for _, r := range got {
				used[r] = true
			}
		}
		want := map[string]int{"secret": 64, "request-id": 17, "account-id": 10}[name]
		if len(used) != want {
			t.Errorf("%s uses %d different characters, want %d", name, len(used), want)
		}
	}
}

func TestSeededSourcesAgree(t *testing.T) {
	run := func() []string {
		s := Source{Rand: rand.NewChaCha8([32]byte{7})}
		return []string{s.Unique(Group, "123456789012"), s.AccessKeyID(LongLivedKey, "123456789012"), s.Secret(), s.RequestID(), s.AccountID()}
	}
	a, b := run(), run()
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("identifier %d of two equal sources = %q and %q, want the same", i, a[i], b[i])
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestBrokenRandPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Secret with a failing Rand does not panic")
		}
	}()
	s := Source{Rand: brokenReader{}}
	s.Secret()
}

func FuzzAccount(f *testing.F) {
	for _, id := range []string{"AKIAIOSFODNN7EXAMPLE", "ASIAQNZGKIQY56JQ7WML", "AIDAQNZGKIQY56JQ7WMLZ", "", "AKIA7777777777777777"} {
		f.Add(id)
	}
	form := regexp.MustCompile(`^[A-Z]{4}[A-Z2-7]{16,17}$`)
	f.Fuzz(func(t *testing.T, id string) {
		got, ok := Account(id)
		if !form.MatchString(id) || strings.HasSuffix(id, "\n") {
			if ok {
				t.Fatalf("Account(%q) = %q, want none", id, got)
			}
			return
		}
		want := slowAccount(id)
		if ok != (len(want) == 12) {
			t.Fatalf("Account(%q) = %q, %v, want %q", id, got, ok, want)
		}
		if ok && got != want {
			t.Fatalf("Account(%q) = %q, want %q", id, got, want)
		}
	})
}

func BenchmarkAccount(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Account("AKIAIOSFODNN7EXAMPLE")
	}
}
