// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestCompileRefuses(t *testing.T) {
	in := func(rest string) string {
		return `{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", ` + rest + `}}`
	}
	when := func(condition string) string { return in(`"Resource": "*", "Condition": {` + condition + `}`) }
	for _, tc := range []struct {
		name, doc string
		kind      Kind
		want      string
	}{
		{"an-unknown-operator", when(`"StringMatches": {"a:b": "x"}`), Identity, `p:1:106: unknown condition operator "StringMatches"`},
		{"Q014-an-operator-in-other-letter-case", when(`"stringequals": {"a:b": "x"}`), Identity, "unknown condition operator"},
		{"null-with-if-exists", when(`"NullIfExists": {"a:b": "true"}`), Identity, "unknown condition operator"},
		{"a-number-with-a-unit", when(`"NumericEquals": {"a:b": ["1", "10kg"]}`), Identity, `NumericEquals value "10kg": want a number`},
		{"a-variable-as-number", when(`"NumericEquals": {"a:b": "${a:c}"}`), Identity, "want a number"},
		{"a-date-in-words", when(`"DateLessThan": {"a:b": "tomorrow"}`), Identity, "want an ISO 8601 date"},
		{"a-range-of-addresses-with-too-many-bits", when(`"IpAddress": {"a:b": "10.0.0.0/33"}`), Identity, "want an IP address or CIDR range"},
		{"text-that-is-not-base64", when(`"BinaryEquals": {"a:b": "?"}`), Identity, "want base64"},
		{"a-boolean-that-is-none", when(`"Bool": {"a:b": "yes"}`), Identity, `want "true" or "false"`},
		{"a-null-that-is-no-boolean", when(`"Null": {"a:b": "1"}`), Identity, `want "true" or "false"`},
		{"a-variable-that-does-not-end", when(`"StringLike": {"a:b": "${a:c"}`), Identity, `"${" without its "}"`},
		{"a-variable-without-a-name", when(`"StringLike": {"a:b": "${}"}`), Identity, "is no variable"},
		{"a-variable-with-blanks", in(`"Resource": "arn:aws:s3:::${ aws:username }"`), Identity, "is no variable"},
		{"a-default-without-quotes", in(`"Resource": "arn:aws:s3:::${aws:username, x}"`), Identity, "has no quotes"},
		{"a-default-that-does-not-end", in(`"Resource": "arn:aws:s3:::${aws:username, 'x}"`), Identity, "does not end"},
		{"an-identity-policy-with-a-principal", in(`"Resource": "*", "Principal": "*"`), Identity, "has no principal element"},
		{"an-identity-policy-without-a-resource", `{"Statement": {"Effect": "Allow", "Action": "*"}}`, Identity, "p:1:15: a policy of kind identity needs a Resource"},
		{"an-rcp-without-a-principal", in(`"Resource": "*"`), RCP, "needs a Principal"},
		{"no-kind", in(`"Resource": "*"`), 0, "invalid policy kind 0"},
		{"more-than-one-fault", when(`"X": {"a:b": "x"}, "Y": {"a:b": "x"}`), Identity, "\np:"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d, err := Parse("p", []byte(tc.doc))
			if err != nil {
				t.Fatal(err)
			}
			p, err := Compile(d, tc.kind)
			if err == nil || p != nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Compile(%s) = %v, want %q", tc.doc, err, tc.want)
			}
			if ce, ok := errors.AsType[*CompileError](err); !ok || ce.Name != "p" || ce.Problems[0].Code != Uncompilable {
				t.Errorf("Compile(%s) = %#v, want a *CompileError", tc.doc, err)
			}
		})
	}
}

func TestCompileWithoutVersionTakesVariablesAsText(t *testing.T) {
	d, err := Parse("p", []byte(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::${", "Condition": {"StringEquals": {"a:b": "${"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(d, Identity); err != nil {
		t.Errorf("Compile = %v, want nil", err)
	}
}

func TestKeys(t *testing.T) {
	doc := `{"Version": %q, "Statement": [
		{"Effect": "Allow", "Action": "*", "Resource": ["arn:aws:s3:::${aws:username}/${aws:PrincipalTag/Team, 'x'}", "arn:aws:s3:::${*}"]},
		{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {
			"StringEquals": {"AWS:SourceVpc": "${aws:PrincipalTag/Vpc}"}, "NumericLessThan": {"s3:max-keys": 10}, "Bool": {"aws:SecureTransport": "false"}}}]}`
	for version, want := range map[string][]string{
		"2012-10-17": {"aws:principaltag/team", "aws:principaltag/vpc", "aws:securetransport", "aws:sourcevpc", "aws:username", "s3:max-keys"},
		"2008-10-17": {"aws:securetransport", "aws:sourcevpc", "s3:max-keys"},
	} {
		p := compileJSON(t, "keys", []byte(strings.Replace(doc, "%q", `"`+version+`"`, 1)), Identity)
		if got := p.Keys(); !reflect.DeepEqual(got, want) {
			t.Errorf("version %s: Keys() = %q, want %q", version, got, want)
		}
	}
	if p := Broken("x", errors.New("y")); len(p.Keys()) != 0 || p.Document().Name != "x" {
		t.Errorf("Broken: Keys() = %q of %q", p.Keys(), p.Document().Name)
	}
}

// TestCompileDoesNotKeepIDs checks that a caller may go on using its map.
func TestCompileDoesNotKeepIDs(t *testing.T) {
	ids := map[string]string{alice.ARN: alice.ID}
	p := grantTo(t, ids, "Allow", alice.ARN)
	ids[alice.ARN] = "AIDAOTHER"
	if got := agree(t, getObject(alice), &Set{Resource: p}); got.Outcome != Allowed {
		t.Errorf("Decide = %v, want allow", got.Outcome)
	}
}

// FuzzCompile checks that Compile accepts whatever Validate accepts, and that
// what it accepts is decided alike by both evaluators.
func FuzzCompile(f *testing.F) {
	files, err := filepath.Glob("testdata/corpus/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no corpus", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if at := strings.Index(line, `{"Version"`); at >= 0 && i%7 == 0 {
				f.Add([]byte(strings.TrimRight(line[at:], ",]")), uint8(i), "arn:aws:s3:::bucket/key", "alice")
			}
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte, kind uint8, resource, value string) {
		d, err := Parse("fuzz", doc)
		if err != nil {
			return
		}
		k := Identity + Kind(kind)%Endpoint
		p, err := Compile(d, k)
		if err != nil {
			if d.Validate(k) == nil {
				t.Fatalf("Validate(%v) accepts what Compile refuses: %v", k, err)
			}
			return
		}
		s := &Set{}
		switch k {
		case SCP:
			s.SCPs = [][]*Policy{{p}}
		case RCP:
			s.RCPs = [][]*Policy{{p}}
		case Resource, Trust, Key:
			s.Resource = p
		case Endpoint:
			s.Endpoint = p
		default:
			s.Identity, s.Session = []*Policy{p}, []*Policy{p}
		}
		r := &Request{Principal: alice, Action: "s3:GetObject", Resource: resource, Context: make(map[string]string)}
		for _, key := range p.Keys() {
			r.Context[key] = value
		}
		agree(t, r, s)
	})
}
