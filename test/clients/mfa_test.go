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

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// TestMFA goes with the AWS CLI from a new virtual device to a session that a
// policy asks a second factor of.
func TestMFA(t *testing.T) {
	paths := server.AWS(t)
	path := paths[len(paths)-1]
	s := server.Start(t, server.Options{})
	admin := s.CLI(t, path, s.Admin)
	admin.Run("iam", "create-user", "--user-name", "ann")
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`
	admin.Run("iam", "put-user-policy", "--user-name", "ann", "--policy-name", "mfa", "--policy-document", policy)
	key := strings.Fields(admin.Run("iam", "create-access-key", "--user-name", "ann", "--query", "AccessKey.[AccessKeyId,SecretAccessKey]"))
	ann := s.CLI(t, path, server.Key{ID: key[0], Secret: key[1]})

	file := filepath.Join(t.TempDir(), "seed")
	serial := admin.Run("iam", "create-virtual-mfa-device", "--virtual-mfa-device-name", "ann", "--bootstrap-method", "Base32StringSeed",
		"--outfile", file, "--query", "VirtualMFADevice.SerialNumber")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	device := phone{t, strings.TrimSpace(string(text))}
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

	admin.Run("iam", "enable-mfa-device", "--user-name", "ann", "--serial-number", serial,
		"--authentication-code1", device.code(-1), "--authentication-code2", device.code(0))
	ann.Refused("AccessDenied", nil, "iam", "get-user")
	code := device.code(1) // the two before are spent
	session := strings.Fields(ann.Run("sts", "get-session-token", "--serial-number", serial, "--token-code", code,
		"--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]"))
	with := s.CLI(t, path, server.Key{ID: session[0], Secret: session[1], Token: session[2]})
	if got := with.Run("iam", "get-user", "--query", "User.UserName"); got != "ann" {
		t.Errorf("get-user with a second factor = %s", got)
	}
	ann.Refused("AccessDenied", []string{"invalid MFA one time pass code"}, "sts", "get-session-token", "--serial-number", serial, "--token-code", code)
	admin.Refused("DeleteConflict", nil, "iam", "delete-virtual-mfa-device", "--serial-number", serial)
	admin.Run("iam", "deactivate-mfa-device", "--user-name", "ann", "--serial-number", serial)
	admin.Run("iam", "delete-virtual-mfa-device", "--serial-number", serial)
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
