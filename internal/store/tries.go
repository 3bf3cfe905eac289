// SPDX-License-Identifier: Apache-2.0

package store

import "time"

// Tries are the attempts at something that can be guessed that failed since the
// last that succeeded. After freeTries of them no attempt is let through for
// firstLock, and after each further one twice as long, up to maxLock: about a
// hundred attempts a day.
type Tries struct {
	Failures int       `json:"failures,omitempty"`
	Failed   time.Time `json:"failed,omitzero"` // the last of them
}

const (
	freeTries = 5
	firstLock = 30 * time.Second
	maxLock   = 15 * time.Minute
)

// LockedUntil returns the time before which no attempt may be let through.
func (t *Tries) LockedUntil() time.Time {
	if t.Failures < freeTries {
		return time.Time{}
	}
	lock := maxLock
	if n := t.Failures - freeTries; n < 5 {
		lock = min(firstLock<<n, maxLock)
	}
	return t.Failed.Add(lock)
}

// Fail counts a failure.
func (t *Tries) Fail(now time.Time) { t.Failures, t.Failed = t.Failures+1, now.UTC() }
