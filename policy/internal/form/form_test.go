// SPDX-License-Identifier: Apache-2.0

package form

import (
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

func TestAction(t *testing.T) {
	for _, tc := range []struct{ name, text, message, aws string }{
		{"everything", "*", "", ""},
		{"an-action", "s3:GetObject", "", ""},
		{"wildcards-in-the-name", "s3-x.y:Get*?", "", ""},
		{"any-service", "*:Get", "", ""},
		{"nothing", "", "names no service", NoVendor},
		{"no-service", "GetObject", "names no service", NoVendor},
		{"a-variable", "s3:${aws:username}", "has a variable", oneColon},
		{"two-actions", "s3:Get,s3:Put", "is several", oneColon},
		{"two-colons", "s3:a:b", "more than one colon", oneColon},
		{"a-wildcard-in-the-service", "s*:Get", "may have letters", "Vendor s* is not valid"},
		{"an-empty-service", ":Get", "may have letters", "Vendor  is not valid"},
		{"an-empty-name", "s3:", "names no action", LegacyParsing},
		{"a-blank", "s3:Get Object", "has a blank", LegacyParsing},
	} {
		t.Run(tc.name, func(t *testing.T) { check(t, tc.text, Action(tc.text), tc.message, tc.aws) })
	}
}

// check compares a fault with a part of its message; "" is none.
func check(t *testing.T, text string, got Fault, message, aws string) {
	t.Helper()
	if (got == Fault{}) != (message == "") || !strings.Contains(got.Message, message) || got.AWS != aws {
		t.Errorf("%q: fault %+v, want %q and %q", text, got, message, aws)
	}
}

func TestResource(t *testing.T) {
	for _, tc := range []struct {
		name, text, message, aws string
		malformed                bool
	}{
		{"everything", "*", "", "", false},
		{"a-bucket", "arn:aws:s3:::b/*", "", "", false},
		{"a-short-arn", "arn:aws:sqs", "", "", false},
		{"any-partition", "arn:*:s3:::b", "", "", false},
		{"a-type-of-iam", "arn:aws:iam::111122223333:user/x", "", "", false},
		{"a-variable-of-iam", "arn:aws:iam::111122223333:${aws:username}", "", "", false},
		{"no-arn", "bucket", "neither an ARN", NotARN("bucket"), false},
		{"another-partition", "arn:oz:s3:::b", "partition", `Partition "oz" is not valid for resource "arn:oz:s3:::b".`, false},
		{"another-partition-of-a-short-arn", "arn:oz", "partition", `Partition "oz" is not valid for resource "arn:oz:*:*:*:*".`, false},
		{"another-beginning", "urn:aws:s3:::b", "does not begin", NotARN("urn:aws:s3:::b"), false},
		{"no-service", "arn:aws", "names no service", unqualified, false},
		{"a-wildcard-in-the-service", "arn:aws:s*:::b", "wildcard", unqualified, false},
		{"a-region-of-iam", "arn:aws:iam:us-east-1::user/x", "no regions", "IAM resource arn:aws:iam:us-east-1::user/x cannot contain region information.", false},
		{"a-region-of-s3", "arn:aws:s3:us-east-1::b", "no region", "Resource arn:aws:s3:us-east-1::b can not contain region information.", false},
		{"no-type-of-iam", "arn:aws:iam::111122223333:x", "of no type", IAMResourcePath, false},
		{"an-empty-service", "arn:aws::::b", "not all parts", LegacyParsing, true},
		{"a-part-left-out", "arn:aws:s3::b", "not all parts", LegacyParsing, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, malformed := Resource(tc.text)
			check(t, tc.text, got, tc.message, tc.aws)
			if malformed != tc.malformed {
				t.Errorf("Resource(%q) is malformed: %v, want %v", tc.text, malformed, tc.malformed)
			}
		})
	}
}

func TestPrincipal(t *testing.T) {
	const account = "111122223333"
	for _, tc := range []struct {
		name, typ, text string
		trust           bool
		fix             string // a part of it; "" for none
	}{
		{"everyone", "AWS", "*", true, ""},
		{"an-account", "AWS", account, false, ""},
		{"a-role", "AWS", "arn:aws:iam::" + account + ":role/team/app", true, ""},
		{"a-session", "AWS", "arn:aws:sts::" + account + ":assumed-role/app/s", true, ""},
		{"the-id-of-a-deleted-user", "AWS", "AIDAABCDEFGHIJKLMNOP", true, ""},
		{"an-origin-access-identity", "AWS", "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1", false, ""},
		{"an-id-that-is-too-short", "AWS", "AIDAABC", true, "write an account id"},
		{"an-id-in-lower-case", "AWS", "AIDAabcdefghijklmnop", true, "write an account id"},
		{"a-group", "AWS", "arn:aws:iam::" + account + ":group/g", false, "write an account id"},
		{"a-wildcard", "AWS", "arn:aws:iam::" + account + ":role/*", false, "principals cannot have wildcards"},
		{"a-variable", "AWS", "${aws:username}", false, "principals cannot have variables"},
		{"a-service", "Service", "ec2.amazonaws.com", true, ""},
		{"a-service-without-a-domain", "Service", "ec2", true, "ec2.amazonaws.com"},
		{"two-services", "Service", "a.b c.d", true, "write one principal"},
		{"every-service", "Service", "*", true, "principals cannot have wildcards"},
		{"a-provider", "Federated", "accounts.example.com", true, ""},
		{"no-provider", "Federated", "", true, "write one principal"},
		{"a-canonical-user", "CanonicalUser", "79a5", false, ""},
		{"a-canonical-user-of-a-trust-policy", "CanonicalUser", "79a5", true, "use AWS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := Principal(tc.typ, tc.text, tc.trust)
			if (got == Fault{}) != (tc.fix == "") || !strings.Contains(got.Fix, tc.fix) {
				t.Errorf("Principal(%s, %q) = %+v, want the fix %q", tc.typ, tc.text, got, tc.fix)
			}
			if want := `Invalid principal in policy: "` + tc.typ + `":"` + tc.text + `"`; tc.fix != "" && got.AWS != want {
				t.Errorf("Principal(%s, %q).AWS = %q, want %q", tc.typ, tc.text, got.AWS, want)
			}
		})
	}
}

func TestNamesOfElements(t *testing.T) {
	for _, tc := range []struct {
		name, word  string
		allowed     []string
		likely, fix string
	}{
		{"another-letter-case", "action", StatementElements, "Action", `write "Action": element names are case-sensitive`},
		{"a-slip", "Statment", DocumentElements, "Statement", `did you mean "Statement"?`},
		{"an-element-of-statements", "Effect", DocumentElements, "", `put it into "Statement"`},
		{"an-element-of-documents", "Version", StatementElements, "", "put it at the top level"},
		{"a-type-of-principal", "CanonicalUser", StatementElements, "", `put it into "Principal"`},
		{"no-element", "Purpose", DocumentElements, "", "remove it; allowed are Version, Id, Statement"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if likely, fix := Unknown(tc.word, tc.allowed); likely != tc.likely || fix != tc.fix {
				t.Errorf("Unknown(%q) = %q, %q, want %q, %q", tc.word, likely, fix, tc.likely, tc.fix)
			}
		})
	}
	for word, want := range map[string]string{"service": `did you mean "Service"?`, "*": `write "AWS"`, "Group": "allowed are AWS, Service, Federated, CanonicalUser"} {
		if got := UnknownType(word); got != want {
			t.Errorf("UnknownType(%q) = %q, want %q", word, got, want)
		}
	}
	for text, want := range map[string]string{"ec2.amazonaws.com": "Service", "arn:aws:iam::111122223333:saml-provider/p": "Federated", "arn:aws:iam::111122223333:root": "AWS"} {
		if got := TypeOf(text); got != want {
			t.Errorf("TypeOf(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestBegin(t *testing.T) {
	for _, tc := range []struct{ name, src, want string }{
		{"an-object", " {", ""},
		{"something-else-that-is-json", "[1]", ""},
		{"a-number", "12", ""},
		{"nothing", " \n", "the document is empty"},
		{"an-encoded-document", "%7B%22", "the document is URL-encoded"},
		{"the-name-of-a-file", "policy.json", `the document must be an object in braces, not "policy"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := jsontext.NewReader(tc.src, func(string, jsontext.Position, jsontext.Position) {})
			ok := Begin(r, tc.src)
			if ok != (tc.want == "") || !ok && r.Err.Message != tc.want {
				t.Errorf("Begin(%q) = %v, %+v, want %q", tc.src, ok, r.Err, tc.want)
			}
		})
	}
}

func TestCharacters(t *testing.T) {
	for _, tc := range []struct {
		name, src string
		pos       jsontext.Position
		bad       rune
	}{
		{"blanks-and-latin-letters", "\t{\r\n \"é\": \"ÿ\"}", jsontext.Position{}, 0},
		{"a-control-character", "{\n \x01", jsontext.Position{Line: 2, Column: 2}, 1},
		{"beyond-latin", "é€", jsontext.Position{Line: 1, Column: 3}, '€'},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if pos, c, found := BadCharacter(tc.src); pos != tc.pos || c != tc.bad || found != (tc.bad != 0) {
				t.Errorf("BadCharacter(%q) = %v, %q, %v, want %v, %q", tc.src, pos, c, found, tc.pos, tc.bad)
			}
		})
	}
	for sid, want := range map[string]bool{"": true, "Read1": true, "read own": false, "é": false} {
		if got := IsSid(sid); got != want {
			t.Errorf("IsSid(%q) = %v, want %v", sid, got, want)
		}
	}
}
