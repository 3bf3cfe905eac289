// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// simulateCases are simulations of a single action, s3:GetObject, unless they
// say. want is the decision, then the matched statements as source and type, the
// missing keys as "?key", and what the boundary says as "boundary=true".
var simulateCases = []struct {
	name   string
	params []string
	want   string
}{
	{"an-allow", []string{pol(1, allowing("s3:*", "*"))}, "allowed PolicyInputList.1/IAM Policy"},
	{"silence", []string{pol(1, allowing("s3:PutObject", "*"))}, "implicitDeny"},
	{"a-deny-is-the-only-match", []string{pol(1, allowing("s3:*", "*")), pol(2, `{"Effect":"Deny","Action":"s3:Get*","Resource":"*"}`)},
		"explicitDeny PolicyInputList.2/IAM Policy"},
	{"every-allow-matches", []string{pol(1, allowing("s3:*", "*")), pol(2, allowing("*", "*"))},
		"allowed PolicyInputList.1/IAM Policy PolicyInputList.2/IAM Policy"},
	{"actions-in-any-letter-case", []string{pol(1, allowing("S3:getobject", "*"))}, "allowed PolicyInputList.1/IAM Policy"},
	{"a-boundary-that-allows", []string{pol(1, allowing("s3:*", "*")), "PermissionsBoundaryPolicyInputList.member.1=" + policyOf([]string{allowing("s3:*", "*")})},
		"allowed PolicyInputList.1/IAM Policy PermissionsBoundaryPolicyInputList.1/Permissions Boundary Policy boundary=true"},
	{"a-boundary-that-does-not", []string{pol(1, allowing("s3:*", "*")), "PermissionsBoundaryPolicyInputList.member.1=" + policyOf([]string{allowing("ec2:*", "*")})},
		"implicitDeny boundary=false"},
	{"a-key-that-is-missing", []string{pol(1, `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"${aws:username}/x"}}}`)},
		"implicitDeny ?s3:prefix ?aws:username"},
	{"keys-of-statements-for-other-actions-are-not-missing", []string{pol(1, `{"Effect":"Allow","Action":"ec2:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`)},
		"implicitDeny"},
	{"a-key-that-is-given", append(entry(1, "S3:Prefix", "string", "home"), pol(1, `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"s3:prefix":"home"}}}`)),
		"allowed PolicyInputList.1/IAM Policy"},
	{"a-list", append(entry(1, "aws:TagKeys", "stringList", "a", "b"), pol(1, `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}}`)),
		"allowed PolicyInputList.1/IAM Policy"},
	{"a-list-with-one-too-many", append(entry(1, "aws:TagKeys", "stringList", "a", "c"), pol(1, `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}}}`)),
		"implicitDeny"},
	{"numbers-dates-addresses", slices.Concat(entry(1, "s3:max-keys", "numeric", "10"), entry(2, "aws:SourceIp", "ip", "192.0.2.7"), entry(3, "aws:CurrentTime", "date", "2026-01-02T03:04:05Z"),
		[]string{pol(1, `{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"NumericLessThan":{"s3:max-keys":"11"},"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"DateGreaterThan":{"aws:CurrentTime":"2026-01-01T00:00:00Z"}}}`)}),
		"allowed PolicyInputList.1/IAM Policy"},
	{"a-variable-of-the-caller", []string{"CallerArn=" + prefix + "user/t/ann", pol(1, allowing("s3:*", "arn:aws:s3:::b/${aws:username}/*")), "ResourceArns.member.1=arn:aws:s3:::b/ann/x"},
		"allowed PolicyInputList.1/IAM Policy"},
	{"a-variable-without-a-caller", []string{pol(1, allowing("s3:*", "arn:aws:s3:::b/${aws:username}/*")), "ResourceArns.member.1=arn:aws:s3:::b/ann/x"},
		"implicitDeny ?aws:username"},
	{"a-resource-policy-may-grant-to-one-it-names", []string{pol(1, allowing("ec2:*", "*")), "CallerArn=" + prefix + "user/t/ann", "ResourceArns.member.1=arn:aws:s3:::b/x",
		`ResourcePolicy=` + policyOf([]string{`{"Effect":"Allow","Principal":{"AWS":"` + prefix + `user/t/ann"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}`})},
		"allowed ResourcePolicy/Resource Policy"},
	{"a-resource-policy-denies", []string{pol(1, allowing("*", "*")), "CallerArn=" + prefix + "user/t/ann", "ResourceArns.member.1=arn:aws:s3:::b/x",
		`ResourcePolicy=` + policyOf([]string{`{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`})},
		"explicitDeny ResourcePolicy/Resource Policy"},
	{"across-accounts-with-a-boundary", []string{pol(1, allowing("*", "*")), "CallerArn=" + prefix + "user/t/ann", "ResourceOwner=arn:aws:iam::444455556666:root", "ResourceArns.member.1=arn:aws:s3:::b/x",
		"PermissionsBoundaryPolicyInputList.member.1=" + policyOf([]string{allowing("ec2:*", "*")}),
		`ResourcePolicy=` + policyOf([]string{`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`})},
		"implicitDeny boundary=false IAM Policy=allowed Permissions Boundary Policy=implicitDeny Resource Policy=allowed"},
	{"a-role-as-the-caller", []string{pol(1, allowing("ec2:*", "*")), "CallerArn=" + prefix + "role/any/app", "ResourceArns.member.1=arn:aws:s3:::b/x",
		`ResourcePolicy=` + policyOf([]string{`{"Effect":"Allow","Principal":{"AWS":"` + prefix + `role/any/app"},"Action":"s3:*","Resource":"*"}`})},
		"allowed ResourcePolicy/Resource Policy"},
	{"a-group-as-the-caller-is-named-by-its-account-alone", []string{pol(1, allowing("s3:*", "*")), "CallerArn=" + prefix + "group/devs", "ResourceArns.member.1=arn:aws:s3:::b/x",
		`ResourcePolicy=` + policyOf([]string{`{"Effect":"Deny","Principal":{"AWS":"111122223333"},"Action":"s3:*","Resource":"*"}`})},
		"explicitDeny ResourcePolicy/Resource Policy"},
	{"a-key-in-an-unused-value-of-a-resource-is-not-missing", []string{pol(1, `{"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b/*","arn:aws:s3:::c/${aws:username}"]}`), "ResourceArns.member.1=arn:aws:s3:::b/x"},
		"allowed PolicyInputList.1/IAM Policy"},
	{"across-accounts-both-must-allow", []string{pol(1, allowing("*", "*")), "CallerArn=" + prefix + "user/t/ann", "ResourceOwner=arn:aws:iam::444455556666:root", "ResourceArns.member.1=arn:aws:s3:::b/x",
		`ResourcePolicy=` + policyOf([]string{`{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"*"}`})},
		"implicitDeny IAM Policy=allowed Resource Policy=implicitDeny"},
	{"Q030-the-simulator-does-not-look-at-trust-policies", []string{pol(1, allowing("sts:AssumeRole", "*")), "ActionNames.member.1=sts:AssumeRole", "ResourceArns.member.1=" + prefix + "role/any"},
		"allowed PolicyInputList.1/IAM Policy"},
	{"a-trust-policy-that-is-given", []string{pol(1, allowing("sts:AssumeRole", "*")), "CallerArn=" + prefix + "user/t/ann", "ActionNames.member.1=sts:AssumeRole", "ResourceArns.member.1=" + prefix + "role/any",
		`ResourcePolicy=` + policyOf([]string{`{"Effect":"Allow","Principal":{"AWS":"` + prefix + `user/bob"},"Action":"sts:AssumeRole"}`})},
		"implicitDeny"},
}

func pol(n int, statements ...string) string {
	return fmt.Sprintf("PolicyInputList.member.%d=%s", n, policyOf(statements))
}

func entry(n int, key, typ string, values ...string) []string {
	p := fmt.Sprintf("ContextEntries.member.%d.", n)
	out := []string{p + "ContextKeyName=" + key, p + "ContextKeyType=" + typ}
	for i, v := range values {
		out = append(out, fmt.Sprintf("%sContextKeyValues.member.%d=%s", p, i+1, v))
	}
	return out
}

// outcome puts the results of a simulation into the form of simulateCases.
func outcome(body string) string {
	body, _, _ = strings.Cut(body, "<ResourceSpecificResults>")
	out := []string{iamtest.Element(body, "EvalDecision")}
	kinds := iamtest.Elements(body, "SourcePolicyType")
	for i, id := range iamtest.Elements(body, "SourcePolicyId") {
		out = append(out, id+"/"+kinds[i])
	}
	if v := iamtest.Element(body, "AllowedByPermissionsBoundary"); v != "" {
		out = append(out, "boundary="+v)
	}
	return strings.Join(out, " ")
}

func TestSimulateCustomPolicy(t *testing.T) {
	w := newWorld(t)
	for _, tt := range simulateCases {
		t.Run(tt.name, func(t *testing.T) {
			params := tt.params
			if !slices.ContainsFunc(params, func(p string) bool { return strings.HasPrefix(p, "ActionNames") }) {
				params = append(params, "ActionNames.member.1=s3:GetObject")
			}
			body := w.Admin().OK("SimulateCustomPolicy", params...)
			got := outcome(body)
			missing := body
			if i := strings.Index(body, "<ResourceSpecificResults>"); i >= 0 {
				missing = body[i:]
				values := iamtest.Elements(iamtest.Element(missing, "EvalDecisionDetails"), "value")
				for i, key := range iamtest.Elements(iamtest.Element(missing, "EvalDecisionDetails"), "key") {
					got += " " + key + "=" + values[i]
				}
			}
			for _, key := range iamtest.Elements(iamtest.Element(missing, "MissingContextValues"), "member") {
				got += " ?" + key
			}
			if got != tt.want {
				t.Errorf("SimulateCustomPolicy = %s\nwant %s\n%s", got, tt.want, body)
			}
		})
	}
}

func TestSimulatePrincipalPolicy(t *testing.T) {
	w := newWorld(t)
	w.change(t, func(tx *store.Tx) error {
		if err := tx.AddMember("devs", "ann"); err != nil {
			return err
		}
		group := store.NewDocument("all", policyOf([]string{allowing("sqs:*", "*")}))
		if err := tx.PutInline(store.GroupHolder("devs"), "all", group); err != nil {
			return err
		}
		return tx.Attach(store.UserHolder("ann"), adminAccess)
	})
	ann, devs, app := prefix+"user/t/ann", prefix+"group/g/devs", prefix+"role/r/app"
	for _, tt := range []struct {
		name   string
		params []string
		want   string
	}{
		{"inline-managed-and-of-groups-with-the-boundary", []string{"PolicySourceArn=" + ann, "ActionNames.member.1=s3:GetObject"},
			"allowed user_ann_in/IAM Policy AdministratorAccess/IAM Policy group_devs_in/IAM Policy ReadOnlyAccess/Permissions Boundary Policy boundary=true"},
		{"the-boundary-in-force", []string{"PolicySourceArn=" + ann, "ActionNames.member.1=sqs:SendMessage"}, "implicitDeny boundary=false"},
		{"another-boundary-instead", []string{"PolicySourceArn=" + ann, "ActionNames.member.1=sqs:SendMessage", "PermissionsBoundaryPolicyInputList.member.1=" + policyOf([]string{allowing("sqs:*", "*")})},
			"allowed AdministratorAccess/IAM Policy group_devs_all/IAM Policy PermissionsBoundaryPolicyInputList.1/Permissions Boundary Policy boundary=true"},
		{"a-group", []string{"PolicySourceArn=" + devs, "ActionNames.member.1=sqs:SendMessage"}, "allowed group_devs_all/IAM Policy"},
		{"a-role", []string{"PolicySourceArn=" + app, "ActionNames.member.1=s3:GetObject"}, "allowed role_app_in/IAM Policy ReadOnlyAccess/Permissions Boundary Policy boundary=true"},
		{"a-policy-added", []string{"PolicySourceArn=" + devs, "ActionNames.member.1=ec2:RunInstances", pol(1, allowing("ec2:*", "*"))}, "allowed PolicyInputList.1/IAM Policy"},
		{"Q027-the-name-of-the-principal", []string{"PolicySourceArn=" + prefix + "user/carl", "ActionNames.member.1=ec2:RunInstances", pol(1, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"carl"}}}`)},
			"allowed PolicyInputList.1/IAM Policy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := w.Admin().OK("SimulatePrincipalPolicy", tt.params...)
			if got := outcome(body); got != tt.want {
				t.Errorf("SimulatePrincipalPolicy = %s\nwant %s\n%s", got, tt.want, body)
			}
		})
	}
}

// TestSimulateOrganization: what the service control policies over the account say
// counts, but their statements are not listed; the caller's organization is known (Q027).
func TestSimulateOrganization(t *testing.T) {
	w := newWorld(t)
	const management = "444455556666"
	guard := policyOf([]string{allowing("s3:*", "*"), allowing("iam:*", "*"), `{"Effect":"Deny","Action":"s3:Delete*","Resource":"*"}`})
	id, root := w.organize(t, management, guard)
	app := "PolicySourceArn=" + prefix + "role/r/app"
	for _, tt := range []struct {
		name   string
		params []string
		want   string
	}{
		{"within", []string{app, "ActionNames.member.1=s3:GetObject"}, "allowed role_app_in/IAM Policy ReadOnlyAccess/Permissions Boundary Policy boundary=true organizations=true"},
		{"silence", []string{app, "ActionNames.member.1=ec2:DescribeInstances"}, "implicitDeny boundary=true organizations=false"},
		{"a-deny", []string{app, "ActionNames.member.1=s3:DeleteObject"}, "explicitDeny boundary=false organizations=false"},
		{"a-deny-on-one-resource-has-no-details", []string{app, "ActionNames.member.1=s3:DeleteObject", "ResourceArns.member.1=arn:aws:s3:::b/x", "ResourceOwner=" + management,
			`ResourcePolicy=` + policyOf([]string{`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`})}, "explicitDeny boundary=false organizations=false"},
		{"the-caller's-organization", []string{"PolicySourceArn=" + prefix + "user/carl", "ActionNames.member.1=s3:GetObject",
			pol(1, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"`+id+`"},"ForAnyValue:StringLike":{"aws:PrincipalOrgPaths":"`+id+"/"+root+`/*"}}}`)},
			"allowed PolicyInputList.1/IAM Policy organizations=true"},
		{"another-organization", append(entry(1, "aws:PrincipalOrgId", "string", "o-other"), "PolicySourceArn="+prefix+"user/carl", "ActionNames.member.1=s3:GetObject",
			pol(1, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"`+id+`"}}}`)),
			"implicitDeny organizations=true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := w.Admin().OK("SimulatePrincipalPolicy", tt.params...)
			if got := outcome(body) + " organizations=" + iamtest.Element(body, "AllowedByOrganizations"); got != tt.want || strings.Contains(body, "EvalDecisionDetails") {
				t.Errorf("SimulatePrincipalPolicy = %s\nwant %s\n%s", got, tt.want, body)
			}
		})
	}
	if body := w.Admin().OK("SimulateCustomPolicy", pol(1, allowing("*", "*")), "ActionNames.member.1=s3:DeleteObject"); !strings.HasPrefix(outcome(body), "allowed") {
		t.Errorf("a custom policy within an organization: %s", body)
	}
}

// organize makes the account a member of another one's organization, with a policy
// over it in the place of FullAWSAccess, and returns the organization's ids.
func (w *world) organize(t *testing.T, management, text string) (id, root string) {
	t.Helper()
	if _, err := w.Store().CreateAccount(t.Context(), store.Account{ID: management, Email: "ops@example.com"}); err != nil {
		t.Fatal(err)
	}
	r := &orgs.Registry{Store: w.Store(), IDs: new(ids.Source), Now: time.Now}
	o := orgs.Organization{Features: "ALL"}
	p := orgs.Policy{Type: orgs.TypeSCP, Name: "guard", Document: store.NewDocument("guard", text)}
	for _, step := range []func(tx *orgs.Tx) error{
		func(tx *orgs.Tx) error { return tx.CreateOrganization(&o) },
		func(tx *orgs.Tx) error { return tx.EnableType(orgs.TypeSCP) },
		func(tx *orgs.Tx) error {
			return tx.Enroll(&orgs.Member{ID: iamtest.Account, Name: "main", Email: "main@example.com"})
		},
		func(tx *orgs.Tx) error { return tx.CreatePolicy(&p) },
		func(tx *orgs.Tx) error { return tx.AttachPolicy(p.ID, iamtest.Account) },
		func(tx *orgs.Tx) error { return tx.DetachPolicy(orgs.FullAccess, iamtest.Account) },
	} {
		if err := r.Update(t.Context(), management, step); err != nil {
			t.Fatal(err)
		}
	}
	w.change(t, func(tx *store.Tx) error { return tx.Join(management) })
	return o.ID, o.Root
}

func TestSimulateRefusesBadInput(t *testing.T) {
	w := newWorld(t)
	good := []string{pol(1, allowing("s3:*", "*")), "ActionNames.member.1=s3:GetObject"}
	for _, tt := range []struct {
		op, code string
		params   []string
		says     string
	}{
		{"SimulateCustomPolicy", "InvalidInput", []string{good[0], "ActionNames.member.1=s3:*"}, "ActionNames are not in a valid format: s3:*."},
		{"SimulateCustomPolicy", "InvalidInput", []string{good[0], "ActionNames.member.1=GetObject"}, "ActionNames"},
		{"SimulateCustomPolicy", "InvalidInput", []string{"PolicyInputList.member.1={", good[1]}, "Invalid policy PolicyInputList.1: Syntax errors in policy."},
		{"SimulateCustomPolicy", "InvalidInput", append(good, "ResourceArns.member.1=14a050d4"), "ResourceNames are not in a valid ARN format: 14a050d4."},
		{"SimulateCustomPolicy", "InvalidInput", append(good, "ResourceOwner=me"), "ResourceOwner"},
		{"SimulateCustomPolicy", "InvalidInput", append(good, "CallerArn=arn:aws:sts::111122223333:assumed-role/app/visit"), "CallerArn must be the ARN of a user, group or role"},
		{"SimulateCustomPolicy", "InvalidInput", append(good, "CallerArn=arn:aws:iam::aws:policy/AdministratorAccess"), "CallerArn must be the ARN of a user, group or role"},
		{"SimulateCustomPolicy", "InvalidInput", append(good, "ResourcePolicy="+trustPolicy), "CallerArn is required"},
		{"SimulateCustomPolicy", "InvalidInput", append(entry(1, "s3:max-keys", "numeric", "ten"), good...), `"ten" is no numeric`},
		{"SimulateCustomPolicy", "InvalidInput", append(entry(1, "s3:prefix", "string", "a", "b"), good...), "stringList"},
		{"SimulateCustomPolicy", "InvalidInput", slices.Concat(entry(1, "s3:prefix", "string", "a"), entry(2, "S3:Prefix", "string", "b"), good), "ContextKeyName of its own"},
		{"SimulateCustomPolicy", "ValidationError", []string{good[0]}, "Value null at 'actionNames'"},
		{"SimulateCustomPolicy", "ValidationError", append(good, "Marker=OTk"), "Invalid Marker."},
		{"SimulatePrincipalPolicy", "NoSuchEntity", []string{"PolicySourceArn=" + prefix + "user/nobody", good[1]}, "The user with name nobody cannot be found."},
		{"SimulatePrincipalPolicy", "NoSuchEntity", []string{"PolicySourceArn=" + prefix + "user/ann", good[1]}, "The user with name ann cannot be found."},
		{"SimulatePrincipalPolicy", "NoSuchEntity", []string{"PolicySourceArn=arn:aws:iam::444455556666:user/t/ann", good[1]}, "cannot be found"},
		{"SimulatePrincipalPolicy", "InvalidInput", []string{"PolicySourceArn=arn:aws:sts::111122223333:assumed-role/app/visit", good[1]}, "does not clearly define entity type and name"},
	} {
		if got := w.Admin().Fail(tt.code, tt.op, tt.params...); !strings.Contains(got, tt.says) {
			t.Errorf("%s(%v): %s\nwant …%s…", tt.op, tt.params, got, tt.says)
		}
	}
}

// TestSimulatePages: a page holds so many actions; the worst resource decides
// for the action (Q028); too much work is refused.
func TestSimulatePages(t *testing.T) {
	w := newWorld(t)
	params := []string{pol(1, allowing("s3:Get*", "arn:aws:s3:::a/*")), "ResourceArns.member.1=arn:aws:s3:::a/x", "ResourceArns.member.2=arn:aws:s3:::b/x"}
	for i, name := range []string{"s3:GetObject", "s3:GetBucketAcl", "s3:PutObject"} {
		params = append(params, fmt.Sprintf("ActionNames.member.%d=%s", i+1, name))
	}
	body := w.Admin().OK("SimulateCustomPolicy", append(params, "MaxItems=2")...)
	if got, want := iamtest.Elements(body, "EvalResourceDecision"), []string{"allowed", "implicitDeny", "allowed", "implicitDeny"}; !slices.Equal(got, want) {
		t.Errorf("decisions by resource: %v, want %v", got, want)
	}
	if got := iamtest.Elements(body, "EvalDecision"); !slices.Equal(got, []string{"implicitDeny", "implicitDeny"}) {
		t.Errorf("decisions by action: %v", got)
	}
	marker := iamtest.Element(body, "Marker")
	if iamtest.Element(body, "IsTruncated") != "true" || marker == "" {
		t.Fatalf("the first page is not truncated: %s", body)
	}
	body = w.Admin().OK("SimulateCustomPolicy", append(params, "MaxItems=2", "Marker="+marker)...)
	if got := iamtest.Elements(body, "EvalActionName"); !slices.Equal(got, []string{"s3:PutObject"}) || iamtest.Element(body, "IsTruncated") != "false" {
		t.Errorf("the second page: %v", got)
	}

	statements := make([]string, 300)
	for i := range statements {
		statements[i] = allowing(fmt.Sprintf("s3:Get%d", i), "*")
	}
	large := []string{pol(1, statements...), "ActionNames.member.1=s3:GetObject"}
	for i := range 1000 {
		large = append(large, fmt.Sprintf("ResourceArns.member.%d=arn:aws:s3:::b/%d", i+1, i))
	}
	if got := w.Admin().Fail("InvalidInput", "SimulateCustomPolicy", large...); !strings.Contains(got, "too large") {
		t.Errorf("300 statements on 1000 resources: %s", got)
	}
}

// TestSimulateJoinsResources: what an action's own result says of several
// resources is the statements that make its decision, every missing key, and of
// the details the most restrictive.
func TestSimulateJoinsResources(t *testing.T) {
	w := newWorld(t)
	params := []string{
		pol(1, allowing("s3:*", "arn:aws:s3:::a/*"), `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`),
		pol(2, allowing("s3:*", "arn:aws:s3:::*/shared"), `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/*","Condition":{"Bool":{"AWS:SecureTransport":"true"},"StringEquals":{"s3:prefix":"x"}}}`),
		pol(3, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::a/locked"}`, `{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/locked"}`),
		"CallerArn=" + prefix + "user/t/ann", "ActionNames.member.1=s3:GetObject",
		"ResourceOwner=444455556666", `ResourcePolicy=` + policyOf([]string{`{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::a/*"}`}),
	}
	for _, tt := range []struct {
		name      string
		resources []string
		want      string
	}{
		{"all-allowed", []string{"a/x", "a/shared"}, "allowed ResourcePolicy PolicyInputList.1 PolicyInputList.2"},
		{"one-is-not", []string{"a/x", "b/x"}, "implicitDeny ?aws:SecureTransport ?s3:prefix"},
		{"denies-of-two-resources", []string{"a/locked", "a/x", "b/locked"}, "explicitDeny PolicyInputList.3 PolicyInputList.3 ?aws:SecureTransport ?s3:prefix"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ask := slices.Clone(params)
			for i, r := range tt.resources {
				ask = append(ask, fmt.Sprintf("ResourceArns.member.%d=arn:aws:s3:::%s", i+1, r))
			}
			body := w.Admin().OK("SimulateCustomPolicy", ask...)
			top, _, _ := strings.Cut(body, "<ResourceSpecificResults>")
			got := strings.Join(slices.Insert(iamtest.Elements(top, "SourcePolicyId"), 0, iamtest.Element(top, "EvalDecision")), " ")
			for _, key := range iamtest.Elements(iamtest.Element(top, "MissingContextValues"), "member") {
				got += " ?" + key
			}
			if got != tt.want {
				t.Errorf("SimulateCustomPolicy = %s, want %s\n%s", got, tt.want, body)
			}
			values := iamtest.Elements(iamtest.Element(top, "EvalDecisionDetails"), "value")
			want := []string{"allowed", "allowed"}
			if strings.HasPrefix(tt.want, "implicit") {
				want = []string{"implicitDeny", "implicitDeny"}
			} else if strings.HasPrefix(tt.want, "explicit") {
				want = []string{"explicitDeny", "implicitDeny"}
			}
			if !slices.Equal(values, want) {
				t.Errorf("details %v, want %v\n%s", values, want, top)
			}
		})
	}
}

// TestSimulatePositions: a statement begins after the bracket or comma before it
// and ends after its closing brace, as AWS counts (Q029).
func TestSimulatePositions(t *testing.T) {
	w := newWorld(t)
	policy := "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}"
	for _, tt := range []struct{ policy, want string }{
		{policy, "3:17-8:6"},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "1:38-1:87"},
		{`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}, {"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "1:89-1:139"},
	} {
		body := w.Admin().OK("SimulateCustomPolicy", "PolicyInputList.member.1="+tt.policy, "ActionNames.member.1=s3:GetObject")
		start, end := iamtest.Element(body, "StartPosition"), iamtest.Element(body, "EndPosition")
		got := fmt.Sprintf("%s:%s-%s:%s", iamtest.Element(start, "Line"), iamtest.Element(start, "Column"), iamtest.Element(end, "Line"), iamtest.Element(end, "Column"))
		if got != tt.want {
			t.Errorf("the statement of %s is at %s, want %s", tt.policy, got, tt.want)
		}
	}
}
