// SPDX-License-Identifier: Apache-2.0

// Package mfa checks and spends the one-time codes of virtual MFA devices.
package mfa

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/store"
)

var (
	// ErrDevice says that the owner has no virtual device with that serial
	// number; it does not tell whether somebody else has.
	ErrDevice = errors.New("mfa: no such device of this owner")

	// ErrCode says that a code is wrong or spent.
	ErrCode = errors.New("mfa: the code is not valid")
)

// A LockedError says that too many wrong codes came, and that none is looked at
// until a time.
type LockedError struct {
	Until time.Time
}

func (e *LockedError) Error() string {
	return fmt.Sprintf("mfa: too many wrong codes: wait until %s", e.Until.UTC().Format(time.RFC3339))
}

// How many steps the device's clock may be off, either way: for one code, for
// the two that assign it, and for the two that put it right.
const (
	verifyWindow = 1
	enableWindow = 20   // ten minutes
	resyncWindow = 2880 // a day
)

// A Check is one attempt to prove possession of a device. Now is the time of
// the request.
type Check struct {
	Store   *store.Store
	Account string
	Serial  string
	Now     time.Time
}

// Verify checks and spends a code of a device of an owner: a user's unique id,
// or the account's id for the root user. Of all that show the same code, on any
// node, one succeeds. The error is or wraps ErrDevice, ErrCode, a *LockedError,
// or an error of the store.
func (c *Check) Verify(ctx context.Context, owner, code string) error {
	return c.attempt(ctx, c.owned(owner), nil, verifyWindow, code)
}

// Resync puts right what is known of a device's clock by two consecutive codes,
// and spends them. Errors are those of Verify.
func (c *Check) Resync(ctx context.Context, owner, code1, code2 string) error {
	return c.attempt(ctx, c.owned(owner), nil, resyncWindow, code1, code2)
}

// Enable assigns a device to a user, or to the root user for "", by two
// consecutive codes, and spends them. Besides the errors of Verify, but for
// ErrDevice, there are those of Tx.AssignDevice.
func (c *Check) Enable(ctx context.Context, user, code1, code2 string) error {
	free := func(tx *store.Tx) (*store.MFADevice, error) {
		d, err := tx.Device(c.Serial)
		if err == nil && d.Owner != "" {
			return nil, &store.ExistsError{Kind: store.KindDevice, Name: c.Serial}
		}
		if err == nil && user != "" {
			_, err = tx.User(user)
		}
		return d, err
	}
	assign := func(tx *store.Tx) error { return tx.AssignDevice(c.Serial, user, c.Now) }
	return c.attempt(ctx, free, assign, enableWindow, code1, code2)
}

// drift returns what a difference between two clocks, in steps, tells of a
// device's: nothing if it is no more than typing takes.
func drift(steps int64) int64 {
	if -verifyWindow <= steps && steps <= verifyWindow {
		return 0
	}
	return steps
}

// owned finds the device if it is the owner's and makes codes.
func (c *Check) owned(owner string) func(*store.Tx) (*store.MFADevice, error) {
	return func(tx *store.Tx) (*store.MFADevice, error) {
		d, err := tx.Device(c.Serial)
		if errors.Is(err, store.ErrNotFound) || err == nil && (owner == "" || d.Owner != owner || d.Kind != store.DeviceVirtual) {
			return nil, ErrDevice
		}
		return d, err
	}
}

// attempt looks for consecutive codes within a window, and calls accepted, if
// not nil, when they are right. Right or wrong, the outcome is stored in the
// transaction that read how many wrong ones there were before: of many attempts
// at once, none is made that the others would have locked out.
func (c *Check) attempt(ctx context.Context, find func(*store.Tx) (*store.MFADevice, error), accepted func(*store.Tx) error, window int64, codes ...string) error {
	var outcome error
	err := c.Store.Update(ctx, c.Account, func(tx *store.Tx) error {
		outcome = nil
		d, err := find(tx)
		if err != nil {
			return err
		}
		if until := d.LockedUntil(); c.Now.Before(until) {
			return &LockedError{until}
		}
		seed, err := c.Store.Seed(c.Account, d)
		if err != nil {
			return err
		}
		expected := Step(c.Now) + d.Drift
		first, ok := search(seed, codes, expected-window, expected+window)
		switch {
		case !ok:
			outcome = ErrCode
			d.Fail(c.Now)
			return tx.PutDevice(d)
		case first <= d.Step:
			return ErrCode // spent: nobody learns anything from it, so it does not count
		}
		d.Step, d.Tries = first+int64(len(codes))-1, store.Tries{}
		if len(codes) > 1 {
			d.Drift = drift(first + 1 - Step(c.Now))
		}
		if err := tx.PutDevice(d); err != nil || accepted == nil {
			return err
		}
		return accepted(tx)
	})
	if err != nil {
		return err
	}
	return outcome
}
