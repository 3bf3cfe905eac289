// SPDX-License-Identifier: Apache-2.0

package reportapi_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"sts:AssumeRole"}}`

// A world is a server, its clock and its administrator.
type world struct {
	*iamtest.Server
	t     *testing.T
	clock *iamtest.Clock
	admin *iamtest.Client
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, clock: iamtest.NewClock()}
	w.Server = iamtest.Options{Clock: w.clock}.Start(t)
	w.admin = w.Admin()
	return w
}

func allow(actions string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":[` + actions + `],"Resource":"*"}}`
}

func (w *world) update(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.Store().Update(w.t.Context(), iamtest.Account, fn); err != nil {
		w.t.Fatal(err)
	}
}

// rows returns the keys of the rows that begin with prefix.
func (w *world) rows(prefix string) []string {
	w.t.Helper()
	v, err := w.Store().View(w.t.Context(), iamtest.Account)
	if err != nil {
		w.t.Fatal(err)
	}
	var keys []string
	for row := range v.Annex(store.AnnexReport).Rows() {
		if strings.HasPrefix(row.Key, prefix) {
			keys = append(keys, row.Key)
		}
	}
	return keys
}

// unfinish makes a row what it was before its result was there, as a node leaves
// it that ends meanwhile.
func (w *world) unfinish(key string) {
	w.t.Helper()
	w.update(func(tx *store.Tx) error {
		row, ok := tx.View().Annex(store.AnnexReport).Row(key)
		if !ok {
			return fmt.Errorf("no row %s", key)
		}
		var m map[string]any
		if err := json.Unmarshal(row.Value, &m); err != nil {
			return err
		}
		delete(m, "done")
		delete(m, "z")
		value, err := json.Marshal(m)
		tx.PutAnnexed(store.AnnexReport, key, value)
		return err
	})
}

// report returns the rows of a new credential report, by user and column.
func (w *world) report() map[string]map[string]string {
	w.t.Helper()
	w.admin.OK("GenerateCredentialReport")
	content, err := base64.StdEncoding.DecodeString(iamtest.Element(w.admin.OK("GetCredentialReport"), "Content"))
	if err != nil {
		w.t.Fatal(err)
	}
	lines := strings.Split(string(content), "\n")
	names := strings.Split(lines[0], ",")
	rows := make(map[string]map[string]string)
	for _, line := range lines[1:] {
		values := strings.Split(line, ",")
		row := make(map[string]string)
		for i, name := range names {
			row[name] = values[i]
		}
		rows[row["user"]] = row
	}
	return rows
}

func certificate(t *testing.T, serial int64) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0),
	}, &x509.Certificate{SerialNumber: big.NewInt(serial)}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// TestCredentialColumns: what the columns say of credentials of every kind.
func TestCredentialColumns(t *testing.T) {
	w := newWorld(t)
	w.admin.OK("UpdateAccountPasswordPolicy", "MaxPasswordAge=90", "MinimumPasswordLength=8")
	ann := w.User("ann", allow(`"iam:ListUsers"`))
	w.admin.OK("CreateLoginProfile", "UserName=ann", "Password=correct-Horse-7")
	first := iamtest.Element(w.admin.OK("UploadSigningCertificate", "UserName=ann", "CertificateBody="+certificate(t, 1)), "CertificateId")
	body := w.admin.OK("CreateVirtualMFADevice", "VirtualMFADeviceName=ann")
	seed, serial := iamtest.Element(body, "Base32StringSeed"), iamtest.Element(body, "SerialNumber")
	w.admin.OK("EnableMFADevice", "UserName=ann", "SerialNumber="+serial,
		"AuthenticationCode1="+w.Code(seed, -30*time.Second), "AuthenticationCode2="+w.Code(seed, 0))
	w.clock.Advance(time.Hour)
	ann.OK("ListUsers")
	w.admin.OK("UpdateLoginProfile", "UserName=ann", "Password=correct-Horse-8")
	w.admin.OK("UploadSigningCertificate", "UserName=ann", "CertificateBody="+certificate(t, 2))
	w.admin.OK("UpdateSigningCertificate", "UserName=ann", "CertificateId="+first, "Status=Inactive")
	second := w.KeyOf("ann")
	w.admin.OK("UpdateAccessKey", "UserName=ann", "AccessKeyId="+second.Key, "Status=Inactive")
	w.Root(iamtest.Account).OK("ListUsers")
	w.update(func(tx *store.Tx) error {
		a := tx.Account()
		a.Login = &store.LoginProfile{Hash: "x", Created: a.Created}
		return tx.PutAccount(a)
	})
	rows := w.report()
	for user, want := range map[string]map[string]string{
		"ann": {
			"arn": "arn:aws:iam::111122223333:user/ann", "user_creation_time": "2026-01-02T03:04:05Z",
			"password_enabled": "true", "password_last_used": "no_information", "password_last_changed": "2026-01-02T04:04:05Z",
			"password_next_rotation": "2026-04-02T04:04:05Z", "mfa_active": "true",
			"access_key_1_active": "true", "access_key_1_last_rotated": "2026-01-02T03:04:05Z", "access_key_1_last_used_date": "2026-01-02T04:04:00Z",
			"access_key_1_last_used_region": "us-east-1", "access_key_1_last_used_service": "iam",
			"access_key_2_active": "false", "access_key_2_last_rotated": "2026-01-02T04:04:05Z", "access_key_2_last_used_date": "N/A",
			"access_key_2_last_used_region": "N/A", "access_key_2_last_used_service": "N/A",
			"cert_1_active": "false", "cert_1_last_rotated": "2026-01-02T03:04:05Z", "cert_2_active": "true", "cert_2_last_rotated": "2026-01-02T04:04:05Z",
		},
		"<root_account>": {
			"arn": "arn:aws:iam::111122223333:root", "password_enabled": "true", "password_last_changed": "2026-01-02T03:04:05Z",
			"password_last_used": "no_information", "password_next_rotation": "not_supported",
			"access_key_1_active": "true", "access_key_1_last_used_service": "iam", "cert_1_active": "false", "cert_1_last_rotated": "N/A",
		},
	} {
		for column, value := range want {
			if got := rows[user][column]; got != value {
				t.Errorf("%s of %s = %s, want %s", column, user, got, value)
			}
		}
	}
	if len(rows["ann"]) != 22 || len(rows) != 3 {
		t.Errorf("%d columns, %d rows, want 22 and 3", len(rows["ann"]), len(rows))
	}
}

// TestMoreCredentials: who has more than two of them gets a further column (quirk
// Q070), and keys are in the order of their creation (quirk Q071).
func TestMoreCredentials(t *testing.T) {
	w := newWorld(t)
	w.update(func(tx *store.Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{quota.Keys: 5}
		return tx.PutAccount(a)
	})
	w.User("ann", "")
	w.clock.Advance(time.Minute)
	for range 3 {
		w.KeyOf("ann")
	}
	rows := w.report()
	if got := rows["ann"]["additional_credentials_info"]; got != "2 additional access keys: ListAccessKeys" {
		t.Errorf("additional_credentials_info of ann = %q", got)
	}
	if got := rows["admin"]["additional_credentials_info"]; got != "N/A" {
		t.Errorf("additional_credentials_info of admin = %q", got)
	}
	if first, second := rows["ann"]["access_key_1_last_rotated"], rows["ann"]["access_key_2_last_rotated"]; first >= second {
		t.Errorf("the first key is from %s, the second from %s", first, second)
	}
}

// TestLeftUnfinished: what a node has begun and not finished is in progress, and
// begun again by whoever is asked a minute later.
func TestLeftUnfinished(t *testing.T) {
	w := newWorld(t)
	job := iamtest.Element(w.admin.OK("GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::111122223333:user/admin"), "JobId")
	w.admin.OK("GenerateCredentialReport")
	w.unfinish("credential")
	w.unfinish("job/" + job)

	unfinished := func() {
		t.Helper()
		if body := w.admin.OK("GetServiceLastAccessedDetails", "JobId="+job); iamtest.Element(body, "JobStatus") != "IN_PROGRESS" || iamtest.Element(body, "JobType") != "" {
			t.Errorf("an unfinished job: %s", body)
		}
		if body := w.admin.OK("GetServiceLastAccessedDetailsWithEntities", "JobId="+job, "ServiceNamespace=iam"); iamtest.Element(body, "JobStatus") != "IN_PROGRESS" {
			t.Errorf("an unfinished job: %s", body)
		}
	}
	w.clock.Advance(59 * time.Second)
	unfinished()
	if body := w.admin.OK("GenerateCredentialReport"); iamtest.Element(body, "State") != "INPROGRESS" {
		t.Errorf("an unfinished credential report: %s", body)
	}
	if status, body := w.admin.Call("GetCredentialReport"); status != 404 || iamtest.Element(body, "Code") != "ReportInProgress" {
		t.Errorf("an unfinished credential report: %d %s", status, body)
	}
	w.clock.Advance(time.Second)
	if body := w.admin.OK("GetServiceLastAccessedDetails", "JobId="+job); iamtest.Element(body, "JobStatus") != "IN_PROGRESS" {
		t.Errorf("an unfinished job, which this begins again: %s", body)
	}
	w.admin.Fail("ReportInProgress", "GetCredentialReport") // begins it again
	deadline := time.Now().Add(20 * time.Second)
	for status := 0; status != 200; status, _ = w.admin.Call("GetCredentialReport") {
		if time.Now().After(deadline) {
			t.Fatal("a report that was begun again is not finished")
		}
		time.Sleep(time.Millisecond)
	}
	for iamtest.Element(w.admin.OK("GetServiceLastAccessedDetails", "JobId="+job), "JobStatus") != "COMPLETED" {
		if time.Now().After(deadline) {
			t.Fatal("a job that was begun again is not finished")
		}
		time.Sleep(5 * time.Millisecond)
	}

	w.admin.OK("CreateUser", "UserName=ann")
	job = iamtest.Element(w.admin.OK("GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::111122223333:user/ann"), "JobId")
	w.unfinish("job/" + job)
	w.admin.OK("DeleteUser", "UserName=ann")
	w.clock.Advance(time.Minute)
	for iamtest.Element(w.admin.OK("GetServiceLastAccessedDetails", "JobId="+job), "JobStatus") != "FAILED" {
		if time.Now().After(deadline) {
			t.Fatal("a job on a user that is gone has not failed")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if body := w.admin.OK("GetServiceLastAccessedDetails", "JobId="+job); !strings.Contains(body, "<Error><Message>ARN arn:aws:iam::111122223333:user/ann does not exist.</Message><Code>NoSuchEntity</Code></Error>") {
		t.Errorf("a failed job: %s", body)
	}
}

// TestJobsBelongToTheirMaker: a user finds its jobs with every key, a role with the
// same session only, and nobody those of others.
func TestJobsBelongToTheirMaker(t *testing.T) {
	w := newWorld(t)
	may := allow(`"iam:*","sts:*"`)
	ann, bob := w.User("ann", may), w.User("bob", may)
	role := iamtest.Element(w.admin.OK("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trust), "Arn")
	w.admin.OK("PutRolePolicy", "RoleName=app", "PolicyName=may", "PolicyDocument="+may)
	one, two := ann.Assume(role, "work"), ann.Assume(role, "work")
	arn := "Arn=arn:aws:iam::111122223333:user/ann"
	of := func(c *iamtest.Client) string {
		return "JobId=" + iamtest.Element(c.OK("GenerateServiceLastAccessedDetails", arn), "JobId")
	}
	job := of(ann)
	ann.OK("GetServiceLastAccessedDetails", job)
	w.KeyOf("ann").OK("GetServiceLastAccessedDetails", job)
	for name, c := range map[string]*iamtest.Client{"bob": bob, "admin": w.admin, "a role": one, "root": w.Root(iamtest.Account)} {
		msg := c.Fail("NoSuchEntity", "GetServiceLastAccessedDetails", job)
		if want := "Job " + job[len("JobId="):] + " does not exist."; msg != want {
			t.Errorf("%s: %s, want %s", name, msg, want)
		}
		c.Fail("NoSuchEntity", "GetServiceLastAccessedDetailsWithEntities", job, "ServiceNamespace=iam")
	}
	job = of(one)
	one.OK("GetServiceLastAccessedDetails", job)
	two.Fail("NoSuchEntity", "GetServiceLastAccessedDetails", job)
	ann.Fail("NoSuchEntity", "GetOrganizationsAccessReport", of(ann))
}

// TestJobsExpire: a job is there for a week, and its row no longer than until the
// next job.
func TestJobsExpire(t *testing.T) {
	w := newWorld(t)
	generate := func() string {
		return iamtest.Element(w.admin.OK("GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::aws:policy/ReadOnlyAccess"), "JobId")
	}
	old := generate()
	w.clock.Advance(7 * 24 * time.Hour)
	w.admin.OK("GetServiceLastAccessedDetails", "JobId="+old)
	w.clock.Advance(time.Second)
	w.admin.Fail("NoSuchEntity", "GetServiceLastAccessedDetails", "JobId="+old)
	if rows := w.rows("job/"); len(rows) != 1 {
		t.Fatalf("rows of jobs: %v", rows)
	}
	now := generate()
	if rows := w.rows("job/"); len(rows) != 1 || rows[0] != "job/"+now {
		t.Errorf("rows of jobs: %v, want that of %s", rows, now)
	}
}

// TestReportOfAPolicy: users, members of groups and roles count for a policy, one
// that is gone is listed no more, and of the actions those that are operations here
// are listed (quirk Q074).
func TestReportOfAPolicy(t *testing.T) {
	w := newWorld(t)
	policy := iamtest.Element(w.admin.OK("CreatePolicy", "PolicyName=p", "PolicyDocument="+allow(`"iam:ListUsers","iam:ListRoles","iam:PassRole","sqs:SendMessage"`)), "Arn")
	ann, bob := w.User("ann", ""), w.User("bob", allow(`"sts:AssumeRole"`))
	w.User("eve", "")
	role := iamtest.Element(w.admin.OK("CreateRole", "RoleName=app", "AssumeRolePolicyDocument="+trust), "Arn")
	w.admin.OK("CreateGroup", "GroupName=g")
	for _, u := range []string{"ann", "bob"} {
		w.admin.OK("AddUserToGroup", "GroupName=g", "UserName="+u)
	}
	w.admin.OK("AttachGroupPolicy", "GroupName=g", "PolicyArn="+policy)
	w.admin.OK("AttachUserPolicy", "UserName=ann", "PolicyArn="+policy)
	w.admin.OK("AttachRolePolicy", "RoleName=app", "PolicyArn="+policy)
	w.clock.Advance(time.Minute)
	ann.OK("ListUsers")
	w.clock.Advance(time.Minute)
	bob.Assume(role, "work").OK("ListRoles")

	job := "JobId=" + iamtest.Element(w.admin.OK("GenerateServiceLastAccessedDetails", "Arn="+policy, "Granularity=ACTION_LEVEL"), "JobId")
	body := w.admin.OK("GetServiceLastAccessedDetails", job)
	if got := iamtest.Element(body, "TotalAuthenticatedEntities") + " " + iamtest.Element(body, "LastAuthenticatedEntity"); got != "2 "+role {
		t.Errorf("of the policy: %s, want 2 and the role\n%s", got, body)
	}
	if got := strings.Join(iamtest.Elements(body, "ActionName"), " "); got != "ListRoles ListUsers" {
		t.Errorf("actions = %s, want ListRoles ListUsers", got)
	}
	if got := strings.Join(iamtest.Elements(body, "LastAccessedEntity"), " "); got != role+" arn:aws:iam::111122223333:user/ann" {
		t.Errorf("who last listed roles, and users: %s", got)
	}
	names := func(params ...string) string {
		body := w.admin.OK("GetServiceLastAccessedDetailsWithEntities", append(params, job, "ServiceNamespace=iam")...)
		return strings.Join(iamtest.Elements(body, "Name"), " ") + " " + iamtest.Element(body, "IsTruncated") + " " + iamtest.Element(body, "Marker")
	}
	if got := names(); got != "app ann bob false " {
		t.Errorf("entities = %s, want those with the latest use first", got)
	}
	page := strings.Fields(names("MaxItems=2"))
	if len(page) != 4 || page[0] != "app" || page[2] != "true" {
		t.Fatalf("the first page: %v", page)
	}
	if got := names("Marker=" + page[3]); got != "bob false " {
		t.Errorf("the second page: %s", got)
	}
	w.admin.Fail("InvalidInput", "GetServiceLastAccessedDetails", job, "Marker="+page[3])
	w.admin.Fail("ValidationError", "GetServiceLastAccessedDetails", job, "Marker=x")
	other := "JobId=" + iamtest.Element(w.admin.OK("GenerateServiceLastAccessedDetails", "Arn="+policy), "JobId")
	w.admin.Fail("InvalidInput", "GetServiceLastAccessedDetailsWithEntities", other, "ServiceNamespace=iam", "Marker="+page[3])

	w.admin.OK("DetachRolePolicy", "RoleName=app", "PolicyArn="+policy)
	w.admin.OK("DeleteRole", "RoleName=app")
	if got := names(); got != "ann bob false " {
		t.Errorf("entities without the role = %s", got)
	}
	if body := w.admin.OK("GetServiceLastAccessedDetails", job); strings.Contains(body, "<LastAuthenticatedEntity>") || iamtest.Element(body, "TotalAuthenticatedEntities") != "2" {
		t.Errorf("without the role: %s", body)
	}
}

// TestWhatMayBeReported: who may report on something may not on anything else that
// has the same name under another path.
func TestWhatMayBeReported(t *testing.T) {
	w := newWorld(t)
	w.admin.OK("CreateUser", "UserName=boss", "Path=/board/")
	ann := w.User("ann", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:Generate*","iam:List*"],"Resource":"arn:aws:iam::111122223333:user/staff/*"}}`)
	w.admin.OK("CreateUser", "UserName=bob", "Path=/staff/")
	const mine, other = "Arn=arn:aws:iam::111122223333:user/staff/bob", "Arn=arn:aws:iam::111122223333:user/staff/boss"
	ann.OK("GenerateServiceLastAccessedDetails", mine)
	ann.OK("ListPoliciesGrantingServiceAccess", mine, "ServiceNamespaces.member.1=iam")
	if msg := ann.Fail("AccessDenied", "GenerateServiceLastAccessedDetails", other); strings.Contains(msg, "board") {
		t.Errorf("the refusal tells the path: %s", msg)
	}
	ann.Fail("AccessDenied", "ListPoliciesGrantingServiceAccess", other, "ServiceNamespaces.member.1=iam")
	ann.Fail("NoSuchEntity", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::111122223333:user/staff/nobody")
	ann.Fail("AccessDenied", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::111122223333:user/nobody")
	ann.Fail("AccessDenied", "GenerateCredentialReport")
}

func TestArgumentsOfReports(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct{ name, op, params, code, says string }{
		{"root", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::111122223333:root", "InvalidInput", "Invalid Entity Arn: arn:aws:iam::111122223333:root is not supported."},
		{"root-for-policies", "ListPoliciesGrantingServiceAccess", "Arn=arn:aws:iam::111122223333:root ServiceNamespaces.member.1=s3", "InvalidInput", "Could not extract entity from ARN : arn:aws:iam::111122223333:root"},
		{"another-account", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::444455556666:user/ann", "AccessDenied", "is not authorized to perform the operation on arn:aws:iam::444455556666:user/ann"},
		{"another-service", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:s3::111122223333:user/ann", "ValidationError", "Invalid service in ARN"},
		{"another-partition", "GenerateServiceLastAccessedDetails", "Arn=arn:aws-cn:iam::111122223333:user/ann", "ValidationError", "Invalid ARN partition"},
		{"no-arn", "GenerateServiceLastAccessedDetails", "Arn=aaaaaaaaaaaaaaaaaaaaaaaaaa", "ValidationError", "is not valid"},
		{"a-session", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::111122223333:assumed-role/a/b", "InvalidInput", "is not supported"},
		{"no-such-policy", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::aws:policy/Nonsense", "NoSuchEntity", "ARN arn:aws:iam::aws:policy/Nonsense does not exist."},
		{"a-level-in-small-letters", "GenerateServiceLastAccessedDetails", "Arn=arn:aws:iam::111122223333:user/admin Granularity=service_level", "ValidationError", "Member must satisfy enum value set"},
		{"no-such-job", "GetServiceLastAccessedDetails", "JobId=00000000-0000-0000-0000-000000000000", "NoSuchEntity", "Job 00000000-0000-0000-0000-000000000000 does not exist."},
		{"no-such-job-on-an-organization", "GetOrganizationsAccessReport", "JobId=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "NoSuchEntity", "does not exist."},
		{"no-organization", "GenerateOrganizationsAccessReport", "EntityPath=o-aaaaaaaaaa/r-abcd", "AccessDenied", "because the account does not manage an organization"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := w.admin.Fail(tt.code, tt.op, strings.Fields(tt.params)...); !strings.Contains(got, tt.says) {
				t.Errorf("%s: %s\nwant …%s…", tt.op, got, tt.says)
			}
		})
	}
}
