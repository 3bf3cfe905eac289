// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
)

func TestValidateProblems(t *testing.T) {
	golden(t, "validate.txt", func(t *testing.T, c goldenCase) string {
		name, _, _ := strings.Cut(c.name, ":")
		kind := Identity
		if name != "managed" {
			if err := kind.UnmarshalText([]byte(name)); err != nil {
				t.Fatal(err)
			}
		}
		d, err := Parse(c.name, []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		err = d.Validate(kind)
		if bad, ok := errors.AsType[*ValidationError](err); ok && (bad.Name != c.name || bad.Kind != kind) || !ok && err != nil {
			t.Errorf("Validate = %v, want a *ValidationError of this document and kind", err)
		}
		if name == "managed" {
			err = errors.Join(err, d.CheckVersion())
		}
		if err == nil {
			if _, err := Compile(d, kind); err != nil {
				t.Errorf("Validate accepts what Compile does not: %v", err)
			}
			return "valid"
		}
		return describe(Problems(err)) + "AWS: " + AWSMessage(err, kind)
	})
}

func TestValidateRefusesInvalidKind(t *testing.T) {
	d := &Document{}
	for _, kind := range []Kind{0, Endpoint + 1} {
		if err := d.Validate(kind); err == nil || Problems(err) != nil {
			t.Errorf("Validate(%v) = %v, want an error without problems", kind, err)
		}
	}
}

func TestEveryKindHasRules(t *testing.T) {
	for kind := Identity; kind <= Endpoint; kind++ {
		if rulesOf[kind] == (kindRules{}) {
			t.Errorf("kind %v has no rules", kind)
		}
		text, err := kind.MarshalText()
		var back Kind
		if err != nil || back.UnmarshalText(text) != nil || back != kind {
			t.Errorf("kind %d is %q, %v and back %v", kind, text, err, back)
		}
	}
	var k Kind
	if k.UnmarshalText(nil) == nil || k.UnmarshalText([]byte("Identity")) == nil {
		t.Error("UnmarshalText accepts no name or a wrong one")
	}
	if _, err := Kind(0).MarshalText(); err == nil {
		t.Error("MarshalText of the zero Kind gives no error")
	}
}

// Of many problems those that AWS looks for first are kept.
func TestValidateKeepsTheWorst(t *testing.T) {
	statements := slices.Repeat([]string{`{"Effect": "Allow", "Action": "x"}`}, 30)
	statements = append(statements, `{"Effect": "Allow", "Condition": {"X": {"a:b": "c"}}}`)
	d, err := Parse("", []byte(`{"Statement": [`+strings.Join(statements, ",")+`]}`))
	if err != nil {
		t.Fatal(err)
	}
	err = d.Validate(Identity)
	problems := Problems(err)
	if len(problems) != maxProblems || problems[maxProblems-1].Code != UnknownOperator {
		t.Errorf("Validate = %v, want %d problems, the last of an unknown operator", err, maxProblems)
	}
	if got := AWSMessage(err, Identity); got != syntaxErrors {
		t.Errorf("AWSMessage = %q, want %q", got, syntaxErrors)
	}
}

func TestEveryCodeIsOnTheLadder(t *testing.T) {
	var codes []Code
	for _, group := range ladder {
		codes = append(codes, group...)
	}
	slices.Sort(codes)
	if n := len(codes); n != len(slices.Compact(codes)) || n != 31 {
		t.Errorf("the ladder has %d codes, %d of them different, want 31", n, len(slices.Compact(codes)))
	}
	if rung(Uncompilable) != len(ladder) {
		t.Error("a code in no group is not last")
	}
}

func TestAWSMessage(t *testing.T) {
	parse := func(src string) error {
		_, err := Parse("", []byte(src))
		return err
	}
	tests := []struct {
		name string
		err  error
		kind Kind
		want string
	}{
		{"no-error", nil, Identity, ""},
		{"other-error", errors.New("x"), Identity, ""},
		{"broken-json", parse("{"), Identity, "Syntax errors in policy."},
		{"broken-json-of-a-trust-policy", parse("{,"), Trust, "This policy contains invalid Json"},
		{"unknown-element-of-a-trust-policy", parse(`{"X": 1, "Statement": []}`), Trust, "Syntax errors in policy."},
		{"broken-json-of-an-scp", parse("{"), SCP, "The provided policy document does not meet the requirements of the specified policy type."},
		{"effect-in-lower-case", parse(`{"Statement": {"Effect": "allow"}}`), Identity, "The policy failed legacy parsing"},
		{"effect-in-lower-case-and-worse", parse(`{"Statement": [{"Effect": "allow"}, {}]}`), Identity, "Syntax errors in policy."},
		{"wrapped", fmt.Errorf("role: %w", parse("{")), Trust, "This policy contains invalid Json"},
		{"joined", errors.Join(errors.New("x"), fmt.Errorf("y: %w", parse("{"))), Identity, "Syntax errors in policy."},
		{"uncompilable", &CompileError{Problems: []Problem{uncompilable(Position{}, "x")}}, Identity, "Syntax errors in policy."},
	}
	for _, tt := range tests {
		if got := AWSMessage(tt.err, tt.kind); got != tt.want {
			t.Errorf("%s: AWSMessage(%v, %v) = %q, want %q", tt.name, tt.err, tt.kind, got, tt.want)
		}
	}
}

// TestAWSLadder has documents for which IAM's answer to CreatePolicy is on
// public record, most of them with several faults: the answer shows which fault
// IAM looks for first.
func TestAWSLadder(t *testing.T) {
	const (
		version  = "Policy document must be version 2012-10-17 or greater."
		actions  = "Policy statement must contain actions."
		missing  = "Policy statement must contain resources."
		sids     = "Statement IDs (SID) in a single policy must be unique."
		oneColon = "Actions/Condition can contain only one colon."
	)
	tests := []struct{ version, statement, want string }{
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}`, ""},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:fdsasf"}`, ""},
		{"2012-10-17", `{"Effect": "Allow", "NotAction": "s3-s.x:ListBucket", "NotResource": "*", "Condition": {"DateGreaterThan": {}, "x": {}}}`, ""},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:ec2:us-east-1::b", "Condition": {"DateGreaterThan": {"a": []}}}`, ""},
		{"", `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}`, version},
		{"2008-10-17", `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}`, version},
		{"2013-10-17", `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}`, syntaxErrors},
		{"", `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"DateGreaterThan": {"a": "soon"}}}`, version},
		{"", `[{"Sid": "a", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}, {"Sid": "a", "Effect": "Allow"}]`, version},
		{"2012-10-17", `[]`, syntaxErrors},
		{"2012-10-17", `["x"]`, syntaxErrors},
		{"2012-10-17", `{"Effect": "maybe", "Action": "s3:ListBucket", "Resource": "*"}`, syntaxErrors},
		{"2012-10-17", `{"Effect": "Allow", "Action": [[]], "Resource": "*"}`, syntaxErrors},
		{"2012-10-17", `{"Effect": "Allow", "NotAction": "s3s:x", "Action": [], "Resource": "*"}`, syntaxErrors},
		{"2012-10-17", `{"Effect": "Allow", "Resource": "*", "Condition": {"DateGreaterThan": {"a": {}}}}`, syntaxErrors},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"x": {"a": "1"}}}`, syntaxErrors},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"ForAnyValue::StringEqualsIfExists": {"a": "1"}}}`, syntaxErrors},
		{"2012-10-17", `{"Effect": "denY", "Action": "s3:*", "Resource": "*"}`, legacyParsing},
		{"2012-10-17", `{"Effect": "Allow", "Condition": {"DateGreaterThan": {"a": "soon"}}}`, legacyParsing},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"DateLessThan": {"a": "9223372036854775808"}}}`, legacyParsing},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:error:s3:::b", "Condition": {"DateGreaterThan": {"a": "soon"}}}`, legacyParsing},
		{"2012-10-17", `{"Effect": "Allow", "Resource": "arn:aws:s3::b"}`, legacyParsing},
		{"2012-10-17", `{"Effect": "Allow", "NotAction": "s3:*", "Resource": "arn:aws::::b"}`, legacyParsing},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws::b"}`, legacyParsing},
		{"2012-10-17", `[{"Sid": "a", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}, {"Sid": "a", "Effect": "Allow"}]`, sids},
		{"2012-10-17", `[{"Effect": "Deny"}, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]`, actions},
		{"2012-10-17", `{"Effect": "Allow", "Action": [], "Resource": "*"}`, actions},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s:3:x", "Resource": "sdf"}`, `Resource sdf must be in ARN format or "*".`},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": ""}`, `Resource  must be in ARN format or "*".`},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "a:bsd"}`, `Partition "bsd" is not valid for resource "arn:bsd:*:*:*:*".`},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "a:b:cad"}`, `Partition "b" is not valid for resource "arn:b:cad:*:*:*".`},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "a:b:c:d:e:f:g:h"}`, `Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".`},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "aws:s3:::b"}`, `Partition "s3" is not valid for resource "arn:s3:::b:*".`},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:error:s3:::b", "arn:error:s3::b"]}`,
			`Partition "error" is not valid for resource "arn:error:s3:::b".`},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws"}`, "Resource vendor must be fully qualified and cannot contain regexes."},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:iam:us-east-1::b"}`,
			"IAM resource arn:aws:iam:us-east-1::b cannot contain region information."},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:us-east-1::b"}`,
			"Resource arn:aws:s3:us-east-1::b can not contain region information."},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:iam:::b"}`, form.IAMResourcePath},
		{"2012-10-17", `{"Effect": "Allow", "Action": "invalid"}`, form.NoVendor},
		{"2012-10-17", `{"Effect": "Allow", "NotAction": "", "Resource": "*"}`, form.NoVendor},
		{"2012-10-17", `{"Effect": "Allow", "Action": "a a:x", "Resource": "*"}`, "Vendor a a is not valid"},
		{"2012-10-17", `[{"Effect": "Allow", "Action": "s3s:x", "Resource": "*"}, {"Effect": "Allow", "Action": "s:3s:x", "Resource": "*"}]`, oneColon},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:ListBucket"}`, missing},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": []}`, missing},

		// IAM takes these; we do not, since the action matches nothing (P-10)
		// and the values are no dates (P-11).
		{"2012-10-17", `{"Effect": "Allow", "Action": "iam: a b ", "Resource": "*"}`, legacyParsing},
		{"2012-10-17", `{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"DateGreaterThan": {"a": "01T"}}}`, legacyParsing},
	}
	for _, tt := range tests {
		src := `{"Statement": ` + tt.statement + "}"
		if tt.version != "" {
			src = `{"Version": "` + tt.version + `", "Statement": ` + tt.statement + "}"
		}
		d, err := Parse("", []byte(src))
		if err == nil {
			err = errors.Join(d.Validate(Identity), d.CheckVersion())
		}
		if got := AWSMessage(err, Identity); got != tt.want {
			t.Errorf("AWSMessage of %s = %q, want %q (%v)", src, got, tt.want, err)
		}
	}
}

func TestSize(t *testing.T) {
	tests := map[string]int{
		"":                        0,
		" \t\r\n":                 0,
		"{\n  \"Id\": \"a b\"\n}": 11,
		"é\u00a0€":                3, // characters; a no-break space counts
	}
	for src, want := range tests {
		d := &Document{Source: src}
		if got := d.Size(); got != want {
			t.Errorf("Size of %q = %d, want %d", src, got, want)
		}
	}
}

func TestKindNames(t *testing.T) {
	got := fmt.Sprint(Identity, Boundary, Session, SCP, RCP, Resource, Trust, Key, Endpoint, Kind(0), Kind(99), Allow, Deny, Effect(0))
	const want = "identity boundary session scp rcp resource trust key endpoint Kind(0) Kind(99) Allow Deny Effect(0)"
	if got != want {
		t.Errorf("names = %s, want %s", got, want)
	}
	if len(kinds.Texts) != len(rulesOf) {
		t.Errorf("%d kind names, %d kinds with rules", len(kinds.Texts), len(rulesOf))
	}
}
