// SPDX-License-Identifier: Apache-2.0

// Package iamapi is the IAM 2010-05-08 operations.
package iamapi

//go:generate go run ../gen/shapes iam
