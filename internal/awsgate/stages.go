// SPDX-License-Identifier: Apache-2.0

package awsgate

import (
	"bytes"
	"cmp"
	"errors"
	"net/http"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/classify"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// prove finds out for which service the request is and who made it. The whole body is covered by the signature.
func (c *call) prove() error {
	sig, err := sigv4.Parse(c.r)
	if err != nil {
		return err
	}
	c.sig = sig
	c.record.Region = cmp.Or(sig.Region, c.record.Region)
	c.protocol = classify.ProtocolOf(sig.Service, c.r.Header)
	up, ok := c.g.Upstreams[sig.Service]
	if !ok || !classify.Known(sig.Service) {
		return &sigv4.ScopeError{Message: "Credential should be scoped to a service that is behind this gateway, not '" + clip(sig.Service) + "'."}
	}
	if sig.Region != c.g.Region {
		return &sigv4.ScopeError{Message: "Credential should be scoped to the region of this gateway, '" + c.g.Region + "', not '" + clip(sig.Region) + "'."}
	}
	if sig.Presigned {
		return awserr.MissingAuthenticationToken.Msg("This gateway takes signatures in the Authorization header alone.")
	}
	c.up, c.record.EventSource = up, sig.Service+".amazonaws.com"
	if c.body, err = readBody(c.w, c.r, classify.MaxBody(sig.Service)); err != nil {
		return err
	}
	if c.caller, err = c.g.Authn.Gate(c.ctx, c.r, sig, c.body); err != nil {
		return err
	}
	authz.Identify(&c.record, c.caller)
	if id := c.caller.UseID(); id != "" {
		c.g.Store.Touch(string(c.caller.Account), id, store.Use{Time: c.time, Region: sig.Region, Service: sig.Service})
	}
	return nil
}

// readBody reads the whole body once, within max. It never returns nil without an error.
func readBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	tooLarge := awserr.RequestEntityTooLarge.Msg("The request body is larger than %d bytes.", limit)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), 64<<10)) + bytes.MinRead)
	if r.Body != nil {
		if _, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, limit)); err != nil {
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				return nil, tooLarge
			}
			return nil, awserr.MalformedInput.Msg("The request body ended early: %d bytes came.", buf.Len()).Because(err)
		}
	}
	return buf.Bytes(), nil
}

// classify finds out what is asked.
func (c *call) classify() error {
	owner, err := c.g.owner(c)
	if err != nil {
		return err
	}
	c.owner = owner
	path, query, _ := strings.Cut(c.r.RequestURI, "?")
	asked, err := classify.Classify(&classify.Request{
		Method: c.r.Method, Path: path, Query: query, Header: c.r.Header, Body: c.body,
		Service: c.sig.Service, Region: c.g.Region, Account: owner, Aliases: c.g.Aliases,
	})
	if err != nil {
		if e, ok := errors.AsType[*classify.Error](err); ok {
			c.record.EventName = cmp.Or(e.Operation, c.record.EventName)
			c.g.Log.Warn("a request was not understood", "request", c.record.RequestID, "service", e.Service, "operation", e.Operation, "missing", e.Reason)
		}
		return err
	}
	c.asked, c.protocol, c.record.EventName = asked, asked.Protocol, asked.Operation
	return nil
}

// owner returns the account that owns what is behind the gateway.
func (g *Gate) owner(c *call) (string, error) {
	if g.Account != "" {
		return g.Account, nil
	}
	all, err := g.Store.Accounts(c.ctx)
	if err != nil {
		return "", err
	}
	if len(all) != 1 {
		return "", awserr.AccessDenied.Msg("It is not known to which account what is behind this gateway belongs.").
			Because(errors.New("the store has several accounts, and the gateway was not told which of them owns its upstreams"))
	}
	return all[0].ID, nil
}

// decide asks for every permission that the request needs, in order. The audit record has the answers.
func (c *call) decide() error {
	checks := make([]authz.Check, len(c.asked.Checks))
	set := c.g.Authz.Policies(c.caller)
	for i := range c.asked.Checks {
		one := &c.asked.Checks[i]
		checks[i] = authz.Check{Action: one.Action, Resource: one.Resource, Account: c.owner, Learnable: true, Keys: one.Keys, Lists: one.Lists}
		v, err := c.g.Authz.Judge(c.ctx, set, c.caller, &c.env, &checks[i])
		if err != nil {
			return err
		}
		if v.Outcome == policy.ExplicitDeny {
			continue // Authorize refuses it
		}
		if why := c.g.undecided(v.Set, one); why != "" {
			return c.refuseUndecided(&checks[i], why)
		}
	}
	return c.g.Authz.Authorize(c.ctx, &c.record, c.caller, &c.env, checks...)
}

// refuseUndecided refuses a check on which the policies do not give one answer. Learning mode does not waive it: nobody
// knows what would be let pass.
func (c *call) refuseUndecided(ck *authz.Check, why string) error {
	c.record.Decision = audit.Decision{Check: audit.Check{
		Action: ck.Action, Resource: ck.Resource, Outcome: audit.ImplicitDeny, Layer: "gateway", Reason: why,
	}}
	return awserr.AccessDenied.Msg("User: %s is not authorized to perform: %s on resource: %s because the gateway cannot tell whether a policy applies", c.caller.ARN, ck.Action, ck.Resource).
		Because(errors.New(why))
}

// forward sends the request to the service, as it was authorized.
func (c *call) forward() (*http.Response, error) {
	path, query, _ := strings.Cut(c.r.RequestURI, "?")
	out := &upstream.Request{Method: c.r.Method, Path: path, Query: query, Header: c.forwardable()}
	if len(c.body) > 0 || c.r.Method == http.MethodPost || c.r.Method == http.MethodPut {
		out.Body, out.Length, out.SHA256 = bytes.NewReader(c.body), int64(len(c.body)), sigv4.HashPayload(c.body)
	}
	c.began = !c.asked.ReadOnly
	resp, err := c.up.Send(c.ctx, out)
	if err != nil {
		if e, ok := errors.AsType[*upstream.Failure](err); ok {
			c.failure = e.Reason()
		}
		return nil, err
	}
	c.status = resp.StatusCode
	c.backID = cmp.Or(resp.Header.Get("X-Amzn-Requestid"), resp.Header.Get("X-Amz-Request-Id"))
	return resp, nil
}

// forwardable is what the service gets of the client's headers: the upstream's, and those that its protocol needs.
func (c *call) forwardable() http.Header {
	h := upstream.Forwardable(c.r.Header)
	if v, ok := c.r.Header["Smithy-Protocol"]; ok {
		h["Smithy-Protocol"] = v
	}
	return h
}

// clip makes what a client sent short enough to be repeated in a message.
func clip(s string) string { return s[:min(len(s), 64)] }
