// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"testing"
)

// TestRecordingIsCurrent holds that the recording is what this SDK sends. After an upgrade of
// the SDK record anew, and look at what changes in the golden file beside it.
func TestRecordingIsCurrent(t *testing.T) {
	want, err := os.ReadFile("../../internal/s3req/testdata/requests.txtar")
	if err != nil {
		t.Fatal(err)
	}
	got, err := archive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("internal/s3req/testdata/requests.txtar is not what the SDK sends: go run ./s3requests ../internal/s3req/testdata/requests.txtar")
	}
}
