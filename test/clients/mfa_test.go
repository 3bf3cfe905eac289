// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

const (
	withMFA  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`
	mfaTrust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::%s:user/ann"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`
)

// cliMFA goes from new virtual devices to sessions that policies ask a second
// factor of.
func cliMFA(t *testing.T) {
	for _, path := range server.AWS(t) {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			admin := s.CLI(t, path, s.Admin)
			ann := s.IAM(s.Admin) // the SDK is quicker for what the CLI is not about
			must(ann.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}))(t)
			must(ann.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("mfa"), PolicyDocument: aws.String(withMFA)}))(t)
			key := server.UserKey(must(ann.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("ann")}))(t).AccessKey)
			cliQR(t, admin)
			phone, serial := cliEnrol(t, admin, "phone")
			cliSessionToken(t, s, s.CLI(t, path, key), phone, serial)
			cliLeave(t, admin, serial)
			tablet, serial := cliEnrol(t, admin, "tablet")
			cliMFARole(t, s, path, key, tablet, serial)
		})
	}
}

func cliQR(t *testing.T, admin *server.CLI) {
	image := filepath.Join(t.TempDir(), "qr.png")
	admin.Run("iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", "other", "--bootstrap-method", "QRCodePNG", "--outfile", image)
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if config, err := png.DecodeConfig(f); err != nil || config.Width < 100 {
		t.Errorf("the QR code is an image of %d pixels, %v", config.Width, err)
	}
}

func cliEnrol(t *testing.T, admin *server.CLI, name string) (device phone, serial string) {
	file := filepath.Join(t.TempDir(), "seed")
	serial = admin.Run("iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", name, "--bootstrap-method", "Base32StringSeed",
		"--outfile", file, "--query", "VirtualMFADevice.SerialNumber")
	device = phone{t, strings.TrimSpace(string(must(os.ReadFile(file))(t)))}
	admin.Run("iam", "enable-mfa-device", "--user-name", "ann", "--serial-number", serial,
		"--authentication-code1", device.code(-1), "--authentication-code2", device.code(0))
	return device, serial
}

func cliSessionToken(t *testing.T, s *server.Server, ann *server.CLI, device phone, serial string) {
	ann.Refused("AccessDenied", nil, "iam", "get-user")
	code := device.code(1) // the two before are spent
	session := strings.Fields(ann.Run("sts", "get-session-token", "--serial-number", serial, "--token-code", code,
		"--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]"))
	with := s.CLI(t, ann.Path, server.Key{ID: session[0], Secret: session[1], Token: session[2]})
	if got := with.Run("iam", "get-user", "--query", "User.UserName"); got != "ann" {
		t.Errorf("get-user with a second factor = %s", got)
	}
	ann.Refused("AccessDenied", []string{"invalid MFA one time pass code"}, "sts", "get-session-token", "--serial-number", serial, "--token-code", code)
}

func cliLeave(t *testing.T, admin *server.CLI, serial string) {
	admin.Refused("DeleteConflict", nil, "iam", "delete-virtual-mfa-device", "--serial-number", serial)
	admin.Run("iam", "deactivate-mfa-device", "--user-name", "ann", "--serial-number", serial)
	admin.Run("iam", "delete-virtual-mfa-device", "--serial-number", serial)
}

// cliMFARole assumes a role that asks for a second factor: by a profile with
// mfa_serial, or by assume-role where the CLI is too old for that.
func cliMFARole(t *testing.T, s *server.Server, path string, ann server.Key, device phone, serial string) {
	account := strings.Split(serial, ":")[4]
	role := *must(s.IAM(s.Admin).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("vault"), AssumeRolePolicyDocument: aws.String(fmt.Sprintf(mfaTrust, account))}))(t).Role.Arn
	cli, want := s.CLI(t, path, ann), "arn:aws:sts::"+account+":assumed-role/vault/cli"
	cli.Refused("AccessDenied", nil, "sts", "assume-role", "--role-arn", role, "--role-session-name", "cli")
	config := "[profile vault]\nrole_arn = " + role + "\nrole_session_name = cli\nsource_profile = ann\nmfa_serial = " + serial + "\n" + keyed("ann", ann)
	code := device.code(1)
	if profile(t, s, path, "vault", config, code+"\n", want) {
		return
	}
	if got := cli.Run("sts", "assume-role", "--role-arn", role, "--role-session-name", "cli", "--serial-number", serial, "--token-code", code, "--query", "AssumedRoleUser.Arn"); got != want {
		t.Errorf("assume-role = %s, want %s", got, want)
	}
}

func goMFA(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	ctx, admin := t.Context(), s.IAM(s.Admin)
	must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann")}))(t)
	must(admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("mfa"), PolicyDocument: aws.String(withMFA)}))(t)
	ann := server.UserKey(must(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("ann")}))(t).AccessKey)
	enrol := func(name string) (phone, *string) {
		made := must(admin.CreateVirtualMFADevice(ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: &name}))(t).VirtualMFADevice
		device := phone{t, string(made.Base32StringSeed)}
		must(admin.EnableMFADevice(ctx, &iam.EnableMFADeviceInput{UserName: aws.String("ann"), SerialNumber: made.SerialNumber,
			AuthenticationCode1: aws.String(device.code(-1)), AuthenticationCode2: aws.String(device.code(0))}))(t)
		return device, made.SerialNumber
	}

	device, serial := enrol("phone")
	if _, err := s.IAM(ann).GetUser(ctx, nil); server.Code(err) != "AccessDenied" {
		t.Errorf("GetUser without a second factor: %v", err)
	}
	in := &sts.GetSessionTokenInput{SerialNumber: serial, TokenCode: aws.String(device.code(1))}
	session := must(s.STS(ann).GetSessionToken(ctx, in))(t)
	must(s.IAM(server.SessionKey(session.Credentials)).GetUser(ctx, nil))(t)
	if _, err := s.STS(ann).GetSessionToken(ctx, in); server.Code(err) != "AccessDenied" {
		t.Errorf("GetSessionToken with a spent code: %v", err)
	}

	device, serial = enrol("tablet")
	account := strings.Split(*serial, ":")[4]
	role := must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("vault"), AssumeRolePolicyDocument: aws.String(fmt.Sprintf(mfaTrust, account))}))(t).Role.Arn
	file := write(t, "[profile vault]\nrole_arn = "+*role+"\nrole_session_name = go\nsource_profile = ann\nmfa_serial = "+*serial+"\n"+keyed("ann", ann))
	cfg := must(config.LoadDefaultConfig(ctx, config.WithBaseEndpoint(s.URL), config.WithRegion(server.Region), config.WithSharedConfigProfile("vault"),
		config.WithSharedConfigFiles([]string{file}), config.WithSharedCredentialsFiles(nil), config.WithEC2IMDSClientEnableState(imds.ClientDisabled),
		config.WithAssumeRoleCredentialOptions(func(o *stscreds.AssumeRoleOptions) {
			o.TokenProvider = func() (string, error) { return device.code(1), nil }
		})))(t)
	if got, want := *must(sts.NewFromConfig(cfg).GetCallerIdentity(ctx, nil))(t).Arn, "arn:aws:sts::"+account+":assumed-role/vault/go"; got != want {
		t.Errorf("GetCallerIdentity = %s, want %s", got, want)
	}
}

// A phone shows codes, by its own reckoning of RFC 6238.
type phone struct {
	t    *testing.T
	seed string
}

func (p phone) code(periods int64) string {
	p.t.Helper()
	seed, err := base32.StdEncoding.DecodeString(p.seed)
	if err != nil {
		p.t.Fatalf("the seed %q: %v", p.seed, err)
	}
	h := hmac.New(sha1.New, seed)
	if err := binary.Write(h, binary.BigEndian, time.Now().Unix()/30+periods); err != nil {
		p.t.Fatal(err)
	}
	sum := h.Sum(nil)
	at := sum[19] & 15
	n := uint64(sum[at]&0x7f)<<24 | uint64(sum[at+1])<<16 | uint64(sum[at+2])<<8 | uint64(sum[at+3])
	return fmt.Sprintf("%06d", n%1000000)
}
