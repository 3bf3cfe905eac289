// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// MaxBuckets is how many buckets one request about buckets names or lists.
const MaxBuckets = 100

// What a request about buckets asks for.
const (
	ListBuckets    = "list"    // those of an account, or of all; after a name
	FindBuckets    = "find"    // those named, whether they have an owner or not
	AdoptBuckets   = "adopt"   // makes the account the owner of those named that have none
	ReleaseBuckets = "release" // takes away the owners of those named
)

// Buckets is a request about buckets and its Answer.
type Buckets struct {
	Do      string   `json:"do"`
	Account string   `json:"account,omitempty"`
	Region  string   `json:"region,omitempty"` // of those to adopt; "" for the node's
	Names   []string `json:"names,omitempty"`
	After   string   `json:"after,omitempty"`

	Buckets []OwnedBucket `json:"buckets,omitempty"` // answer: a part of the list, or one for each name
	More    bool          `json:"more,omitempty"`    // answer: the list goes on
	Error   string        `json:"error,omitempty"`   // answer: why not
}

// An OwnedBucket is a bucket and what its owner has set.
type OwnedBucket struct {
	Name    string    `json:"name"`
	Account string    `json:"account,omitempty"` // "" if it has no owner
	Region  string    `json:"region,omitempty"`
	Created time.Time `json:"created,omitzero"`
	Adopted bool      `json:"adopted,omitempty"`
	Policy  bool      `json:"policy,omitempty"` // it has one
	Public  bool      `json:"public,omitempty"` // the policy is
	Error   string    `json:"error,omitempty"`  // why this one was not adopted or released
}

func (n *Node) postBuckets(w http.ResponseWriter, r *http.Request) {
	var q Buckets
	if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&q); err != nil {
		q.Error = err.Error()
	} else if err := n.buckets(r.Context(), &q); err != nil {
		q.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(q)
}

// buckets does what q asks for and fills in the answer. Of each change the audit
// log has a record before it is answered.
func (n *Node) buckets(ctx context.Context, q *Buckets) error {
	if len(q.Names) > MaxBuckets {
		return fmt.Errorf("%d buckets at once: at most %d", len(q.Names), MaxBuckets)
	}
	known := buckets.New(n.store)
	names := q.Names
	q.Names = nil // the answer has them with what became of them
	var each func(name string) (*buckets.Bucket, error)
	switch q.Do {
	case ListBuckets:
		return n.listBuckets(ctx, known, q)
	case FindBuckets:
		each = func(name string) (*buckets.Bucket, error) { return known.Get(ctx, name) }
	case AdoptBuckets:
		if _, err := n.store.View(ctx, q.Account); err != nil {
			return accountError(q.Account, err)
		}
		each = func(name string) (*buckets.Bucket, error) { return n.adopt(ctx, known, name, q) }
	case ReleaseBuckets:
		each = func(name string) (*buckets.Bucket, error) { return nil, n.release(ctx, known, name) }
	default:
		return fmt.Errorf("there is nothing called %q to do with buckets", q.Do)
	}
	for _, name := range names {
		one := OwnedBucket{Name: name}
		b, err := each(name)
		switch {
		case b != nil:
			one = ownedBucket(b)
		case errors.Is(err, store.ErrNotFound) && q.Do == FindBuckets:
			err = nil
		}
		if err != nil {
			one.Error = err.Error()
		}
		q.Buckets = append(q.Buckets, one)
	}
	return nil
}

func ownedBucket(b *buckets.Bucket) OwnedBucket {
	return OwnedBucket{
		Name: b.Name, Account: b.Account, Region: b.Region, Created: b.Created, Adopted: b.Adopted, Policy: b.Policy != nil, Public: b.Public(),
	}
}

func (n *Node) listBuckets(ctx context.Context, known *buckets.Registry, q *Buckets) error {
	if q.Account != "" {
		if _, err := n.store.View(ctx, q.Account); err != nil {
			return accountError(q.Account, err)
		}
	}
	for name, account := range n.store.Buckets(q.After) {
		if q.Account != "" && account != q.Account {
			continue
		}
		if q.More = len(q.Buckets) == MaxBuckets; q.More {
			return nil
		}
		b, err := known.Get(ctx, name)
		if errors.Is(err, store.ErrNotFound) {
			continue // it went at this moment
		}
		if err != nil {
			return err
		}
		q.Buckets = append(q.Buckets, ownedBucket(b))
	}
	return nil
}

// adopt makes an account the owner of a bucket. One that is the account's already
// stays as it is.
func (n *Node) adopt(ctx context.Context, known *buckets.Registry, name string, q *Buckets) (*buckets.Bucket, error) {
	if err := n.audit.Ready(); err != nil {
		return nil, err
	}
	err := known.Adopt(ctx, q.Account, name, cmp.Or(q.Region, n.cfg.Region))
	if errors.Is(err, store.ErrExists) {
		b, err := known.Get(ctx, name)
		if err == nil && b.Account != q.Account {
			err = fmt.Errorf("bucket %s is account %s's", name, b.Account)
			b = nil
		}
		return b, err
	}
	if err != nil {
		return nil, err
	}
	if err := n.recordBucket("AdoptBucket", name, q.Account); err != nil {
		return nil, err
	}
	return known.Get(ctx, name)
}

func (n *Node) release(ctx context.Context, known *buckets.Registry, name string) error {
	if err := n.audit.Ready(); err != nil {
		return err
	}
	b, err := known.Get(ctx, name)
	if err == nil {
		err = known.Delete(ctx, b)
	}
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("bucket %s has no owner", name)
	}
	if err != nil {
		return err
	}
	return n.recordBucket("ReleaseBucket", name, b.Account)
}

// recordBucket writes the audit record of a change of owner that no signed request
// asked for.
func (n *Node) recordBucket(event, name, account string) error {
	params, err := json.Marshal(map[string]string{"bucketName": name, "accountId": account})
	if err != nil {
		return err
	}
	return n.audit.Write(&audit.Record{
		Time: n.now(), Identity: audit.Identity{Type: "Unknown", InvokedBy: "operator"},
		EventSource: "innkeeper.local", EventName: event, Region: n.cfg.Region,
		RequestParameters: params, RequestID: n.ids.RequestID(), EventID: n.ids.RequestID(), Recipient: account,
	}, true)
}

// RequestBuckets asks the node that serves the data directory. It fills the answer
// into q, or returns an error that wraps ErrNotRunning when there is no such
// node, or none with a local socket.
func RequestBuckets(ctx context.Context, data string, q *Buckets) error {
	if err := callLocal(ctx, data, "/buckets", q, q, 1<<20); err != nil {
		return err
	}
	if q.Error != "" {
		return errors.New(q.Error)
	}
	return nil
}

// BucketsOffline is RequestBuckets for the store of a configuration that no node
// serves. The data directory, the master key and the store must exist.
func BucketsOffline(ctx context.Context, cfg config.Config, q *Buckets) error {
	return offline(ctx, cfg, func(n *Node) error { return n.buckets(ctx, q) })
}
