// SPDX-License-Identifier: Apache-2.0

package orgapi_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/orgapi"
)

var update = flag.Bool("update", false, "write the answers into the files of testdata")

const (
	management = iamtest.Account
	allowAll   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	trustAll   = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`
)

func TestExchanges(t *testing.T) { iamtest.Exchanges(t, "testdata/exchanges/*.txtar", *update) }

func TestOps(t *testing.T) {
	var b strings.Builder
	for _, op := range orgapi.New(orgapi.Options{}).Ops() {
		fmt.Fprintln(&b, op.Name, op.Action)
		if op.Action != "organizations:"+op.Name {
			t.Errorf("%s has action %s", op.Name, op.Action)
		}
	}
	const golden = "testdata/ops.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != string(want) {
		t.Errorf("ops:\n%s\nwant\n%s", got, want)
	}
}

// A world is an organization with all features: its root, the unit "work" and in
// it the account "lab", which admin enters by its role.
type world struct {
	*iamtest.Server
	admin           *iamtest.Client // of the management account
	org, root, unit string
	account         string          // of lab
	lab             *iamtest.Client // a session of lab's OrganizationAccountAccessRole
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{Server: iamtest.Start(t)}
	w.admin = w.Admin()
	w.org = iamtest.Member(w.admin.Org("CreateOrganization", ""), "Id")
	w.root = iamtest.Member(w.admin.Org("ListRoots", ""), "Id")
	w.unit = iamtest.Member(w.admin.Org("CreateOrganizationalUnit", `{"ParentId":"`+w.root+`","Name":"work"}`), "Id")
	w.account = w.create("lab")
	w.admin.Org("MoveAccount", `{"AccountId":"`+w.account+`","SourceParentId":"`+w.root+`","DestinationParentId":"`+w.unit+`"}`)
	w.lab = w.enter(w.account)
	return w
}

// create creates an account and returns its id.
func (w *world) create(name string) string {
	request := iamtest.Member(w.admin.Org("CreateAccount", `{"AccountName":"`+name+`","Email":"`+name+`@example.com"}`), "Id")
	return iamtest.Member(w.admin.Org("DescribeCreateAccountStatus", `{"CreateAccountRequestId":"`+request+`"}`), "AccountId")
}

// enter returns a session of the role by which the management account enters an
// account.
func (w *world) enter(account string) *iamtest.Client {
	return w.admin.Assume("arn:aws:iam::"+account+":role/OrganizationAccountAccessRole", "visit")
}

// enable enables a type of policies.
func (w *world) enable(typ string) {
	w.admin.Org("EnablePolicyType", `{"RootId":"`+w.root+`","PolicyType":"`+typ+`"}`)
}

// policy makes a policy and returns its id.
func (w *world) policy(typ, name, content string) string {
	return iamtest.Member(w.admin.Org("CreatePolicy", fmt.Sprintf(`{"Type":%q,"Name":%q,"Description":"","Content":%q}`, typ, name, content)), "Id")
}

func (w *world) attach(policy, target string) {
	w.admin.Org("AttachPolicy", `{"PolicyId":"`+policy+`","TargetId":"`+target+`"}`)
}

func (w *world) detach(policy, target string) {
	w.admin.Org("DetachPolicy", `{"PolicyId":"`+policy+`","TargetId":"`+target+`"}`)
}

const (
	scp = "SERVICE_CONTROL_POLICY"
	rcp = "RESOURCE_CONTROL_POLICY"
)

// statement returns a policy of one statement, given as its elements.
func statement(elements string) string {
	return `{"Version":"2012-10-17","Statement":[{` + elements + `}]}`
}
