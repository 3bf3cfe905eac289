// SPDX-License-Identifier: Apache-2.0

// Package policy parses, compiles and decides IAM policies with AWS's semantics.
package policy
