// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"errors"
	"os"
	"syscall"
)

// keepSize is FALLOC_FL_KEEP_SIZE: the file stays as long as it is.
const keepSize = 1

// reserve sets disk space aside for n bytes of f from off on, as far as the file
// system knows how to.
func reserve(f *os.File, off, n int64) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	failure := raw.Control(func(fd uintptr) {
		for err = syscall.EINTR; err == syscall.EINTR; {
			err = syscall.Fallocate(int(fd), keepSize, off, n)
		}
	})
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(failure, err)
}
