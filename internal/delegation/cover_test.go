// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"errors"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy"
)

func parse(t testing.TB, text string) *policy.Document {
	t.Helper()
	d, err := policy.Parse("test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func compile(t testing.TB, kind policy.Kind, statements ...string) *policy.Policy {
	t.Helper()
	p, err := policy.Compile(parse(t, document(statements...)), kind)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func statement(effect, action, resource string) string {
	return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"}`
}

// TestCoverOf also tests Q096.
func TestCoverOf(t *testing.T) {
	allow := func(action, resource string) string { return statement("Allow", action, resource) }
	deny := func(action, resource string) string { return statement("Deny", action, resource) }
	const when = `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`
	const never = `{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
	identity := func(statements ...string) *policy.Set {
		return &policy.Set{Identity: []*policy.Policy{compile(t, policy.Identity, statements...)}}
	}
	everything := identity(allow("*", "*"))
	with := func(change func(*policy.Set)) *policy.Set {
		s := *everything
		change(&s)
		return &s
	}
	for _, tc := range []struct {
		name string
		want string // what is asked
		set  *policy.Set
		root bool
		got  Cover
	}{
		{"everything", allow("s3:GetObject", "arn:aws:s3:::b/*"), everything, false, CoverAllowed},
		{"the-same", allow("s3:Get*", "arn:aws:s3:::b/*"), identity(allow("S3:GET*", "arn:aws:s3:::b/*")), false, CoverAllowed},
		{"nothing", allow("s3:GetObject", "*"), &policy.Set{}, false, CoverDenied},
		{"root", allow("s3:GetObject", "*"), &policy.Set{}, true, CoverAllowed},
		{"another-action", allow("s3:PutObject", "*"), identity(allow("s3:Get*", "*")), false, CoverDenied},
		{"less-of-the-actions", allow("s3:*", "*"), identity(allow("s3:Get*", "*")), false, CoverUnsure},
		{"less-of-the-resources", allow("s3:GetObject", "*"), identity(allow("s3:*", "arn:aws:s3:::b/*")), false, CoverUnsure},
		{"conditions", allow("s3:GetObject", "*"), identity(when), false, CoverUnsure},
		{"one-of-two-lacks", `{"Effect":"Allow","Action":["s3:GetObject","iam:GetUser"],"Resource":"*"}`, identity(allow("s3:*", "*")), false, CoverDenied},
		{"denied", allow("s3:GetObject", "*"), identity(allow("*", "*"), deny("s3:*", "*")), false, CoverDenied},
		{"denied-in-part", allow("s3:*", "*"), identity(allow("*", "*"), deny("s3:DeleteObject", "*")), false, CoverUnsure},
		{"denied-on-conditions", allow("s3:GetObject", "*"), identity(allow("*", "*"), never), false, CoverUnsure},
		{"denied-something-else", allow("s3:GetObject", "*"), identity(allow("*", "*"), deny("iam:*", "*")), false, CoverAllowed},
		{"everything-but", allow("s3:GetObject", "*"), identity(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`), false, CoverAllowed},
		{"everything-but-this", allow("iam:GetUser", "*"), identity(`{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`), false, CoverDenied},
		{"everything-but-part-of-this", allow("iam:*", "*"), identity(`{"Effect":"Allow","NotAction":"iam:Get*","Resource":"*"}`), false, CoverUnsure},
		{"asks-for-everything-but", `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, identity(allow("s3:*", "*")), false, CoverUnsure},
		{"a-deny-is-not-asked-for", deny("s3:*", "*"), &policy.Set{}, false, CoverAllowed},
		{"variables-in-a-policy", allow("s3:GetObject", "arn:aws:s3:::b/ann/x"), identity(allow("s3:*", "arn:aws:s3:::b/${aws:username}/*")), false, CoverUnsure},
		{"variables-in-the-request", allow("s3:GetObject", "arn:aws:s3:::b/${aws:username}/x"), identity(allow("s3:*", "arn:aws:s3:::b/ann/*")), false, CoverUnsure},
		{"a-boundary", allow("s3:GetObject", "*"), with(func(s *policy.Set) { s.Boundary = compile(t, policy.Boundary, allow("iam:*", "*")) }), false, CoverDenied},
		{"a-boundary-that-is-gone", allow("s3:GetObject", "*"), with(func(s *policy.Set) { s.HasBoundary = true }), false, CoverDenied},
		{"a-session-policy", allow("s3:GetObject", "*"), with(func(s *policy.Set) { s.Session = []*policy.Policy{compile(t, policy.Session, when)} }), false, CoverUnsure},
		{"a-service-control-policy", allow("s3:GetObject", "*"), with(func(s *policy.Set) {
			s.SCPs = [][]*policy.Policy{{compile(t, policy.SCP, allow("*", "*"))}, {compile(t, policy.SCP, allow("*", "*"), deny("s3:*", "*"))}}
		}), false, CoverDenied},
		{"a-broken-policy", allow("s3:GetObject", "*"), &policy.Set{Identity: []*policy.Policy{policy.Broken("x", errors.New("x"))}}, false, CoverDenied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := CoverOf(parse(t, document(tc.want)), tc.set, tc.root); got != tc.got {
				t.Errorf("CoverOf = %v, want %v", got, tc.got)
			}
		})
	}
}

// TestCoverIsBounded: what would take too long to compare is unsure.
func TestCoverIsBounded(t *testing.T) {
	many := make([]string, 1000)
	for i := range many {
		many[i] = statement("Allow", "s3:Get*", "*")
	}
	actions := `"s3:GetA"` + strings.Repeat(`,"s3:GetA"`, 500)
	want := parse(t, document(`{"Effect":"Allow","Action":[`+actions+`],"Resource":"*"}`))
	if got := CoverOf(want, &policy.Set{Identity: []*policy.Policy{compile(t, policy.Identity, many...)}}, false); got != CoverUnsure {
		t.Errorf("CoverOf = %v, want %v", got, CoverUnsure)
	}
}

// glob reports whether a pattern matches a text: the plainest form of it.
func glob(p, s string) bool {
	switch {
	case p == "":
		return s == ""
	case p[0] == '*':
		return glob(p[1:], s) || s != "" && glob(p, s[1:])
	case s == "" || p[0] != '?' && p[0] != s[0]:
		return false
	}
	return glob(p[1:], s[1:])
}

// FuzzPatterns compares covers and overlaps with texts that the patterns match.
func FuzzPatterns(f *testing.F) {
	f.Add("a*b", "a*cb", "acb")
	f.Add("?", "*", "a")
	f.Add("*a?", "ba*", "bab")
	f.Fuzz(func(t *testing.T, have, want, text string) {
		if len(have)+len(want)+len(text) > 24 || strings.Contains(have+want, "${") {
			return
		}
		h, w := glob(have, text), glob(want, text)
		if covers(have, want) && w && !h {
			t.Errorf("covers(%q, %q), but only the second matches %q", have, want, text)
		}
		if h && w && !overlaps(have, want) {
			t.Errorf("overlaps(%q, %q) is false, but both match %q", have, want, text)
		}
		if !strings.ContainsAny(have+want, "*?") && (covers(have, want) != (have == want) || overlaps(have, want) != (have == want)) {
			t.Errorf("covers and overlaps of %q and %q: %t, %t", have, want, covers(have, want), overlaps(have, want))
		}
		if overlaps(have, want) != overlaps(want, have) {
			t.Errorf("overlaps(%q, %q) depends on the order", have, want)
		}
	})
}
