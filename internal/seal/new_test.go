// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"errors"
	"testing"
)

func TestNewKeepersShareNothing(t *testing.T) {
	one, two := New(), New()
	sealed := one.Seal([]byte("text"), []byte("context"))
	if got, err := one.Unseal(sealed, []byte("context")); string(got) != "text" || err != nil {
		t.Errorf("Unseal() = %q, %v, want the text", got, err)
	}
	if _, err := two.Unseal(sealed, []byte("context")); !errors.Is(err, ErrKey) {
		t.Errorf("Unseal() by another keeper = %v, want ErrKey", err)
	}
}
