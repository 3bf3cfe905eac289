// SPDX-License-Identifier: Apache-2.0

package trustapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// A roof is an organization with the member account lab.
type roof struct {
	*iamtest.Server
	t     *testing.T
	admin *iamtest.Client // of the management account
	carl  *iamtest.Client // a user there who may do everything
	org   string
	lab   string // account
	inLab *iamtest.Client
}

func newRoof(t *testing.T) *roof {
	t.Helper()
	r := &roof{Server: iamtest.Start(t), t: t}
	r.admin, r.carl = r.Admin(), r.User("carl", allowAll)
	r.org = iamtest.Member(r.admin.Org("CreateOrganization", ""), "Id")
	request := iamtest.Member(r.admin.Org("CreateAccount", `{"AccountName":"lab","Email":"lab@example.com"}`), "Id")
	r.lab = iamtest.Member(r.admin.Org("DescribeCreateAccountStatus", `{"CreateAccountRequestId":"`+request+`"}`), "AccountId")
	r.inLab = r.admin.Assume("arn:aws:iam::"+r.lab+":role/OrganizationAccountAccessRole", "visit")
	return r
}

const iamService = `{"ServicePrincipal":"iam.amazonaws.com"}`

func (r *roof) delegate(op string) {
	r.admin.Org(op, `{"AccountId":"`+r.lab+`","ServicePrincipal":"iam.amazonaws.com"}`)
}

// as returns a session of lab's root user for a task.
func (r *roof) as(task string) *iamtest.Client {
	r.t.Helper()
	return r.carl.Session("AssumeRoot", "TargetPrincipal="+r.lab, "TaskPolicyArn.arn=arn:aws:iam::aws:policy/root-task/"+task)
}

func (r *roof) features(by *iamtest.Client, op string) string {
	r.t.Helper()
	body := by.OK(op)
	if got := iamtest.Element(body, "OrganizationId"); got != r.org {
		r.t.Errorf("%s is of organization %s, want %s", op, got, r.org)
	}
	return strings.Join(iamtest.Elements(body, "member"), " ")
}

// TestFeatures: who sees and switches them, and that they outlive the trust in IAM.
func TestFeatures(t *testing.T) {
	r := newRoof(t)
	fails := func(by *iamtest.Client, code, op, text string) {
		t.Helper()
		if msg := by.Fail(code, op); msg != text {
			t.Errorf("%s = %q, want %q", op, msg, text)
		}
	}
	noTrust := "Trusted Access for IAM not enabled by organization of input account " + iamtest.Account + "."
	for _, op := range []string{
		"ListOrganizationsFeatures", "EnableOrganizationsRootSessions", "DisableOrganizationsRootSessions",
		"EnableOrganizationsRootCredentialsManagement", "DisableOrganizationsRootCredentialsManagement",
	} {
		fails(r.carl, "ServiceAccessNotEnabledException", op, noTrust)
		fails(r.inLab, "AccountNotManagementOrDelegatedAdministratorException", op, "Input account "+r.lab+" is neither management account nor delegated admin.")
		r.User("x"+op, "").Fail("AccessDenied", op)
	}
	r.admin.Org("EnableAWSServiceAccess", iamService)
	is := func(by *iamtest.Client, op, want string) {
		t.Helper()
		if got := r.features(by, op); got != want {
			t.Errorf("%s = %q, want %q", op, got, want)
		}
	}
	is(r.carl, "ListOrganizationsFeatures", "")
	is(r.carl, "EnableOrganizationsRootCredentialsManagement", "RootCredentialsManagement")
	is(r.carl, "EnableOrganizationsRootSessions", "RootSessions RootCredentialsManagement")
	is(r.carl, "DisableOrganizationsRootCredentialsManagement", "RootSessions")
	is(r.carl, "DisableOrganizationsRootCredentialsManagement", "RootSessions")
	is(r.carl, "EnableOrganizationsRootCredentialsManagement", "RootSessions RootCredentialsManagement")

	// A delegated administrator sees them and switches them off, not on.
	r.delegate("RegisterDelegatedAdministrator")
	is(r.inLab, "ListOrganizationsFeatures", "RootSessions RootCredentialsManagement")
	is(r.inLab, "DisableOrganizationsRootSessions", "RootCredentialsManagement")
	noManager := "Caller account " + r.lab + " is not management account of the organization and cannot enable IAM features."
	fails(r.inLab, "CallerIsNotManagementAccountException", "EnableOrganizationsRootSessions", noManager)
	fails(r.inLab, "CallerIsNotManagementAccountException", "EnableOrganizationsRootCredentialsManagement", noManager)

	// The trust cannot end while there is one.
	if _, reason := r.admin.OrgFail("ConstraintViolationException", "DisableAWSServiceAccess", iamService); reason != "DELEGATED_ADMINISTRATOR_EXISTS_FOR_THIS_SERVICE" {
		t.Errorf("DisableAWSServiceAccess: reason %s", reason)
	}
	r.delegate("DeregisterDelegatedAdministrator")
	r.admin.Org("DisableAWSServiceAccess", iamService)
	fails(r.carl, "ServiceAccessNotEnabledException", "ListOrganizationsFeatures", noTrust)
	r.admin.Org("EnableAWSServiceAccess", iamService)
	is(r.carl, "ListOrganizationsFeatures", "RootCredentialsManagement")
}

func TestFeaturesWithoutAllFeatures(t *testing.T) {
	s := iamtest.Start(t)
	s.Admin().Fail("OrganizationNotFoundException", "ListOrganizationsFeatures")
	s.Admin().Fail("OrganizationNotFoundException", "EnableOrganizationsRootSessions")
	s.Admin().Org("CreateOrganization", `{"FeatureSet":"CONSOLIDATED_BILLING"}`)
	s.Admin().Fail("OrganizationNotInAllFeaturesModeException", "ListOrganizationsFeatures")
}

// certificate returns a signing certificate.
func certificate(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "root"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}))
}

// TestDeletingRootCredentials: everything by which a member account's root user
// gets in is found and deleted from above.
func TestDeletingRootCredentials(t *testing.T) {
	r := newRoof(t)
	r.admin.Org("EnableAWSServiceAccess", iamService)
	r.admin.OK("EnableOrganizationsRootCredentialsManagement")
	own := r.Root(r.lab)
	r.inLab.OK("CreateUser", "UserName=ann")
	userKey := iamtest.Element(r.inLab.OK("CreateAccessKey", "UserName=ann"), "AccessKeyId")
	cert := iamtest.Element(own.OK("UploadSigningCertificate", "CertificateBody="+certificate(t)), "CertificateId")
	body := own.OK("CreateVirtualMFADevice", "VirtualMFADeviceName=phone")
	serial, seed := iamtest.Element(body, "SerialNumber"), iamtest.Element(body, "Base32StringSeed")
	own.OK("EnableMFADevice", "UserName=root", "SerialNumber="+serial,
		"AuthenticationCode1="+r.Code(seed, -30*time.Second), "AuthenticationCode2="+r.Code(seed, 0))
	r.as("IAMCreateRootUserPassword").OK("CreateLoginProfile")

	audit := r.as("IAMAuditRootUserCredentials")
	if got := iamtest.Elements(audit.OK("ListAccessKeys"), "AccessKeyId"); len(got) != 1 || got[0] != own.Key {
		t.Errorf("ListAccessKeys = %v, want %s", got, own.Key)
	}
	if got := iamtest.Element(audit.OK("ListSigningCertificates"), "CertificateId"); got != cert {
		t.Errorf("ListSigningCertificates = %s, want %s", got, cert)
	}
	if got := iamtest.Element(audit.OK("ListMFADevices"), "SerialNumber"); got != serial {
		t.Errorf("ListMFADevices = %s, want %s", got, serial)
	}
	audit.OK("GetLoginProfile")
	audit.OK("GetAccessKeyLastUsed", "AccessKeyId="+own.Key)
	summary := audit.OK("GetAccountSummary")
	for _, key := range []string{"AccountAccessKeysPresent", "AccountPasswordPresent", "AccountMFAEnabled", "AccountSigningCertificatesPresent"} {
		if !strings.Contains(summary, "<key>"+key+"</key><value>1</value>") {
			t.Errorf("GetAccountSummary does not say %s", key)
		}
	}
	audit.Fail("AccessDenied", "DeleteAccessKey", "AccessKeyId="+own.Key)
	audit.Fail("AccessDenied", "DeleteLoginProfile")

	remove := r.as("IAMDeleteRootUserCredentials")
	remove.Fail("AccessDenied", "DeleteAccessKey", "UserName=ann", "AccessKeyId="+userKey)
	remove.Fail("NoSuchEntity", "DeleteAccessKey", "AccessKeyId="+userKey)
	remove.OK("DeleteAccessKey", "AccessKeyId="+own.Key)
	remove.OK("DeleteSigningCertificate", "CertificateId="+cert)
	remove.OK("DeactivateMFADevice", "SerialNumber="+serial)
	remove.OK("DeleteLoginProfile")
	remove.Fail("NoSuchEntity", "DeleteLoginProfile")
	remove.Fail("NoSuchEntity", "GetLoginProfile")
	own.Fail("InvalidClientTokenId", "GetCallerIdentity")
	v, err := r.Store().View(t.Context(), r.lab)
	if err != nil {
		t.Fatal(err)
	}
	if a := v.Account(); len(a.Keys) != 0 || a.Login != nil || len(a.Certs) != 0 {
		t.Errorf("the root user still has %d keys, a password (%t), %d certificates", len(a.Keys), a.Login != nil, len(a.Certs))
	}
	for range v.DevicesOf(r.lab, "") {
		t.Error("the root user still has an MFA device")
	}
	if _, _, err := v.UserByKey(userKey); err != nil {
		t.Errorf("a user's key is gone: %v", err)
	}
}

// TestRootPassword: a session for it lets the root user have a password again,
// which nobody but the root user then chooses.
func TestRootPassword(t *testing.T) {
	r := newRoof(t)
	r.admin.Org("EnableAWSServiceAccess", iamService)
	r.admin.OK("EnableOrganizationsRootCredentialsManagement")
	create := r.as("IAMCreateRootUserPassword")
	create.Fail("ValidationError", "CreateLoginProfile", "Password=chosen-by-another-1A")
	create.Fail("AccessDenied", "CreateLoginProfile", "UserName=ann", "Password=chosen-by-another-1A")
	create.OK("CreateLoginProfile")
	msg := create.Fail("EntityAlreadyExists", "CreateLoginProfile")
	if want := "Login Profile for account " + r.lab + " already exists."; msg != want {
		t.Errorf("CreateLoginProfile = %q, want %q", msg, want)
	}
	v, err := r.Store().View(t.Context(), r.lab)
	if err != nil {
		t.Fatal(err)
	}
	if l := v.Account().Login; l == nil || l.Hash != "" {
		t.Errorf("the root user's password = %+v, want one without a hash, which nothing matches", l)
	}
	// The root user itself must say whom it means.
	own := r.Root(r.lab)
	for _, op := range []string{"CreateLoginProfile", "GetLoginProfile", "DeleteLoginProfile"} {
		own.Fail("ValidationError", op)
	}
}

// TestConcurrentFeatures: of changes at once none is lost.
func TestConcurrentFeatures(t *testing.T) {
	r := newRoof(t)
	r.admin.Org("EnableAWSServiceAccess", iamService)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.carl.Call("EnableOrganizationsRootSessions")
	}()
	r.admin.Call("EnableOrganizationsRootCredentialsManagement")
	<-done
	if got := r.features(r.carl, "ListOrganizationsFeatures"); got != "RootSessions RootCredentialsManagement" {
		t.Errorf("features = %q, want both", got)
	}
}
