// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"context"
	"sync"
)

// A Gate lets those who wait for a revision pass once it is reached. The zero
// Gate is at revision 0. It is safe for concurrent use.
type Gate struct {
	mu      sync.Mutex // guards below
	rev     Revision
	changed chan struct{} // closed when rev changes; nil while nobody waits
}

// At returns the revision of the gate.
func (g *Gate) At() Revision {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rev
}

// Pass moves the gate on to rev; it never moves back.
func (g *Gate) Pass(rev Revision) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if rev > g.rev {
		g.setLocked(rev)
	}
}

// Reset moves the gate to rev, which may be back.
func (g *Gate) Reset(rev Revision) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.setLocked(rev)
}

func (g *Gate) setLocked(rev Revision) {
	g.rev = rev
	if g.changed != nil {
		close(g.changed)
		g.changed = nil
	}
}

// Next returns a channel that is closed when the gate moves, or nil if it is at
// rev already.
func (g *Gate) Next(rev Revision) <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rev >= rev {
		return nil
	}
	if g.changed == nil {
		g.changed = make(chan struct{})
	}
	return g.changed
}

// Wait returns nil once the gate is at rev, or ctx's error.
func (g *Gate) Wait(ctx context.Context, rev Revision) error {
	for {
		moved := g.Next(rev)
		if moved == nil {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
