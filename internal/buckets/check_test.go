// SPDX-License-Identifier: Apache-2.0

package buckets

import (
	"errors"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Tests Q135, too: what S3's answers do not show is refused.
func TestPoliciesThatAreRefused(t *testing.T) {
	const (
		bob  = `"Principal":{"AWS":"222222222222"}`
		objs = `"Resource":"arn:aws:s3:::photos/*"`
		read = `"Action":"s3:GetObject"`
	)
	r, s := newRegistry(t)
	must(t, s.Update(t.Context(), beta, func(tx *store.Tx) error { return tx.CreateUser(&store.User{Name: "bob", Path: "/"}) }))
	must(t, r.Create(t.Context(), alpha, "photos", ""))
	b := get(t, r, "photos")
	for _, tc := range []struct {
		name, statement string // or the whole policy, if it begins with "!"
		want            string // what the message begins with; "": accepted
	}{
		{"as-it-should-be", bob + `,` + read + `,` + objs, ""},
		{"a-user", `"Principal":{"AWS":"arn:aws:iam::222222222222:user/bob"},` + read + `,` + objs, ""},
		{"bucket-and-objects", bob + `,"Action":["s3:ListBucket","s3:Get*"],"Resource":["arn:aws:s3:::photos","arn:aws:s3:::photos/*"]`, ""},
		{"both-in-one-pattern", bob + `,"Action":["s3:ListBucket","s3:GetObject"],"Resource":"arn:aws:s3:::photos*"`, ""},
		{"every-action", bob + `,"Action":"*",` + objs, ""},
		{"all-of-s3", bob + `,"Action":"S3:*",` + objs, ""},
		{"not-this-action", bob + `,"NotAction":"s3:ListBucket",` + objs, ""},
		{"not-this-resource", bob + `,"Action":"s3:ListBucket","Not` + objs[1:], ""},
		{"known-keys", bob + `,` + read + `,` + objs + `,"Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"a","aws:PrincipalTag/team":"a","accounts.google.com:sub":"1","s3:VersionId":"v"}}`, ""},

		{"not-json", `!policy`, notJSON},
		{"no-statements", `!{"Version":"2012-10-17","Statement":[]}`, "Could not parse the policy: Statement is empty!"},
		{"no-version-of-ours", `!{"Version":"2020-01-01","Statement":[]}`, "The policy must contain a valid version string"},
		{"an-unknown-element", bob + `,` + read + `,` + objs + `,"Colour":"red"`, "Syntax errors in policy"},
		{"no-principal", read + `,` + objs, "Missing required field Principal"},
		{"no-action", bob + `,` + objs, "Missing required field Action"},
		{"no-resource", bob + `,` + read, noResource},
		{"an-empty-resource-list", bob + `,` + read + `,"Resource":[]`, noResource},

		{"another-bucket", bob + `,` + read + `,"Resource":"arn:aws:s3:::videos/*"`, badResource},
		{"another-bucket-with-this-name-s-beginning", bob + `,` + read + `,"Resource":"arn:aws:s3:::photos2/*"`, badResource},
		{"another-bucket-among-this", bob + `,` + read + `,"Resource":["arn:aws:s3:::photos/*","arn:aws:s3:::videos/*"]`, badResource},
		{"everything", bob + `,` + read + `,"Resource":"*"`, badResource},
		{"a-pattern-of-buckets", bob + `,` + read + `,"Resource":"arn:aws:s3:::phot*/*"`, badResource},
		{"another-partition", bob + `,` + read + `,"Resource":"arn:aws-cn:s3:::photos/*"`, badResource},
		{"an-object-without-a-name", bob + `,` + read + `,"Resource":"arn:aws:s3:::photos/"`, badResource},
		{"not-another-bucket", bob + `,` + read + `,"NotResource":"arn:aws:s3:::videos/*"`, badResource},

		{"an-action-of-another-service", bob + `,"Action":"sqs:SendMessage",` + objs, badAction},
		{"no-such-action", bob + `,"Action":"s3:GetObjects",` + objs, badAction},
		{"no-action-matches", bob + `,"Action":"s3:Fetch*",` + objs, badAction},
		{"an-action-on-no-bucket", bob + `,"Action":"s3:ListAllMyBuckets",` + objs, badAction},
		{"not-no-such-action", bob + `,"NotAction":"s3:GetObjects",` + objs, badAction},
		{"objects-where-the-bucket-is-named", bob + `,` + read + `,"Resource":"arn:aws:s3:::photos"`, inapplicable},
		{"the-bucket-where-objects-are-named", bob + `,"Action":["s3:GetObject","s3:ListBucket"],` + objs, inapplicable},

		{"no-such-user", `"Principal":{"AWS":"arn:aws:iam::222222222222:user/eve"},` + read + `,` + objs, badPrincipal},
		{"no-such-role", `"Principal":{"AWS":["222222222222","arn:aws:iam::222222222222:role/eve"]},` + read + `,` + objs, badPrincipal},
		{"no-such-account", `"Principal":{"AWS":"333333333333"},` + read + `,` + objs, badPrincipal},
		{"not-to-no-such-user", `"NotPrincipal":{"AWS":"arn:aws:iam::222222222222:user/eve"},` + read + `,` + objs, badPrincipal}, // with Deny
		{"a-canonical-user", `"Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},` + read + `,` + objs, badPrincipal},
		{"a-pattern-of-principals", `"Principal":{"AWS":"arn:aws:iam::222222222222:user/*"},` + read + `,` + objs, badPrincipal},

		{"an-unknown-key-of-s3", bob + `,` + read + `,` + objs + `,"Condition":{"StringEquals":{"s3:color":"red"}}`, badKey},
		{"an-unknown-global-key", bob + `,` + read + `,` + objs + `,"Condition":{"StringEquals":{"aws:color":"red"}}`, badKey},
		{"a-key-without-a-prefix", bob + `,` + read + `,` + objs + `,"Condition":{"StringEquals":{"color":"red"}}`, badKey},
		{"an-unknown-operator", bob + `,` + read + `,` + objs + `,"Condition":{"Equals":{"s3:prefix":"red"}}`, "Invalid Condition type"},
		{"not-allow", `!{"Statement":{"Effect":"allow",` + bob + `,` + read + `,` + objs + `}}`, "Invalid effect"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			text, whole := strings.CutPrefix(tc.statement, "!")
			if !whole {
				effect := "Allow"
				if strings.Contains(text, "NotPrincipal") {
					effect = "Deny"
				}
				text = `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `",` + text + `}]}`
			}
			err := r.SetPolicy(t.Context(), b, text)
			refused, ok := errors.AsType[*PolicyError](err)
			switch {
			case tc.want == "" && err != nil:
				t.Errorf("SetPolicy(%s) = %v, want nil", text, err)
			case tc.want != "" && (!ok || refused.Code != "MalformedPolicy" || !strings.HasPrefix(refused.Message, tc.want+" (")):
				t.Errorf("SetPolicy(%s) = %v, want %s", text, err, tc.want)
			}
		})
	}
}

func TestPoliciesHaveALimit(t *testing.T) {
	r, _ := newRegistry(t)
	must(t, r.Create(t.Context(), alpha, "photos", ""))
	b := get(t, r, "photos")
	long := func(n int) string { return strings.Replace(readers, "*", strings.Repeat("k", n-len(readers)+1), 1) }
	spaced := strings.Replace(long(MaxPolicy), "{", "{"+strings.Repeat(" ", 4096), 1)
	for name, text := range map[string]string{"the-largest": long(MaxPolicy), "white-space-is-free": spaced} {
		if err := r.SetPolicy(t.Context(), b, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	err := r.SetPolicy(t.Context(), b, long(MaxPolicy+1))
	if e, ok := errors.AsType[*PolicyError](err); !ok || e.Code != "PolicyTooLarge" {
		t.Errorf("a byte more: %v, want PolicyTooLarge", err)
	}
}

func TestNames(t *testing.T) {
	r, _ := newRegistry(t)
	long := strings.Repeat("a", 64)
	for name, want := range map[string]struct{ create, adopt bool }{
		"my-bucket.1": {true, true}, "abc": {true, true}, long[:63]: {true, true},
		"ab": {}, "": {}, "a/b": {}, "a\x00b": {}, "bücher": {}, "a b c": {},
		long: {false, true}, "Photos": {false, true}, "my_bucket": {false, true}, "-ab": {false, true}, "ab-": {false, true}, "a..b": {false, true},
		"192.168.0.1": {false, true}, "xn--a": {false, true}, "a-s3alias": {false, true}, "a--x-s3": {false, true},
		strings.Repeat("a", 256): {},
	} {
		err := r.Create(t.Context(), alpha, name, "")
		if want.create != (err == nil) || err != nil && !errors.Is(err, store.ErrInvalid) {
			t.Errorf("Create(%q) = %v, want success %t", name, err, want.create)
		}
		if err == nil {
			must(t, r.Delete(t.Context(), get(t, r, name)))
		}
		err = r.Adopt(t.Context(), alpha, name, "")
		if want.adopt != (err == nil) || err != nil && !errors.Is(err, store.ErrInvalid) {
			t.Errorf("Adopt(%q) = %v, want success %t", name, err, want.adopt)
		}
	}
}
