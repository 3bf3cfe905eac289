// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"
	"fmt"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// TestAnswerOf: what is wrong with the server is never the client's mistake.
func TestAnswerOf(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want *awserr.Error
	}{
		{store.ErrStale, awserr.ServiceUnavailable},
		{store.ErrFormat, awserr.ServiceUnavailable},
		{authz.ErrUnrecorded, awserr.ServiceUnavailable},
		{store.ErrConflict, awserr.ConcurrentModification},
		{store.ErrNotFound, awserr.ServiceFailure},
		{errors.New("something else"), awserr.ServiceFailure},
		{awserr.NoSuchEntity, awserr.NoSuchEntity},
	} {
		if got := new(Call).answer(fmt.Errorf("wrapped: %w", tc.err)); !got.Is(tc.want) || got.Status != tc.want.Status {
			t.Errorf("answer(%v) = %v, want %v", tc.err, got, tc.want)
		}
	}
	if got := new(Call).answer(nil); got != nil {
		t.Errorf("answer(nil) = %v", got)
	}
}

// TestChanged: the records for which it is true are durable.
func TestChanged(t *testing.T) {
	for _, tc := range []struct {
		name           string
		changes, began bool
		fault          *awserr.Error
		want           bool
	}{
		{"a-change", true, true, nil, true},
		{"a-change-whose-outcome-is-unknown", true, true, awserr.ServiceFailure, true},
		{"a-change-not-confirmed-in-time", true, true, awserr.ServiceUnavailable, true},
		{"a-change-that-was-refused-by-the-operation", true, true, awserr.EntityAlreadyExists, false},
		{"a-change-that-was-denied", true, false, awserr.AccessDenied, false},
		{"a-change-that-could-not-begin", true, false, awserr.ServiceUnavailable, false},
		{"a-read", false, true, nil, false},
		{"a-read-that-failed", false, true, awserr.ServiceFailure, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &Call{op: Op{Changes: tc.changes}, began: tc.began}
			if got := c.changed(tc.fault); got != tc.want {
				t.Errorf("changed(%v) = %v, want %v", tc.fault, got, tc.want)
			}
		})
	}
}
