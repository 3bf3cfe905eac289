// SPDX-License-Identifier: Apache-2.0

package mfa

import (
	"bytes"
	"image/png"
	"testing"
	"time"
)

// TestCode has the test vectors of RFC 6238, appendix B, the last six of their
// eight digits.
func TestCode(t *testing.T) {
	seed := []byte("12345678901234567890")
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if got := Code(seed, Step(time.Unix(at, 0))); got != want {
			t.Errorf("Code(at %d) = %s, want %s", at, got, want)
		}
	}
}

func TestURI(t *testing.T) {
	const want = "otpauth://totp/phone@111122223333?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if got := URI("phone", "111122223333", []byte("12345678901234567890")); got != want {
		t.Errorf("URI = %s, want %s", got, want)
	}
}

// TestQR looks at the form of the image; the tests of clients read what it says.
func TestQR(t *testing.T) {
	b, err := QR(URI("phone", "acme", make([]byte, 40)))
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	size := img.Bounds().Size()
	if size.X != size.Y || size.X%modulePixels != 0 || size.X < 150 {
		t.Errorf("the image has %v", size)
	}
	for i, want := range []uint32{0xffff, 0} { // the margin, then the first module of a finder pattern
		at := marginWidth*modulePixels + i - 1
		if r, _, _, _ := img.At(at, at).RGBA(); r != want {
			t.Errorf("pixel %d,%d has red %#x, want %#x", at, at, r, want)
		}
	}
	if _, err := QR(string(make([]byte, 5000))); err == nil {
		t.Error("QR(5000 bytes) = nil error")
	}
}
