// SPDX-License-Identifier: Apache-2.0

package dev

import (
	"fmt"
	"sync"
	"time"
)

// A Clock is the machine's clock, moved by some amount. It is safe for concurrent
// use.
type Clock struct {
	mu     sync.Mutex // guards below
	offset time.Duration
	moved  chan struct{} // closed and replaced when offset changes
}

func newClock() *Clock { return &Clock{moved: make(chan struct{})} }

// The clock shows no time outside these, so that no date overflows.
var (
	earliest = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// Now returns what the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.offset)
}

// Moved returns a channel that is closed when the clock is moved next.
func (c *Clock) Moved() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moved
}

// Offset returns by how much the clock is moved.
func (c *Clock) Offset() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset
}

func (c *Clock) advance(d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moveLocked(time.Now().Add(c.offset).Add(d), c.offset+d)
}

func (c *Clock) set(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.moveLocked(t, time.Until(t))
}

func (c *Clock) restore() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.offset != 0 {
		_ = c.moveLocked(time.Now(), 0) // now is within
	}
}

func (c *Clock) moveLocked(to time.Time, offset time.Duration) error {
	if to.Before(earliest) || to.After(latest) {
		return fmt.Errorf("the clock cannot show %s: only times from %s to %s", to.UTC().Format(time.RFC3339), earliest.Format(time.DateOnly), latest.Format(time.DateOnly))
	}
	c.offset = offset
	close(c.moved)
	c.moved = make(chan struct{})
	return nil
}
