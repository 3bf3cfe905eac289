// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPrincipalOf(t *testing.T) {
	const iam, sts = "arn:aws:iam::" + accountA + ":", "arn:aws-cn:sts::" + accountA + ":"
	for name, want := range map[string]PrincipalType{
		iam + "root": Root, iam + "user/alice": User, iam + "user/a/b/alice": User,
		sts + "assumed-role/app/s1": RoleSession, sts + "federated-user/f": FederatedUser,
	} {
		if got, err := PrincipalOf(name); err != nil || got != (Principal{Type: want, ARN: name, Account: accountA}) {
			t.Errorf("PrincipalOf(%s) = %+v, %v, want type %d", name, got, err, want)
		}
	}
	for name, want := range map[string]string{
		iam + "role/p/app":               "arn:aws:sts::" + accountA + ":assumed-role/app/SESSION",
		iam + "group/g":                  "is not the ARN of a principal",
		"arn:aws:iam::aws:user/alice":    "is not the ARN of a principal",
		sts + "assumed-role/app":         "is not the ARN of a principal",
		iam + "assumed-role/app/s1":      "is not the ARN of a principal",
		"arn:aws:iam::1:user/alice":      "is not the ARN of a principal",
		"anonymous":                      "is not the ARN of a principal",
		"":                               "is not the ARN of a principal",
		"arn:aws:s3:::bucket":            "is not the ARN of a principal",
		"arn:aws:iam::" + accountA + ":": "is not the ARN of a principal",
	} {
		if got, err := PrincipalOf(name); err == nil || !strings.Contains(err.Error(), want) || got != (Principal{}) {
			t.Errorf("PrincipalOf(%q) = %+v, %v, want %q", name, got, err, want)
		}
	}
}

func TestRequestAccount(t *testing.T) {
	for _, tc := range []struct{ name, account, resource, caller, want string }{
		{"as-given", accountB, "arn:aws:sqs:r:" + accountA + ":q", "", accountB},
		{"of-the-arn", "", "arn:aws:sqs:r:" + accountB + ":q", accountA, accountB},
		{"of-the-caller-when-the-arn-has-none", "", "arn:aws:s3:::b", accountA, accountA},
		{"Q019-of-the-caller-for-aws", "", "arn:aws:iam::aws:policy/p", accountA, accountA},
		{"of-the-caller-for-a-star", "", "*", accountA, accountA},
		{"of-nobody", "", "arn:aws:s3:::b", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := Request{ResourceAccount: tc.account, Resource: tc.resource, Principal: Principal{Account: tc.caller}}
			if got := r.Account(); got != tc.want {
				t.Errorf("Account() = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	for o, want := range map[Outcome]string{ImplicitDeny: "implicit-deny", ExplicitDeny: "explicit-deny", Allowed: "allow", 9: "Outcome(9)"} {
		if got := o.String(); got != want {
			t.Errorf("Outcome(%d).String() = %q, want %q", o, got, want)
		}
		text, err := o.MarshalText()
		var back Outcome
		if valid := o <= Allowed; (err == nil) != valid || valid && (back.UnmarshalText(text) != nil || back != o) {
			t.Errorf("Outcome(%d) does not survive: %q, %v, %v", o, text, err, back)
		}
	}
	for l, want := range map[Layer]string{NoLayer: "", IdentityLayer: "identity-based policy", BoundaryLayer: "permissions boundary", SessionLayer: "session policy",
		SCPLayer: "service control policy", RCPLayer: "resource control policy", ResourceLayer: "resource-based policy", EndpointLayer: "VPC endpoint policy", 99: "Layer(99)"} {
		if got := l.String(); got != want {
			t.Errorf("Layer(%d).String() = %q, want %q", l, got, want)
		}
		text, err := l.MarshalText()
		var back Layer
		if valid := l <= EndpointLayer; (err == nil) != valid || valid && (back.UnmarshalText(text) != nil || back != l) {
			t.Errorf("Layer(%d) does not survive: %q, %v, %v", l, text, err, back)
		}
	}
	if new(Outcome).UnmarshalText([]byte("Allow")) == nil || new(Layer).UnmarshalText([]byte("x")) == nil {
		t.Error("UnmarshalText of an unknown name succeeds")
	}
	if _, err := json.Marshal(Decision{Outcome: Allowed}); err != nil {
		t.Error(err)
	}
}
