// SPDX-License-Identifier: Apache-2.0

package boltkv

import (
	"path/filepath"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/kvtest"
)

func TestConformance(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.DB { return open(t, Options{}) })
}

// open opens a store in a new directory, or at o.Path.
func open(t testing.TB, o Options) *DB {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "store")
	}
	db, err := Open(o)
	if err != nil {
		t.Fatalf("Open(%+v) = %v, want nil", o, err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close() = %v, want nil", err)
		}
	})
	return db
}
