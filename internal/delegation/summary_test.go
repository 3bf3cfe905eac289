// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestSummary also tests Q097.
func TestSummary(t *testing.T) {
	r := &Request{Requestor: vendor, RequestorName: "Vendor Inc.", Account: owner, Seconds: 5400}
	d := parse(t, document(
		`{"Sid":"Setup","Effect":"Allow","Action":["iam:CreateRole","iam:*"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":["arn:b","arn:a"]},"Bool":{"aws:SecureTransport":true}}}`,
		`{"Effect":"Deny","NotAction":"s3:Get*","NotResource":["arn:aws:s3:::a","arn:aws:s3:::b","arn:aws:s3:::c"]}`,
		statement("Allow", "*", "arn:aws:s3:::a")))
	const want = `Vendor Inc. (account 444455556666) asks to act in account 111122223333 for 1 hour and 30 minutes, with the permissions below as far as whoever approves has them too.

- It may use iam:CreateRole and every action of iam on every resource, if iam:PermissionsBoundary StringEquals "arn:b" or "arn:a" and aws:SecureTransport Bool "true". (Setup)
- It may never use every action except s3:Get* on every resource except arn:aws:s3:::a, arn:aws:s3:::b and arn:aws:s3:::c.
- It may use every action of every service on arn:aws:s3:::a.

Everything else is refused. What it creates stays: roles within the permissions boundary arn:a or arn:b.`
	if got := Summary(r, d); got != want {
		t.Errorf("Summary =\n%s\nwant\n%s", got, want)
	}
	if got := Summary(&Request{Requestor: vendor, Seconds: 300}, d); !strings.HasPrefix(got, "Account 444455556666 asks to act in the account that takes up the request for 5 minutes,") {
		t.Errorf("Summary without names = %s", got)
	}
	many := make([]string, 400)
	for i := range many {
		many[i] = statement("Allow", "s3:GetObject", "arn:aws:s3:::ö")
	}
	got := Summary(r, parse(t, document(many...)))
	if n := utf8.RuneCountInString(got); n != MaxSummary || !strings.HasSuffix(got, "read the policy of the request.") {
		t.Errorf("a long summary has %d characters and ends with %q", n, got[len(got)-60:])
	}
}

func TestRestrictions(t *testing.T) {
	bounded := func(effect, action string) string {
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"*","Condition":{"StringEquals":{"IAM:permissionsboundary":"arn:` + action + `"}}}`
	}
	d := parse(t, document(bounded("Allow", "iam:CreateRole"), bounded("Allow", "iam:Put*"), bounded("Allow", "iam:AttachRolePolicy"), bounded("Deny", "iam:*")))
	if got, want := Restrictions(d), []string{"arn:iam:CreateRole", "arn:iam:Put*"}; !slices.Equal(got, want) {
		t.Errorf("Restrictions = %q, want %q", got, want)
	}
	if got := Restrictions(parse(t, document(statement("Allow", "iam:CreateRole", "*")))); got == nil || len(got) != 0 {
		t.Errorf("Restrictions of none = %#v, want an empty list", got)
	}
}
