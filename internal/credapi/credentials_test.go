// SPDX-License-Identifier: Apache-2.0

package credapi_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

// A refusal is a request of the administrator that must fail.
type refusal struct {
	name, op string
	params   string // separated by spaces
	code     string
	says     string
}

func refused(t *testing.T, c *iamtest.Client, list []refusal) {
	t.Helper()
	for _, tt := range list {
		t.Run(tt.name, func(t *testing.T) {
			if got := c.Fail(tt.code, tt.op, strings.Fields(tt.params)...); !strings.Contains(got, tt.says) {
				t.Errorf("%s: %s\nwant …%s…", tt.op, got, tt.says)
			}
		})
	}
}

func TestPasswordRules(t *testing.T) {
	clock := iamtest.NewClock()
	s := iamtest.Options{Clock: clock}.Start(t)
	admin, ann := s.Admin(), s.User("ann", "")
	refused(t, admin, []refusal{
		{"none-yet", "GetAccountPasswordPolicy", "", "NoSuchEntity", "The Password Policy with domain name 111122223333 cannot be found."},
		{"none-to-delete", "DeleteAccountPasswordPolicy", "", "NoSuchEntity", "cannot be found"},
		{"too-short-a-length", "UpdateAccountPasswordPolicy", "MinimumPasswordLength=5", "ValidationError", "greater than or equal to 6"},
		{"too-old", "UpdateAccountPasswordPolicy", "MaxPasswordAge=1096", "ValidationError", "less than or equal to 1095"},
		{"too-many", "UpdateAccountPasswordPolicy", "PasswordReusePrevention=25", "ValidationError", "less than or equal to 24"},
		{"by-default-eight-characters", "CreateLoginProfile", "UserName=ann Password=Ab1!", "PasswordPolicyViolation", "minimum length of 8"},
		{"by-default-three-kinds", "CreateLoginProfile", "UserName=ann Password=abcdefgh", "PasswordPolicyViolation", "2 more of the following"},
	})
	admin.OK("UpdateAccountPasswordPolicy", "MinimumPasswordLength=10", "RequireSymbols=true", "RequireNumbers=true",
		"RequireUppercaseCharacters=true", "RequireLowercaseCharacters=true", "MaxPasswordAge=90", "PasswordReusePrevention=2", "HardExpiry=true")
	body := admin.OK("GetAccountPasswordPolicy")
	for _, want := range []string{"<MinimumPasswordLength>10<", "<ExpirePasswords>true<", "<MaxPasswordAge>90<", "<PasswordReusePrevention>2<", "<HardExpiry>true<", "<AllowUsersToChangePassword>false<"} {
		if !strings.Contains(body, want) {
			t.Errorf("GetAccountPasswordPolicy has no %s: %s", want, body)
		}
	}
	refused(t, admin, []refusal{
		{"every-rule", "CreateLoginProfile", "UserName=ann Password=ä", "PasswordPolicyViolation", "minimum length of 10, Password should have at least one uppercase letter, Password should have at least one lowercase letter, Password should have at least one number, Password should have at least one symbol"},
	})
	admin.OK("CreateLoginProfile", "UserName=ann", "Password=First-one-1", "PasswordResetRequired=true")
	change := func(old, new string) []string { return []string{"OldPassword=" + old, "NewPassword=" + new} }
	ann.Fail("AccessDenied", "ChangePassword", change("First-one-1", "Second-one-2")...)
	ann.Fail("AccessDenied", "GetAccountPasswordPolicy")
	admin.OK("UpdateAccountPasswordPolicy", "AllowUsersToChangePassword=true", "PasswordReusePrevention=2", "MaxPasswordAge=1", "HardExpiry=true")
	ann.OK("GetAccountPasswordPolicy")
	clock.Advance(100 * 24 * time.Hour) // an expired password can be changed with a key
	ann.OK("ChangePassword", change("First-one-1", "Second-one-2")...)
	if got := iamtest.Element(admin.OK("GetLoginProfile", "UserName=ann"), "PasswordResetRequired"); got != "false" {
		t.Errorf("after ChangePassword PasswordResetRequired = %s", got)
	}
	const reuse = "Policy constraint violation with password reuse prevention"
	for _, again := range []string{"Second-one-2", "First-one-1"} {
		if got := ann.Fail("PasswordPolicyViolation", "ChangePassword", change("Second-one-2", again)...); !strings.Contains(got, reuse) {
			t.Errorf("ChangePassword to one before: %s", got)
		}
	}
	admin.Fail("PasswordPolicyViolation", "UpdateLoginProfile", "UserName=ann", "Password=First-one-1")
	ann.OK("ChangePassword", change("Second-one-2", "Third-one-3")...)
	ann.OK("ChangePassword", change("Third-one-3", "First-one-1")...)
	for range 5 {
		ann.Fail("AccessDenied", "ChangePassword", change("wrong", "Fourth-one-4")...)
	}
	ann.Fail("EntityTemporarilyUnmodifiable", "ChangePassword", change("First-one-1", "Fourth-one-4")...)
	clock.Advance(31 * time.Second)
	ann.OK("ChangePassword", change("First-one-1", "Fourth-one-4")...)
	admin.OK("PutUserPolicy", "UserName=ann", "PolicyName=no", `PolicyDocument={"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"iam:ChangePassword","Resource":"*"}]}`)
	ann.Fail("AccessDenied", "ChangePassword", change("Fourth-one-4", "Fifth-one-5")...) // a deny counts all the same
	admin.OK("DeleteAccountPasswordPolicy")
	admin.Fail("NoSuchEntity", "GetAccountPasswordPolicy")
}

// A key of 2048 bits made for this test, and its fingerprint as ssh-keygen tells it.
const (
	sshKey         = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC1VyatWe99Nx0YTXptg5sfe2K6PWLBTNTUdhiFqV3A6BdqMeJlYYFw6k+LbqGjdu246RPmZEEVcaa8nT3rLI96jGjECH23RCtFqCUt+4VjuK3iv9GxYro5F09Ij916YX/yQEqM19t7/hfp8thQ1ipER5Kr+SJpMrlq6PzLLp0Md54gXD8LdI+n+atLFjM3OjkUpcET7z42SBsTyq05xccTmaW6LKrZFGYy25Uj15f14auo/POYtE9SkcqVE4yZjBxRXwXJ6adMrqYI0iDlOksUBJ/dMjwH73xPTZx6Vf2Ddjya2tCpqGw8kzcHpPZCrgWq4kl8Pe5zWKo9jBmdZJI7"
	sshFingerprint = "c6:68:ca:e0:68:ff:6f:da:a2:b5:03:88:a3:9c:f6:cd"
)

func TestSSHPublicKeys(t *testing.T) {
	s := iamtest.Start(t)
	admin := s.Admin()
	admin.OK("CreateUser", "UserName=ann")
	body := admin.OK("UploadSSHPublicKey", "UserName=ann", "SSHPublicKeyBody="+sshKey+" ann@example.com")
	id := iamtest.Element(body, "SSHPublicKeyId")
	if got := iamtest.Element(body, "Fingerprint"); got != sshFingerprint || !strings.HasPrefix(id, "APKA") || len(id) != 21 {
		t.Errorf("UploadSSHPublicKey: fingerprint %s of %s, want %s", got, id, sshFingerprint)
	}
	get := func(encoding string) string {
		return iamtest.Element(admin.OK("GetSSHPublicKey", "UserName=ann", "SSHPublicKeyId="+id, "Encoding="+encoding), "SSHPublicKeyBody")
	}
	if got := get("SSH"); got != sshKey {
		t.Errorf("GetSSHPublicKey(SSH) = %s", got)
	}
	text := get("PEM")
	if block, _ := pem.Decode([]byte(text)); block == nil || block.Type != "PUBLIC KEY" {
		t.Errorf("GetSSHPublicKey(PEM) = %s", text)
	}
	admin.Fail("DuplicateSSHPublicKey", "UploadSSHPublicKey", "UserName=ann", "SSHPublicKeyBody="+text)
	admin.OK("UpdateSSHPublicKey", "UserName=ann", "SSHPublicKeyId="+id, "Status=Inactive")
	if got := iamtest.Element(admin.OK("ListSSHPublicKeys", "UserName=ann"), "Status"); got != "Inactive" {
		t.Errorf("ListSSHPublicKeys: status %s", got)
	}
	refused(t, admin, []refusal{
		{"words", "UploadSSHPublicKey", "UserName=ann SSHPublicKeyBody=words", "UnrecognizedPublicKeyEncoding", ""},
		{"half-a-key", "UploadSSHPublicKey", "UserName=ann SSHPublicKeyBody=-----BEGIN", "UnrecognizedPublicKeyEncoding", ""},
		{"nobody", "UploadSSHPublicKey", "UserName=eve SSHPublicKeyBody=" + strings.Fields(sshKey)[1], "UnrecognizedPublicKeyEncoding", ""},
		{"no-such-key", "GetSSHPublicKey", "UserName=ann Encoding=SSH SSHPublicKeyId=APKAAAAAAAAAAAAAAAAAA", "NoSuchEntity", "The Public Key with id APKAAAAAAAAAAAAAAAAAA cannot be found."},
		{"another-encoding", "GetSSHPublicKey", "UserName=ann Encoding=DER SSHPublicKeyId=" + id, "ValidationError", "enum value set"},
		{"expired-is-not-to-be-set", "UpdateSSHPublicKey", "UserName=ann Status=Expired SSHPublicKeyId=" + id, "InvalidInput", ""},
		{"its-user-stays", "DeleteUser", "UserName=ann", "DeleteConflict", "Cannot delete entity, must remove referenced objects first."},
	})
	admin.Fail("InvalidPublicKey", "UploadSSHPublicKey", "UserName=ann", "SSHPublicKeyBody="+sshKey[:100])
	admin.Fail("NoSuchEntity", "UploadSSHPublicKey", "UserName=eve", "SSHPublicKeyBody="+sshKey)
	admin.OK("DeleteSSHPublicKey", "UserName=ann", "SSHPublicKeyId="+id)
	admin.OK("DeleteUser", "UserName=ann")
}

// issue makes a certificate and its key, signed by itself.
func issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	return block("CERTIFICATE", der), block("EC PRIVATE KEY", secret)
}

func TestSigningCertificates(t *testing.T) {
	s := iamtest.Start(t)
	admin := s.Admin()
	admin.OK("CreateUser", "UserName=ann")
	one, _ := issue(t, "one")
	two, _ := issue(t, "two")
	three, key := issue(t, "three")
	id := iamtest.Element(admin.OK("UploadSigningCertificate", "UserName=ann", "CertificateBody="+one), "CertificateId")
	if len(id) != 32 {
		t.Errorf("id of the certificate: %s", id)
	}
	admin.Fail("DuplicateCertificate", "UploadSigningCertificate", "CertificateBody="+one)
	admin.OK("UploadSigningCertificate", "UserName=ann", "CertificateBody="+two)
	if got, want := admin.Fail("LimitExceeded", "UploadSigningCertificate", "UserName=ann", "CertificateBody="+three), "Cannot exceed quota for CertificatesPerUser: 2"; got != want {
		t.Errorf("a third certificate: %s, want %s", got, want)
	}
	admin.Fail("MalformedCertificate", "UploadSigningCertificate", "UserName=ann", "CertificateBody="+key)
	root := s.Root(iamtest.Account)
	root.OK("UploadSigningCertificate", "CertificateBody="+three)
	if got := admin.OK("GetAccountSummary"); !strings.Contains(got, "<key>AccountSigningCertificatesPresent</key><value>1</value>") {
		t.Errorf("GetAccountSummary: %s", got)
	}
	admin.OK("UpdateSigningCertificate", "UserName=ann", "CertificateId="+id, "Status=Inactive")
	if got := strings.Join(iamtest.Elements(admin.OK("ListSigningCertificates", "UserName=ann"), "Status"), " "); got != "Inactive Active" && got != "Active Inactive" {
		t.Errorf("ListSigningCertificates: %s", got)
	}
	if got := admin.Fail("DeleteConflict", "DeleteUser", "UserName=ann"); got != "Cannot delete entity, must delete certificates first." {
		t.Errorf("DeleteUser: %s", got)
	}
	admin.OK("DeleteSigningCertificate", "UserName=ann", "CertificateId="+id)
	admin.Fail("NoSuchEntity", "DeleteSigningCertificate", "UserName=ann", "CertificateId="+id)
}

// TestServerCertificates: the private key is checked and not kept (quirk Q062).
func TestServerCertificates(t *testing.T) {
	s := iamtest.Start(t)
	admin := s.Admin()
	cert, key := issue(t, "tls")
	other, otherKey := issue(t, "other")
	body := admin.OK("UploadServerCertificate", "ServerCertificateName=Tls", "Path=/web/", "CertificateBody="+cert, "PrivateKey="+key,
		"Tags.member.1.Key=team", "Tags.member.1.Value=blue")
	if got := iamtest.Element(body, "Arn"); got != prefix+"server-certificate/web/Tls" || !strings.HasPrefix(iamtest.Element(body, "ServerCertificateId"), "ASCA") {
		t.Errorf("UploadServerCertificate: %s", body)
	}
	record := s.LastRecord()
	if text := string(record.AppendJSON(nil)); strings.Contains(text, "PRIVATE KEY") {
		t.Errorf("the record has the private key: %s", text)
	}
	upload := func(code, says string, params ...string) {
		t.Helper()
		if got := admin.Fail(code, "UploadServerCertificate", append(params, "ServerCertificateName=new")...); !strings.Contains(got, says) {
			t.Errorf("UploadServerCertificate: %s, want %s", got, says)
		}
	}
	upload("MalformedCertificate", "Please ensure the certificate is in PEM format", "CertificateBody=words", "PrivateKey="+key)
	upload("MalformedCertificate", "private key", "CertificateBody="+cert, "PrivateKey=words")
	upload("KeyPairMismatch", "", "CertificateBody="+cert, "PrivateKey="+otherKey)
	upload("MalformedCertificate", "The index within the chain of the invalid certificate is: 0", "CertificateBody="+cert, "PrivateKey="+key, "CertificateChain="+other)
	upload("MalformedCertificate", "is: -1", "CertificateBody="+cert, "PrivateKey="+key, "CertificateChain=words")
	if got := admin.Fail("EntityAlreadyExists", "UploadServerCertificate", "ServerCertificateName=TLS", "CertificateBody="+cert, "PrivateKey="+key); got != "The Server Certificate with name TLS already exists." {
		t.Errorf("a name taken: %s", got)
	}
	admin.OK("UpdateServerCertificate", "ServerCertificateName=tls", "NewServerCertificateName=Web", "NewPath=/x/")
	refused(t, admin, []refusal{{"its-old-name", "GetServerCertificate", "ServerCertificateName=tls", "NoSuchEntity", "The Server Certificate with name tls cannot be found."}})
	got := admin.OK("GetServerCertificate", "ServerCertificateName=web")
	if iamtest.Element(got, "CertificateBody") != cert || iamtest.Element(got, "Value") != "blue" || strings.Contains(got, "PRIVATE") {
		t.Errorf("GetServerCertificate: %s", got)
	}
	admin.OK("TagServerCertificate", "ServerCertificateName=web", "Tags.member.1.Key=Team", "Tags.member.1.Value=red")
	if got := iamtest.Element(admin.OK("ListServerCertificateTags", "ServerCertificateName=web"), "Value"); got != "red" {
		t.Errorf("ListServerCertificateTags: %s", got)
	}
	admin.OK("UntagServerCertificate", "ServerCertificateName=web", "TagKeys.member.1=team")
	if got := iamtest.Elements(admin.OK("ListServerCertificates", "PathPrefix=/x/"), "ServerCertificateName"); len(got) != 1 || got[0] != "Web" {
		t.Errorf("ListServerCertificates: %v", got)
	}
	admin.OK("DeleteServerCertificate", "ServerCertificateName=web")
}

func TestServiceCredentials(t *testing.T) {
	clock := iamtest.NewClock()
	s := iamtest.Options{Clock: clock}.Start(t)
	admin := s.Admin()
	for _, name := range []string{"ann", "bob"} {
		admin.OK("CreateUser", "UserName="+name)
	}
	git := "ServiceName=codecommit.amazonaws.com"
	one := admin.OK("CreateServiceSpecificCredential", "UserName=ann", git)
	two := admin.OK("CreateServiceSpecificCredential", "UserName=ann", git)
	for body, want := range map[string]string{one: "ann-at-111122223333", two: "ann+1-at-111122223333"} {
		if got := iamtest.Element(body, "ServiceUserName"); got != want || len(iamtest.Element(body, "ServicePassword")) != 44 {
			t.Errorf("ServiceUserName = %s, want %s: %s", got, want, body)
		}
	}
	id := iamtest.Element(one, "ServiceSpecificCredentialId")
	key := admin.OK("CreateServiceSpecificCredential", "UserName=bob", "ServiceName=bedrock.amazonaws.com", "CredentialAgeDays=30")
	secret, _ := strings.CutPrefix(iamtest.Element(key, "ServiceCredentialSecret"), "ABSK")
	if text, err := base64.StdEncoding.DecodeString(secret); err != nil || !strings.HasPrefix(string(text), "bob-at-111122223333:") {
		t.Errorf("the key of Bedrock holds %q, %v", text, err)
	}
	if got := iamtest.Element(key, "ExpirationDate"); got != "2026-02-01T03:04:05Z" {
		t.Errorf("ExpirationDate = %s", got)
	}
	clock.Advance(30 * 24 * time.Hour)
	all := admin.OK("ListServiceSpecificCredentials", "AllUsers=true")
	if got := iamtest.Elements(all, "Status"); len(got) != 3 || strings.Contains(all, "ServicePassword") || strings.Count(strings.Join(got, " "), "Expired") != 1 {
		t.Errorf("ListServiceSpecificCredentials: %s", all)
	}
	if got := iamtest.Elements(admin.OK("ListServiceSpecificCredentials", "AllUsers=true", "ServiceName=bedrock.amazonaws.com"), "UserName"); len(got) != 1 || got[0] != "bob" {
		t.Errorf("ListServiceSpecificCredentials for Bedrock: %v", got)
	}
	reset := iamtest.Element(admin.OK("ResetServiceSpecificCredential", "UserName=ann", "ServiceSpecificCredentialId="+id), "ServicePassword")
	if reset == "" || reset == iamtest.Element(one, "ServicePassword") {
		t.Errorf("ResetServiceSpecificCredential gives %q", reset)
	}
	admin.OK("UpdateServiceSpecificCredential", "UserName=ann", "ServiceSpecificCredentialId="+id, "Status=Inactive")
	refused(t, admin, []refusal{
		{"a-third", "CreateServiceSpecificCredential", "UserName=ann " + git, "LimitExceeded", "Cannot exceed quota for ServiceSpecificCredentialsPerUser: 2"},
		{"another-service", "CreateServiceSpecificCredential", "UserName=ann ServiceName=s3.amazonaws.com", "NotSupportedService", "No such service s3.amazonaws.com is supported for Service Specific Credentials"},
		{"an-age-where-there-is-none", "CreateServiceSpecificCredential", "UserName=bob CredentialAgeDays=1 " + git, "InvalidInput", "CredentialAgeDays"},
		{"nobody", "CreateServiceSpecificCredential", "UserName=eve " + git, "NoSuchEntity", "The user with name eve cannot be found."},
		{"the-credential-of-another", "DeleteServiceSpecificCredential", "UserName=bob ServiceSpecificCredentialId=" + id, "NoSuchEntity", fmt.Sprintf("No such credential %s exists", id)},
		{"all-users-and-one", "ListServiceSpecificCredentials", "UserName=ann AllUsers=true", "InvalidInput", ""},
		{"its-user-stays", "DeleteUser", "UserName=ann", "DeleteConflict", "must remove referenced objects first"},
	})
}
