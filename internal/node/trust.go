// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/federate"
	"github.com/innkeeper-iam/innkeeper/internal/stsapi"
)

// What the commands of the operator ask and are told about trust.
type (
	TrustQuestion = stsapi.TrustQuestion
	TrustReport   = stsapi.TrustReport
)

// A Trust is a question whether a role would be given for a token or a SAML
// response, and its answer.
type Trust struct {
	Question TrustQuestion `json:"question"`
	Report   *TrustReport  `json:"report,omitempty"`
	Error    string        `json:"error,omitempty"`
}

// maxTrust is more than the largest question, in bytes.
const maxTrust = 2*federate.MaxAssertion + 8<<10

// maxAnswer is more than the largest report, in bytes.
const maxAnswer = 4 << 20

func (n *Node) postTrust(w http.ResponseWriter, r *http.Request) {
	var t Trust
	if err := json.NewDecoder(io.LimitReader(r.Body, maxTrust)).Decode(&t); err != nil {
		t.Error = err.Error()
	} else if err := n.trust(r.Context(), &t); err != nil {
		t.Error = err.Error()
	}
	t.Question = TrustQuestion{} // the proof need not travel back
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(t)
}

func (n *Node) trust(ctx context.Context, t *Trust) (err error) {
	opts := stsapi.Options{Store: n.store, Ring: n.ring, Now: n.now, Issuers: n.issuers, SAML: n.saml}
	t.Report, err = stsapi.Trust(ctx, opts, &authz.Env{Time: n.now(), Secure: true}, t.Question)
	return err
}

// TestTrust answers a question about trust: by the node that serves the data
// directory, or else from the store of the configuration itself.
func TestTrust(ctx context.Context, cfg config.Config, q TrustQuestion) (*TrustReport, error) {
	t := Trust{Question: q}
	err := callLocal(ctx, cfg.Data, "/trust", &t, &t, maxAnswer)
	if err == nil && t.Error != "" {
		err = errors.New(t.Error)
	}
	if !errors.Is(err, ErrNotRunning) {
		return t.Report, err
	}
	n := newNode(cfg.Defaults(), Options{})
	for _, file := range []string{n.cfg.MasterKey, storeFile(n.cfg.Store)} {
		if _, err := os.Stat(file); file != "" && err != nil {
			return nil, fmt.Errorf("%s holds no store of innkeeper: %w", n.cfg.Data, err)
		}
	}
	if err := n.cfg.Validate(); err != nil {
		return nil, err
	}
	err = n.open(ctx, false)
	if err == nil {
		n.federation()
		err = n.trust(ctx, &t)
	}
	return t.Report, errors.Join(err, n.close())
}
