// SPDX-License-Identifier: Apache-2.0

package reportapi_test

import (
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

// A house is an organization: the unit labs in its root, and in that the account
// lab; the account shop is in the root.
type house struct {
	*world
	org, root, labs, lab, shop string
}

func newHouse(t *testing.T) *house {
	h := &house{world: newWorld(t)}
	h.org = iamtest.Member(h.admin.Org("CreateOrganization", ""), "Id")
	h.root = iamtest.Member(h.admin.Org("ListRoots", ""), "Id")
	h.labs = iamtest.Member(h.admin.Org("CreateOrganizationalUnit", `{"ParentId":"`+h.root+`","Name":"labs"}`), "Id")
	create := func(name string) string {
		id := iamtest.Member(h.admin.Org("CreateAccount", `{"AccountName":"`+name+`","Email":"`+name+`@example.com"}`), "Id")
		for range 1000 {
			answer := h.admin.Org("DescribeCreateAccountStatus", `{"CreateAccountRequestId":"`+id+`"}`)
			if iamtest.Member(answer, "State") == "SUCCEEDED" {
				return iamtest.Member(answer, "AccountId")
			}
			time.Sleep(5 * time.Millisecond)
		}
		t.Fatalf("the account %s is not made", name)
		return ""
	}
	h.lab, h.shop = create("lab"), create("shop")
	h.admin.Org("MoveAccount", `{"AccountId":"`+h.lab+`","SourceParentId":"`+h.root+`","DestinationParentId":"`+h.labs+`"}`)
	return h
}

func (h *house) enter(account string) *iamtest.Client {
	return h.admin.Assume("arn:aws:iam::"+account+":role/OrganizationAccountAccessRole", "visit")
}

func (h *house) path(steps ...string) string {
	return strings.Join(append([]string{h.org, h.root}, steps...), "/")
}

func (h *house) policy(name, actions string) string {
	text := strings.ReplaceAll(allow(actions), `"`, `\"`)
	return iamtest.Member(h.admin.Org("CreatePolicy", `{"Type":"SERVICE_CONTROL_POLICY","Name":"`+name+`","Description":"x","Content":"`+text+`"}`), "Id")
}

// report makes a report and returns the answer that has it.
func (h *house) report(params ...string) string {
	h.t.Helper()
	job := iamtest.Element(h.admin.OK("GenerateOrganizationsAccessReport", params...), "JobId")
	h.clock.Advance(time.Minute) // the next one is another job
	deadline := time.Now().Add(20 * time.Second)
	for {
		body := h.admin.OK("GetOrganizationsAccessReport", "JobId="+job, "MaxItems=1000")
		if iamtest.Element(body, "JobStatus") != "IN_PROGRESS" {
			return body
		}
		if time.Now().After(deadline) {
			h.t.Fatal("a report is not finished")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// row returns what a report says of a service: how many accounts used it, and the
// path of the last one.
func row(body, service string) string {
	_, rest, ok := strings.Cut(body, "<ServiceNamespace>"+service+"<")
	if !ok {
		return "absent"
	}
	rest, _, _ = strings.Cut(rest, "</member>")
	return strings.TrimSpace(iamtest.Element(rest, "TotalAuthenticatedEntities") + " " + iamtest.Element(rest, "EntityPath"))
}

// TestOrganizationsAccessReport: which services service control policies allow in
// a root, a unit or an account, and which accounts used them last.
func TestOrganizationsAccessReport(t *testing.T) {
	h := newHouse(t)
	if msg := h.admin.Fail("AccessDenied", "GenerateOrganizationsAccessReport", "EntityPath="+h.path()); !strings.Contains(msg, "service control policies are not enabled") {
		t.Errorf("without service control policies: %s", msg)
	}
	h.admin.Org("EnablePolicyType", `{"RootId":"`+h.root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	some := h.policy("some", `"iam:*","sqs:SendMessage"`)
	loose := h.policy("loose", `"iam:*"`)
	h.admin.Org("AttachPolicy", `{"PolicyId":"`+some+`","TargetId":"`+h.labs+`"}`)
	h.admin.Org("DetachPolicy", `{"PolicyId":"p-FullAWSAccess","TargetId":"`+h.labs+`"}`)
	h.enter(h.shop).OK("ListUsers")
	h.clock.Advance(time.Minute)
	h.enter(h.lab).OK("ListUsers")

	root, labs, lab, shop := h.path(), h.path(h.labs), h.path(h.labs, h.lab), h.path(h.shop)
	for _, tt := range []struct {
		name     string
		params   []string
		services string // how many; "" for all
		iam, sqs string
	}{
		{"the-root", []string{"EntityPath=" + root}, "", "2 " + lab, "0"},
		{"a-unit", []string{"EntityPath=" + labs}, "2", "1 " + lab, "0"},
		{"an-account", []string{"EntityPath=" + lab}, "2", "1 " + lab, "0"},
		{"an-account-beyond-the-policy", []string{"EntityPath=" + shop}, "", "1 " + shop, "0"},
		{"the-management-account", []string{"EntityPath=" + h.path(iamtest.Account)}, "", "1 " + h.path(iamtest.Account), "0"},
		{"the-management-account-and-a-policy", []string{"EntityPath=" + h.path(iamtest.Account), "OrganizationsPolicyId=" + some}, "", "1 " + h.path(iamtest.Account), "0"},
		{"a-policy-in-the-root", []string{"EntityPath=" + root, "OrganizationsPolicyId=" + some}, "2", "1 " + lab, "0"},
		{"a-policy-in-a-unit", []string{"EntityPath=" + labs, "OrganizationsPolicyId=" + some}, "2", "1 " + lab, "0"},
		{"a-policy-in-an-account-that-inherits-it", []string{"EntityPath=" + lab, "OrganizationsPolicyId=" + some}, "2", "0", "0"},
		{"a-policy-that-is-not-attached", []string{"EntityPath=" + root, "OrganizationsPolicyId=" + loose}, "1", "0", "absent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := h.report(tt.params...)
			if got := iamtest.Element(body, "NumberOfServicesAccessible"); tt.services != "" && got != tt.services || tt.services == "" && len(got) < 3 {
				t.Errorf("%s services, want %q", got, tt.services)
			}
			if got := row(body, "iam") + ", " + row(body, "sqs"); got != tt.iam+", "+tt.sqs {
				t.Errorf("iam, sqs = %s, want %s, %s", got, tt.iam, tt.sqs)
			}
		})
	}
	for _, tt := range []struct{ name, path, policy, code string }{
		{"no-such-unit", h.path("ou-abcd-00000000"), "", "INVALID_ORGANIZATIONS_ENTITY_PATH"},
		{"not-the-way", h.path(h.lab), "", "INVALID_ORGANIZATIONS_ENTITY_PATH"},
		{"a-slash-at-the-end", labs + "/", "", "INVALID_ORGANIZATIONS_ENTITY_PATH"},
		{"no-such-policy", labs, "p-00000000", "INVALID_ORGANIZATIONS_POLICY"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			params := []string{"EntityPath=" + tt.path}
			if tt.policy != "" {
				params = append(params, "OrganizationsPolicyId="+tt.policy)
			}
			body := h.report(params...)
			if got := iamtest.Element(body, "JobStatus") + " " + iamtest.Element(body, "Code"); got != "FAILED "+tt.code {
				t.Errorf("status = %s, want FAILED %s", got, tt.code)
			}
		})
	}
}

// TestWhoMayReportOnAnOrganization: nobody outside the management account (quirk
// Q075), and in it who may read the organization.
func TestWhoMayReportOnAnOrganization(t *testing.T) {
	h := newHouse(t)
	h.admin.Org("EnablePolicyType", `{"RootId":"`+h.root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	path := "EntityPath=" + h.path(h.labs)
	h.enter(h.lab).Fail("AccessDenied", "GenerateOrganizationsAccessReport", path)
	if msg := h.admin.Fail("AccessDenied", "GenerateOrganizationsAccessReport", "EntityPath=o-0000000000/"+h.root); !strings.Contains(msg, "does not manage that organization") {
		t.Errorf("another organization: %s", msg)
	}
	status := func(c *iamtest.Client) string {
		body := c.OK("GetOrganizationsAccessReport", "JobId="+iamtest.Element(c.OK("GenerateOrganizationsAccessReport", path), "JobId"))
		return iamtest.Element(body, "JobStatus") + " " + iamtest.Element(body, "Code")
	}
	if got := status(h.User("ann", allow(`"iam:*OrganizationsAccessReport"`))); got != "FAILED ORGANIZATIONS_REPORT_ACCESS_DENIED" {
		t.Errorf("who may not read the organization: %s", got)
	}
	if got := status(h.User("bob", allow(`"iam:*OrganizationsAccessReport","organizations:List*","organizations:Describe*"`))); got != "COMPLETED " {
		t.Errorf("who may read the organization: %s", got)
	}
	only := h.User("eve", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:*","organizations:*"],"Resource":"*","Condition":{"StringEquals":{"iam:OrganizationsPolicyId":"p-FullAWSAccess"}}}}`)
	only.Fail("AccessDenied", "GenerateOrganizationsAccessReport", path)
}

// TestOrganizationJobs: the same request gets the same job for a minute, and pages
// come in any order.
func TestOrganizationJobs(t *testing.T) {
	h := newHouse(t)
	h.admin.Org("EnablePolicyType", `{"RootId":"`+h.root+`","PolicyType":"SERVICE_CONTROL_POLICY"}`)
	policy := h.policy("some", `"iam:*","sqs:*","sts:*"`)
	h.enter(h.lab).OK("ListUsers")
	generate := func() string {
		return iamtest.Element(h.admin.OK("GenerateOrganizationsAccessReport", "EntityPath="+h.path(), "OrganizationsPolicyId="+policy), "JobId")
	}
	h.admin.Org("AttachPolicy", `{"PolicyId":"`+policy+`","TargetId":"`+h.root+`"}`)
	first := generate()
	h.clock.Advance(59 * time.Second)
	if again := generate(); again != first {
		t.Errorf("59 seconds later the job is %s, want %s", again, first)
	}
	h.clock.Advance(time.Second)
	if again := generate(); again == first {
		t.Error("a minute later the job is the same")
	}
	order := func(key string) string {
		var names []string
		params := []string{"JobId=" + first, "MaxItems=1", "SortKey=" + key}
		for {
			body := h.admin.OK("GetOrganizationsAccessReport", params...)
			names = append(names, iamtest.Element(body, "ServiceNamespace"))
			if iamtest.Element(body, "IsTruncated") != "true" {
				return strings.Join(names, " ")
			}
			params = append(params[:3:3], "Marker="+iamtest.Element(body, "Marker"))
		}
	}
	for key, want := range map[string]string{
		"SERVICE_NAMESPACE_ASCENDING": "iam sqs sts", "SERVICE_NAMESPACE_DESCENDING": "sts sqs iam",
		"LAST_AUTHENTICATED_TIME_ASCENDING": "sqs sts iam", "LAST_AUTHENTICATED_TIME_DESCENDING": "iam sqs sts",
	} {
		if got := order(key); got != want {
			t.Errorf("in the order of %s: %s, want %s", key, got, want)
		}
	}
	// One at a time.
	h.unfinish("job/" + generate())
	h.admin.Fail("ReportGenerationLimitExceeded", "GenerateOrganizationsAccessReport", "EntityPath="+h.path(h.labs))
	h.clock.Advance(time.Minute)
	h.admin.OK("GenerateOrganizationsAccessReport", "EntityPath="+h.path(h.labs))
}
