// SPDX-License-Identifier: Apache-2.0

package refusal_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// An operation is one that the node offers.
type operation struct {
	*model
	svc  *api.Service
	name string
}

func (o *operation) json() bool { return o.svc.Target != "" }

// encode returns the body of a request.
func (o *operation) encode(input object) string {
	if o.json() {
		return string(o.appendJSON(nil, o.Operations[o.name].Input.Shape, input))
	}
	v := url.Values{"Action": {o.name}, "Version": {o.svc.Version}}
	flatten(v, "", input)
	return v.Encode()
}

func flatten(v url.Values, prefix string, o object) {
	for name, value := range o {
		switch value := value.(type) {
		case string:
			v.Set(prefix+name, value)
		case object:
			flatten(v, prefix+name+".", value)
		case list:
			if len(value) == 0 {
				v.Set(prefix+name, "") // as SDKs send it
			}
			for i, e := range value {
				at := prefix + name + ".member." + strconv.Itoa(i+1)
				if s, ok := e.(string); ok {
					v.Set(at, s)
				} else {
					flatten(v, at+".", e.(object))
				}
			}
		}
	}
}

// appendJSON encodes a value as the model types it. A string that begins with a
// zero byte stands for a number in place of a string; other strings in place of
// what is none stay strings.
func (o *operation) appendJSON(b []byte, name string, v any) []byte {
	text := func(v string) []byte {
		quoted, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return append(b, quoted...)
	}
	switch v := v.(type) {
	case object:
		b = append(b, '{')
		for i, member := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(strconv.AppendQuote(b, member), ':')
			inner := "" // of a member that the model does not have
			if s := o.Shapes[name]; s != nil {
				inner = s.Members[member].Shape
			}
			b = o.appendJSON(b, inner, v[member])
		}
		return append(b, '}')
	case list:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = o.appendJSON(b, o.Shapes[name].Member.Shape, e)
		}
		return append(b, ']')
	case string:
		if strings.HasPrefix(v, "\x00") {
			return append(b, "12"...)
		}
		s := o.Shapes[name]
		if s == nil || s.Type == "string" {
			return text(v)
		}
		if _, err := strconv.ParseFloat(v, 64); err == nil || v == "true" || v == "false" {
			return append(b, v...)
		}
		return text(v)
	}
	panic(v)
}

// A sender signs requests in its way.
type sender struct {
	*iamtest.Client
	service string        // of the signature; "": the operation's
	off     time.Duration // of its clock
	none    bool          // it does not sign
	tamper  bool          // it changes the body after signing
}

// An answer is what came back.
type answer struct {
	status    int
	header    http.Header
	body      string
	code      string
	message   string
	kind      string // "Sender" or "Receiver" of the query protocol
	reason    string // of Organizations
	requestID string // in the body
}

// build makes the request of an operation, signed.
func (p *place) build(o *operation, from sender, body string) *http.Request {
	r, err := http.NewRequest(http.MethodPost, p.URL+"/", strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if o.json() {
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		r.Header.Set("X-Amz-Target", o.svc.Target+"."+o.name)
	} else {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	p.sign(o, from, r, body)
	return r
}

func (p *place) sign(o *operation, from sender, r *http.Request, body string) {
	if from.none {
		return
	}
	signer := sigv4.Signer{
		AccessKeyID: from.Key, SecretAccessKey: from.Secret, SessionToken: from.Token, Region: "us-east-1", Service: o.svc.Name,
		Now: func() time.Time { return p.clock.Now().Add(from.off) },
	}
	if from.service != "" {
		signer.Service = from.service
	}
	if err := signer.Sign(r, sigv4.HashPayload([]byte(body))); err != nil {
		p.t.Fatal(err)
	}
	if from.tamper {
		changed := body + "&More=x"
		if o.json() {
			changed = body + " "
		}
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
	}
}

// send sends a request and reads the answer, which must be well-formed whatever it
// says.
func (p *place) send(t *testing.T, o *operation, r *http.Request) answer {
	t.Helper()
	p.count.Add(1)
	resp, err := p.http.Do(r)
	if err != nil {
		t.Fatalf("%s: %v", o.name, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s: %v", o.name, err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: string(text)}
	if a.status >= 500 {
		t.Errorf("%s: %d\n%s", o.name, a.status, a.body)
	}
	if o.json() {
		a.readJSON(t, o)
	} else {
		a.readXML(t, o)
	}
	if a.status != http.StatusOK && a.code == "" {
		t.Errorf("%s: %d without a code: %s", o.name, a.status, a.body)
	}
	return a
}

func (a *answer) readJSON(t *testing.T, o *operation) {
	var fault struct {
		Type            string `json:"__type"`
		Message, Reason string
	}
	if err := json.Unmarshal([]byte(a.body), &fault); err != nil && a.body != "" {
		t.Errorf("%s: %v: %s", o.name, err, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "application/x-amz-json-1.1" {
		t.Errorf("%s: Content-Type %q", o.name, got)
	}
	a.code, a.message, a.reason = fault.Type, fault.Message, fault.Reason
}

func (a *answer) readXML(t *testing.T, o *operation) {
	dec := xml.NewDecoder(strings.NewReader(a.body))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: %v: %s", o.name, err, a.body)
		}
	}
	if got := a.header.Get("Content-Type"); got != "text/xml" {
		t.Errorf("%s: Content-Type %q", o.name, got)
	}
	a.requestID = iamtest.Element(a.body, "RequestId")
	if got := a.header.Get("X-Amzn-Requestid"); got != a.requestID || got == "" {
		t.Errorf("%s: x-amzn-RequestId %q, in the body %q", o.name, got, a.requestID)
	}
	if a.status == http.StatusOK {
		if !strings.HasPrefix(a.body, `<`+o.name+`Response xmlns="`+o.svc.Namespace+`">`) {
			t.Errorf("%s: %s", o.name, a.body)
		}
		return
	}
	var fault struct {
		XMLName xml.Name
		Error   struct{ Type, Code, Message string }
	}
	if err := xml.NewDecoder(bytes.NewReader([]byte(a.body))).Decode(&fault); err != nil || fault.XMLName.Local != "ErrorResponse" {
		t.Errorf("%s: %v: %s", o.name, err, a.body)
	}
	a.code, a.message, a.kind = fault.Error.Code, fault.Error.Message, fault.Error.Type
}
