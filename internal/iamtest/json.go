// SPDX-License-Identifier: Apache-2.0

package iamtest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// targets has what names the operations of the services with the JSON protocol.
var targets = map[string]string{"organizations": "AWSOrganizationsV20161128"}

// CallJSON calls an operation of a service with the JSON protocol. body is the
// request's object; "" for one without members.
func (c *Client) CallJSON(service, action, body string) (status int, answer string) {
	c.server.t.Helper()
	if body == "" {
		body = "{}"
	}
	r, err := http.NewRequest(http.MethodPost, c.server.URL+"/", strings.NewReader(body))
	if err != nil {
		c.server.t.Fatalf("iamtest: %v", err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", targets[service]+"."+action)
	r.Header.Set("User-Agent", "iamtest")
	signer := sigv4.Signer{AccessKeyID: c.Key, SecretAccessKey: c.Secret, SessionToken: c.Token, Region: "us-east-1", Service: service}
	if clock := c.server.clock; clock != nil {
		signer.Now = clock.Now
	}
	if err := signer.Sign(r, sigv4.HashPayload([]byte(body))); err != nil {
		c.server.t.Fatalf("iamtest: %v", err)
	}
	resp, err := c.server.http.Do(r)
	if err != nil {
		c.server.t.Fatalf("iamtest: %s: %v", action, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.server.t.Fatalf("iamtest: %s: %v", action, err)
	}
	return resp.StatusCode, string(text)
}

// Org calls an operation of Organizations that must succeed.
func (c *Client) Org(action, body string) (answer string) {
	c.server.t.Helper()
	status, answer := c.CallJSON("organizations", action, body)
	if status != http.StatusOK {
		c.server.t.Fatalf("%s(%s) = %d\n%s", action, body, status, answer)
	}
	return answer
}

// OrgFail is Org for an operation that must fail with an error code; it returns
// the message and the reason, "" for none.
func (c *Client) OrgFail(code, action, body string) (message, reason string) {
	c.server.t.Helper()
	status, answer := c.CallJSON("organizations", action, body)
	if status == http.StatusOK || Member(answer, "__type") != code {
		c.server.t.Fatalf("%s(%s) = %d, want %s\n%s", action, body, status, code, answer)
	}
	return Member(answer, "Message"), Member(answer, "Reason")
}

// Member returns the text of the first member of that name in an answer in JSON,
// at whatever depth, "" when there is none.
func Member(body, name string) string {
	_, rest, ok := strings.Cut(body, `"`+name+`":"`)
	if !ok {
		return ""
	}
	var text string
	if json.NewDecoder(strings.NewReader(`"`+rest)).Decode(&text) != nil {
		return ""
	}
	return text
}

// Members returns the texts of all members of that name in an answer in JSON.
func Members(body, name string) []string {
	var texts []string
	for rest := body; ; {
		_, after, ok := strings.Cut(rest, `"`+name+`":"`)
		if !ok {
			return texts
		}
		texts, rest = append(texts, Member(rest, name)), after
	}
}
