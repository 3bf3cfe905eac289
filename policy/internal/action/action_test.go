// SPDX-License-Identifier: Apache-2.0

package action

import (
	"slices"
	"strings"
	"testing"
	"unique"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"*", []string{"s3:GetObject", "x:", ":"}, nil},
		{"**", []string{"s3:GetObject"}, nil},
		{"s3:GetObject", []string{"s3:GetObject", "S3:GETOBJECT"}, []string{"s3:GetObjects", "s3:GetObjec", "ss:GetObject"}},
		{"S3:getobject", []string{"s3:GetObject"}, []string{"s3:PutObject"}},
		{"s3:Get*", []string{"s3:Get", "s3:GetObject", "S3:gETx"}, []string{"s3:Ge", "s3:PutGet", "s4:GetObject", "s3"}},
		{"s3:*", []string{"s3:GetObject", "S3:", "s3"}, []string{"s3x:GetObject", "sqs:GetObject"}},
		{"s3:*Object", []string{"s3:Object", "s3:GetObject", "s3:OBJECTobject"}, []string{"s3:GetObjects", "s3:bject", "sx:Object"}},
		{"s3:Get*Tagging", []string{"s3:GetTagging", "s3:GetObjectTagging"}, []string{"s3:GeTagging", "s3:GetTaggin", "s3:GetTaggingX"}},
		{"s3:*a*", []string{"s3:a", "s3:bab"}, []string{"s3:b", "s4:a"}},
		{"s3:G?t", []string{"s3:Get", "s3:got", "s3:Gét"}, []string{"s3:Gt", "s3:Geet"}},
		{"s?:Get", []string{"s3:Get", "sx:GET"}, []string{"s:Get", "s3:Put"}},
		{"*:Get", []string{"s3:Get", ":Get"}, []string{"s3:x:Get", "s3:Put"}},
		{"s*:x:Get", []string{"s3:x:Get"}, []string{"s3:Get", "a:x:Get"}},
		{"elasticloadbalancing:Set*", []string{"ElasticLoadBalancing:SetSubnets"}, []string{"elasticloadbalancingv:SetSubnets"}},
		{"s3:Get", []string{"S3:get"}, []string{"s3:Got", "s3:Gets"}},
		{"iam:ListAttachedUserPolicies", []string{"iam:listattacheduserpolicies"}, []string{"iam:ListAttachedRolePolicies", "iam:ListAttachedUserPolicie"}},
		{"license-manager-linux-subscriptions:Register*", []string{"License-Manager-Linux-Subscriptions:RegisterX"}, []string{"license-manager-linux-subscriptions:Reg"}},
		{"kelvin:K", []string{"KELVIN:k"}, []string{"\u212Aelvin:K", "kelvin:\u212A"}}, // quirk Q015
	}
	for _, tt := range tests {
		p, mask, ok := Parse(tt.pattern)
		if !ok {
			t.Errorf("Parse(%q) is refused", tt.pattern)
			continue
		}
		for i, text := range append(slices.Clone(tt.yes), tt.no...) {
			var n Name
			n.Read(text)
			want := i < len(tt.yes)
			if got := p.Match(&n); got != want {
				t.Errorf("%q matches %q: %v, want %v", tt.pattern, text, got, want)
			}
			if want && mask&n.Mask == 0 {
				t.Errorf("the mask of %q is not of %q, which it matches", tt.pattern, text)
			}
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "GetObject", "s3:Get,s3:Put", "s3: Get", "s3:Get\n", "?"} {
		if p, mask, ok := Parse(text); ok || mask != 0 {
			t.Errorf("Parse(%q) = %+v, %b, want it refused", text, p, mask)
		}
	}
}

func TestNameWithoutColonIsAService(t *testing.T) {
	var n, m Name
	n.Read("s3")
	m.Read("s3:")
	if n != m || !n.Is("s3:") {
		t.Errorf("Read = %+v, want %+v", n, m)
	}
}

// TestSearch looks for names in a long list, which has what they match only by one
// of its patterns.
func TestSearch(t *testing.T) {
	texts := strings.Fields(`s3:GetObject s3:PutObject s3:DeleteObject sqs:SendMessage sqs:ReceiveMessage sns:Publish ec2:RunInstances iam:GetUser
		iam:ListUsers kms:Decrypt s3:List* dynamodb:*Item lambda:Invoke* lambda:Get?unction l*s:Describe* ?xx:Any logs:*`)
	names := map[string]string{ // by the pattern that matches them
		"S3:putobject": "s3:PutObject", "iam:getuser": "iam:GetUser", "kms:Decrypt": "kms:Decrypt", "s3:ListBucket": "s3:List*", "dynamodb:PutItem": "dynamodb:*Item",
		"lambda:InvokeFunction": "lambda:Invoke*", "lambda:GetFunction": "lambda:Get?unction", "libs:DescribeX": "l*s:Describe*", "axx:any": "?xx:Any", "logs:Put": "logs:*",
	}
	for name, by := range names {
		var n Name
		n.Read(name)
		for _, without := range []bool{false, true} {
			var list []Pattern
			exact := 0
			for _, text := range texts {
				p, _, ok := Parse(text)
				if !ok {
					t.Fatalf("Parse(%q) is refused", text)
				}
				if without && text == by {
					continue
				}
				if p.IsExact() {
					exact++
				}
				list = append(list, p)
			}
			slices.SortFunc(list, Compare)
			handles := make([]unique.Handle[Pattern], len(list))
			for i, p := range list {
				handles[i] = unique.Make(p)
			}
			if got := Search(handles[:exact], handles[exact:], &n); got == without {
				t.Errorf("Search of %q, without %q: %v, is %v", name, by, without, got)
			}
		}
	}
}
