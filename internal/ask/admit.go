// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"context"
	"errors"
	"net/http"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
)

// An Admission is what a proxy is told about a request.
type Admission struct {
	Status  int           // 200: let it pass; 401: who makes it is not known; anything else: refuse it
	Client  *authn.Caller // who makes it, when known
	Message string        // why it is refused, one sentence without full stop
}

// Admit decides a request that a proxy tells of: by says by which interface,
// credential is the proxy's own, as in an Authorization header, and env is its
// connection. The decision is in the audit log when Admit returns.
func (d *Desk) Admit(ctx context.Context, by string, env authz.Env, credential string, rt *Route, o *Original) Admission {
	v := d.Begin(by, "Authorize", env)
	client, err := v.admit(ctx, credential, rt, o)
	var refused *refusedError
	if err = v.End(err); err == nil {
		return Admission{Status: http.StatusOK, Client: client}
	}
	a := Admission{Client: client}
	a.Status, a.Message = Status(err)
	switch {
	case errors.As(err, &refused):
		a.Status, a.Message = http.StatusForbidden, refused.reason
	case v.Asker == nil && a.Status == http.StatusUnauthorized:
		// It is the proxy that is not known: asking its client for credentials would not help.
		a.Status, a.Message = http.StatusForbidden, "the proxy: "+a.Message
	}
	return a
}

// admit returns who makes a request that may pass, and who made it beside the
// error when that is known.
func (v *Visit) admit(ctx context.Context, credential string, rt *Route, o *Original) (*authn.Caller, error) {
	if err := v.Header(ctx, credential); err != nil {
		return nil, err
	}
	client, err := v.Client(ctx, rt, o)
	if err != nil {
		return nil, err
	}
	q, err := rt.Question(o, client, v.Asker)
	if err != nil {
		return client, err
	}
	answers, err := v.Ask(ctx, []Question{*q}, nil)
	if err != nil {
		return client, err
	}
	if a := &answers[0]; !a.Allowed() {
		return client, &refusedError{a.Reason}
	}
	return client, nil
}

// A refusedError is a request that the policies do not let pass. It is an answer,
// and no error of the visit.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }
