// SPDX-License-Identifier: Apache-2.0

package passwords

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// What AWS asks of passwords in an account without rules of its own: a length,
// and three of the four kinds of characters (IAM User Guide, "Default password
// policy").
const (
	defaultLength = 8
	defaultKinds  = 3
)

// symbols are the characters that count as symbols (API reference of
// UpdateAccountPasswordPolicy, RequireSymbols).
const symbols = "!@#$%^&*()_+-=[]{}|'"

// A Violation says in AWS's words which rules a password breaks.
type Violation string

func (v Violation) Error() string { return string(v) }

// reused is AWS's text for a password that was used before.
const reused Violation = "Policy constraint violation with password reuse prevention during password change."

// Check holds a new password against the rules of an account, which may be nil,
// and against names of the user and the account, of which it must be none. The
// error is a Violation.
func Check(rules *store.PasswordRules, password string, names ...string) error {
	missing := missingKinds(password)
	if rules == nil {
		return checkDefault(password, missing, names)
	}
	var broken []string
	if utf8.RuneCountInString(password) < rules.MinLength {
		broken = append(broken, tooShort(rules.MinLength))
	}
	for i, wanted := range [...]bool{rules.Uppercase, rules.Lowercase, rules.Numbers, rules.Symbols} {
		if wanted && missing[i] {
			broken = append(broken, lacks(i))
		}
	}
	if len(broken) > 0 {
		return Violation(strings.Join(broken, ", "))
	}
	return nil
}

func checkDefault(password string, missing [4]bool, names []string) error {
	if utf8.RuneCountInString(password) < defaultLength {
		return Violation(tooShort(defaultLength))
	}
	var broken []string
	for i, m := range missing {
		if m {
			broken = append(broken, lacks(i))
		}
	}
	if more := len(broken) - (len(missing) - defaultKinds); more > 0 {
		return Violation(fmt.Sprintf("Password should meet %d more of the following requirements: %s", more, strings.Join(broken, ", ")))
	}
	for _, name := range names {
		if name != "" && strings.EqualFold(password, name) {
			return Violation("Password should not be the name of the user or the account")
		}
	}
	return nil
}

func tooShort(length int) string {
	return fmt.Sprintf("Password should have a minimum length of %d", length)
}

func lacks(kind int) string {
	return "Password should have at least one " + [...]string{"uppercase letter", "lowercase letter", "number", "symbol"}[kind]
}

// missingKinds returns which kinds of characters a password lacks: uppercase,
// lowercase, numbers, symbols.
func missingKinds(password string) [4]bool {
	missing := [4]bool{true, true, true, true}
	for _, r := range password {
		switch {
		case 'A' <= r && r <= 'Z':
			missing[0] = false
		case 'a' <= r && r <= 'z':
			missing[1] = false
		case '0' <= r && r <= '9':
			missing[2] = false
		case strings.ContainsRune(symbols, r):
			missing[3] = false
		}
	}
	return missing
}

// CheckReuse returns a Violation if the rules, which may be nil, forbid to
// replace the password of a login by that one because it was used before.
func (h *Hasher) CheckReuse(rules *store.PasswordRules, l *store.LoginProfile, password string) error {
	if rules == nil || rules.Reuse == 0 {
		return nil
	}
	past := l.Past[:min(len(l.Past), rules.Reuse-1)]
	for _, hash := range append([]string{l.Hash}, past...) {
		if h.Matches(hash, password) {
			return reused
		}
	}
	return nil
}

// Replace gives a login another password, by its hash, and keeps the old one's
// as far as the rules, which may be nil, ask for it.
func Replace(rules *store.PasswordRules, l *store.LoginProfile, hash string, now time.Time) {
	keep := 0
	if rules != nil {
		keep = max(rules.Reuse-1, 0)
	}
	past := append([]string{l.Hash}, l.Past...)
	l.Past = past[:min(len(past), keep)]
	l.Hash, l.Changed, l.Tries = hash, now.UTC().Truncate(time.Second), store.Tries{}
}
