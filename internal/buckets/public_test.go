// SPDX-License-Identifier: Apache-2.0

package buckets

import (
	"fmt"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// statement returns a policy of one statement that allows to a principal, under
// conditions.
func statement(principal, conditions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":` + principal +
		`,"Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*","Condition":{` + conditions + `}}]}`
}

// Tests Q136 and Q137, too. The rules are those of the S3 User Guide, "The meaning
// of public".
func TestPublic(t *testing.T) {
	const (
		all  = `"*"`
		some = `{"AWS":["arn:aws:iam::111111111111:user/ann","222222222222"],"Service":"logging.s3.amazonaws.com"}`
	)
	wide := make([]string, 0, 17)
	for i := range 17 {
		wide = append(wide, fmt.Sprintf(`"%d.0.0.0/8"`, 20+i))
	}
	for _, tc := range []struct {
		name, principal, conditions string
		want                        bool
	}{
		{"everyone", all, "", true},
		{"everyone-of-aws", `{"AWS":"*"}`, "", true},
		{"everyone-among-others", `{"AWS":["222222222222","*"]}`, "", true},
		{"named-principals", some, "", false},
		{"an-account-by-its-root", `{"AWS":"arn:aws:iam::222222222222:root"}`, "", false},
		{"a-service", `{"Service":"logging.s3.amazonaws.com"}`, "", false},

		{"an-organization", all, `"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}`, false},
		{"a-key-in-another-letter-case", all, `"StringEquals":{"AWS:principalorgid":"o-abcdefghij"}`, false},
		{"an-organization-by-a-pattern", all, `"StringLike":{"aws:PrincipalOrgID":"o-*"}`, true},
		{"a-pattern-among-fixed-values", all, `"StringLike":{"aws:PrincipalOrgID":["o-abcdefghij","o-?"]}`, true},
		{"like-without-a-pattern", all, `"StringLike":{"aws:PrincipalOrgID":"o-abcdefghij"}`, false},
		{"if-exists-lets-those-in-who-have-none", all, `"StringEqualsIfExists":{"aws:PrincipalOrgID":"o-abcdefghij"}`, true},
		{"all-values-of-none", all, `"ForAllValues:StringEquals":{"aws:PrincipalOrgPaths":"o-a/r-b/ou-c/"}`, true},
		{"any-value", all, `"ForAnyValue:StringEquals":{"aws:PrincipalOrgPaths":"o-a/r-b/ou-c/"}`, false},
		{"not-equal", all, `"StringNotEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}`, true},
		{"not-null", all, `"Null":{"aws:PrincipalOrgID":"false"}`, true},
		{"nothing-is-no-value", all, `"StringEquals":{"aws:PrincipalOrgID":""}`, true},
		{"no-values", all, `"StringEquals":{"aws:PrincipalOrgID":[]}`, true},
		{"a-policy-variable", all, `"StringEquals":{"aws:PrincipalAccount":"${aws:ResourceAccount}"}`, true},

		{"a-principal", all, `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/app"}`, false},
		{"principals-by-a-pattern", all, `"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::111111111111:role/*"}`, true},
		{"a-user-id", all, `"StringEquals":{"aws:userid":"AIDA1111111111111111"}`, false},
		{"sessions-of-a-role", all, `"StringLike":{"aws:userid":"AROA1111111111111111:*"}`, true},
		{"the-user-id-of-nobody", all, `"StringEquals":{"aws:userid":"anonymous"}`, true},
		{"a-user-name-of-any-account", all, `"StringEquals":{"aws:username":"ann"}`, true},

		{"a-network-of-aws", all, `"StringEquals":{"aws:SourceVpc":"vpc-91237329"}`, false},
		{"networks-of-aws-by-a-pattern", all, `"StringLike":{"aws:SourceVpc":"vpc-*"}`, true},
		{"an-endpoint", all, `"StringEquals":{"aws:SourceVpce":"vpce-1a2b3c4d"}`, false},
		{"a-source-account", all, `"StringEquals":{"aws:SourceAccount":"222222222222"}`, false},
		{"a-source", all, `"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::logged"}`, false},
		{"access-points-of-an-account", all, `"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:222222222222:accesspoint/*"}`, false},
		{"access-points-of-any-account", all, `"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:us-east-1:*:accesspoint/mine"}`, true},
		{"a-key-of-kms", all, `"StringEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"arn:aws:kms:us-east-1:111111111111:key/k"}`, true},
		{"a-referer", all, `"StringEquals":{"aws:Referer":"https://example.com/"}`, true},
		{"transport", all, `"Bool":{"aws:SecureTransport":"true"}`, true},
		{"one-of-two-conditions-is-enough", all, `"Bool":{"aws:SecureTransport":"true"},"StringEquals":{"aws:SourceVpc":"vpc-1"}`, false},

		{"an-address", all, `"IpAddress":{"aws:SourceIp":"203.0.113.7"}`, false},
		{"a-network", all, `"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}`, false},
		{"private-networks", all, `"IpAddress":{"aws:SourceIp":["10.0.0.0/8","172.16.0.0/12","192.168.0.0/16"]}`, false},
		{"half-of-all", all, `"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}`, true},
		{"wider-than-a-class-a", all, `"IpAddress":{"aws:SourceIp":["203.0.113.0/24","10.0.0.0/7"]}`, true},
		{"wide-in-ipv6", all, `"IpAddress":{"aws:SourceIp":"2000::/31"}`, true},
		{"all-of-ipv4-in-ipv6", all, `"IpAddress":{"aws:SourceIp":"::ffff:0.0.0.0/96"}`, true},
		{"a-network-of-ipv4-in-ipv6", all, `"IpAddress":{"aws:SourceIp":"::ffff:10.0.0.0/104"}`, false},
		{"sixteen-of-the-widest", all, `"IpAddress":{"aws:SourceIp":[` + strings.Join(wide[:16], ",") + `]}`, false},
		{"seventeen-of-the-widest", all, `"IpAddress":{"aws:SourceIp":[` + strings.Join(wide, ",") + `]}`, true},
		{"all-but-a-network", all, `"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}`, true},
		{"addresses-as-texts", all, `"StringEquals":{"aws:SourceIp":"203.0.113.7"}`, true},
		{"an-address-that-another-key-has", all, `"IpAddress":{"aws:VpcSourceIp":"10.0.0.0/8"}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := isPublic(store.NewDocument("", statement(tc.principal, tc.conditions))); got != tc.want {
				t.Errorf("isPublic of %s under {%s} = %t, want %t", tc.principal, tc.conditions, got, tc.want)
			}
		})
	}
}

func TestPublicIsAboutWhatIsAllowed(t *testing.T) {
	deny := strings.Replace(statement(`"*"`, ""), "Allow", "Deny", 1)
	both := `{"Statement":[` +
		`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::photos/*"},` +
		`{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}]}`
	for text, want := range map[string]bool{deny: false, both: true, "{": true, `{"Statement":[{"Effect":"Allow","NotPrincipal":{"AWS":"222222222222"},"Action":"s3:GetObject","Resource":"*"}]}`: true} {
		if got := isPublic(store.NewDocument("", text)); got != want {
			t.Errorf("isPublic(%s) = %t, want %t", text, got, want)
		}
	}
}

// pick takes the next byte off a tape and returns the word that it stands for.
func pick(tape *[]byte, words []string) string {
	if len(*tape) == 0 {
		return words[0]
	}
	i := int((*tape)[0])
	*tape = (*tape)[1:]
	return words[i%len(words)]
}

// Words of the policies that FuzzPublic makes. No stranger has any of the fixed
// values.
var (
	whoms      = []string{`"*"`, `{"AWS":"*"}`, `{"AWS":"222222222222"}`, `{"AWS":["*","222222222222"]}`, `{"Service":"logging.s3.amazonaws.com"}`}
	effects    = []string{"Allow", "Allow", "Allow", "Deny"}
	qualifiers = []string{"", "", "ForAllValues:", "ForAnyValue:"}
	operators  = []string{"StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "ArnLike", "ArnEquals", "ArnNotLike", "IpAddress", "NotIpAddress", "StringEqualsIgnoreCase"}
	suffixes   = []string{"", "", "IfExists"}
	keys       = []string{"aws:SourceIp", "aws:PrincipalOrgID", "aws:PrincipalArn", "aws:PrincipalAccount", "aws:userid", "aws:SourceVpc", "aws:SourceArn", "aws:Referer",
		"aws:PrincipalOrgPaths", "s3:DataAccessPointArn", "aws:username", "s3:x-amz-server-side-encryption-aws-kms-key-id"}
	texts = []string{"o-abcdefghij", "*", "o-*", "222222222222", "arn:aws:iam::222222222222:role/app", "arn:aws:iam::*:role/app", "", "anonymous", "${aws:username}", "vpc-1", "?*",
		"arn:aws:s3:us-east-1:222222222222:accesspoint/*", "${aws:PrincipalAccount}", "arn:*"}
	ranges = []string{"203.0.113.0/24", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "::/0", "::ffff:0:0/96", "10.0.0.0/8", "192.0.0.0/4", "2000::/3", "64.0.0.0/2"}
)

// strangers are callers who have nothing that a policy would fix.
var strangers = func() (list []policy.Request) {
	for _, p := range []policy.Principal{
		{},
		{Type: policy.User, Account: "999999999999", ARN: "arn:aws:iam::999999999999:user/eve", ID: "AIDA9999999999999999"},
		{Type: policy.RoleSession, Account: "999999999999", ARN: "arn:aws:sts::999999999999:assumed-role/app/eve", ID: "AROA9999999999999999", Role: "arn:aws:iam::999999999999:role/app"},
	} {
		for _, ip := range []string{"1.2.3.4", "77.88.99.11", "198.51.100.9", "230.1.2.3", "2001:db8:99::1", "2a00::1"} {
			for _, chosen := range []string{"", "o-abcdefghij", "arn:aws:iam::222222222222:role/app"} {
				c := map[string]string{"aws:SourceIp": ip}
				if chosen != "" {
					c["aws:Referer"], c["s3:x-amz-server-side-encryption-aws-kms-key-id"] = chosen, chosen
				}
				switch p.Type {
				case policy.Anonymous:
					c["aws:userid"], c["aws:PrincipalType"] = "anonymous", "Anonymous"
				case policy.User:
					c["aws:userid"], c["aws:username"] = p.ID, "eve"
				default:
					c["aws:userid"] = p.ID + ":eve"
				}
				if p.Account != "" {
					c["aws:PrincipalArn"], c["aws:PrincipalAccount"] = p.ARN, p.Account
					c["aws:PrincipalOrgID"] = "o-strangers9"
				}
				list = append(list, policy.Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/cat", ResourceAccount: alpha, Context: c})
			}
		}
	}
	return list
}()

// FuzzPublic: a policy that lets a stranger in is public.
func FuzzPublic(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 0, 0, 1, 7, 0, 0, 1, 1})
	f.Add([]byte{1, 0, 2, 2, 0, 0, 0, 1, 0, 3, 1, 1, 7, 0, 0, 5, 0, 2})
	allow := policy.Set{Identity: []*policy.Policy{store.NewDocument("all", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`).Compiled(policy.Identity)}}
	f.Fuzz(func(t *testing.T, tape []byte) {
		text := fromTape(&tape)
		doc := store.NewDocument("photos", text)
		if isPublic(doc) {
			return
		}
		set := allow
		set.Resource = doc.Compiled(policy.Resource)
		for i := range strangers {
			r := &strangers[i]
			if d := policy.Decide(r, &set); d.Outcome == policy.Allowed {
				t.Fatalf("%s\nis not public, and allows %s (%v) with %v", text, r.Principal.ARN, r.Principal.Type, r.Context)
			}
		}
	})
}

// fromTape makes a policy of what is on a tape.
func fromTape(tape *[]byte) string {
	var statements []string
	for range 2 {
		whom, effect := pick(tape, whoms), pick(tape, effects)
		var conditions []string
		for i := range len(*tape) % 3 {
			op, key := pick(tape, operators), pick(tape, keys)
			words := texts
			if strings.HasSuffix(op, "IpAddress") {
				words, key = ranges, keys[0]
			}
			values := `"` + pick(tape, words) + `"`
			if i == 0 {
				values += `,"` + pick(tape, words) + `"`
			}
			conditions = append(conditions, fmt.Sprintf("%q:{%q:[%s]}", pick(tape, qualifiers)+op+pick(tape, suffixes), key, values))
		}
		statements = append(statements, fmt.Sprintf(`{"Effect":%q,"Principal":%s,"Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*","Condition":{%s}}`,
			effect, whom, strings.Join(conditions, ",")))
	}
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}
