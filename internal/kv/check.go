// SPDX-License-Identifier: Apache-2.0

package kv

import "fmt"

// The limits of a transaction. They are those of etcd, with room for its own overhead, for every engine.
const (
	MaxKey   = 1 << 10 // bytes in a key
	MaxValue = 1 << 20 // bytes in a value
	MaxOps   = 128     // operations, and comparisons, in a transaction
	MaxTxn   = 5 << 18 // bytes in the keys and values of a transaction: 1.25 MiB
)

// Check returns nil if t keeps the limits and is well formed, or an error that wraps ErrTooLarge or ErrInvalid.
func Check(t Txn) error {
	switch {
	case len(t.Then) == 0:
		return fmt.Errorf("kv: transaction without operations: %w", ErrInvalid)
	case len(t.Then) > MaxOps:
		return fmt.Errorf("kv: %d operations in a transaction, at most %d: %w", len(t.Then), MaxOps, ErrTooLarge)
	case len(t.If) > MaxOps:
		return fmt.Errorf("kv: %d comparisons in a transaction, at most %d: %w", len(t.If), MaxOps, ErrTooLarge)
	}
	size := 0
	for _, c := range t.If {
		if err := checkKey(c.Key); err != nil {
			return err
		}
		if c.Modified < 0 {
			return fmt.Errorf("kv: key %q compared with revision %d: %w", c.Key, c.Modified, ErrInvalid)
		}
		size += len(c.Key)
	}
	seen := make(map[string]bool, len(t.Then))
	for _, op := range t.Then {
		if err := checkOp(op); err != nil {
			return err
		}
		if seen[op.Key] {
			return fmt.Errorf("kv: key %q twice in a transaction: %w", op.Key, ErrInvalid)
		}
		seen[op.Key] = true
		size += len(op.Key) + len(op.Value)
	}
	if size > MaxTxn {
		return fmt.Errorf("kv: transaction of %d bytes, at most %d: %w", size, MaxTxn, ErrTooLarge)
	}
	return nil
}

func checkOp(op Op) error {
	if err := checkKey(op.Key); err != nil {
		return err
	}
	if len(op.Value) > MaxValue {
		return fmt.Errorf("kv: key %q: value of %d bytes, at most %d: %w", op.Key, len(op.Value), MaxValue, ErrTooLarge)
	}
	if op.Delete && len(op.Value) > 0 {
		return fmt.Errorf("kv: key %q: delete with a value: %w", op.Key, ErrInvalid)
	}
	return nil
}

func checkKey(key string) error {
	if key == "" {
		return fmt.Errorf("kv: empty key: %w", ErrInvalid)
	}
	if len(key) > MaxKey {
		return fmt.Errorf("kv: key %.64q... of %d bytes, at most %d: %w", key, len(key), MaxKey, ErrTooLarge)
	}
	return nil
}

// CheckRange returns nil if some key k can have start <= k < end, or an error that wraps ErrInvalid.
func CheckRange(start, end string) error {
	if end != "" && start >= end || end == "\x00" {
		return fmt.Errorf("kv: range from %q to %q holds no key: %w", start, end, ErrInvalid)
	}
	return nil
}

// Prefix returns the range of the keys that begin with p, for Range and Watch.
func Prefix(p string) (start, end string) {
	for last := len(p) - 1; last >= 0; last-- {
		if c := p[last]; c < 0xff {
			return p, p[:last] + string([]byte{c + 1})
		}
	}
	return p, ""
}
