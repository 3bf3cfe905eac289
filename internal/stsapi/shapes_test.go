// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/internal/wire/wiretest"
)

var shapeConfig = wiretest.Config{
	Names:   map[string]string{"PolicyDescriptorType.Arn": "arn"},
	Secrets: []string{"SecretAccessKey", "SessionToken", "SAMLAssertion", "WebIdentityToken", "TokenCode", "TradeInToken"},
}

func TestShapes(t *testing.T) { wiretest.Run(t, shapes, shapeConfig) }

func FuzzDecode(f *testing.F) {
	f.Add("RoleArn=arn:aws:iam::123456789012:role/r&RoleSessionName=s&PolicyArns.member.1.arn=x&DurationSeconds=900&TransitiveTagKeys.member.1=k")
	wiretest.Fuzz(f, shapes)
}

// TestPackedPolicySize: AssumeRole leaves it out when nothing was packed, GetFederationToken says 0.
func TestPackedPolicySize(t *testing.T) {
	tests := []struct {
		name string
		out  wire.Output
		want string
	}{
		{"absent", &AssumeRoleOutput{}, `<AssumeRoleResult></AssumeRoleResult>`},
		{"zero", &GetFederationTokenOutput{PackedPolicySize: new(int32(0))}, `<GetFederationTokenResult><PackedPolicySize>0</PackedPolicySize></GetFederationTokenResult>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(tt.out.AppendResult(nil)); got != tt.want {
				t.Errorf("AppendResult = %s, want %s", got, tt.want)
			}
		})
	}
}
