// SPDX-License-Identifier: Apache-2.0

package mfa

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"github.com/boombuler/barcode/qr"
)

// Pixels of a module of a QR code, and modules of the empty margin that readers
// need (ISO/IEC 18004, "Quiet zone").
const (
	modulePixels = 5
	marginWidth  = 4
)

// QR returns a PNG image of a QR code that says text.
func QR(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("mfa: QR code of %d characters: %w", len(text), err)
	}
	side := code.Bounds().Dx() // modules
	pixels := (side + 2*marginWidth) * modulePixels
	img := image.NewPaletted(image.Rect(0, 0, pixels, pixels), color.Palette{color.White, color.Black})
	for y := range pixels {
		for x := range pixels {
			at := image.Pt(x/modulePixels-marginWidth, y/modulePixels-marginWidth)
			if !at.In(code.Bounds()) {
				continue
			}
			if r, _, _, _ := code.At(at.X, at.Y).RGBA(); r == 0 {
				img.SetColorIndex(x, y, 1)
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return nil, fmt.Errorf("mfa: QR code: %w", err)
	}
	return b.Bytes(), nil
}
