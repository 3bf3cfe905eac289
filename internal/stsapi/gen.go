// SPDX-License-Identifier: Apache-2.0

// Package stsapi is the STS 2011-06-15 operations.
package stsapi

//go:generate go run ../gen/shapes sts
