// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package audit

import (
	"os"
	"path/filepath"
)

// lockDir returns the lock file, which on this system locks nothing.
func lockDir(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "audit.lock"), os.O_RDWR|os.O_CREATE, 0o600)
}
