// SPDX-License-Identifier: Apache-2.0

package orgapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/orgapi"
)

// TestRefusals: every refusal has AWS's code and reason.
func TestRefusals(t *testing.T) {
	w := newWorld(t)
	w.enable(scp)
	own := w.policy(scp, "own", statement(noUsers))
	large := strings.Repeat(" ", 5120-len(statement(noUsers)))
	const ou = "ou-none-00000000"
	for _, tc := range []struct{ name, action, body, code, reason string }{
		{"no-account", "DescribeAccount", `{}`, "InvalidInputException", "INPUT_REQUIRED"},
		{"an-account-that-is-no-number", "DescribeAccount", `{"AccountId":"12"}`, "InvalidInputException", "INVALID_PATTERN"},
		{"an-account-of-another-type", "DescribeAccount", `{"AccountId":123456789012}`, "SerializationException", ""},
		{"an-unknown-account", "DescribeAccount", `{"AccountId":"000000000000"}`, "AccountNotFoundException", ""},
		{"a-page-of-nothing", "ListAccounts", `{"MaxResults":0}`, "InvalidInputException", "MIN_VALUE_EXCEEDED"},
		{"a-page-too-large", "ListAccounts", `{"MaxResults":21}`, "InvalidInputException", "MAX_VALUE_EXCEEDED"},
		{"a-token-of-nobody", "ListAccounts", `{"NextToken":"?"}`, "InvalidInputException", "INVALID_NEXT_TOKEN"},
		{"a-state-that-is-none", "ListCreateAccountStatus", `{"States":["NEW"]}`, "InvalidInputException", "INVALID_LIST_MEMBER"},
		{"an-unknown-unit", "DescribeOrganizationalUnit", `{"OrganizationalUnitId":"` + ou + `"}`, "OrganizationalUnitNotFoundException", ""},
		{"a-unit-in-nothing", "CreateOrganizationalUnit", `{"ParentId":"` + ou + `","Name":"x"}`, "ParentNotFoundException", ""},
		{"a-unit-twice", "CreateOrganizationalUnit", `{"ParentId":"` + w.root + `","Name":"work"}`, "DuplicateOrganizationalUnitException", ""},
		{"a-unit-without-a-name", "CreateOrganizationalUnit", `{"ParentId":"` + w.root + `","Name":""}`, "InvalidInputException", "MIN_LENGTH_EXCEEDED"},
		{"a-name-too-long", "CreateOrganizationalUnit", `{"ParentId":"` + w.root + `","Name":"` + strings.Repeat("x", 129) + `"}`, "InvalidInputException", "MAX_LENGTH_EXCEEDED"},
		{"a-unit-that-holds-something", "DeleteOrganizationalUnit", `{"OrganizationalUnitId":"` + w.unit + `"}`, "OrganizationalUnitNotEmptyException", ""},
		{"children-of-nothing", "ListChildren", `{"ParentId":"` + ou + `","ChildType":"ACCOUNT"}`, "ParentNotFoundException", ""},
		{"children-of-another-kind", "ListChildren", `{"ParentId":"` + w.root + `","ChildType":"POLICY"}`, "InvalidInputException", "INVALID_ENUM"},
		{"parents-of-nothing", "ListParents", `{"ChildId":"000000000000"}`, "ChildNotFoundException", ""},
		{"a-move-from-elsewhere", "MoveAccount", `{"AccountId":"` + w.account + `","SourceParentId":"` + w.root + `","DestinationParentId":"` + w.unit + `"}`, "SourceParentNotFoundException", ""},
		{"a-move-to-nowhere", "MoveAccount", `{"AccountId":"` + w.account + `","SourceParentId":"` + w.unit + `","DestinationParentId":"` + ou + `"}`, "DestinationParentNotFoundException", ""},
		{"a-move-to-the-same-place", "MoveAccount", `{"AccountId":"` + w.account + `","SourceParentId":"` + w.unit + `","DestinationParentId":"` + w.unit + `"}`, "DuplicateAccountException", ""},
		{"a-move-of-nothing", "MoveAccount", `{"AccountId":"000000000000","SourceParentId":"` + w.unit + `","DestinationParentId":"` + w.root + `"}`, "AccountNotFoundException", ""},
		{"an-unknown-request", "DescribeCreateAccountStatus", `{"CreateAccountRequestId":"car-00000000"}`, "CreateAccountStatusNotFoundException", ""},
		{"an-address-that-is-none", "CreateAccount", `{"AccountName":"x","Email":"nobody"}`, "InvalidInputException", "INVALID_PATTERN"},
		{"a-tag-twice", "CreateAccount", `{"AccountName":"x","Email":"x@example.com","Tags":[{"Key":"a","Value":"1"},{"Key":"a","Value":"2"}]}`, "InvalidInputException", "DUPLICATE_TAG_KEY"},
		{"a-reserved-tag", "TagResource", `{"ResourceId":"` + w.root + `","Tags":[{"Key":"aws:x","Value":"1"}]}`, "InvalidInputException", "INVALID_SYSTEM_TAGS_PARAMETER"},
		{"too-many-tags", "TagResource", `{"ResourceId":"` + w.root + `","Tags":[` + tags(51) + `]}`, "ConstraintViolationException", "MAX_TAG_LIMIT_EXCEEDED"},
		{"tags-of-nothing", "ListTagsForResource", `{"ResourceId":"p-00000000"}`, "TargetNotFoundException", ""},
		{"a-policy-that-is-no-policy", "CreatePolicy", `{"Type":"` + scp + `","Name":"x","Description":"","Content":"{}"}`, "MalformedPolicyDocumentException", ""},
		{"a-policy-with-a-principal", "CreatePolicy", `{"Type":"` + scp + `","Name":"x","Description":"","Content":` + quoted(trustAll) + `}`, "MalformedPolicyDocumentException", ""},
		{"a-policy-too-large", "CreatePolicy", `{"Type":"` + scp + `","Name":"x","Description":"","Content":` + quoted(statement(noUsers)+large+" ") + `}`, "ConstraintViolationException", "POLICY_CONTENT_LIMIT_EXCEEDED"},
		{"a-type-that-is-none", "CreatePolicy", `{"Type":"X","Name":"x","Description":"","Content":"{}"}`, "InvalidInputException", "INVALID_ENUM"},
		{"a-name-that-is-taken", "CreatePolicy", `{"Type":"` + scp + `","Name":"own","Description":"","Content":` + quoted(statement(noUsers)) + `}`, "DuplicatePolicyException", ""},
		{"a-name-that-aws-has", "CreatePolicy", `{"Type":"` + scp + `","Name":"FullAWSAccess","Description":"","Content":` + quoted(statement(noUsers)) + `}`, "DuplicatePolicyException", ""},
		{"an-unknown-policy", "DescribePolicy", `{"PolicyId":"p-00000000"}`, "PolicyNotFoundException", ""},
		{"an-unknown-target", "AttachPolicy", `{"PolicyId":"` + own + `","TargetId":"000000000000"}`, "TargetNotFoundException", ""},
		{"a-detach-of-what-is-not-attached", "DetachPolicy", `{"PolicyId":"` + own + `","TargetId":"` + w.root + `"}`, "PolicyNotAttachedException", ""},
		{"a-deletion-of-aws-policy", "DeletePolicy", `{"PolicyId":"p-FullAWSAccess"}`, "InvalidInputException", "IMMUTABLE_POLICY"},
		{"another-root", "EnablePolicyType", `{"RootId":"r-none","PolicyType":"` + rcp + `"}`, "RootNotFoundException", ""},
		{"a-type-that-is-not-enabled", "DisablePolicyType", `{"RootId":"` + w.root + `","PolicyType":"` + rcp + `"}`, "PolicyTypeNotEnabledException", ""},
		{"no-effective-policy", "DescribeEffectivePolicy", `{"PolicyType":"TAG_POLICY"}`, "EffectivePolicyNotFoundException", ""},
		{"a-service-of-nobody", "EnableAWSServiceAccess", `{"ServicePrincipal":"example.com"}`, "InvalidInputException", "UNRECOGNIZED_SERVICE_PRINCIPAL"},
		{"the-management-account-as-delegate", "RegisterDelegatedAdministrator", `{"AccountId":"` + management + `","ServicePrincipal":"x.amazonaws.com"}`, "ConstraintViolationException", "CANNOT_REGISTER_MASTER_AS_DELEGATED_ADMINISTRATOR"},
		{"a-delegate-that-is-none", "DeregisterDelegatedAdministrator", `{"AccountId":"` + w.account + `","ServicePrincipal":"x.amazonaws.com"}`, "AccountNotRegisteredException", ""},
		{"no-resource-policy", "DescribeResourcePolicy", `{}`, "ResourcePolicyNotFoundException", ""},
		{"a-resource-policy-for-everyone", "PutResourcePolicy", `{"Content":` + quoted(statement(`"Effect":"Allow","Principal":"*","Action":"organizations:ListRoots","Resource":"*"`)) + `}`, "InvalidInputException", "INVALID_PRINCIPAL"},
		{"a-resource-policy-of-too-much", "PutResourcePolicy", `{"Content":` + quoted(statement(`"Effect":"Allow","Principal":{"AWS":"`+w.account+`"},"Action":"organizations:MoveAccount","Resource":"*"`)) + `}`, "InvalidInputException", "UNSUPPORTED_ACTION_IN_RESOURCE_POLICY"},
		{"a-resource-policy-of-nothing", "PutResourcePolicy", `{"Content":"x"}`, "InvalidInputException", "INVALID_RESOURCE_POLICY_JSON"},
		{"all-features-already", "EnableAllFeatures", `{}`, "HandshakeConstraintViolationException", "ORGANIZATION_ALREADY_HAS_ALL_FEATURES"},
		{"an-unknown-handshake", "DescribeHandshake", `{"HandshakeId":"h-00000000"}`, "HandshakeNotFoundException", ""},
		{"an-invitation-of-nobody", "InviteAccountToOrganization", `{"Target":{"Id":"nobody@example.com","Type":"EMAIL"}}`, "InvalidInputException", "INVALID_EMAIL_ADDRESS_TARGET"},
		{"an-invitation-of-an-organization", "InviteAccountToOrganization", `{"Target":{"Id":"o-0000000000","Type":"ORGANIZATION"}}`, "InvalidInputException", "INVALID_PARTY_TYPE_TARGET"},
		{"gov-cloud", "CreateGovCloudAccount", `{"AccountName":"x","Email":"x@example.com"}`, "ConstraintViolationException", "MASTER_ACCOUNT_NOT_GOVCLOUD_ENABLED"},
		{"an-operation-that-is-none", "ListEverything", `{}`, "UnknownOperationException", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			status, body := w.admin.CallJSON("organizations", tc.action, tc.body)
			if status != http.StatusBadRequest || iamtest.Member(body, "__type") != tc.code || iamtest.Member(body, "Reason") != tc.reason || iamtest.Member(body, "Message") == "" {
				t.Errorf("%s(%.200s) = %d %s, want %s %s", tc.action, tc.body, status, body, tc.code, tc.reason)
			}
		})
	}
	w.policy(scp, "as-large-as-can-be", statement(noUsers)+large)
}

func tags(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`{"Key":"k%d","Value":""}`, i)
	}
	return strings.Join(list, ",")
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// TestDepth: units nest five deep.
func TestDepth(t *testing.T) {
	w := newWorld(t)
	parent := w.unit
	for range 4 {
		parent = iamtest.Member(w.admin.Org("CreateOrganizationalUnit", `{"ParentId":"`+parent+`","Name":"deeper"}`), "Id")
	}
	if _, reason := w.admin.OrgFail("ConstraintViolationException", "CreateOrganizationalUnit", `{"ParentId":"`+parent+`","Name":"deeper"}`); reason != "OU_DEPTH_LIMIT_EXCEEDED" {
		t.Errorf("reason = %q", reason)
	}
}

// TestEveryOperationIsGuarded: no operation does anything for nobody, for a user
// without permissions, or for a member account that is not meant to.
func TestEveryOperationIsGuarded(t *testing.T) {
	w := newWorld(t)
	nobody := w.User("nobody", "")
	for _, op := range orgapi.New(orgapi.Options{}).Ops() {
		body := full[op.Name]
		if body == "" {
			body = "{}"
		}
		t.Run(op.Name, func(t *testing.T) {
			body := strings.NewReplacer("$ACCOUNT", w.account, "$ROOT", w.root, "$UNIT", w.unit).Replace(body)
			status, answer := nobody.CallJSON("organizations", op.Name, body)
			if status != 400 || iamtest.Member(answer, "__type") != "AccessDeniedException" || !strings.Contains(answer, "is not authorized to perform: organizations:"+op.Name+" on resource: ") {
				t.Errorf("by nobody: %d %s", status, answer)
			}
			if forMembers[op.Name] {
				return
			}
			status, answer = w.lab.CallJSON("organizations", op.Name, body)
			if status != 400 || iamtest.Member(answer, "Message") != "You don't have permissions to access this resource." {
				t.Errorf("by a member: %d %s", status, answer)
			}
		})
	}
}

// forMembers are the operations that any account of an organization may call.
var forMembers = map[string]bool{
	"AcceptHandshake": true, "CancelHandshake": true, "CreateOrganization": true, "DeclineHandshake": true, "DescribeEffectivePolicy": true,
	"DescribeHandshake": true, "DescribeOrganization": true, "LeaveOrganization": true, "ListHandshakesForAccount": true,
}

// full has valid inputs of the operations that need one.
var full = map[string]string{
	"AcceptHandshake":                            `{"HandshakeId":"h-00000000"}`,
	"AttachPolicy":                               `{"PolicyId":"p-FullAWSAccess","TargetId":"$ROOT"}`,
	"CancelHandshake":                            `{"HandshakeId":"h-00000000"}`,
	"CloseAccount":                               `{"AccountId":"$ACCOUNT"}`,
	"CreateAccount":                              `{"AccountName":"x","Email":"x@example.com"}`,
	"CreateGovCloudAccount":                      `{"AccountName":"x","Email":"x@example.com"}`,
	"CreateOrganizationalUnit":                   `{"ParentId":"$ROOT","Name":"x"}`,
	"CreatePolicy":                               `{"Type":"SERVICE_CONTROL_POLICY","Name":"x","Description":"","Content":"x"}`,
	"DeclineHandshake":                           `{"HandshakeId":"h-00000000"}`,
	"DeleteOrganizationalUnit":                   `{"OrganizationalUnitId":"$UNIT"}`,
	"DeletePolicy":                               `{"PolicyId":"p-FullAWSAccess"}`,
	"DeregisterDelegatedAdministrator":           `{"AccountId":"$ACCOUNT","ServicePrincipal":"x.amazonaws.com"}`,
	"DescribeAccount":                            `{"AccountId":"$ACCOUNT"}`,
	"DescribeCreateAccountStatus":                `{"CreateAccountRequestId":"car-00000000"}`,
	"DescribeEffectivePolicy":                    `{"PolicyType":"TAG_POLICY"}`,
	"DescribeHandshake":                          `{"HandshakeId":"h-00000000"}`,
	"DescribeOrganizationalUnit":                 `{"OrganizationalUnitId":"$UNIT"}`,
	"DescribePolicy":                             `{"PolicyId":"p-FullAWSAccess"}`,
	"DescribeResponsibilityTransfer":             `{"Id":"rt-00000000"}`,
	"DetachPolicy":                               `{"PolicyId":"p-FullAWSAccess","TargetId":"$ROOT"}`,
	"DisableAWSServiceAccess":                    `{"ServicePrincipal":"x.amazonaws.com"}`,
	"DisablePolicyType":                          `{"RootId":"$ROOT","PolicyType":"TAG_POLICY"}`,
	"EnableAWSServiceAccess":                     `{"ServicePrincipal":"x.amazonaws.com"}`,
	"EnablePolicyType":                           `{"RootId":"$ROOT","PolicyType":"TAG_POLICY"}`,
	"InviteAccountToOrganization":                `{"Target":{"Id":"444455556666","Type":"ACCOUNT"}}`,
	"InviteOrganizationToTransferResponsibility": `{"Type":"BILLING","Target":{"Id":"444455556666","Type":"ACCOUNT"},"StartTimestamp":1,"SourceName":"x"}`,
	"ListAccountsForParent":                      `{"ParentId":"$ROOT"}`,
	"ListAccountsWithInvalidEffectivePolicy":     `{"PolicyType":"TAG_POLICY"}`,
	"ListChildren":                               `{"ParentId":"$ROOT","ChildType":"ACCOUNT"}`,
	"ListDelegatedServicesForAccount":            `{"AccountId":"$ACCOUNT"}`,
	"ListEffectivePolicyValidationErrors":        `{"AccountId":"$ACCOUNT","PolicyType":"TAG_POLICY"}`,
	"ListInboundResponsibilityTransfers":         `{"Type":"BILLING"}`,
	"ListOrganizationalUnitsForParent":           `{"ParentId":"$ROOT"}`,
	"ListOutboundResponsibilityTransfers":        `{"Type":"BILLING"}`,
	"ListParents":                                `{"ChildId":"$ACCOUNT"}`,
	"ListPolicies":                               `{"Filter":"TAG_POLICY"}`,
	"ListPoliciesForTarget":                      `{"TargetId":"$ROOT","Filter":"TAG_POLICY"}`,
	"ListTagsForResource":                        `{"ResourceId":"$ROOT"}`,
	"ListTargetsForPolicy":                       `{"PolicyId":"p-FullAWSAccess"}`,
	"MoveAccount":                                `{"AccountId":"$ACCOUNT","SourceParentId":"$UNIT","DestinationParentId":"$ROOT"}`,
	"PutResourcePolicy":                          `{"Content":"x"}`,
	"RegisterDelegatedAdministrator":             `{"AccountId":"$ACCOUNT","ServicePrincipal":"x.amazonaws.com"}`,
	"RemoveAccountFromOrganization":              `{"AccountId":"$ACCOUNT"}`,
	"TagResource":                                `{"ResourceId":"$ROOT","Tags":[]}`,
	"TerminateResponsibilityTransfer":            `{"Id":"rt-00000000"}`,
	"UntagResource":                              `{"ResourceId":"$ROOT","TagKeys":[]}`,
	"UpdateOrganizationalUnit":                   `{"OrganizationalUnitId":"$UNIT"}`,
	"UpdatePolicy":                               `{"PolicyId":"p-FullAWSAccess"}`,
	"UpdateResponsibilityTransfer":               `{"Id":"rt-00000000","Name":"x"}`,
}

// TestDelegation: a delegated administrator reads; the resource policy lets an
// account do what it says, if the account's own policies do, and nothing else.
func TestDelegation(t *testing.T) {
	w := newWorld(t)
	w.enable(scp)
	denied := "You don't have permissions to access this resource."
	if msg, _ := w.lab.OrgFail("AccessDeniedException", "ListAccounts", ""); msg != denied {
		t.Errorf("ListAccounts by a member: %s", msg)
	}
	register := `{"AccountId":"` + w.account + `","ServicePrincipal":"x.amazonaws.com"}`
	w.admin.Org("RegisterDelegatedAdministrator", register)
	w.admin.OrgFail("AccountAlreadyRegisteredException", "RegisterDelegatedAdministrator", register)
	if got := iamtest.Members(w.lab.Org("ListAccounts", ""), "Email"); len(got) != 2 {
		t.Errorf("ListAccounts by a delegate has %q", got)
	}
	create := fmt.Sprintf(`{"Type":%q,"Name":"made","Description":"","Content":%q}`, scp, statement(noUsers))
	if msg, _ := w.lab.OrgFail("AccessDeniedException", "CreatePolicy", create); msg != denied {
		t.Errorf("CreatePolicy by a delegate: %s", msg)
	}
	w.admin.Org("DeregisterDelegatedAdministrator", register)
	w.lab.OrgFail("AccessDeniedException", "ListAccounts", "")

	put := fmt.Sprintf(`{"Content":%q}`, statement(`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+w.account+`:root"},`+
		`"Action":["organizations:CreatePolicy","organizations:ListPolicies"],"Resource":"*"`))
	w.admin.Org("PutResourcePolicy", put)
	id := iamtest.Member(w.lab.Org("CreatePolicy", create), "Id")
	if got := iamtest.Members(w.admin.Org("ListPolicies", `{"Filter":"`+scp+`"}`), "Id"); len(got) != 2 {
		t.Errorf("ListPolicies = %q, want the made one %s as well", got, id)
	}
	w.lab.OrgFail("AccessDeniedException", "DeletePolicy", `{"PolicyId":"`+id+`"}`)
	w.lab.OrgFail("AccessDeniedException", "ListAccounts", "")
	key := w.lab.OK("CreateUser", "UserName=idle") + w.lab.OK("CreateAccessKey", "UserName=idle")
	idle := w.Client(iamtest.Element(key, "AccessKeyId"), iamtest.Element(key, "SecretAccessKey"), "")
	idle.OrgFail("AccessDeniedException", "CreatePolicy", create)
	other := w.enter(w.create("other"))
	other.OrgFail("AccessDeniedException", "ListPolicies", `{"Filter":"`+scp+`"}`)
	w.admin.Org("DeleteResourcePolicy", "")
	if msg, _ := w.lab.OrgFail("AccessDeniedException", "ListPolicies", `{"Filter":"`+scp+`"}`); msg != denied {
		t.Errorf("ListPolicies without a resource policy: %s", msg)
	}
}

// TestPages: a list in pages is the list.
func TestPages(t *testing.T) {
	w := newWorld(t)
	for i := range 7 {
		w.admin.Org("CreateOrganizationalUnit", fmt.Sprintf(`{"ParentId":%q,"Name":"u%d"}`, w.root, i))
	}
	whole := iamtest.Members(w.admin.Org("ListOrganizationalUnitsForParent", `{"ParentId":"`+w.root+`"}`), "Id")
	var got []string
	for token := ""; ; {
		page := w.admin.Org("ListOrganizationalUnitsForParent", `{"ParentId":"`+w.root+`","MaxResults":3`+token+`}`)
		got = append(got, iamtest.Members(page, "Id")...)
		next := iamtest.Member(page, "NextToken")
		if next == "" {
			break
		}
		token = `,"NextToken":"` + next + `"`
	}
	if strings.Join(got, " ") != strings.Join(whole, " ") || len(got) != 8 {
		t.Errorf("in pages %q, at once %q", got, whole)
	}
}

// TestEffectivePolicy: what an account inherits and its own are one document.
func TestEffectivePolicy(t *testing.T) {
	w := newWorld(t)
	w.enable("TAG_POLICY")
	root := w.policy("TAG_POLICY", "root", `{"tags":{"cost":{"tag_key":{"@@assign":"Cost","@@operators_allowed_for_child_policies":["@@none"]},"tag_value":{"@@assign":["a","b"]}}}}`)
	unit := w.policy("TAG_POLICY", "unit", `{"tags":{"Cost":{"tag_key":{"@@assign":"cost"},"tag_value":{"@@append":["c"],"@@remove":["a"]}},"team":{"tag_key":{"@@assign":"Team"}}}}`)
	w.attach(root, w.root)
	w.attach(unit, w.unit)
	for target, want := range map[string]string{
		w.account:  `{"tags":{"cost":{"tag_key":"Cost","tag_value":["b","c"]},"team":{"tag_key":"Team"}}}`,
		management: `{"tags":{"cost":{"tag_key":"Cost","tag_value":["a","b"]}}}`,
	} {
		answer := w.admin.Org("DescribeEffectivePolicy", `{"PolicyType":"TAG_POLICY","TargetId":"`+target+`"}`)
		if got := iamtest.Member(answer, "PolicyContent"); got != want {
			t.Errorf("effective policy of %s = %s, want %s", target, got, want)
		}
	}
	if got := iamtest.Member(w.lab.Org("DescribeEffectivePolicy", `{"PolicyType":"TAG_POLICY"}`), "TargetId"); got != w.account {
		t.Errorf("TargetId = %s, want its own account", got)
	}
	w.lab.OrgFail("AccessDeniedException", "DescribeEffectivePolicy", `{"PolicyType":"TAG_POLICY","TargetId":"`+management+`"}`)
}

// TestAllFeatures: an organization for bills alone has no policies until all have
// agreed.
func TestAllFeatures(t *testing.T) {
	s := iamtest.Start(t)
	admin, guest := s.Admin(), s.AddAccount("444455556666")
	admin.Org("CreateOrganization", `{"FeatureSet":"CONSOLIDATED_BILLING"}`)
	root := iamtest.Member(admin.Org("ListRoots", ""), "Id")
	enable := `{"RootId":"` + root + `","PolicyType":"` + scp + `"}`
	admin.OrgFail("PolicyTypeNotAvailableForOrganizationException", "EnablePolicyType", enable)
	h := iamtest.Member(admin.Org("InviteAccountToOrganization", `{"Target":{"Id":"444455556666","Type":"ACCOUNT"}}`), "Id")
	guest.Org("AcceptHandshake", `{"HandshakeId":"`+h+`"}`)
	parent := iamtest.Member(admin.Org("EnableAllFeatures", ""), "Id")
	if _, reason := admin.OrgFail("HandshakeConstraintViolationException", "EnableAllFeatures", ""); reason != "ORGANIZATION_IS_ALREADY_PENDING_ALL_FEATURES_MIGRATION" {
		t.Errorf("reason = %q", reason)
	}
	admin.OrgFail("InvalidHandshakeTransitionException", "AcceptHandshake", `{"HandshakeId":"`+parent+`"}`)
	child := iamtest.Member(guest.Org("ListHandshakesForAccount", `{"Filter":{"ActionType":"APPROVE_ALL_FEATURES"}}`), "Id")
	guest.Org("AcceptHandshake", `{"HandshakeId":"`+child+`"}`)
	admin.Org("AcceptHandshake", `{"HandshakeId":"`+parent+`"}`)
	admin.Org("EnablePolicyType", enable)
}
