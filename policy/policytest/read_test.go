// SPDX-License-Identifier: Apache-2.0

package policytest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

const fred = `"name": "n", "principal": "arn:aws:iam::111122223333:user/fred", "action": "s3:GetObject", "resource": "*", "expect": "allow"`

func TestReadRefuses(t *testing.T) {
	for _, tc := range []struct{ name, file, want string }{
		{"no-json", "{\n  x", `f.json:2:3: the name "x" is not in double quotes (write "x")`},
		{"a-file-that-ends", `{"cases": [`, "f.json:1:12: the array that starts at 1:11 is not closed"},
		{"something-after-it", `{"cases": []} 1`, "f.json:1:15: \"1\" after the end of the file's object"},
		{"deep-nesting", strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested deeper than 32 levels"},
		{"a-list", `[]`, "f.json:1:1: the file must be an object"},
		{"no-cases", `{}`, "f.json:1:1: the file has no cases"},
		{"an-unknown-field-of-the-file", `{"case": [], "cases": []}`, `f.json:1:2: the file has no field "case"; its fields are cases, policies`},
		{"an-unknown-field-of-a-case", "{\"cases\": [{" + fred + ",\n \"expects\": \"deny\"}]}", `f.json:2:2: a case has no field "expects"`},
		{"a-field-twice", `{"cases": [{` + fred + `, "expect": "deny"}]}`, `f.json:1:140: "expect" is there twice, first in line 1`},
		{"a-case-without-most", `{"cases": [{}]}`, "f.json:1:12: cases[0] has no principal"},
		{"a-name-twice", `{"cases": [{` + fred + `}, {` + fred + `}]}`, `the case "n" has the name of the one in line 1`},
		{"an-unknown-outcome", `{"cases": [{` + strings.Replace(fred, `"allow"`, `"permit"`, 1) + `}]}`, "expect must be one of allow, explicit-deny, implicit-deny, deny"},
		{"a-role-as-principal", `{"cases": [{` + strings.Replace(fred, "user/fred", "role/fred", 1) + `}]}`, "its callers are sessions"},
		{"an-unknown-principal-object", `{"cases": [{` + strings.Replace(fred, `"arn:aws:iam::111122223333:user/fred"`, `{"user": "x"}`, 1) + `}]}`, "must be {\"service\": HOST}"},
		{"a-role-for-a-user", `{"cases": [{` + fred + `, "role": "arn:aws:iam::111122223333:role/a"}]}`, "role stands only with the session of a role"},
		{"another-role-than-the-session's", `{"cases": [{` + strings.Replace(fred, "iam::111122223333:user/fred", "sts::111122223333:assumed-role/b/s", 1) +
			`, "role": "arn:aws:iam::111122223333:role/a"}]}`, "is no session of the role"},
		{"an-account-that-is-a-number", `{"cases": [{` + fred + `, "resource_account": 111122223333}]}`, `must be a string of twelve digits, in quotes (write "111122223333")`},
		{"an-account-that-is-too-short", `{"cases": [{` + fred + `, "resource_account": "1111"}]}`, "must be a string of twelve digits"},
		{"a-context-value-that-is-an-object", `{"cases": [{` + fred + `, "context": {"a": {}}}]}`, `the value of context key "a" must be`},
		{"an-unknown-policy", `{"cases": [{` + fred + `, "identity": ["readers"]}]}`, `there is no policy "readers" in policies`},
		{"a-policy-that-is-a-number", `{"cases": [{` + fred + `, "identity": [1]}]}`, "identity[0] must be the name of a policy or a document"},
		{"a-level-that-is-no-list", `{"cases": [{` + fred + `, "scps": ["x"]}]}`, "scps[0] must be a list"},
		{"a-path-without-a-place", `{"policies": {"p": "./p.json"}, "cases": [{` + fred + `, "identity": ["p"]}]}`, "no place to read it from"},
		{"a-document-that-does-not-parse", "{\"cases\": [{" + fred + ",\n \"identity\": [{\"Statement\": [{\"Efect\": \"Allow\"}]}]}]}", `f.json:2:31: unknown element "Efect"`},
		{"a-document-that-does-not-compile", "{\"cases\": [{" + fred + `,
  "identity": [{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"NumericEquals": {"x": "ten"}}}}]}]}`, `f.json:2:119: NumericEquals value "ten": want a number`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := policytest.Read("f.json", []byte(tc.file), nil)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Read(%s) = %v, want %q", tc.file, err, tc.want)
			}
		})
	}
}

func TestReadListsEveryFault(t *testing.T) {
	_, err := policytest.Read("f.json", []byte(`{"cases": [{"x": 1}, {"y": 1}]}`), nil)
	for _, want := range []string{`no field "x"`, `no field "y"`, "cases[0] has no expect", "cases[1] has no action"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Read = %v, want %q in it", err, want)
		}
	}
	many := `{"cases": [` + strings.Repeat(`{"x": 1},`, 50) + `{}]}`
	_, err = policytest.Read("f.json", []byte(many), nil)
	if n := strings.Count(fmt.Sprint(err), "\n") + 1; n != 20 {
		t.Errorf("Read of many faults lists %d, want 20", n)
	}
}

func TestReadLoadsPolicies(t *testing.T) {
	const file = `{"policies": {"vault": "../p/vault.json"}, "cases": [{"name": "n", "principal": "anonymous", "action": "s3:GetObject",
		"resource": "arn:aws:s3:::b/x", "resource_policy": "vault", "expect": "allow", "statement": "Public"}]}`
	load := func(path string) ([]byte, error) {
		if path != filepath.Join("tests", "..", "..", "p", "vault.json") {
			return nil, os.ErrNotExist
		}
		return []byte("{\"Statement\": [\n{\"Sid\": \"Public\", \"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"*\"}]}"), nil
	}
	f, err := policytest.Read("tests/f.json", []byte(strings.Replace(file, "../p", "../../p", 1)), load)
	if err != nil {
		t.Fatal(err)
	}
	r := f.Run(policy.Decide)
	if r.Passed != 1 || r.Cases[0].Decision.Statement.String() != "statement Public of vault (2:1)" {
		t.Errorf("Run = %+v by %v, want one passed by statement Public of vault (2:1)", r, r.Cases[0].Decision.Statement)
	}
	_, err = policytest.Read("f.json", []byte(strings.Replace(file, "vault.json", "volt.json", 1)), load)
	if err == nil || !strings.Contains(err.Error(), `f.json:1:24: policy "vault": file does not exist`) {
		t.Errorf("Read of a missing policy = %v", err)
	}
}

// TestReadOrdersFaults has faults that are found in another order than they
// stand in, and a policy with a fault that two kinds of use find.
func TestReadOrdersFaults(t *testing.T) {
	const file = `{"policies": {
"broken": {"Statement": {"Efect": "Allow"}},
"outside": "p/outside.json"},
"cases": [{"name": "n", "principal": "fred",
"boundary": "broken", "identity": ["outside", "broken", "nobody"],
"expects": "allow",
"action": "s3:Get", "resource": "*", "expect": "perhaps"}]}`
	load := func(string) ([]byte, error) { return []byte("{\n\"Statement\": 1}"), nil }
	_, err := policytest.Read("f.json", []byte(file), load)
	var places []string
	for line := range strings.Lines(fmt.Sprint(err)) {
		place, _, _ := strings.Cut(line, ": ")
		places = append(places, place)
	}
	want := []string{"f.json:2:26", "f.json:4:38", "f.json:5:57", "f.json:6:1", "f.json:7:48", filepath.Join("p", "outside.json") + ":2:14"}
	if !slices.Equal(places, want) {
		t.Errorf("Read = %v\nplaces %q, want %q", err, places, want)
	}
}

// TestReadTellsPlacesOfTheAuthor has a text that was made of another notation,
// with every column ten times as large.
func TestReadTellsPlacesOfTheAuthor(t *testing.T) {
	src := policytest.Source{Name: "f", Place: func(p policy.Position) policy.Position {
		return policy.Position{Line: p.Line + 100, Column: p.Column * 10}
	}}
	file := `{"cases": [{` + fred + `,
"identity": [{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]}]}`
	f, err := src.Read([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	got := f.Run(policy.Decide).Cases[0]
	if ref := got.Decision.Statement; got.Line != 101 || ref == nil || ref.Start != (policy.Position{Line: 102, Column: 290}) {
		t.Errorf("Run = %+v by %+v, want line 101 and the statement at 102:290", got, ref)
	}
	_, err = src.Read([]byte(strings.Replace(file, "Effect", "Efect", 1)))
	if err == nil || !strings.Contains(err.Error(), "f:102:300: unknown element") {
		t.Errorf("Read with an unknown element = %v, want it at f:102:300", err)
	}
	_, err = src.Read([]byte(strings.Replace(file, `"Resource": "*"`, `"Resource": "*", "Condition": {"Nope": {"a": "b"}}`, 1)))
	if err == nil || !strings.HasPrefix(err.Error(), "f:102:") || !strings.Contains(err.Error(), "0: ") {
		t.Errorf("Read with an unknown operator = %v, want a place in line 102", err)
	}
}

// TestReadDerives checks which condition keys follow from a case's own fields.
func TestReadDerives(t *testing.T) {
	const a = "111122223333"
	for _, tc := range []struct {
		name, fields string
		want         map[string]string
	}{
		{"a-user", `"principal": "arn:aws:iam::111122223333:user/team/fred", "context": {"AWS:PrincipalType": "x", "n": 1.50, "b": true}`, map[string]string{
			"aws:ResourceAccount": a, "aws:PrincipalArn": "arn:aws:iam::111122223333:user/team/fred", "aws:PrincipalAccount": a, "AWS:PrincipalType": "x",
			"aws:PrincipalIsAWSService": "false", "aws:username": "fred", "n": "1.50", "b": "true"}},
		{"a-session", `"principal": "arn:aws:sts::111122223333:assumed-role/app/s", "resource_account": "444455556666", "context": {"aws:principalIsAWSService": null}`, map[string]string{
			"aws:ResourceAccount": "444455556666", "aws:PrincipalArn": "arn:aws:iam::111122223333:role/app", "aws:PrincipalAccount": a, "aws:PrincipalType": "AssumedRole"}},
		{"a-session-of-a-role-with-a-path", `"principal": "arn:aws:sts::111122223333:assumed-role/app/s", "role": "arn:aws:iam::111122223333:role/p/app",
			"context": {"aws:PrincipalIsAWSService": null, "aws:PrincipalType": null, "aws:PrincipalAccount": null}`, map[string]string{
			"aws:ResourceAccount": a, "aws:PrincipalArn": "arn:aws:iam::111122223333:role/p/app"}},
		{"a-service", `"principal": {"service": "ec2.amazonaws.com"}`, map[string]string{
			"aws:PrincipalIsAWSService": "true", "aws:PrincipalServiceName": "ec2.amazonaws.com"}},
		{"a-federated-identity", `"principal": {"federated": "accounts.google.com"}`, map[string]string{}},
		{"nobody", `"principal": "anonymous"`, map[string]string{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f, err := policytest.Read("f.json", []byte(`{"cases": [{"name": "n", "action": "s3:Get", "resource": "*", "expect": "deny", `+tc.fields+`}]}`), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := f.Cases[0].Request.Context; !reflect.DeepEqual(got, tc.want) {
				t.Errorf("context = %v, want %v", got, tc.want)
			}
		})
	}
}

func TestRunJudges(t *testing.T) {
	const policies = `"identity": [{"Statement": [{"Sid": "Yes", "Effect": "Allow", "Action": "s3:*", "Resource": "*"},
		{"Sid": "No", "Effect": "Deny", "Action": "s3:Put*", "Resource": "*"}]}]`
	for _, tc := range []struct{ name, action, expect, statement, failure string }{
		{"an-allow", "s3:GetObject", "allow", "Yes", ""},
		{"an-explicit-deny", "s3:PutObject", "explicit-deny", "No", ""},
		{"a-deny-of-either-kind", "s3:PutObject", "deny", "", ""},
		{"an-implicit-deny", "ec2:Run", "implicit-deny", "", ""},
		{"the-wrong-outcome", "ec2:Run", "allow", "", "got implicit-deny, want allow"},
		{"an-allow-for-any-deny", "s3:GetObject", "deny", "", "got allow, want deny"},
		{"the-wrong-statement", "s3:GetObject", "allow", "No", "got allow by statement Yes of identity[0] (2:2), want it by statement No"},
		{"no-statement", "ec2:Run", "implicit-deny", "Yes", "got implicit-deny by no statement, want it by statement Yes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			statement := ""
			if tc.statement != "" {
				statement = `, "statement": "` + tc.statement + `"`
			}
			src := `{"cases": [{"name": "n", "principal": "arn:aws:iam::111122223333:user/fred", "action": "` + tc.action + `", "resource": "*", "expect": "` +
				tc.expect + `"` + statement + ",\n" + strings.Replace(policies, `"Statement": [`, "\"Statement\": [\n ", 1) + `}]}`
			f, err := policytest.Read("f.json", []byte(src), nil)
			if err != nil {
				t.Fatal(err)
			}
			got := f.Run(policy.Decide)
			want := strings.Replace(tc.failure, "(2:2)", "(3:2)", 1)
			if c := got.Cases[0]; c.Failure != want || c.Passed != (want == "") || got.Passed+got.Failed != 1 {
				t.Errorf("Run = %+v, want failure %q", got, want)
			}
			if _, err := json.Marshal(got); err != nil {
				t.Errorf("json.Marshal(result) = %v", err)
			}
		})
	}
}

// TestRunFailsOnErrors checks that a broken engine passes no case, not even one
// that expects a deny.
func TestRunFailsOnErrors(t *testing.T) {
	f, err := policytest.Read("f.json", []byte(`{"cases": [{`+strings.Replace(fred, `"allow"`, `"deny"`, 1)+`}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := f.Run(func(*policy.Request, *policy.Set) policy.Decision { return policy.Decision{Err: errors.New("broken")} })
	if r.Failed != 1 || r.Cases[0].Failure != "got an error: broken" {
		t.Errorf("Run = %+v, want a failure", r)
	}
}

// FuzzRead checks that Read neither panics nor reads a case that cannot be run.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"cases": [{` + fred + `, "identity": [{"Statement": []}]}]}`))
	f.Add([]byte(`{"policies": {"a": {}}, "cases": [{"context": {"a": [1, null]}, "scps": [[]]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := policytest.Read("f", data, nil)
		if (file == nil) == (err == nil) {
			t.Fatalf("Read = %v, %v", file, err)
		}
		if err == nil {
			for _, c := range file.Run(policy.Decide).Cases {
				if c.Decision.Err != nil {
					t.Errorf("%s: %v", c.Name, c.Decision.Err)
				}
			}
		}
	})
}
