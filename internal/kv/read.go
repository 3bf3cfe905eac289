// SPDX-License-Identifier: Apache-2.0

package kv

import (
	"context"
	"fmt"
)

const pageSize = 5000 // entries that Scan reads at once

// Get returns the latest entry of a key, nil if there is none.
func Get(ctx context.Context, db DB, key string) (*Entry, error) {
	page, err := db.Range(ctx, key, key+"\x00", 0, 1)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", key, err)
	}
	if len(page.Entries) == 0 {
		return nil, nil
	}
	return &page.Entries[0], nil
}

// Scan calls fn for every entry of a range, as DB.Range has it but without a limit,
// until fn returns an error. All are of one revision, which it returns: rev, or the
// latest one if that is 0.
func Scan(ctx context.Context, db DB, start, end string, rev Revision, fn func(Entry) error) (Revision, error) {
	for {
		page, err := db.Range(ctx, start, end, rev, pageSize)
		if err != nil {
			return 0, err
		}
		rev = page.Revision
		for _, e := range page.Entries {
			if err := fn(e); err != nil {
				return 0, err
			}
		}
		if !page.More || len(page.Entries) == 0 {
			return rev, nil
		}
		start = page.Entries[len(page.Entries)-1].Key + "\x00"
	}
}
