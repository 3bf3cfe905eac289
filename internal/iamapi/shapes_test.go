// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/internal/wire/wiretest"
)

var shapeConfig = wiretest.Config{
	Names: map[string]string{"ListDelegationRequestsOutput.IsTruncated": "isTruncated"},
	Secrets: []string{
		"AuthenticationCode1", "AuthenticationCode2", "Base32StringSeed", "NewPassword", "OldPassword", "Password",
		"PrivateKey", "QRCodePNG", "SecretAccessKey", "ServiceCredentialSecret", "ServicePassword", "AddPrivateKey",
	},
	Documents: []string{
		"Role.AssumeRolePolicyDocument", "RoleDetail.AssumeRolePolicyDocument", "PolicyDetail.PolicyDocument", "PolicyVersion.Document",
		"GetGroupPolicyOutput.PolicyDocument", "GetRolePolicyOutput.PolicyDocument", "GetUserPolicyOutput.PolicyDocument",
	},
	Lists: []string{"InstanceProfile.Roles"},
}

func TestShapes(t *testing.T) { wiretest.Run(t, shapes, shapeConfig) }

func FuzzDecode(f *testing.F) {
	f.Add("UserName=ann&Tags.member.1.Key=k&Tags.member.1.Value=v&Path=/")
	f.Add("PolicyInputList.member.1={}&ActionNames.member.9=s3:GetObject&ContextEntries.member.1.ContextKeyValues.member.2=x&ContextEntries.member.1=&MaxItems=x")
	wiretest.Fuzz(f, shapes)
}

// TestShapesOnTheWire shows a few shapes as clients and audit records see them.
func TestShapesOnTheWire(t *testing.T) {
	created := time.Date(2026, 1, 2, 13, 4, 5, 6, time.UTC)
	document := `{"Version": "2012-10-17"}`
	tests := []struct {
		name      string
		out       wire.Output
		xml, json string
	}{
		{"lists-are-there-when-empty", &ListUsersOutput{},
			`<ListUsersResult><Users/><IsTruncated>false</IsTruncated></ListUsersResult>`, `{"isTruncated":false}`},
		{"no-output-is-no-element", &DeleteUserOutput{}, ``, `null`},
		{"an-empty-result-is-an-element", &UpdateRoleOutput{}, `<UpdateRoleResult></UpdateRoleResult>`, `null`},
		{"absent-members-are-left-out", &GetRoleOutput{Role: Role{Path: "/", RoleName: "r", RoleId: "AROA", Arn: "arn:r", CreateDate: created, AssumeRolePolicyDocument: &document, RoleLastUsed: &RoleLastUsed{}}},
			`<GetRoleResult><Role><Path>/</Path><RoleName>r</RoleName><RoleId>AROA</RoleId><Arn>arn:r</Arn><CreateDate>2026-01-02T13:04:05Z</CreateDate>` +
				`<AssumeRolePolicyDocument>%7B%22Version%22%3A%20%222012-10-17%22%7D</AssumeRolePolicyDocument><RoleLastUsed></RoleLastUsed></Role></GetRoleResult>`,
			`{"role":{"path":"/","roleName":"r","roleId":"AROA","arn":"arn:r","createDate":"Jan 2, 2026, 1:04:05 PM",` +
				`"assumeRolePolicyDocument":"%7B%22Version%22%3A%20%222012-10-17%22%7D","roleLastUsed":{}}}`},
		{"a-secret-reaches-the-client-only", &CreateAccessKeyOutput{AccessKey: AccessKey{UserName: "ann", AccessKeyId: "AKIA", Status: StatusTypeActive, SecretAccessKey: "wJalr"}},
			`<CreateAccessKeyResult><AccessKey><UserName>ann</UserName><AccessKeyId>AKIA</AccessKeyId><Status>Active</Status><SecretAccessKey>wJalr</SecretAccessKey></AccessKey></CreateAccessKeyResult>`,
			`{"accessKey":{"userName":"ann","accessKeyId":"AKIA","status":"Active","secretAccessKey":"HIDDEN_DUE_TO_SECURITY_REASONS"}}`},
		{"maps", &GetAccountSummaryOutput{SummaryMap: map[string]int32{"Users": 2, "Groups": 1}},
			`<GetAccountSummaryResult><SummaryMap><entry><key>Groups</key><value>1</value></entry><entry><key>Users</key><value>2</value></entry></SummaryMap></GetAccountSummaryResult>`,
			`{"summaryMap":{"Groups":1,"Users":2}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(tt.out.AppendResult(nil)); got != tt.xml {
				t.Errorf("AppendResult\n got %s\nwant %s", got, tt.xml)
			}
			if got := string(tt.out.AppendJSON(nil)); got != tt.json {
				t.Errorf("AppendJSON\n got %s\nwant %s", got, tt.json)
			}
		})
	}
}

func TestDecodeReportsEverything(t *testing.T) {
	f, err := wire.ParseForm("RoleName=a%21b&MaxSessionDuration=10&Tags.member.1.Key=&Tags.member.1.Value=v&Unknown=1")
	if err != nil {
		t.Fatal(err)
	}
	decodeCreateRoleInput(f)
	want := `5 validation errors detected: ` +
		`Value 'a!b' at 'roleName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+; ` +
		`Value null at 'assumeRolePolicyDocument' failed to satisfy constraint: Member must not be null; ` +
		`Value '10' at 'maxSessionDuration' failed to satisfy constraint: Member must have value greater than or equal to 3600; ` +
		`Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; ` +
		`Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`
	if got := awserr.From(f.Err()); got == nil || got.Code != "ValidationError" || got.Message != want {
		t.Errorf("Err() = %v\nwant ValidationError: %s", got, want)
	}
}

// createRoleBody is what an SDK sends.
const createRoleBody = "Action=CreateRole&Version=2010-05-08&Path=%2Fservice-role%2F&RoleName=app&Description=An+application&MaxSessionDuration=3600" +
	"&AssumeRolePolicyDocument=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%22ec2.amazonaws.com%22%7D%2C%22Action%22%3A%22sts%3AAssumeRole%22%7D%5D%7D" +
	"&Tags.member.1.Key=team&Tags.member.1.Value=blue&Tags.member.2.Key=stage&Tags.member.2.Value=test"

func BenchmarkDecode(b *testing.B) {
	b.Run("op=CreateRole", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, err := wire.ParseForm(createRoleBody)
			if err != nil {
				b.Fatal(err)
			}
			if decodeCreateRoleInput(f); f.Err() != nil {
				b.Fatal(f.Err())
			}
		}
	})
	b.Run("op=GetUser", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			f, err := wire.ParseForm("Action=GetUser&Version=2010-05-08&UserName=ann")
			if err != nil {
				b.Fatal(err)
			}
			if decodeGetUserInput(f); f.Err() != nil {
				b.Fatal(f.Err())
			}
		}
	})
}

// listRoles returns an answer of n roles: about 570 bytes each.
func listRoles(n int) *ListRolesOutput {
	out := new(ListRolesOutput)
	document := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	for i := range n {
		name := fmt.Sprintf("role-%03d", i)
		out.Roles = append(out.Roles, Role{
			Path: "/", RoleName: name, RoleId: "AROA" + strings.Repeat("X", 17), Arn: "arn:aws:iam::123456789012:role/" + name,
			CreateDate: time.Unix(1_700_000_000, 0), AssumeRolePolicyDocument: &document, MaxSessionDuration: new(int32(3600)),
		})
	}
	return out
}

func TestEncodeDoesNotAllocate(t *testing.T) {
	out := listRoles(100)
	b := make([]byte, 0, 1<<17)
	if n := testing.AllocsPerRun(10, func() { wire.AppendResponse(b, "ListRoles", Namespace, "r", out) }); n != 0 {
		t.Errorf("AppendResponse made %v allocations, want 0", n)
	}
}

func BenchmarkEncode(b *testing.B) {
	b.Run("op=ListRoles/roles=100", func(b *testing.B) {
		out := listRoles(100)
		buf := wire.AppendResponse(nil, "ListRoles", Namespace, "r", out)
		b.SetBytes(int64(len(buf)))
		b.ReportAllocs()
		for b.Loop() {
			buf = wire.AppendResponse(buf[:0], "ListRoles", Namespace, "r", out)
		}
	})
}
