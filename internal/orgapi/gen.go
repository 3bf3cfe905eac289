// SPDX-License-Identifier: Apache-2.0

// Package orgapi is the Organizations 2016-11-28 operations.
package orgapi

//go:generate go run ../gen/shapes org
