// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package main

import "time"

const clock = "wall clock"

var started = time.Now()

// processorTime returns the time since the process started: the processor's
// own is not to be had here.
func processorTime() time.Duration { return time.Since(started) }
