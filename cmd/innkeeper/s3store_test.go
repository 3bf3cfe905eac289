// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/http/httptest"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rogpeppe/go-internal/testscript"
)

// s3store starts an object store with the buckets that args name, and sets STORE to
// its URL.
func s3store(ts *testscript.TestScript, _ bool, args []string) {
	backend := s3mem.New()
	for _, name := range args {
		ts.Check(backend.CreateBucket(name))
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	ts.Defer(server.Close)
	ts.Setenv("STORE", server.URL)
}
