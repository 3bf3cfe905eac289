// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/managed"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const linkedPolicies = "arn:aws:iam::aws:policy/aws-service-role/"

// protected is what AWS answers to a change of a role that is its own.
func protected(role string) string {
	return "Cannot perform the operation on the protected role '" + role + "' - this role is only modifiable by AWS"
}

func TestServiceLinkedRole(t *testing.T) {
	w := newWorld(t)
	admin := w.Admin()
	const name = "AWSServiceRoleForAutoScaling"
	body := admin.OK("CreateServiceLinkedRole", "AWSServiceName=autoscaling.amazonaws.com", "Description=Scales")
	for element, want := range map[string]string{
		"RoleName": name, "Path": "/aws-service-role/autoscaling.amazonaws.com/", "Description": "Scales",
		"Arn": prefix + "role/aws-service-role/autoscaling.amazonaws.com/" + name, "MaxSessionDuration": "", "RoleLastUsed": "",
	} {
		if got := iamtest.Element(body, element); got != want {
			t.Errorf("CreateServiceLinkedRole: %s = %q, want %q", element, got, want)
		}
	}
	attached := iamtest.Elements(admin.OK("ListAttachedRolePolicies", "RoleName="+name), "PolicyArn")
	if want := []string{linkedPolicies + "AutoScalingServiceRolePolicy"}; !slices.Equal(attached, want) {
		t.Errorf("attached policies = %q, want %q", attached, want)
	}
	admin.Fail("AccessDenied", "AssumeRole", "RoleArn="+iamtest.Element(body, "Arn"), "RoleSessionName=visit")
	for _, tt := range []struct{ name, code, params, says string }{
		{"the-same-again", "InvalidInput", "AWSServiceName=autoscaling.amazonaws.com", "Service role name " + name + " has been taken in this account, please try a different suffix."},
		{"a-suffix-that-the-service-does-not-allow", "InvalidInput", "AWSServiceName=ecs.amazonaws.com CustomSuffix=x", "Custom suffix is not allowed for ecs.amazonaws.com"},
		{"a-service-that-is-not-known-q064", "InvalidInput", "AWSServiceName=nothing.amazonaws.com", "Service-linked roles are not known for the service nothing.amazonaws.com."},
		{"services-are-case-sensitive", "InvalidInput", "AWSServiceName=ECS.amazonaws.com", "Service-linked roles are not known for the service ECS.amazonaws.com."},
		{"a-name-too-long", "ValidationError", "AWSServiceName=autoscaling.amazonaws.com CustomSuffix=" + strings.Repeat("x", 40), "less than or equal to 64"},
	} {
		if got := admin.Fail(tt.code, "CreateServiceLinkedRole", strings.Fields(tt.params)...); !strings.Contains(got, tt.says) {
			t.Errorf("%s: %s\nwant %s", tt.name, got, tt.says)
		}
	}
	second := admin.OK("CreateServiceLinkedRole", "AWSServiceName=autoscaling.amazonaws.com", "CustomSuffix=two")
	if got := iamtest.Element(second, "RoleName"); got != name+"_two" {
		t.Errorf("with the suffix two the role is %s", got)
	}
}

// TestServiceLinkedRolesAreProtected: of a role that is linked to a service,
// customers change the description and the tags only.
func TestServiceLinkedRolesAreProtected(t *testing.T) {
	w := newWorld(t)
	admin := w.Admin()
	const role = "AWSServiceRoleForSupport"
	admin.OK("CreateServiceLinkedRole", "AWSServiceName=support.amazonaws.com")
	before := admin.OK("GetRole", "RoleName="+role)
	for _, call := range []string{
		"AddRoleToInstanceProfile InstanceProfileName=prof", "AttachRolePolicy PolicyArn=" + readOnly, "DeleteRole", "DeleteRolePermissionsBoundary",
		"DeleteRolePolicy PolicyName=x", "DetachRolePolicy PolicyArn=" + linkedPolicies + "AWSSupportServiceRolePolicy",
		"PutRolePermissionsBoundary PermissionsBoundary=" + readOnly, "PutRolePolicy PolicyName=x PolicyDocument=" + anyPolicy,
		"RemoveRoleFromInstanceProfile InstanceProfileName=prof", "UpdateAssumeRolePolicy PolicyDocument=" + trustPolicy, "UpdateRole MaxSessionDuration=7200",
	} {
		op, params, _ := strings.Cut(call, " ")
		if got := admin.Fail("UnmodifiableEntity", op, append(strings.Fields(params), "RoleName="+role)...); got != protected(role) {
			t.Errorf("%s: %s", op, got)
		}
	}
	after := admin.OK("GetRole", "RoleName="+role)
	if a, b := iamtest.Element(before, "GetRoleResult"), iamtest.Element(after, "GetRoleResult"); a != b {
		t.Errorf("the role was\n%s\nand is\n%s", a, b)
	}
	admin.OK("UpdateRole", "RoleName="+role, "Description=one")
	if got := iamtest.Element(admin.OK("UpdateRoleDescription", "RoleName="+role, "Description=two"), "Description"); got != "two" {
		t.Errorf("description = %q", got)
	}
	admin.OK("TagRole", "RoleName="+role, "Tags.member.1.Key=k", "Tags.member.1.Value=v")
	for op, params := range map[string]string{
		"AttachUserPolicy": "UserName=ann PolicyArn=", "AttachRolePolicy": "RoleName=app PolicyArn=", "CreateUser": "UserName=new PermissionsBoundary=",
		"CreateRole": "RoleName=new AssumeRolePolicyDocument=" + trustPolicy + " PermissionsBoundary=", "PutUserPermissionsBoundary": "UserName=ann PermissionsBoundary=",
	} {
		got := admin.Fail("PolicyNotAttachable", op, strings.Fields(params+linkedPolicies+"AWSSupportServiceRolePolicy")...)
		if !strings.HasPrefix(got, "Cannot attach a Service Role Policy to a customer ") {
			t.Errorf("%s: %s", op, got)
		}
	}
}

func TestServiceLinkedRoleDeletion(t *testing.T) {
	w := newWorld(t)
	admin := w.Admin()
	create := func() { admin.OK("CreateServiceLinkedRole", "AWSServiceName=ecs.amazonaws.com") }
	remove := func() string {
		return iamtest.Element(admin.OK("DeleteServiceLinkedRole", "RoleName=awsserviceroleforECS"), "DeletionTaskId")
	}
	create()
	first := remove()
	if want := "task/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS/"; !strings.HasPrefix(first, want) || len(first) != len(want)+36 {
		t.Errorf("DeletionTaskId = %s", first)
	}
	status := func(task string) string {
		return iamtest.Element(admin.OK("GetServiceLinkedRoleDeletionStatus", "DeletionTaskId="+task), "Status")
	}
	if got := status(first); got != "SUCCEEDED" {
		t.Errorf("status = %s", got) // quirk Q065: the task is over at once
	}
	admin.Fail("NoSuchEntity", "GetRole", "RoleName=AWSServiceRoleForECS")
	admin.Fail("NoSuchEntity", "DeleteServiceLinkedRole", "RoleName=AWSServiceRoleForECS")
	admin.Fail("NoSuchEntity", "DeleteServiceLinkedRole", "RoleName=app")
	admin.OK("GetRole", "RoleName=app")
	for task, code := range map[string]string{
		first[:len(first)-1]: "NoSuchEntity",
		strings.Replace(first, "RoleForECS", "RoleForX", 1): "NoSuchEntity",
		"task/aws-service-role/ecs.amazonaws.com/":          "InvalidInput",
		"task/app/ecs.amazonaws.com/x/y":                    "InvalidInput",
		"a-task":                                            "InvalidInput",
	} {
		admin.Fail(code, "GetServiceLinkedRoleDeletionStatus", "DeletionTaskId="+task)
	}
	// Made anew, it is another role, deleted by another task; of the tasks the last 100 are kept.
	create()
	if second := remove(); second == first || status(second) != "SUCCEEDED" || status(first) != "SUCCEEDED" {
		t.Errorf("tasks %s and %s", first, second)
	}
	w.change(t, func(tx *store.Tx) error {
		for i := range 98 {
			tx.PutAnnexed(store.AnnexIAM, fmt.Sprintf("task/%d", i), []byte(`{"task":"old","made":"2020-01-01T00:00:00Z"}`))
		}
		tx.PutAnnexed(store.AnnexIAM, "other", []byte(`{}`))
		return nil
	})
	create()
	third := remove()
	if got := w.tasks(t); got != 100 || status(first) != "SUCCEEDED" || status(third) != "SUCCEEDED" {
		t.Errorf("%d tasks are kept, want 100, the newest ones", got)
	}
}

func (w *world) tasks(t *testing.T) int {
	v, err := w.Store().View(t.Context(), iamtest.Account)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for row := range v.Annex(store.AnnexIAM).Rows() {
		if strings.HasPrefix(row.Key, "task/") {
			n++
		}
	}
	return n
}

// TestServiceLinkedRoleInUse: a deletion that cannot be leaves the role as it is,
// and its task says why.
func TestServiceLinkedRoleInUse(t *testing.T) {
	w := newWorld(t)
	w.Admin().OK("CreateServiceLinkedRole", "AWSServiceName=ecs.amazonaws.com")
	w.change(t, func(tx *store.Tx) error { return tx.AddRole("prof", "AWSServiceRoleForECS") })
	task := iamtest.Element(w.Admin().OK("DeleteServiceLinkedRole", "RoleName=AWSServiceRoleForECS"), "DeletionTaskId")
	body := w.Admin().OK("GetServiceLinkedRoleDeletionStatus", "DeletionTaskId="+task)
	if iamtest.Element(body, "Status") != "FAILED" || !strings.Contains(iamtest.Element(body, "Resources"), prefix+"instance-profile/i/prof") {
		t.Errorf("GetServiceLinkedRoleDeletionStatus: %s", body)
	}
	if got := iamtest.Elements(w.Admin().OK("ListAttachedRolePolicies", "RoleName=AWSServiceRoleForECS"), "PolicyArn"); len(got) != 1 {
		t.Errorf("attached policies = %q", got)
	}
}

// TestServiceLinkedRolesExceedTheQuota: they count, but are never refused.
func TestServiceLinkedRolesExceedTheQuota(t *testing.T) {
	w := newWorld(t)
	w.change(t, func(tx *store.Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{quota.Roles: 2}
		return tx.PutAccount(a)
	})
	for _, service := range []string{"ecs", "eks", "rds"} {
		w.Admin().OK("CreateServiceLinkedRole", "AWSServiceName="+service+".amazonaws.com")
	}
	w.Admin().Fail("LimitExceeded", "CreateRole", "RoleName=one", "AssumeRolePolicyDocument="+trustPolicy)
	if body := w.Admin().OK("GetAccountSummary"); !strings.Contains(body, "<key>Roles</key><value>4</value>") {
		t.Errorf("GetAccountSummary: %s", body)
	}
}

// TestServiceNameKey: iam:AWSServiceName says whose role it is.
func TestServiceNameKey(t *testing.T) {
	w := newWorld(t)
	w.allow(t, policyOf([]string{`{"Effect":"Allow","Action":["iam:CreateServiceLinkedRole","iam:DeleteServiceLinkedRole"],"Resource":"` + prefix + `role/aws-service-role/*",` +
		`"Condition":{"StringLike":{"iam:AWSServiceName":"ecs.amazonaws.com"}}}`}))
	w.carl.OK("CreateServiceLinkedRole", "AWSServiceName=ecs.amazonaws.com")
	w.carl.Fail("AccessDenied", "CreateServiceLinkedRole", "AWSServiceName=eks.amazonaws.com")
	w.Admin().OK("CreateServiceLinkedRole", "AWSServiceName=eks.amazonaws.com")
	w.carl.Fail("AccessDenied", "DeleteServiceLinkedRole", "RoleName=AWSServiceRoleForAmazonEKS")
	w.carl.OK("DeleteServiceLinkedRole", "RoleName=AWSServiceRoleForECS")
}

// TestReservedPaths: nothing that customers make is where AWS's own things are
// (Q063).
func TestReservedPaths(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/aws-service-role/", "/aws-service-role/ecs.amazonaws.com/", "/aws-reserved/sso.amazonaws.com/"} {
		for _, call := range []string{
			"CreateGroup GroupName=new Path=", "CreateInstanceProfile InstanceProfileName=new Path=", "CreatePolicy PolicyName=new PolicyDocument=" + anyPolicy + " Path=",
			"CreateRole RoleName=new AssumeRolePolicyDocument=" + trustPolicy + " Path=", "CreateUser UserName=new Path=",
			"UpdateGroup GroupName=devs NewPath=", "UpdateUser UserName=ann NewPath=",
		} {
			op, params, _ := strings.Cut(call+path, " ")
			want := "Path prefix '/aws-service-role/' can only be used for AWS Service linked Roles"
			if strings.HasPrefix(path, "/aws-reserved/") {
				want = "Path prefix '/aws-reserved/' can only be used for AWS reserved Roles"
			}
			if got := w.Admin().Fail("InvalidInput", op, strings.Fields(params)...); got != want {
				t.Errorf("%s: %s, want %s", op, got, want)
			}
		}
	}
	w.Admin().OK("CreateRole", "RoleName=service", "Path=/service-role/", "AssumeRolePolicyDocument="+trustPolicy)
}

// TestLinkedServices: every role of the table can be made, its policies are there,
// and it says what one lacks (Q064).
func TestLinkedServices(t *testing.T) {
	w := newWorld(t)
	var without []string
	table, err := os.ReadFile("linked.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(table)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		service, name := strings.Fields(line)[0], strings.Fields(line)[1]
		body := w.Admin().OK("CreateServiceLinkedRole", "AWSServiceName="+service)
		if got := iamtest.Element(body, "RoleName"); got != name {
			t.Errorf("role of %s = %s, want %s", service, got, name)
		}
		attached := iamtest.Elements(w.Admin().OK("ListAttachedRolePolicies", "RoleName="+name), "PolicyArn")
		if len(attached) == 0 {
			without = append(without, service)
			continue
		}
		if p, ok := managed.Lookup(attached[0]); len(attached) != 1 || !ok || !p.ServiceLinked() {
			t.Errorf("policies of the role of %s: %q", service, attached)
		}
	}
	if want := []string{"lex.amazonaws.com"}; !slices.Equal(without, want) {
		t.Errorf("roles without a policy: %q, want %q", without, want)
	}
}
