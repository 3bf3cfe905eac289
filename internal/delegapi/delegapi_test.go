// SPDX-License-Identifier: Apache-2.0

package delegapi_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

// TestDelegate goes the whole way: what the vendor's session may do is what the
// request and the approver allow, both, as long as the delegation lasts.
func TestDelegate(t *testing.T) {
	w := newWorld(t)
	ann := w.User("ann", deny("iam:ListUsers"))
	id := w.finalized(ann, "OwnerAccountId="+owner)
	w.clock.Advance(10 * minute)
	body := w.vendor.OK("GetDelegatedAccessToken", "TradeInToken="+id)
	if got := iamtest.Element(body, "AssumedPrincipal"); got != "arn:aws:iam::111122223333:user/ann" {
		t.Errorf("AssumedPrincipal = %s", got)
	}
	if got := iamtest.Element(body, "Expiration"); got != "2026-01-02T04:04:05Z" {
		t.Errorf("Expiration = %s, want an hour from when the token was sent", got)
	}
	d := w.Client(iamtest.Element(body, "AccessKeyId"), iamtest.Element(body, "SecretAccessKey"), iamtest.Element(body, "SessionToken"))
	d.OK("CreateUser", "UserName=app-1")
	if got := d.Fail("AccessDenied", "CreateUser", "UserName=bob"); !strings.Contains(got, "no session policy allows the iam:CreateUser action") {
		t.Errorf("what was not asked for: %s", got)
	}
	if got := d.Fail("AccessDenied", "ListUsers"); !strings.Contains(got, "with an explicit deny in an identity-based policy") {
		t.Errorf("what the approver may not: %s", got)
	}
	d.Fail("AccessDenied", "AssumeRole", "RoleArn=arn:aws:iam::111122223333:role/x", "RoleSessionName=x")
	d.Fail("AccessDenied", "GetDelegatedAccessToken", "TradeInToken="+id)

	ann.OK("GetUser", "UserName=app-1") // the approver's own credentials are as before
	rec := w.Records()
	i := slices.IndexFunc(rec, func(r audit.Record) bool { return r.EventName == "CreateUser" && r.Identity.Delegate != "" })
	if i < 0 || rec[i].Identity.Delegate != vendor || rec[i].Identity.UserName != "ann" || rec[i].Recipient != owner {
		t.Errorf("no record shows that the vendor acted in ann's name")
	}

	// What the approver loses, its delegate loses.
	w.owner.OK("PutUserPolicy", "UserName=ann", "PolicyName=test", "PolicyDocument="+deny("iam:CreateUser"))
	d.Fail("AccessDenied", "CreateUser", "UserName=app-2")
	w.owner.OK("PutUserPolicy", "UserName=ann", "PolicyName=test", "PolicyDocument="+allow("*"))
	d.OK("CreateUser", "UserName=app-2")

	// A deny of older sessions ends the delegation, and getting another does not help.
	w.owner.OK("PutUserPolicy", "UserName=ann", "PolicyName=stop", `PolicyDocument={"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*",`+
		`"Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T03:14:05Z"}}}}`)
	ann.OK("GetUser", "UserName=app-1")
	for _, c := range []*iamtest.Client{d, w.vendor.Session("GetDelegatedAccessToken", "TradeInToken="+id)} {
		c.Fail("AccessDenied", "GetUser", "UserName=app-1")
	}

	w.clock.Advance(50 * minute)
	d.Fail("ExpiredToken", "GetUser", "UserName=app-1")
	w.vendor.Fail("ExpiredTradeInTokenException", "GetDelegatedAccessToken", "TradeInToken="+id)
	if got := w.state(id); got != "FINALIZED" {
		t.Errorf("the state after the delegation = %s", got)
	}
	w.clock.Advance(7 * 24 * time.Hour)
	if got := w.state(id); got != "EXPIRED" {
		t.Errorf("the state a week later = %s", got)
	}
}

// TestApprovers: who may approve, and whose identity the vendor gets. Also Q094.
func TestApprovers(t *testing.T) {
	w := newWorld(t)
	w.User("ann", allow("*"))
	w.owner.OK("CreateRole", "RoleName=admin", "AssumeRolePolicyDocument="+
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["sts:AssumeRole","sts:TagSession"]}}`)
	w.owner.OK("PutRolePolicy", "RoleName=admin", "PolicyName=p", "PolicyDocument="+allow("*"))
	const role = "arn:aws:iam::111122223333:role/admin"
	identity := func(c *iamtest.Client) string { return iamtest.Element(c.OK("GetCallerIdentity"), "Arn") }
	for _, tc := range []struct {
		name string
		by   *iamtest.Client
	}{
		{"a-user", w.KeyOf("ann")},
		{"a-role-session", w.owner.Assume(role, "ops", "Tags.member.1.Key=team", "Tags.member.1.Value=red")},
		{"root", w.Root(owner)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := w.vendor.Session("GetDelegatedAccessToken", "TradeInToken="+w.finalized(tc.by))
			if got, want := identity(d), identity(tc.by); got != want {
				t.Errorf("the vendor is %s, want %s", got, want)
			}
			d.Fail("NoSuchEntity", "GetUser", "UserName=app-none")
			d.Fail("AccessDenied", "GetUser", "UserName=ann")
			d.Fail("AccessDenied", "DeleteUser", "UserName=app-none")
		})
	}
	t.Run("a-session-with-a-session-policy", func(t *testing.T) {
		id := w.request()
		limited := w.owner.Assume(role, "ops", "Policy="+allow("*"))
		limited.OK("AssociateDelegationRequest", "DelegationRequestId="+id)
		if got := limited.Fail("AccessDenied", "AcceptDelegationRequest", "DelegationRequestId="+id); !strings.Contains(got, "limited by a session policy") {
			t.Errorf("message = %s", got)
		}
	})
	t.Run("root-for-longer-than-four-hours", func(t *testing.T) {
		id := w.request("SessionDuration=14401")
		root := w.Root(owner)
		root.OK("AssociateDelegationRequest", "DelegationRequestId="+id)
		root.Fail("InvalidInput", "AcceptDelegationRequest", "DelegationRequestId="+id)
		w.owner.OK("AcceptDelegationRequest", "DelegationRequestId="+id)
	})
	t.Run("a-delegate", func(t *testing.T) {
		w.vendor.OK("CreatePolicy", "PolicyName=all", "PolicyDocument="+allow("*"))
		all := "Permissions.PolicyTemplateArn=arn:aws:iam::" + vendor + ":policy/all"
		d := w.vendor.Session("GetDelegatedAccessToken", "TradeInToken="+w.finalized(w.owner, all))
		id := w.request(all)
		d.OK("AssociateDelegationRequest", "DelegationRequestId="+id)
		d.Fail("AccessDenied", "AcceptDelegationRequest", "DelegationRequestId="+id)
	})
	t.Run("a-user-that-is-gone", func(t *testing.T) {
		id := w.finalized(w.User("gone", allow("*")))
		w.owner.OK("DeleteUserPolicy", "UserName=gone", "PolicyName=test")
		key := iamtest.Element(w.owner.OK("ListAccessKeys", "UserName=gone"), "AccessKeyId")
		w.owner.OK("DeleteAccessKey", "UserName=gone", "AccessKeyId="+key)
		d := w.vendor.Session("GetDelegatedAccessToken", "TradeInToken="+id)
		w.owner.OK("DeleteUser", "UserName=gone")
		d.Fail("InvalidClientTokenId", "GetUser", "UserName=app-1")
		w.vendor.Fail("ValidationError", "GetDelegatedAccessToken", "TradeInToken="+id)
	})
}

// TestManagedTemplate: one of AWS's policies needs no parameters and may be long.
func TestManagedTemplate(t *testing.T) {
	w := newWorld(t)
	const readOnly = "Permissions.PolicyTemplateArn=arn:aws:iam::aws:policy/ReadOnlyAccess"
	d := w.vendor.Session("GetDelegatedAccessToken", "TradeInToken="+w.finalized(w.owner, readOnly))
	d.OK("ListUsers")
	d.Fail("AccessDenied", "CreateUser", "UserName=app-1")
}

// TestWhoMay: what needs a permission and what does not, for whom (IAM User Guide,
// "Managing permissions for delegation requests"), and what is there for nobody else.
func TestWhoMay(t *testing.T) {
	w := newWorld(t)
	nobody, bob := w.User("nobody", ""), w.User("bob", "")
	stranger, clerk := w.AddAccount(third), (*iamtest.Client)(nil)
	w.vendor.OK("CreateUser", "UserName=clerk")
	body := w.vendor.OK("CreateAccessKey", "UserName=clerk")
	clerk = w.Client(iamtest.Element(body, "AccessKeyId"), iamtest.Element(body, "SecretAccessKey"), "")

	clerk.Fail("AccessDenied", "CreateDelegationRequest", w.form()...)
	id := w.request("OwnerAccountId=" + owner)
	of := "DelegationRequestId=" + id
	summary := "EntityArn=arn:aws:iam::111122223333:delegation-request/" + id

	// Nobody owns it: anybody of the account may look and take it up, others not.
	bob.OK("GetDelegationRequest", of)
	bob.OK("GetHumanReadableSummary", summary)
	clerk.Fail("AccessDenied", "GetDelegationRequest", of)
	w.vendor.OK("GetDelegationRequest", of)
	for _, op := range []string{"GetDelegationRequest", "AssociateDelegationRequest", "AcceptDelegationRequest", "RejectDelegationRequest", "UpdateDelegationRequest", "SendDelegationToken"} {
		stranger.Fail("NoSuchEntity", op, of)
		stranger.Fail("NoSuchEntity", op, "DelegationRequestId=00000000-0000-4000-8000-"+vendor)
		if op != "GetDelegationRequest" {
			w.vendor.Fail("NoSuchEntity", op, of)
		}
	}
	stranger.Fail("NoSuchEntity", "GetHumanReadableSummary", summary)
	w.owner.OK("PutUserPolicy", "UserName=bob", "PolicyName=no", "PolicyDocument="+deny("iam:AssociateDelegationRequest"))
	bob.Fail("AccessDenied", "AssociateDelegationRequest", of)
	w.owner.OK("DeleteUserPolicy", "UserName=bob", "PolicyName=no")
	bob.OK("AssociateDelegationRequest", of)
	nobody.Fail("AccessDenied", "AssociateDelegationRequest", of)
	w.owner.Fail("InvalidInput", "AssociateDelegationRequest", of)

	// The owner may do everything but accept; others need permission.
	for _, op := range []string{"GetDelegationRequest", "UpdateDelegationRequest"} {
		bob.OK(op, of)
		nobody.Fail("AccessDenied", op, of)
	}
	bob.OK("GetHumanReadableSummary", summary)
	nobody.Fail("AccessDenied", "GetHumanReadableSummary", summary)
	bob.OK("ListDelegationRequests", "OwnerId=arn:aws:iam::111122223333:user/bob")
	bob.Fail("AccessDenied", "ListDelegationRequests")
	nobody.Fail("AccessDenied", "ListDelegationRequests", "OwnerId=arn:aws:iam::111122223333:user/bob")
	bob.Fail("AccessDenied", "AcceptDelegationRequest", of)

	// The condition key iam:DelegationRequestOwner tells whose requests.
	chief := w.User("chief", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*Delegation*","Resource":"arn:aws:iam::111122223333:delegation-request/*",`+
		`"Condition":{"ArnEquals":{"iam:DelegationRequestOwner":"arn:aws:iam::111122223333:user/bob"}}}}`)
	others := "DelegationRequestId=" + w.taken(w.owner)
	chief.Fail("AccessDenied", "AcceptDelegationRequest", others)
	chief.OK("AcceptDelegationRequest", of)
	nobody.Fail("AccessDenied", "SendDelegationToken", of)
	bob.OK("SendDelegationToken", of)
	w.vendor.OK("GetDelegatedAccessToken", "TradeInToken="+id)
	clerk.Fail("AccessDenied", "GetDelegatedAccessToken", "TradeInToken="+id)
	stranger.Fail("ValidationError", "GetDelegatedAccessToken", "TradeInToken="+id)
	w.owner.Fail("ValidationError", "GetDelegatedAccessToken", "TradeInToken="+id)

	rejected := "DelegationRequestId=" + w.taken(bob)
	nobody.Fail("AccessDenied", "RejectDelegationRequest", rejected)
	bob.OK("RejectDelegationRequest", rejected, "Notes=no need")
	if got := iamtest.Element(w.vendor.OK("GetDelegationRequest", rejected), "RejectionReason"); got != "no need" {
		t.Errorf("the vendor sees the reason %q", got)
	}
}

// taken makes a request that by has associated with itself.
func (w *world) taken(by *iamtest.Client) string {
	w.t.Helper()
	id := w.request()
	by.OK("AssociateDelegationRequest", "DelegationRequestId="+id)
	return id
}

// TestOnlySendByOwner: who may approve and send need not be one.
func TestOnlySendByOwner(t *testing.T) {
	w := newWorld(t)
	bob := w.User("bob", "")
	id := w.request("OnlySendByOwner=true")
	of := "DelegationRequestId=" + id
	bob.OK("AssociateDelegationRequest", of)
	w.owner.OK("AcceptDelegationRequest", of)
	if got := w.owner.Fail("AccessDenied", "SendDelegationToken", of); !strings.Contains(got, "Only the owner") {
		t.Errorf("message = %s", got)
	}
	bob.OK("SendDelegationToken", of)
}

// TestRequestorSees tests Q091: how its request goes, and not who handles it.
func TestRequestorSees(t *testing.T) {
	w := newWorld(t)
	id := w.finalized(w.owner)
	w.owner.Fail("InvalidInput", "UpdateDelegationRequest", "DelegationRequestId="+id, "Notes=secret")
	noted := w.taken(w.owner)
	w.owner.OK("UpdateDelegationRequest", "DelegationRequestId="+noted, "Notes=secret")
	for _, id := range []string{id, noted} {
		body := w.vendor.OK("GetDelegationRequest", "DelegationRequestId="+id, "DelegationPermissionCheck=true")
		for _, name := range []string{"OwnerId", "ApproverId", "Notes", "PermissionCheckStatus"} {
			if strings.Contains(body, "<"+name+">") {
				t.Errorf("the requestor sees %s", name)
			}
		}
		if iamtest.Element(body, "OwnerAccountId") != owner {
			t.Error("the requestor does not see which account took up its request")
		}
	}
	if body := w.vendor.OK("ListDelegationRequests"); strings.Contains(body, "<member>") {
		t.Errorf("the requestor lists %s", body)
	}
}

// TestCreateRefuses also tests Q090: what is no template, no parameter, no channel.
func TestCreateRefuses(t *testing.T) {
	w := newWorld(t)
	w.vendor.OK("CreatePolicy", "PolicyName=long", "PolicyDocument="+strings.ReplaceAll(allow("s3:Get"+strings.Repeat("x", 3000)), "@", ""))
	w.owner.OK("CreatePolicy", "PolicyName=theirs", "PolicyDocument="+allow("s3:Get*"))
	const template = "Permissions.PolicyTemplateArn="
	for name, tc := range map[string]struct {
		with []string
		want string // part of the message
	}{
		"no-template":                {[]string{template, "Permissions.Parameters.member.1.Name=prefix"}, "name no policy template"},
		"a-template-that-is-not":     {[]string{template + "arn:aws:iam::" + vendor + ":policy/none"}, "does not exist"},
		"another-account's":          {[]string{template + "arn:aws:iam::" + owner + ":policy/theirs"}, "does not exist"},
		"too-long":                   {[]string{template + "arn:aws:iam::" + vendor + ":policy/long"}, "at most 2048"},
		"aws's-with-a-parameter":     {[]string{template + "arn:aws:iam::aws:policy/ReadOnlyAccess", "Permissions.Parameters.member.1.Name=prefix", "Permissions.Parameters.member.1.Values.member.1=x"}, "has no parameters"},
		"without-its-parameter":      {[]string{template + w.template}, "needs a value for the parameter prefix"},
		"a-channel-that-is-no-topic": {[]string{"NotificationChannel=arn:aws:sqs:us-east-1:444455556666:q"}, "not the ARN of an SNS topic"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := w.vendor.Fail("InvalidInput", "CreateDelegationRequest", w.form(tc.with...)...); !strings.Contains(got, tc.want) {
				t.Errorf("message = %s, want %q", got, tc.want)
			}
		})
	}
	for _, with := range []string{"SessionDuration=299", "SessionDuration=43201", "Description=", "RequestorWorkflowId=x", "RedirectUrl=ftp://x", "OwnerAccountId=1"} {
		w.vendor.Fail("ValidationError", "CreateDelegationRequest", w.form(with)...)
	}
	guarded := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:CreateDelegationRequest","Resource":"arn:aws:iam::444455556666:delegation-request/*","Condition":{` +
		`"StringEquals":{"iam:NotificationChannel":"` + topic + `"},"ArnEquals":{"iam:TemplateArn":"` + w.template + `"},"NumericLessThanEquals":{"iam:DelegationDuration":"3600"}}}}`
	w.vendor.OK("CreateUser", "UserName=clerk")
	w.vendor.OK("PutUserPolicy", "UserName=clerk", "PolicyName=p", "PolicyDocument="+guarded)
	body := w.vendor.OK("CreateAccessKey", "UserName=clerk")
	clerk := w.Client(iamtest.Element(body, "AccessKeyId"), iamtest.Element(body, "SecretAccessKey"), "")
	clerk.OK("CreateDelegationRequest", w.form()...)
	for _, with := range []string{"SessionDuration=3601", "NotificationChannel=" + topic + "2", template + "arn:aws:iam::aws:policy/ReadOnlyAccess"} {
		clerk.Fail("AccessDenied", "CreateDelegationRequest", w.form(with)...)
	}
}

// TestTemplateIsFixed: what was shown is what is granted, whatever becomes of the
// template.
func TestTemplateIsFixed(t *testing.T) {
	w := newWorld(t)
	id := w.request()
	w.vendor.OK("CreatePolicyVersion", "PolicyArn="+w.template, "PolicyDocument="+allow("*"), "SetAsDefault=true")
	for _, op := range []string{"AssociateDelegationRequest", "AcceptDelegationRequest", "SendDelegationToken"} {
		w.owner.OK(op, "DelegationRequestId="+id)
	}
	d := w.vendor.Session("GetDelegatedAccessToken", "TradeInToken="+id)
	d.Fail("AccessDenied", "CreateRole", "RoleName=x", "AssumeRolePolicyDocument={}")
}

func TestPermissionCheck(t *testing.T) {
	w := newWorld(t)
	id := w.request()
	for name, tc := range map[string]struct{ policy, want string }{
		"everything": {allow("*"), "ALLOWED"},
		"a-part":     {`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::111122223333:user/app-*"}}`, "UNSURE"},
		"nothing":    {allow("s3:*"), "DENIED"},
	} {
		c := w.User("u-"+name, tc.policy)
		body := c.OK("GetDelegationRequest", "DelegationRequestId="+id, "DelegationPermissionCheck=true")
		if got := iamtest.Element(body, "PermissionCheckResult"); got != tc.want || iamtest.Element(body, "PermissionCheckStatus") != "COMPLETE" {
			t.Errorf("%s: PermissionCheckResult = %s, want %s", name, got, tc.want)
		}
		if body := c.OK("GetDelegationRequest", "DelegationRequestId="+id); strings.Contains(body, "PermissionCheck") {
			t.Errorf("%s: a check that nobody asked for", name)
		}
	}
}

// TestSummaryLocales also tests Q097.
func TestSummaryLocales(t *testing.T) {
	w := newWorld(t)
	of := "EntityArn=arn:aws:iam::111122223333:delegation-request/" + w.request()
	for locale, want := range map[string]string{"": "AVAILABLE", "en": "AVAILABLE", "en_US": "AVAILABLE", "en-gb": "AVAILABLE", "de": "NOT_SUPPORTED", "eng": "NOT_SUPPORTED"} {
		params := []string{of}
		if locale != "" {
			params = append(params, "Locale="+locale)
		}
		body := w.owner.OK("GetHumanReadableSummary", params...)
		if got := iamtest.Element(body, "SummaryState"); got != want || (iamtest.Element(body, "SummaryContent") != "") != (want == "AVAILABLE") {
			t.Errorf("locale %q: %s", locale, body)
		}
	}
	for _, arn := range []string{"arn:aws:iam::111122223333:user/admin", "arn:aws:iam::111122223333:delegation-request/x", strings.Repeat("x", 20)} {
		w.owner.Fail("InvalidInput", "GetHumanReadableSummary", "EntityArn="+arn)
	}
}

// TestListPages: by id, each once, those of one owner or of all.
func TestListPages(t *testing.T) {
	w := newWorld(t)
	bob := w.User("bob", "")
	var want []string
	for i := range 7 {
		by := w.owner
		if i%2 == 0 {
			by = bob
		}
		want = append(want, w.taken(by))
	}
	w.request("OwnerAccountId=" + owner) // nobody has taken it up
	slices.Sort(want)
	var got []string
	for marker := ""; ; {
		params := []string{"MaxItems=3"}
		if marker != "" {
			params = append(params, "Marker="+marker)
		}
		body := w.owner.OK("ListDelegationRequests", params...)
		got = append(got, iamtest.Elements(body, "DelegationRequestId")...)
		if iamtest.Element(body, "isTruncated") != "true" {
			break
		}
		marker = iamtest.Element(body, "Marker")
	}
	if !slices.Equal(got, want) {
		t.Errorf("ListDelegationRequests = %q, want %q", got, want)
	}
	if got := iamtest.Elements(bob.OK("ListDelegationRequests", "OwnerId=arn:aws:iam::111122223333:user/bob"), "DelegationRequestId"); len(got) != 4 {
		t.Errorf("bob owns %d, want 4", len(got))
	}
	w.owner.Fail("ValidationError", "ListDelegationRequests", "Marker=?")
}
