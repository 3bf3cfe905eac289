// SPDX-License-Identifier: Apache-2.0

package arn

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	good := map[string]Parts{
		"arn:aws:s3:::bucket/a:b":                           {"aws", "s3", "", "", "bucket/a:b"},
		"arn:aws:iam::111122223333:user/a/ann":              {"aws", "iam", "", "111122223333", "user/a/ann"},
		"arn:aws-cn:ec2:cn-north-1:111122223333:instance/i": {"aws-cn", "ec2", "cn-north-1", "111122223333", "instance/i"},
		"arn:aws:iam::aws:policy/ReadOnlyAccess":            {"aws", "iam", "", "aws", "policy/ReadOnlyAccess"},
		"arn:aws:s3:::bucket/*":                             {"aws", "s3", "", "", "bucket/*"}, // a star in an object key
		"arn:aws:logs:us-east-1:111122223333:log-group:g:*": {"aws", "logs", "us-east-1", "111122223333", "log-group:g:*"},
	}
	for in, want := range good {
		got, err := Parse(in)
		if err != nil || got.Parts() != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", in, got.Parts(), err, want)
		}
		if s := got.Parts().String(); s != in {
			t.Errorf("Parse(%q).Parts().String() = %q", in, s)
		}
	}
	bad := []string{"", "*", "arn", "arn:", "arn:aws:s3", "arn:aws:s3:::", "arn:aws::::x", "arn::s3:::x", "ARN:aws:s3:::x", "arn:*:s3:::x",
		"arn:aws:s*:::x", "arn:aws:s3:*::x", "arn:aws:iam::1111 2222:x", "arn:aws:iam::é:x", " arn:aws:s3:::x",
		"arn:aws:s3:::" + strings.Repeat("x", MaxLength)}
	for _, in := range bad {
		if got, err := Parse(in); !errors.Is(err, ErrInvalid) {
			t.Errorf("Parse(%q) = %q, %v, want ErrInvalid", in, got, err)
		}
	}
}

func TestParseAccountID(t *testing.T) {
	if got, err := ParseAccountID("012345678901"); err != nil || got != "012345678901" {
		t.Errorf("ParseAccountID = %q, %v", got, err)
	}
	for _, in := range []string{"", "aws", "12345678901", "1234567890123", "12345678901a", "１２３４"} {
		if _, err := ParseAccountID(in); !errors.Is(err, ErrInvalid) {
			t.Errorf("ParseAccountID(%q) gives %v, want ErrInvalid", in, err)
		}
	}
}

func TestUnmarshal(t *testing.T) {
	var v struct {
		A ARN
		B AccountID
	}
	if err := json.Unmarshal([]byte(`{"A": "arn:aws:s3:::b", "B": "111122223333"}`), &v); err != nil || v.A != "arn:aws:s3:::b" || v.B != "111122223333" {
		t.Errorf("Unmarshal = %+v, %v", v, err)
	}
	for _, in := range []string{`{"A": "b"}`, `{"B": "1"}`} {
		if err := json.Unmarshal([]byte(in), &v); !errors.Is(err, ErrInvalid) {
			t.Errorf("Unmarshal(%s) gives %v, want ErrInvalid", in, err)
		}
	}
}

func TestEntity(t *testing.T) {
	const a = "111122223333"
	tests := []struct {
		arn  ARN
		text string
		want Entity
	}{
		{Root(a), "arn:aws:iam::111122223333:root", Entity{"aws", a, KindRoot, "", "", ""}},
		{User(a, "/", "ann"), "arn:aws:iam::111122223333:user/ann", Entity{"aws", a, KindUser, "/", "ann", ""}},
		{User(a, "/a/b/", "ann"), "arn:aws:iam::111122223333:user/a/b/ann", Entity{"aws", a, KindUser, "/a/b/", "ann", ""}},
		{Group(a, "/", "g"), "arn:aws:iam::111122223333:group/g", Entity{"aws", a, KindGroup, "/", "g", ""}},
		{Role(a, "/x/", "r"), "arn:aws:iam::111122223333:role/x/r", Entity{"aws", a, KindRole, "/x/", "r", ""}},
		{Policy(a, "/", "p"), "arn:aws:iam::111122223333:policy/p", Entity{"aws", a, KindPolicy, "/", "p", ""}},
		{Policy(ManagedAccount, "/job-function/", "Billing"), "arn:aws:iam::aws:policy/job-function/Billing",
			Entity{"aws", "aws", KindPolicy, "/job-function/", "Billing", ""}},
		{InstanceProfile(a, "/", "i"), "arn:aws:iam::111122223333:instance-profile/i", Entity{"aws", a, KindInstanceProfile, "/", "i", ""}},
		{AssumedRole(a, "r", "s"), "arn:aws:sts::111122223333:assumed-role/r/s", Entity{"aws", a, KindAssumedRole, "", "r", "s"}},
		{FederatedUser(a, "f"), "arn:aws:sts::111122223333:federated-user/f", Entity{"aws", a, KindFederatedUser, "", "f", ""}},
		{"arn:aws-cn:iam::111122223333:user/ann", "arn:aws-cn:iam::111122223333:user/ann", Entity{"aws-cn", a, KindUser, "/", "ann", ""}},
		{"arn:aws:iam::111122223333:oidc-provider/h/id/x", "arn:aws:iam::111122223333:oidc-provider/h/id/x",
			Entity{"aws", a, KindOIDCProvider, "", "h/id/x", ""}},
	}
	for _, tt := range tests {
		if string(tt.arn) != tt.text {
			t.Errorf("constructor = %q, want %q", tt.arn, tt.text)
		}
		if got, err := Parse(tt.text); err != nil || got != tt.arn {
			t.Errorf("Parse(%q) = %q, %v", tt.text, got, err)
		}
		if got, ok := tt.arn.Entity(); !ok || got != tt.want {
			t.Errorf("SplitEntity(%q) = %+v, %v, want %+v", tt.text, got, ok, tt.want)
		}
	}
	bad := []string{"", "arn:aws:iam::111122223333:user", "arn:aws:iam::111122223333:user/", "arn:aws:iam::111122223333:user/a/",
		"arn:aws:iam::111122223333:root/x", "arn:aws:iam::111122223333:nothing/x", "arn:aws:iam:::user/x", "arn:aws:s3:::user/x",
		"arn:aws:iam:us-east-1:111122223333:user/x", "arn:aws:iam::111122223333:assumed-role/r/s", "arn:aws:sts::111122223333:user/x",
		"arn:aws:sts::111122223333:assumed-role/r", "arn:aws:sts::111122223333:assumed-role/r/", "arn:aws:sts::111122223333:assumed-role//s",
		"arn:aws:sts::111122223333:assumed-role/p/r/s", "arn:aws:sts::111122223333:federated-user/"}
	for _, in := range bad {
		if got, ok := SplitEntity(in); ok {
			t.Errorf("SplitEntity(%q) = %+v, want none", in, got)
		}
	}
}

func TestSplitDoesNotAllocate(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		Split("arn:aws:s3:::bucket/key")
		SplitEntity("arn:aws:iam::111122223333:user/a/b/ann")
		Match("arn:aws:s3:::*/k?y", "arn:aws:s3:::bucket/key")
	})
	if n != 0 {
		t.Errorf("splitting and matching allocate %v times, want 0", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("arn:aws:s3:::bucket/key:x")
	f.Add("arn:aws:iam::111122223333:user/a/b/ann")
	f.Add("arn:aws:sts::111122223333:assumed-role/app/ann")
	f.Fuzz(func(t *testing.T, s string) {
		if p, ok := Split(s); ok && p.String() != s {
			t.Errorf("Split(%q).String() = %q", s, p)
		}
		a, err := Parse(s)
		if err != nil {
			return
		}
		p := a.Parts()
		if again, err := Parse(string(Make(p.Partition, p.Service, p.Region, p.Account, p.Resource))); again != a || err != nil {
			t.Errorf("Make of the parts of %q = %q, %v", s, again, err)
		}
		e, ok := a.Entity()
		if !ok || e.Partition != Partition {
			return
		}
		var back ARN
		switch account := AccountID(e.Account); {
		case e.Kind == KindRoot:
			back = Root(account)
		case e.Kind == KindAssumedRole:
			back = AssumedRole(account, e.Name, e.Session)
		case e.Kind == KindFederatedUser:
			back = FederatedUser(account, e.Name)
		case e.Path != "":
			back = entity(account, e.Kind, e.Path, e.Name)
		default:
			return
		}
		if back != a {
			t.Errorf("the parts of %q make %q", a, back)
		}
	})
}
