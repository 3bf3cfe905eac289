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

	"github.com/innkeeper-iam/innkeeper/internal/config"
	"github.com/innkeeper-iam/innkeeper/internal/relay"
)

// What an Enrolment asks for.
const (
	EnrollGateway = "enroll"
	RevokeGateway = "revoke"
	ListGateways  = "list"
)

// An Enrolment is a request about the gateways that run apart, and its Answer.
type Enrolment struct {
	Do   string `json:"do"`
	Name string `json:"name,omitempty"` // not to list
	Days int    `json:"days,omitempty"` // to enroll: that the certificate is good; 0: 90

	Identity string          `json:"identity,omitempty"` // answer to enroll: key and certificates, in PEM
	Gateways []relay.Gateway `json:"gateways,omitempty"` // answer to list
	Error    string          `json:"error,omitempty"`    // answer: why not
}

func (n *Node) postEnrolment(w http.ResponseWriter, r *http.Request) {
	var e Enrolment
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&e); err != nil {
		e.Error = err.Error()
	} else if err := enrolment(r.Context(), n.relayed, &e); err != nil {
		e.Error = err.Error()
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(e)
}

// enrolment does what is asked for and fills in the answer.
func enrolment(ctx context.Context, s *relay.Server, e *Enrolment) (err error) {
	switch e.Do {
	case EnrollGateway:
		var text []byte
		text, err = s.Enroll(ctx, e.Name, time.Duration(e.Days)*24*time.Hour)
		e.Identity = string(text)
	case RevokeGateway:
		err = s.Revoke(ctx, e.Name)
	case ListGateways:
		e.Gateways, err = s.Gateways(ctx)
	default:
		err = fmt.Errorf("what is %q", e.Do)
	}
	return err
}

// RequestEnrolment asks the node that serves the data directory. It fills the
// answer into e, or returns an error that wraps ErrNotRunning when there is no
// such node, or none with a local socket.
func RequestEnrolment(ctx context.Context, data string, e *Enrolment) error {
	if err := callLocal(ctx, data, "/gateways", e, e, 4<<20); err != nil {
		return err
	}
	if e.Error != "" {
		return errors.New(e.Error)
	}
	return nil
}

// EnrolmentOffline is RequestEnrolment for the store of a configuration that no
// node serves. The data directory, the master key and the store must exist.
func EnrolmentOffline(ctx context.Context, cfg config.Config, e *Enrolment) error {
	return offline(ctx, cfg, func(n *Node) error { return enrolment(ctx, n.newRelay(), e) })
}

// newRelay returns what serves gateways that run apart, on a node that is open.
func (n *Node) newRelay() *relay.Server {
	return relay.New(relay.ServerOptions{
		DB: n.db, Store: n.store, Sessions: n.ring, Audit: n.audit, IDs: n.ids, Region: n.cfg.Region, Now: n.now, Log: n.log,
	})
}
