// SPDX-License-Identifier: Apache-2.0

package mfa

import (
	"crypto/hmac"
	"crypto/sha1" // the codes of AWS's devices are made with it
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// Period is the time for which a device shows one code. Codes are those of
// RFC 6238 with HMAC-SHA-1 and six digits, the only ones that AWS's virtual
// devices make (API reference of CreateVirtualMFADevice).
const Period = 30 * time.Second

// Step returns the number of the period that t is in.
func Step(t time.Time) int64 { return t.Unix() / int64(Period/time.Second) }

// Code returns the code of a period.
func Code(seed []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	mac := hmac.New(sha1.New, seed)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}

// search returns the latest of the steps from one to another, both included, at
// which the codes begin, one a step. It looks at all of them, so that the time
// it takes does not tell which.
func search(seed []byte, codes []string, from, to int64) (first int64, ok bool) {
	for step := from; step <= to; step++ {
		same := 1
		for i, code := range codes {
			same &= subtle.ConstantTimeCompare([]byte(Code(seed, step+int64(i))), []byte(code))
		}
		if same == 1 {
			first, ok = step, true
		}
	}
	return first, ok
}

// Base32 returns a seed as people type it: base32 without padding (RFC 4648).
func Base32(seed []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
}

// URI returns what the QR code of a device says (API reference of
// CreateVirtualMFADevice, "QRCodePNG").
func URI(device, account string, seed []byte) string {
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + device + "@" + account, RawQuery: "secret=" + Base32(seed)}
	return u.String()
}
