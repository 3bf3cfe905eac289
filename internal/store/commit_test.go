// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// A vague is a DB that answers ErrUnknown to the next commits, of which it
// makes the first if applies is set.
type vague struct {
	kv.DB
	unknown atomic.Int32
	applies bool
	meant   func() // called after the first, if not nil
}

func (d *vague) Commit(ctx context.Context, t kv.Txn) (kv.Revision, error) {
	n := d.unknown.Load()
	if n == 0 {
		return d.DB.Commit(ctx, t)
	}
	d.unknown.Add(-1)
	if d.applies {
		d.applies = false
		if _, err := d.DB.Commit(ctx, t); err != nil {
			return 0, err
		}
	}
	if d.meant != nil {
		d.meant()
		d.meant = nil
	}
	return 0, fmt.Errorf("leader lost: %w", kv.ErrUnknown)
}

func TestAnUnknownOutcomeIsSettled(t *testing.T) {
	for name, c := range map[string]struct {
		applies bool
		unknown int32
		other   func(*Tx) error // happens between
		want    error
	}{
		"it-was-made":                    {true, 1, nil, nil},
		"it-was-not-made":                {false, 1, nil, nil},
		"unknown-twice":                  {true, 2, nil, nil},
		"not-made-and-another-was":       {false, 1, createUser("ann"), ErrExists},
		"made-and-something-else-before": {true, 1, createUser("bob"), nil},
		"unknown-for-ever":               {false, 100, nil, kv.ErrUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			s, x := newStore(t)
			db := &vague{DB: x.db}
			node := x.node(t, func(o *Options) { o.DB = db })
			view(t, node, alpha)
			if c.other != nil {
				db.meant = func() { update(t, s, c.other) }
			}
			db.applies = c.applies
			db.unknown.Store(c.unknown)
			runs := 0
			err := node.Update(t.Context(), alpha, func(tx *Tx) error { runs++; return tx.CreateUser(&User{Name: "ann", Path: "/mine/"}) })
			db.unknown.Store(0)
			if !errors.Is(err, c.want) {
				t.Fatalf("Update = %v, want %v", err, c.want)
			}
			if c.want != nil {
				return
			}
			if u, err := view(t, node, alpha).User("ann"); err != nil || u.Path != "/mine/" || runs != 1 {
				t.Errorf("User(ann) = %+v, %v after %d runs, want it made once", u, err, runs)
			}
		})
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, all(createUser("ann"), addKey(s, "ann"), createPolicy("Read")))
	v := view(t, s, alpha)
	u, _ := v.User("ann")
	const aws = "arn:aws:iam::aws:policy/job-function/Billing"
	own := alphaPolicy("Read")
	for what, c := range map[string]struct {
		most float64
		fn   func()
	}{
		"View":       {0, func() { s.View(t.Context(), alpha) }},
		"UserByKey":  {0, func() { v.UserByKey(u.Keys[0].ID) }},
		"UserByID":   {0, func() { v.UserByID(u.ID) }},
		"User":       {0, func() { v.User("ann") }},
		"own-policy": {1, func() { v.Policy(own) }}, // its name in lower case
		"aws-policy": {0, func() { v.Policy(aws) }},
		"Touch":      {0, func() { s.Touch(alpha, u.ID, Use{Service: "iam"}) }},
	} {
		if n := testing.AllocsPerRun(100, c.fn); n > c.most {
			t.Errorf("%s allocates %v times, want at most %v", what, n, c.most)
		}
	}
	if p, err := v.Policy(aws); err != nil || p.Name != "Billing" {
		t.Errorf("Policy(%s) = %+v, %v", aws, p, err)
	}
	for _, arn := range []string{own + "x", own[:len(own)-1], "x" + own, "", "Read", "/Read", "arn:aws:iam::" + alpha + ":policy/x/Read",
		"arn:aws:iam::" + alpha + ":role/Read", "arn:aws:iam::" + beta + ":policy/Read", aws + "x", awsPolicies} {
		if p, err := v.Policy(arn); !errors.Is(err, ErrNotFound) {
			t.Errorf("Policy(%q) = %v, %v, want ErrNotFound", arn, p, err)
		}
	}
}
