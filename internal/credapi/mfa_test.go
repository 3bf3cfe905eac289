// SPDX-License-Identifier: Apache-2.0

package credapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/mfa"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const prefix = "arn:aws:iam::" + iamtest.Account + ":"

// withMFA allows an action to those who showed a second factor within an hour.
const withMFA = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"%s","Resource":"*","Condition":{` +
	`"Bool":{"aws:MultiFactorAuthPresent":"true"},"NumericLessThan":{"aws:MultiFactorAuthAge":"3600"}}}]}`

// A site is a node with a clock, the user ann, who has a device, and her client.
type site struct {
	*iamtest.Server
	clock  *iamtest.Clock
	ann    *iamtest.Client
	serial string
	seed   string
}

func newSite(t *testing.T, policy string) *site {
	t.Helper()
	clock := iamtest.NewClock()
	x := &site{Server: iamtest.Options{Clock: clock}.Start(t), clock: clock}
	x.ann = x.User("ann", policy)
	body := x.Admin().OK("CreateVirtualMFADevice", "VirtualMFADeviceName=phone")
	x.serial, x.seed = iamtest.Element(body, "SerialNumber"), iamtest.Element(body, "Base32StringSeed")
	x.Admin().OK("EnableMFADevice", "UserName=ann", "SerialNumber="+x.serial,
		"AuthenticationCode1="+x.Code(x.seed, -mfa.Period), "AuthenticationCode2="+x.Code(x.seed, 0))
	return x
}

// factor returns the parameters that show the second factor, a new one each
// time.
func (x *site) factor() []string {
	x.clock.Advance(mfa.Period)
	return []string{"SerialNumber=" + x.serial, "TokenCode=" + x.Code(x.seed, 0)}
}

// TestSessionsWithMFA: a policy that asks for a second factor allows a session
// made with one, for as long as it says.
func TestSessionsWithMFA(t *testing.T) {
	x := newSite(t, fmt.Sprintf(withMFA, "iam:GetUser"))
	x.ann.Fail("AccessDenied", "GetUser")
	x.ann.Session("GetSessionToken").Fail("InvalidClientTokenId", "GetUser") // no IAM without a second factor
	factor := x.factor()
	with := x.ann.Session("GetSessionToken", factor...)
	with.OK("GetUser")
	if rec := x.LastRecord(); rec.Identity.Session == nil || !rec.Identity.Session.MFA {
		t.Errorf("the record of a session with a second factor says %+v", rec.Identity.Session)
	}
	x.ann.Fail("AccessDenied", "GetSessionToken", factor...)
	x.clock.Advance(time.Hour)
	with.Fail("AccessDenied", "GetUser")
}

// TestAssumeRoleWithMFA: the second factor counts for the role's trust policy at
// once, and for the role's own policies afterwards.
func TestAssumeRoleWithMFA(t *testing.T) {
	x := newSite(t, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`)
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + iamtest.Account + `"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`
	x.Admin().OK("CreateRole", "RoleName=vault", "AssumeRolePolicyDocument="+trust)
	x.Admin().OK("PutRolePolicy", "RoleName=vault", "PolicyName=p", "PolicyDocument="+fmt.Sprintf(withMFA, "iam:GetRole"))
	role := []string{"RoleArn=" + prefix + "role/vault", "RoleSessionName=visit"}
	x.ann.Fail("AccessDenied", "AssumeRole", role...)
	factor := x.factor()
	visit := x.ann.Session("AssumeRole", append(role, factor...)...)
	visit.OK("GetRole", "RoleName=vault")
	for _, tt := range []struct {
		name   string
		caller *iamtest.Client
		params []string
		says   string
	}{
		{"the-same-code-again", x.ann, factor, "with invalid MFA one time pass code"},
		{"no-code", x.ann, factor[:1], "must provide both"},
		{"no-serial-number", x.ann, factor[1:], "must provide both"},
		{"the-device-of-another-user", x.Admin(), x.factor(), "unable to validate MFA code"},
		{"a-role-has-no-device", visit, x.factor(), "unable to validate MFA code"},
		{"the-user-as-serial-number", x.ann, []string{"SerialNumber=" + prefix + "user/ann", "TokenCode=123456"}, "unable to validate MFA code"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.caller.Fail("AccessDenied", "AssumeRole", append(role, tt.params...)...); !strings.Contains(got, tt.says) {
				t.Errorf("AssumeRole: %s\nwant …%s…", got, tt.says)
			}
		})
	}
	// A session without a second factor can show one when it assumes a role.
	x.ann.Session("GetSessionToken").Session("AssumeRole", append(role, x.factor()...)...).OK("GetRole", "RoleName=vault")
}

// TestWrongCodesLockTheDevice: a code that was tried is spent (quirk Q060).
func TestWrongCodesLockTheDevice(t *testing.T) {
	x := newSite(t, "")
	for range 5 {
		x.ann.Fail("AccessDenied", "GetSessionToken", "SerialNumber="+x.serial, "TokenCode="+x.Code(x.seed, -time.Hour))
	}
	right := []string{"SerialNumber=" + x.serial, "TokenCode=" + x.Code(x.seed, mfa.Period)}
	if got := x.ann.Fail("AccessDenied", "GetSessionToken", right...); !strings.Contains(got, "too many invalid") {
		t.Errorf("the right code after five wrong ones: %s", got)
	}
	x.Admin().Fail("EntityTemporarilyUnmodifiable", "ResyncMFADevice", "UserName=ann", "SerialNumber="+x.serial,
		"AuthenticationCode1=000000", "AuthenticationCode2=000000")
	x.clock.Advance(31 * time.Second)
	x.ann.OK("GetSessionToken", right...)
}

// TestRootDevice: the root user names itself "root" (quirk Q061).
func TestRootDevice(t *testing.T) {
	x := newSite(t, "")
	root := x.Root(iamtest.Account)
	body := root.OK("CreateVirtualMFADevice", "VirtualMFADeviceName=root")
	seed, serial := iamtest.Element(body, "Base32StringSeed"), "SerialNumber="+iamtest.Element(body, "SerialNumber")
	codes := []string{serial, "AuthenticationCode1=" + x.Code(seed, -mfa.Period), "AuthenticationCode2=" + x.Code(seed, 0)}
	x.Admin().Fail("NoSuchEntity", "EnableMFADevice", append(codes, "UserName=root")...) // an administrator is not the root user
	root.OK("EnableMFADevice", append(codes, "UserName=root")...)
	x.clock.Advance(mfa.Period)
	session := root.Session("GetSessionToken", serial, "TokenCode="+x.Code(seed, 0))
	session.OK("ListUsers")
	if got := iamtest.Element(root.OK("ListVirtualMFADevices"), "Arn"); got != prefix+"user/ann" {
		t.Errorf("the first device is %s's", got)
	}
	if got := root.OK("GetAccountSummary"); !strings.Contains(got, "<key>AccountMFAEnabled</key><value>1</value>") || !strings.Contains(got, "<key>MFADevicesInUse</key><value>2</value>") {
		t.Errorf("GetAccountSummary: %s", got)
	}
	root.OK("DeactivateMFADevice", serial)
	root.OK("DeleteVirtualMFADevice", serial)
}

// TestFIDODevice: its certifications are shown; it makes no codes, and ends with
// its assignment.
func TestFIDODevice(t *testing.T) {
	x := newSite(t, "")
	serial := prefix + "u2f/user/ann/fob"
	err := x.Store().Update(t.Context(), iamtest.Account, func(tx *store.Tx) error {
		d := &store.MFADevice{Kind: store.DeviceFIDO, Path: "/user/ann/", Name: "fob", Certifications: map[string]string{"FIDO": "L1"}}
		if err := tx.CreateDevice(d); err != nil {
			return err
		}
		return tx.AssignDevice(serial, "ann", x.clock.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
	body := x.Admin().OK("GetMFADevice", "UserName=ann", "SerialNumber="+serial)
	if !strings.Contains(body, "<key>FIDO</key><value>L1</value>") {
		t.Errorf("GetMFADevice: %s", body)
	}
	x.ann.Fail("AccessDenied", "GetSessionToken", "SerialNumber="+serial, "TokenCode=123456")
	if got := iamtest.Elements(x.Admin().OK("ListVirtualMFADevices"), "SerialNumber"); len(got) != 1 {
		t.Errorf("ListVirtualMFADevices: %v", got)
	}
	x.Admin().OK("DeactivateMFADevice", "UserName=ann", "SerialNumber="+serial)
	x.Admin().Fail("NoSuchEntity", "GetMFADevice", "UserName=ann", "SerialNumber="+serial)
}

func TestMFAQuota(t *testing.T) {
	x := newSite(t, "")
	for i := range 8 {
		body := x.Admin().OK("CreateVirtualMFADevice", fmt.Sprintf("VirtualMFADeviceName=d%d", i))
		seed := iamtest.Element(body, "Base32StringSeed")
		params := []string{"UserName=ann", "SerialNumber=" + iamtest.Element(body, "SerialNumber"),
			"AuthenticationCode1=" + x.Code(seed, 0), "AuthenticationCode2=" + x.Code(seed, mfa.Period)}
		if i < 7 {
			x.Admin().OK("EnableMFADevice", params...)
		} else if got, want := x.Admin().Fail("LimitExceeded", "EnableMFADevice", params...), "Cannot exceed quota for MFADevicesPerUser: 8"; got != want {
			t.Errorf("a ninth device: %s, want %s", got, want)
		}
	}
	x.Admin().OK("UpdateUser", "UserName=ann", "NewUserName=Anna", "NewPath=/x/")
	if got := iamtest.Elements(x.Admin().OK("ListMFADevices", "UserName=anna"), "UserName"); len(got) != 8 || got[0] != "Anna" {
		t.Errorf("devices after renaming their user: %v", got)
	}
}
