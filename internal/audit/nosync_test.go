// SPDX-License-Identifier: Apache-2.0

package audit

import "testing"

// TestNoSyncStillWrites: records are there for other processes to read.
func TestNoSyncStillWrites(t *testing.T) {
	dir := t.TempDir()
	l := open(t, Options{Dir: dir, NoSync: true})
	write(t, l, "1", true)
	write(t, l, "2", false)
	wantIDs(t, dir, "1", "2")
}
