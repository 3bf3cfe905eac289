// SPDX-License-Identifier: Apache-2.0

package stsapi_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func TestDurations(t *testing.T) {
	w := newWorld(t)
	app := w.role("app", trusts(iamtest.Account)) // at most 7200 seconds
	chained := w.carl.Assume(app, "first")
	root := w.Root(iamtest.Account)
	for _, tt := range []struct {
		name   string
		client *iamtest.Client
		op     string
		params []string
		want   time.Duration // 0: it fails
		says   string
	}{
		{"a-role-by-default", w.carl, "AssumeRole", assume(app), time.Hour, ""},
		{"a-role-at-its-limit", w.carl, "AssumeRole", assume(app, "DurationSeconds=7200"), 2 * time.Hour, ""},
		{"a-role-over-its-limit", w.carl, "AssumeRole", assume(app, "DurationSeconds=7201"), 0, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."},
		{"a-role-too-short", w.carl, "AssumeRole", assume(app, "DurationSeconds=899"), 0, "1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"},
		{"chaining-for-an-hour", chained, "AssumeRole", assume(app, "DurationSeconds=3600"), time.Hour, ""},
		{"chaining-for-longer", chained, "AssumeRole", assume(app, "DurationSeconds=3601"), 0, "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."},
		{"a-session-token-by-default", w.carl, "GetSessionToken", nil, 12 * time.Hour, ""},
		{"a-session-token-for-36-hours", w.carl, "GetSessionToken", []string{"DurationSeconds=129600"}, 36 * time.Hour, ""},
		{"a-session-token-for-longer", w.carl, "GetSessionToken", []string{"DurationSeconds=129601"}, 0, "1 validation error detected: Value '129601' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 129600"},
		{"roots-session-token-lasts-an-hour", root, "GetSessionToken", []string{"DurationSeconds=43200"}, time.Hour, ""},
		{"a-federation-token-by-default", w.carl, "GetFederationToken", []string{"Name=kim"}, 12 * time.Hour, ""},
		{"roots-federation-token-lasts-an-hour", root, "GetFederationToken", []string{"Name=kim"}, time.Hour, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want == 0 {
				if got := tt.client.Fail("ValidationError", tt.op, tt.params...); got != tt.says {
					t.Errorf("%s(%v): %s\nwant %s", tt.op, tt.params, got, tt.says)
				}
				return
			}
			if got := w.lasts(tt.client.OK(tt.op, tt.params...)); got != tt.want {
				t.Errorf("%s(%v) lasts %v, want %v", tt.op, tt.params, got, tt.want)
			}
		})
	}
}

func TestSessionsExpire(t *testing.T) {
	w := newWorld(t)
	visit := w.carl.Assume(w.role("app", trusts(iamtest.Account)), "visit")
	w.clock.Advance(time.Hour - time.Second)
	visit.OK("ListUsers")
	w.clock.Advance(time.Second)
	if got, want := visit.Fail("ExpiredToken", "ListUsers"), "The security token included in the request is expired"; got != want {
		t.Errorf("an expired session: %q, want %q", got, want)
	}
	visit.Secret = "wrong"
	visit.Fail("SignatureDoesNotMatch", "ListUsers") // who has no secret learns nothing
}

// TestSessionPolicies: the permissions of a session are those of the role and of
// the session policy, both.
func TestSessionPolicies(t *testing.T) {
	w := newWorld(t)
	app := w.role("app", trusts(iamtest.Account))
	limited := w.carl.Assume(app, "visit", "Policy="+listOnly)
	limited.OK("ListUsers")
	want := "because no session policy allows the iam:ListRoles action"
	if got := limited.Fail("AccessDenied", "ListRoles"); !strings.Contains(got, want) {
		t.Errorf("beyond the session policy: %s\nwant …%s…", got, want)
	}
	managed := w.carl.Assume(app, "visit", "PolicyArns.member.1.arn="+readOnly)
	managed.OK("ListRoles")
	managed.Fail("AccessDenied", "CreateUser", "UserName=new")
	both := w.carl.Assume(app, "visit", "PolicyArns.member.1.arn="+readOnly, "Policy="+strings.Replace(listOnly, "iam:ListUsers", "iam:CreateUser", 1))
	both.OK("ListRoles") // session policies add up among themselves
	both.OK("CreateUser", "UserName=new")
	w.change(func(tx *store.Tx) error { return tx.DeleteInline(store.RoleHolder("app"), "all") })
	limited.Fail("AccessDenied", "ListUsers") // a session policy grants nothing by itself

	for _, tt := range []struct{ name, code, param, says string }{
		{"not-json", "MalformedPolicyDocument", "Policy={", "Syntax errors in policy."},
		{"too-long", "ValidationError", "Policy=" + strings.Repeat(" ", 2049), "less than or equal to 2048"},
		{"unknown-managed-policy", "ValidationError", "PolicyArns.member.1.arn=" + prefix + "policy/none", "does not exist or is not attachable"},
	} {
		if got := w.carl.Fail(tt.code, "AssumeRole", assume(app, tt.param)...); !strings.Contains(got, tt.says) {
			t.Errorf("%s: %s, want …%s…", tt.name, got, tt.says)
		}
	}
	arns := assume(app)
	for i := range 11 {
		arns = append(arns, fmt.Sprintf("PolicyArns.member.%d.arn=%s", i+1, readOnly))
	}
	w.carl.Fail("ValidationError", "AssumeRole", arns...)
}

func TestPackedPolicies(t *testing.T) {
	w := newWorld(t)
	app := w.role("app", trusts(iamtest.Account))
	if body := w.carl.OK("AssumeRole", assume(app)...); strings.Contains(body, "PackedPolicySize") {
		t.Errorf("nothing packed: %s", body)
	}
	if got := iamtest.Element(w.carl.OK("AssumeRole", assume(app, "Policy="+listOnly)...), "PackedPolicySize"); got == "" || got == "0" {
		t.Errorf("a session policy: PackedPolicySize = %q", got)
	}
	tags := assume(app)
	for i := range 50 {
		tags = append(tags, fmt.Sprintf("Tags.member.%d.Key=key%d", i+1, i), fmt.Sprintf("Tags.member.%d.Value=%s", i+1, noise(i, 200)))
	}
	if got := w.carl.Fail("PackedPolicyTooLarge", "AssumeRole", tags...); !strings.Contains(got, "%") {
		t.Errorf("too much to pack: %s, want a percentage", got)
	}
	if got := iamtest.Element(w.carl.OK("GetFederationToken", "Name=kim"), "PackedPolicySize"); got != "0" {
		t.Errorf("GetFederationToken: PackedPolicySize = %q, want 0", got)
	}
}

// noise returns n characters that do not compress well.
func noise(seed, n int) string {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-"[x>>26]
	}
	return string(b)
}

func TestSessionTags(t *testing.T) {
	w := newWorld(t)
	app := w.role("app", trusts(iamtest.Account))
	next := w.role("next", trusts(iamtest.Account))
	untagged := w.role("untagged", trusts(iamtest.Account, "sts:AssumeRole"))
	w.change(func(tx *store.Tx) error {
		r, err := tx.Role("app")
		if err != nil {
			return err
		}
		r.Tags = []store.Tag{{Key: "Team", Value: "blue"}, {Key: "site", Value: "north"}}
		return tx.PutRole(r)
	})
	sees := func(c *iamtest.Client, key, value string) bool {
		w.change(func(tx *store.Tx) error {
			text := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetAccountSummary","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/%s":"%s"}}},{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}`, key, value)
			for _, role := range []string{"app", "next"} {
				if err := tx.PutInline(store.RoleHolder(role), "all", store.NewDocument("all", text)); err != nil {
					return err
				}
			}
			return nil
		})
		status, _ := c.Call("GetAccountSummary")
		return status == 200
	}
	visit := w.carl.Assume(app, "visit", "Tags.member.1.Key=team", "Tags.member.1.Value=red", "Tags.member.2.Key=cost", "Tags.member.2.Value=7",
		"TransitiveTagKeys.member.1=COST")
	for _, tt := range []struct {
		key, value string
		want       bool
	}{{"team", "red", true}, {"team", "blue", false}, {"site", "north", true}, {"cost", "7", true}} {
		if got := sees(visit, tt.key, tt.value); got != tt.want {
			t.Errorf("the session has %s=%s: %v, want %v", tt.key, tt.value, got, tt.want)
		}
	}
	chained := visit.Assume(next, "chained")
	if !sees(chained, "cost", "7") || sees(chained, "team", "red") {
		t.Error("a chained session must inherit the transitive tags and no others")
	}
	again := chained.Assume(next, "again")
	if !sees(again, "cost", "7") {
		t.Error("a transitive tag must stay transitive")
	}
	visit.Fail("AccessDenied", "AssumeRole", assume(untagged)...) // inheriting tags is tagging
	w.carl.OK("AssumeRole", assume(untagged)...)
	w.carl.Fail("AccessDenied", "AssumeRole", assume(untagged, "Tags.member.1.Key=a", "Tags.member.1.Value=b")...)

	for _, tt := range []struct {
		client *iamtest.Client
		params []string
		says   string
	}{
		{w.carl, []string{"Tags.member.1.Key=a", "Tags.member.1.Value=1", "Tags.member.2.Key=A", "Tags.member.2.Value=2"}, "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{w.carl, []string{"Tags.member.1.Key=a", "Tags.member.1.Value=1", "TransitiveTagKeys.member.1=b"}, "The specified transitive tag key must be included in the requested tags."},
		{visit, []string{"Tags.member.1.Key=Cost", "Tags.member.1.Value=8"}, "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."},
	} {
		if got := tt.client.Fail("InvalidParameterValue", "AssumeRole", assume(next, tt.params...)...); got != tt.says {
			t.Errorf("AssumeRole(%v): %s\nwant %s", tt.params, got, tt.says)
		}
	}
}

func TestSourceIdentityStays(t *testing.T) {
	w := newWorld(t)
	app := w.role("app", trusts(iamtest.Account))
	plain := w.role("plain", trusts(iamtest.Account, "sts:AssumeRole"))
	w.carl.Fail("AccessDenied", "AssumeRole", assume(plain, "SourceIdentity=carl")...)
	body := w.carl.OK("AssumeRole", assume(app, "SourceIdentity=carl")...)
	if got := iamtest.Element(body, "SourceIdentity"); got != "carl" {
		t.Errorf("SourceIdentity = %q, want carl", got)
	}
	visit := w.carl.Assume(app, "visit", "SourceIdentity=carl")
	if got := iamtest.Element(visit.OK("AssumeRole", assume(app)...), "SourceIdentity"); got != "carl" {
		t.Errorf("chained: SourceIdentity = %q, want carl", got)
	}
	visit.OK("AssumeRole", assume(app, "SourceIdentity=carl")...)
	visit.Fail("AccessDenied", "AssumeRole", assume(app, "SourceIdentity=ann")...)
	visit.Fail("AccessDenied", "AssumeRole", assume(plain)...) // inheriting it is setting it
	if rec := w.LastRecord(); rec.Identity.Session == nil || rec.Identity.Session.SourceIdentity != "carl" {
		t.Errorf("the audit record lacks the source identity: %+v", rec.Identity)
	}
}

// TestWhatTokensMayCall: GetSessionToken credentials do not reach IAM without
// MFA, nor STS but for two operations; federation credentials reach neither.
func TestWhatTokensMayCall(t *testing.T) {
	w := newWorld(t)
	app := w.role("app", trusts(iamtest.Account))
	root := w.Root(iamtest.Account)
	sessions := map[string]*iamtest.Client{
		"session":   w.carl.Session("GetSessionToken"),
		"federated": w.carl.Session("GetFederationToken", "Name=kim", "Policy="+allowAll),
		"root":      root.Session("GetSessionToken"),
		"role":      w.carl.Assume(app, "visit"),
	}
	for _, tt := range []struct{ session, op, code string }{
		{"session", "GetCallerIdentity", ""},
		{"session", "AssumeRole", ""},
		{"session", "ListUsers", "InvalidClientTokenId"},
		{"session", "GetSessionToken", "AccessDenied"},
		{"session", "GetFederationToken", "AccessDenied"},
		{"session", "DecodeAuthorizationMessage", "AccessDenied"},
		{"federated", "GetCallerIdentity", ""},
		{"federated", "ListUsers", "InvalidClientTokenId"},
		{"federated", "AssumeRole", "AccessDenied"},
		{"federated", "GetSessionToken", "AccessDenied"},
		{"root", "GetCallerIdentity", ""},
		{"root", "AssumeRole", "AccessDenied"},
		{"root", "ListUsers", "InvalidClientTokenId"},
		{"role", "ListUsers", ""},
		{"role", "AssumeRole", ""},
		{"role", "GetSessionToken", "AccessDenied"},
		{"role", "GetFederationToken", "AccessDenied"},
	} {
		t.Run(tt.session+"-calls-"+tt.op, func(t *testing.T) {
			params := map[string][]string{
				"AssumeRole": assume(app), "GetFederationToken": {"Name=x"}, "DecodeAuthorizationMessage": {"EncodedMessage=x"},
			}[tt.op]
			status, body := sessions[tt.session].Call(tt.op, params...)
			if code := iamtest.Element(body, "Code"); code != tt.code || (status == 200) != (tt.code == "") {
				t.Errorf("%s = %d %s, want %q", tt.op, status, code, tt.code)
			}
		})
	}
	if got, want := root.Fail("AccessDenied", "AssumeRole", assume(app)...), "Roles may not be assumed by root accounts."; got != want {
		t.Errorf("root assumes a role: %s\nwant %s", got, want)
	}
}

// TestRevocation: what ends or limits credentials that were issued already.
func TestRevocation(t *testing.T) {
	w := newWorld(t)
	app := w.role("app", trusts(iamtest.Account))
	visit := w.carl.Assume(app, "visit")
	visit.OK("ListUsers")

	w.Admin().OK("PutRolePolicy", "RoleName=app", "PolicyName=all", "PolicyDocument="+strings.Replace(allowAll, `"*"`, `"iam:ListRoles"`, 1))
	visit.Fail("AccessDenied", "ListUsers") // at once
	visit.OK("ListRoles")
	w.Admin().OK("PutRolePolicy", "RoleName=app", "PolicyName=all", "PolicyDocument="+allowAll)

	w.clock.Advance(time.Minute)
	revoke := fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"%s"}}}}`, w.clock.Now().Format(time.RFC3339))
	w.Admin().OK("PutRolePolicy", "RoleName=app", "PolicyName=AWSRevokeOlderSessions", "PolicyDocument="+revoke)
	visit.Fail("AccessDenied", "ListUsers")
	later := w.carl.Assume(app, "later")
	later.OK("ListUsers")

	for _, name := range []string{"all", "AWSRevokeOlderSessions"} {
		w.Admin().OK("DeleteRolePolicy", "RoleName=app", "PolicyName="+name)
	}
	w.Admin().OK("DeleteRole", "RoleName=app")
	w.role("app", trusts(iamtest.Account))
	later.Fail("InvalidClientTokenId", "GetCallerIdentity") // another role of the same name
	w.carl.Assume(app, "new").OK("ListUsers")

	session := w.carl.Session("GetSessionToken")
	key := iamtest.Element(w.Admin().OK("ListAccessKeys", "UserName=carl"), "AccessKeyId")
	w.Admin().OK("UpdateAccessKey", "UserName=carl", "AccessKeyId="+key, "Status=Inactive")
	w.carl.Fail("InvalidClientTokenId", "GetCallerIdentity")
	session.OK("GetCallerIdentity") // the token outlives the key that asked for it
}

func TestDecodeAuthorizationMessage(t *testing.T) {
	w := newWorld(t)
	fred := w.User("fred", "")
	_, message, _ := strings.Cut(fred.Fail("AccessDenied", "CreateUser", "UserName=new"), "Encoded authorization failure message: ")
	fred.Fail("AccessDenied", "DecodeAuthorizationMessage", "EncodedMessage="+message)
	var decoded struct {
		Allowed, ExplicitDeny bool
		Context               struct {
			Principal        struct{ ID, ARN string }
			Action, Resource string
		}
	}
	if err := json.Unmarshal([]byte(iamtest.Element(w.carl.OK("DecodeAuthorizationMessage", "EncodedMessage="+message), "DecodedMessage")), &decoded); err != nil {
		t.Fatal(err)
	}
	if c := decoded.Context; decoded.Allowed || c.Principal.ARN != prefix+"user/fred" || c.Action != "iam:CreateUser" || c.Resource != prefix+"user/new" {
		t.Errorf("DecodeAuthorizationMessage = %+v", decoded)
	}
	if got, want := w.carl.Fail("InvalidAuthorizationMessageException", "DecodeAuthorizationMessage", "EncodedMessage="+message[1:]), "Message is not valid"; got != want {
		t.Errorf("a forged message: %q, want %q", got, want)
	}
	w.AddAccount(other).Fail("InvalidAuthorizationMessageException", "DecodeAuthorizationMessage", "EncodedMessage="+message)
	if got := w.carl.Fail("AccessDenied", "AssumeRole", assume(prefix+"role/none")...); strings.Contains(got, "Encoded") {
		t.Errorf("a refusal to assume a role tells more than that: %s", got)
	}
}
