// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// CredentialService is the name under which CreateServiceSpecificCredential makes
// credentials for askers that cannot sign.
const CredentialService = "innkeeper.amazonaws.com"

// scopes are the services that the signature of an asker may be for: our own, and
// the one that generic signers know.
var scopes = []string{"innkeeper", "execute-api"}

// A Visit is one request to the desk: who asks, and the record of it. It is for one
// goroutine. Begin makes one, and End must be called before it is answered.
type Visit struct {
	Asker *authn.Caller // once it is known
	Env   authz.Env     // of the asker's connection

	desk   *Desk
	record audit.Record
	asked  noted
}

// noted is what the record says about the questions.
type noted struct {
	Interface string `json:"interface"`
	Questions int    `json:"questions"`
	Allowed   int    `json:"allowed"`
	Asked     []item `json:"asked,omitempty"`
	size      int
}

// An item is a question and its answer. No condition keys are kept: they may hold
// what nobody wants in a log.
type item struct {
	Principal string `json:"principal"`
	Action    string `json:"action"`
	Resource  string `json:"resource"`
	Decision  string `json:"decision"`
	Layer     string `json:"layer,omitempty"`
	Policy    string `json:"policy,omitempty"`
	Sid       string `json:"sid,omitempty"`
	Line      int    `json:"line,omitempty"`
	Reason    string `json:"reason,omitempty"`
}

// Limits of what a record keeps; of further questions there is the count.
const (
	maxItems = 100
	maxNoted = 48 << 10 // bytes; escapes may double them
	maxText  = 512      // of one text
)

// Begin begins a visit by an interface, such as "authzen"; event is what the record calls
// it.
func (d *Desk) Begin(by, event string, env authz.Env) *Visit {
	v := &Visit{Env: env, desk: d, asked: noted{Interface: by}}
	v.record = audit.Record{
		Time: env.Time, Identity: audit.Identity{Type: "Unknown"}, EventSource: "innkeeper", EventName: event,
		Region: d.o.Region, SourceIP: env.SourceIP, UserAgent: env.UserAgent,
		RequestID: d.o.IDs.RequestID(), EventID: d.o.IDs.RequestID(), ReadOnly: true,
	}
	return v
}

// RequestID is the id of the visit in the record.
func (v *Visit) RequestID() string { return v.record.RequestID }

// Signed says who asks: whoever signed r, or whose service-specific credential its
// Authorization header has. body is all of r's.
func (v *Visit) Signed(ctx context.Context, r *http.Request, body []byte) error {
	c, err := v.desk.identify(ctx, r, body, scopes)
	return v.enter(c, err)
}

// Header says who asks by the value of a header: "Basic …", or "Bearer …" for
// clients that know nothing else, with the same text after it.
func (v *Visit) Header(ctx context.Context, value string) error {
	c, err := v.desk.credential(ctx, value)
	return v.enter(c, err)
}

func (v *Visit) enter(c *authn.Caller, err error) error {
	if err != nil {
		return &unauthenticated{err}
	}
	v.Asker = c
	authz.Identify(&v.record, c)
	return nil
}

// identify returns the caller of a request whose signature is for one of services.
func (d *Desk) identify(ctx context.Context, r *http.Request, body []byte, services []string) (*authn.Caller, error) {
	if auth := r.Header["Authorization"]; len(auth) == 1 && !strings.HasPrefix(auth[0], "AWS") {
		return d.credential(ctx, auth[0])
	}
	sig, err := sigv4.Parse(r)
	if err != nil {
		return nil, err
	}
	if sig.S3() || !slices.Contains(services, sig.Service) {
		return nil, &sigv4.ScopeError{Message: "Credential should be scoped to correct service: '" + strings.Join(services, "' or '") + "'. "}
	}
	if body == nil {
		body = []byte{}
	}
	return d.o.Authn.Gate(ctx, r, sig, body)
}

// maxCredential bounds the text of a credential, in bytes.
const maxCredential = 512

// credential returns the owner of a service-specific credential.
func (d *Desk) credential(ctx context.Context, value string) (*authn.Caller, error) {
	scheme, text, ok := strings.Cut(value, " ")
	if value == "" {
		return nil, sigv4.ErrMissing
	}
	if !ok || len(text) > maxCredential || !strings.EqualFold(scheme, "Basic") && !strings.EqualFold(scheme, "Bearer") {
		return nil, errScheme
	}
	pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, errScheme
	}
	name, password, _ := strings.Cut(string(pair), ":")
	return d.o.Authn.Password(ctx, CredentialService, name, password)
}

var errScheme = errors.New("ask: credentials are a signature, or Basic or Bearer with the base64 of USER:PASSWORD")

// note keeps a question and its answer for the record.
func (v *Visit) note(q *Question, a *Answer) {
	n := &v.asked
	n.Questions++
	if a.Allowed() {
		n.Allowed++
	}
	if len(n.Asked) >= maxItems || n.size >= maxNoted {
		return
	}
	i := item{
		Principal: clip(a.Principal), Action: clip(q.Action), Resource: clip(q.Resource), Decision: a.Outcome.String(), Reason: clip(a.Reason),
	}
	if a.Layer != policy.NoLayer {
		i.Layer = a.Layer.String()
	}
	if s := a.Statement; s != nil {
		i.Policy, i.Sid, i.Line = s.Policy, s.Sid, s.Start.Line
	}
	n.Asked = append(n.Asked, i)
	n.size += len(i.Principal) + len(i.Action) + len(i.Resource) + len(i.Reason) + len(i.Policy) + len(i.Sid) + 100
}

// clip makes a text short enough for a record.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxText)], "�") }

// End writes the record of the visit, which ended with err or, if nil, with
// answers. When it returns an error, which wraps authz.ErrUnrecorded, nothing may be
// answered. It returns err itself otherwise.
func (v *Visit) End(err error) error {
	if _, refused := errors.AsType[*refusedError](err); err != nil && !refused {
		v.record.ErrorCode, v.record.ErrorMessage = code(err), recorded(err)
	}
	if v.asked.Questions > 0 || err == nil {
		v.record.AdditionalEventData, _ = json.Marshal(&v.asked) // texts and numbers always marshal
	}
	if failed := v.desk.o.Audit.Write(&v.record, false); failed != nil {
		return fmt.Errorf("%w: %w", authz.ErrUnrecorded, failed)
	}
	return err
}
