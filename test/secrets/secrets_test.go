// SPDX-License-Identifier: Apache-2.0

// Package secrets looks for the secrets of a run in everything that the real
// program leaves behind.
package secrets

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// secret is something that nothing but its owner may hold.
type secret struct{ name, value string }

func TestNoSecretIsLeftBehind(t *testing.T) {
	s := server.Start(t, server.Options{Args: []string{"--log-level", "debug"}})
	secrets := use(t, s)
	if len(secrets) < 30 {
		t.Fatalf("the run made %d secrets", len(secrets))
	}
	places := map[string][]byte{"log": []byte(s.Log())}
	for _, name := range []string{"cmdline", "environ"} {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.PID(), name))
		if err != nil {
			t.Fatal(err)
		}
		places["process "+name] = text
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	sizes := collect(t, s.Data, places)
	for _, want := range []string{"innkeeper.db", "audit/audit.log"} {
		if sizes[want] == 0 {
			t.Errorf("%s was not looked at", want)
		}
	}
	if !bytes.Contains(places["audit/audit.log"], []byte("CreateAccessKey")) {
		t.Error("the audit log says nothing of the run")
	}
	for place, text := range places {
		for _, sec := range secrets {
			for form, value := range forms(sec.value) {
				if bytes.Contains(text, []byte(value)) {
					t.Errorf("%s holds %s, %s", place, sec.name, form)
				}
			}
		}
	}
	t.Logf("%d secrets in %d places", len(secrets), len(places))
}

// use makes keys, passwords and sessions, rightly and wrongly, and returns all
// that was secret.
func use(t *testing.T, s *server.Server) []secret {
	t.Helper()
	var all []secret
	add := func(name, value string) { all = append(all, secret{name, value}) }
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, admin, user := t.Context(), s.IAM(s.Admin), aws.String("ann")
	add("the administrator's key", s.Admin.Secret)
	_, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: user})
	check(err)
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ChangePassword","sts:*"],"Resource":"*"}]}`
	_, err = admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: user, PolicyName: user, PolicyDocument: &policy})
	check(err)
	password := func(n int) *string {
		p := fmt.Sprintf("Pa55-w0rd/of+ann=%d!", n)
		add("a password", p)
		return &p
	}
	_, err = admin.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: user, Password: password(0)})
	check(err)
	_, err = admin.UpdateLoginProfile(ctx, &iam.UpdateLoginProfileInput{UserName: user, Password: password(1)})
	check(err)
	if _, err := admin.CreateLoginProfile(ctx, &iam.CreateLoginProfileInput{UserName: user, Password: password(2)}); err == nil {
		t.Error("a second login profile was made")
	}
	var key server.Key
	for range 10 {
		out, err := admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
		check(err)
		key = server.UserKey(out.AccessKey)
		add("an access key", key.Secret)
		_, err = s.STS(key).GetCallerIdentity(ctx, nil)
		check(err)
		_, _ = s.STS(server.Key{ID: key.Secret, Secret: key.ID}).GetCallerIdentity(ctx, nil) // the two fields exchanged
		_, err = admin.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: user, AccessKeyId: &key.ID})
		check(err)
	}
	out, err := admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user})
	check(err)
	key = server.UserKey(out.AccessKey)
	add("an access key", key.Secret)
	_, err = s.IAM(key).ChangePassword(ctx, &iam.ChangePasswordInput{OldPassword: aws.String("Pa55-w0rd/of+ann=1!"), NewPassword: password(3)})
	check(err)
	for range 5 {
		out, err := s.STS(key).GetSessionToken(ctx, nil)
		check(err)
		session := server.SessionKey(out.Credentials)
		add("a session's key", session.Secret)
		add("a session token", session.Token)
		_, err = s.STS(session).GetCallerIdentity(ctx, nil)
		check(err)
		_, _ = s.STS(server.Key{ID: session.ID, Secret: "x", Token: session.Token}).GetCallerIdentity(ctx, nil)
		fed, err := s.STS(key).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("fred")})
		check(err)
		add("a federated key", *fed.Credentials.SecretAccessKey)
		add("a federated token", *fed.Credentials.SessionToken)
	}
	account, err := s.STS(s.Admin).GetCallerIdentity(ctx, nil)
	check(err)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + *account.Account + `"},"Action":"sts:AssumeRole"}]}`
	role, err := admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: user, AssumeRolePolicyDocument: &trust})
	check(err)
	assumed, err := s.STS(key).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: user, ExternalId: aws.String("external")})
	check(err)
	add("a role session's key", *assumed.Credentials.SecretAccessKey)
	add("a role session's token", *assumed.Credentials.SessionToken)
	req, err := sts.NewPresignClient(s.STS(server.SessionKey(assumed.Credentials))).PresignGetCallerIdentity(ctx, nil)
	check(err)
	signed, err := url.Parse(req.URL)
	check(err)
	add("a presigned signature", signed.Query().Get("X-Amz-Signature"))
	useCredentials(t, admin, add)
	return all
}

// useCredentials makes an MFA device, credentials for services and a server
// certificate.
func useCredentials(t *testing.T, admin *iam.Client, add func(name, value string)) {
	t.Helper()
	ctx, user := t.Context(), aws.String("ann")
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	device, err := admin.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: user})
	check(err)
	seed := string(device.VirtualMFADevice.Base32StringSeed)
	raw, err := base32.StdEncoding.DecodeString(seed)
	check(err)
	add("a seed", seed)
	add("a seed's bytes", string(raw))
	add("a QR code", string(device.VirtualMFADevice.QRCodePNG))
	git, err := admin.CreateServiceSpecificCredential(ctx, &iam.CreateServiceSpecificCredentialInput{UserName: user, ServiceName: aws.String("codecommit.amazonaws.com")})
	check(err)
	add("a service password", *git.ServiceSpecificCredential.ServicePassword)
	reset, err := admin.ResetServiceSpecificCredential(ctx, &iam.ResetServiceSpecificCredentialInput{UserName: user, ServiceSpecificCredentialId: git.ServiceSpecificCredential.ServiceSpecificCredentialId})
	check(err)
	add("another service password", *reset.ServiceSpecificCredential.ServicePassword)
	bedrock, err := admin.CreateServiceSpecificCredential(ctx, &iam.CreateServiceSpecificCredentialInput{UserName: user, ServiceName: aws.String("bedrock.amazonaws.com")})
	check(err)
	add("a service secret", *bedrock.ServiceSpecificCredential.ServiceCredentialSecret)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(err)
	private, err := x509.MarshalECPrivateKey(key)
	check(err)
	text := string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private}))
	_, err = admin.UploadServerCertificate(ctx, &iam.UploadServerCertificateInput{
		ServerCertificateName: user, PrivateKey: &text,
		CertificateBody: aws.String(string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}))),
	})
	check(err)
	add("a private key", strings.Split(text, "\n")[1])
}

// collect adds the files of the data directory to places. It leaves out the two
// that exist to hold a secret.
func collect(t *testing.T, data string, places map[string][]byte) map[string]int {
	t.Helper()
	sizes := make(map[string]int)
	err := fs.WalkDir(os.DirFS(data), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || name == "admin.credentials" || name == "master.key" {
			return err
		}
		if info, err := d.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
		places[name], err = os.ReadFile(filepath.Join(data, name))
		sizes[name] = len(places[name])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sizes
}

// forms are the ways in which a careless program would write a secret.
func forms(value string) map[string]string {
	b := []byte(value)
	all := map[string]string{
		"as it is": value, "percent-encoded": url.QueryEscape(value), "in hex": hex.EncodeToString(b),
		"backwards": reverse(value), "in JSON": strings.ReplaceAll(value, "/", `\/`),
	}
	for i := range 3 { // base64 of a text that holds it, by its place there
		text := base64.StdEncoding.EncodeToString(append(make([]byte, i), b...))
		text = strings.TrimRight(text, "=")
		all[fmt.Sprint("in base64, shifted by ", i)] = text[4 : len(text)-2]
	}
	if strings.ContainsAny(value, "-_+/=") && len(value) > 100 { // a token is base64 itself
		if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
			all["decoded"] = string(raw)
		}
		if raw, err := base64.RawURLEncoding.DecodeString(value); err == nil {
			all["decoded"] = string(raw)
		}
	}
	return all
}

func reverse(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// TestFormsAreFound checks the search itself.
func TestFormsAreFound(t *testing.T) {
	const value = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	for i := range 3 {
		text := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", i) + value + "yz"))
		found := false
		for _, form := range forms(value) {
			found = found || strings.Contains(text, form)
		}
		if !found {
			t.Errorf("the secret is not found in %s", text)
		}
	}
}
