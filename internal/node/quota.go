// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// maxQuota is the most that a quota can be raised to.
const maxQuota = 100_000_000

// Quotas is a request to show the quotas of an account, and before that to change
// some, and its Answer.
type Quotas struct {
	Account string          `json:"account"`
	Set     map[string]*int `json:"set,omitempty"` // by name; null for the default

	Quotas []Quota `json:"quotas,omitempty"` // answer, in the order of the documentation
	Error  string  `json:"error,omitempty"`  // answer: why not
}

// A Quota is what one account may have.
type Quota struct {
	Name    string `json:"name"`
	Limit   int    `json:"limit"`
	Default int    `json:"default"`
}

func (n *Node) postQuotas(w http.ResponseWriter, r *http.Request) {
	var q Quotas
	if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&q); err != nil {
		q.Error = err.Error()
	} else if err := n.quotas(r.Context(), &q); err != nil {
		q.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(q)
}

// quotas makes the changes, of which the audit log has a record before they are
// answered, and fills in the answer.
func (n *Node) quotas(ctx context.Context, q *Quotas) error {
	if err := checkQuotas(q.Set); err != nil {
		return err
	}
	if len(q.Set) > 0 {
		if err := n.audit.Ready(); err != nil {
			return err
		}
		err := n.store.Update(ctx, q.Account, func(tx *store.Tx) error {
			a := tx.Account()
			if a.Quotas == nil {
				a.Quotas = make(map[string]int)
			}
			for name, limit := range q.Set {
				delete(a.Quotas, name)
				if limit != nil {
					a.Quotas[name] = *limit
				}
			}
			return tx.PutAccount(a)
		})
		if err != nil {
			return accountError(q.Account, err)
		}
		if err := n.recordQuotas(q); err != nil {
			return err
		}
	}
	v, err := n.store.View(ctx, q.Account)
	if err != nil {
		return accountError(q.Account, err)
	}
	q.Set = nil
	for _, one := range quota.All {
		q.Quotas = append(q.Quotas, Quota{one.Name, v.Quota(one.Name), one.Default})
	}
	return nil
}

func accountError(id string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("there is no account %s", id)
	}
	return err
}

// checkQuotas refuses names that no quota has, and limits that none can have.
func checkQuotas(set map[string]*int) error {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		limit := set[name]
		i := slices.IndexFunc(quota.All, func(q quota.Quota) bool { return q.Name == name })
		switch {
		case i < 0:
			return fmt.Errorf("there is no quota %q", name)
		case limit == nil:
		case *limit < 0 || *limit > maxQuota:
			return fmt.Errorf("quota %s: %d must be from 0 to %d", name, *limit, maxQuota)
		case name == quota.RecordSize && *limit > quota.All[i].Default:
			return fmt.Errorf("quota %s: %d must be at most %d, which the store can hold", name, *limit, quota.All[i].Default)
		}
	}
	return nil
}

// recordQuotas writes the audit record of changed quotas, which no signed request
// asked for.
func (n *Node) recordQuotas(q *Quotas) error {
	params, err := json.Marshal(map[string]any{"accountId": q.Account, "quotas": q.Set})
	if err != nil {
		return err
	}
	return n.audit.Write(&audit.Record{
		Time: n.now(), Identity: audit.Identity{Type: "Unknown", InvokedBy: "operator"},
		EventSource: "innkeeper.local", EventName: "UpdateQuotas", Region: n.cfg.Region,
		RequestParameters: params, RequestID: n.ids.RequestID(), EventID: n.ids.RequestID(), Recipient: q.Account,
	}, true)
}

// RequestQuotas asks the node that serves the data directory. It fills the answer
// into q, or returns an error that wraps ErrNotRunning when there is no such
// node, or none with a local socket.
func RequestQuotas(ctx context.Context, data string, q *Quotas) error {
	if err := callLocal(ctx, data, "/quotas", q, q, 64<<10); err != nil {
		return err
	}
	if q.Error != "" {
		return errors.New(q.Error)
	}
	return nil
}

// QuotasOffline is RequestQuotas for the store of a configuration that no node
// serves. The data directory, the master key and the store must exist.
func QuotasOffline(ctx context.Context, cfg config.Config, q *Quotas) error {
	return offline(ctx, cfg, func(n *Node) error { return n.quotas(ctx, q) })
}

// offline does something with a node that serves nobody. The data directory, the
// master key and the store must exist.
func offline(ctx context.Context, cfg config.Config, do func(*Node) error) error {
	n := newNode(cfg.Defaults(), Options{})
	for _, file := range []string{n.cfg.MasterKey, storeFile(n.cfg.Store)} {
		if _, err := os.Stat(file); file != "" && err != nil {
			return fmt.Errorf("%s holds no store of innkeeper: %w", n.cfg.Data, err)
		}
	}
	err := n.open(ctx, false)
	if err == nil {
		err = do(n)
	}
	return errors.Join(err, n.close())
}
