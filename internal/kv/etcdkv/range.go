// SPDX-License-Identifier: Apache-2.0

package etcdkv

import (
	"context"
	"fmt"

	clientv3 "go.etcd.io/etcd/client/v3"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

const (
	firstPage = 100     // entries that are asked for first
	maxPage   = 10_000  // and at most
	pageBytes = 4 << 20 // of values in an answer, about
)

// Range asks for a large range in parts, all of one revision.
func (d *DB) Range(ctx context.Context, start, end string, rev kv.Revision, limit int) (kv.Page, error) {
	page := kv.Page{Revision: max(rev, 0)}
	if end != "" && start >= end {
		start, end = "", "\x00" // which is empty too, and tells the revision
	}
	for size := firstPage; ; {
		n := size
		if limit > 0 {
			n = min(n, limit-len(page.Entries))
		}
		resp, err := d.get(ctx, start, end, page.Revision, n)
		if err != nil {
			return kv.Page{}, fmt.Errorf("etcdkv: range at %d: %w", page.Revision, err)
		}
		if page.Revision == 0 {
			page.Revision = kv.Revision(resp.Header.Revision)
		}
		bytes := 0
		for _, e := range resp.Kvs {
			page.Entries = append(page.Entries, kv.Entry{
				Key: string(e.Key[len(d.prefix):]), Value: e.Value, Modified: kv.Revision(e.ModRevision),
			})
			bytes += len(e.Value)
		}
		if page.More = resp.More; !page.More || len(page.Entries) == limit {
			return page, nil
		}
		start = page.Entries[len(page.Entries)-1].Key + "\x00"
		size = min(maxPage, 1+len(resp.Kvs)*pageBytes/(1+bytes))
	}
}

// get reads once, and again after failures that may pass.
func (d *DB) get(
	ctx context.Context, start, end string, rev kv.Revision, limit int,
) (resp *clientv3.GetResponse, err error) {
	err = d.read(ctx, func(ctx context.Context) error {
		resp, err = d.client.Get(ctx, d.from(start), clientv3.WithRange(d.to(end)),
			clientv3.WithRev(int64(rev)), clientv3.WithLimit(int64(limit)))
		return err
	})
	return resp, err
}
