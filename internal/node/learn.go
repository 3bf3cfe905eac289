// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/learning"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// What the commands of the operator ask about learning mode.
const (
	ListLearning  = "list"
	StartLearning = "start"
	StopLearning  = "stop"
)

// A Learning is a request about learning mode, and its answer.
type Learning struct {
	Do        string    `json:"do"`                  // ListLearning, StartLearning or StopLearning
	Account   string    `json:"account,omitempty"`   // "" lists those of all accounts, or is in Principal
	Principal string    `json:"principal,omitempty"` // name or ARN; "" for the whole account
	Until     time.Time `json:"until,omitzero"`      // to start
	Explicit  bool      `json:"includeExplicit,omitempty"`

	Entries []learning.Entry `json:"entries,omitempty"` // answer: all that were listed, or the one
	Error   string           `json:"error,omitempty"`   // answer: why not
}

// A LearningEntry is an account or a principal that learns, or that did.
type LearningEntry = learning.Entry

func (n *Node) postLearning(w http.ResponseWriter, r *http.Request) {
	var l Learning
	if err := json.NewDecoder(io.LimitReader(r.Body, 64<<10)).Decode(&l); err != nil {
		l.Error = err.Error()
	} else if err := n.learn(r.Context(), &l); err != nil {
		l.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(l)
}

// learn does what is asked and fills in the answer.
func (n *Node) learn(ctx context.Context, l *Learning) error {
	if e, ok := arn.SplitEntity(l.Principal); ok && l.Account == "" {
		l.Account = e.Account
	}
	switch l.Do {
	case ListLearning:
		return n.listLearning(ctx, l)
	case StartLearning, StopLearning:
		if l.Account == "" {
			return errors.New("say which account learns: --account ID, or --principal with an ARN")
		}
		return n.changeLearning(ctx, l)
	}
	return fmt.Errorf("%q is nothing that can be done about learning", l.Do)
}

func (n *Node) listLearning(ctx context.Context, l *Learning) error {
	accounts := []*store.Account{{ID: l.Account}}
	if l.Account == "" {
		var err error
		if accounts, err = n.store.Accounts(ctx); err != nil {
			return err
		}
	}
	for _, a := range accounts {
		v, err := n.store.View(ctx, a.ID)
		if err != nil {
			return accountError(a.ID, err)
		}
		l.Entries = append(l.Entries, learning.List(v, n.now())...)
	}
	return nil
}

// changeLearning starts or stops learning. The audit log has a record of it before
// it takes effect, and another one if it then did not.
func (n *Node) changeLearning(ctx context.Context, l *Learning) error {
	if err := n.audit.Ready(); err != nil {
		return err
	}
	var e learning.Entry
	recorded := false
	err := n.store.Update(ctx, l.Account, func(tx *store.Tx) (err error) {
		if l.Do == StartLearning {
			e, err = learning.Start(tx, l.Principal, learning.Mode{Since: n.now().UTC().Truncate(time.Second), Until: l.Until.UTC(), Explicit: l.Explicit})
		} else {
			e, err = learning.Stop(tx, l.Principal)
		}
		if err != nil || recorded {
			return err
		}
		recorded = true
		return n.recordLearning(l.Do, &e, nil)
	})
	if err != nil && recorded {
		return errors.Join(accountError(l.Account, err), n.recordLearning(l.Do, &e, err))
	}
	if err != nil {
		return accountError(l.Account, err)
	}
	l.Entries = []learning.Entry{e}
	return nil
}

// recordLearning writes the audit record of a change, which no signed request asked
// for, or of why it failed.
func (n *Node) recordLearning(do string, e *learning.Entry, failure error) error {
	params, err := json.Marshal(e)
	if err != nil {
		return err
	}
	rec := audit.Record{
		Time: n.now(), Identity: audit.Identity{Type: "Unknown", InvokedBy: "operator"},
		EventSource: "innkeeper.local", EventName: "StartLearning", Region: n.cfg.Region,
		RequestParameters: params, RequestID: n.ids.RequestID(), EventID: n.ids.RequestID(), Recipient: e.Account,
	}
	if do == StopLearning {
		rec.EventName = "StopLearning"
	}
	if failure != nil {
		rec.ErrorCode, rec.ErrorMessage = "ServiceFailure", failure.Error()
	}
	return n.audit.Write(&rec, true)
}

// RequestLearning asks the node that serves the data directory, or, when none does,
// the store of the configuration, which must exist. It fills the answer into l.
func RequestLearning(ctx context.Context, cfg config.Config, l *Learning) error {
	err := callLocal(ctx, cfg.Data, "/learning", l, l, maxAnswer)
	if errors.Is(err, ErrNotRunning) {
		return offline(ctx, cfg, func(n *Node) error { return n.learn(ctx, l) })
	}
	if err == nil && l.Error != "" {
		err = errors.New(l.Error)
	}
	return err
}
