// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package audit

func nearlyFullChild(string) error { return nil }
