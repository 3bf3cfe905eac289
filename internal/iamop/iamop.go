// SPDX-License-Identifier: Apache-2.0

// Package iamop holds what the operations of IAM share: checks, pages, tags, errors.
package iamop

import "github.com/innkeeper-iam/innkeeper/internal/awserr"

// RootName is the user name in answers about the root user's credentials.
const RootName = "root"

// ISO8601 is the form of the times in messages.
const ISO8601 = "2006-01-02T15:04:05Z"

const (
	active   = "Active"
	inactive = "Inactive"
)

// Status is the status of a credential as answers show it.
func Status(off bool) string {
	if off {
		return inactive
	}
	return active
}

// SwitchedOff reads the status that a request wants for a credential.
func SwitchedOff(status string) (bool, error) {
	if status != active && status != inactive {
		return false, awserr.InvalidInput.Msg("Status must be Active or Inactive: %s is not for the caller to set.", status)
	}
	return status == inactive, nil
}
