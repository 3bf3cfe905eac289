// SPDX-License-Identifier: Apache-2.0

package node

//go:generate go run ../gen/coverage
