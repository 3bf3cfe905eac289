// SPDX-License-Identifier: Apache-2.0

package iamtest

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// A Client makes signed requests with one credential. It may be used by several
// goroutines at once.
type Client struct {
	Key    string
	Secret string
	Token  string // "" for long-term keys

	server *Server
}

// stsOps are the operations that Call sends to STS; all others go to IAM.
var stsOps = map[string]bool{
	"AssumeRole": true, "AssumeRoleWithSAML": true, "AssumeRoleWithWebIdentity": true, "AssumeRoot": true,
	"DecodeAuthorizationMessage": true, "GetAccessKeyInfo": true, "GetCallerIdentity": true,
	"GetDelegatedAccessToken": true, "GetFederationToken": true, "GetSessionToken": true, "GetWebIdentityToken": true,
}

// Service returns the service that has an operation and the version of its API.
func Service(action string) (service, version string) {
	if stsOps[action] {
		return "sts", "2011-06-15"
	}
	return "iam", "2010-05-08"
}

// Form returns the body of a request. Each parameter is "Name=value", the value
// as it is before encoding. They keep their order.
func Form(action string, params ...string) string {
	_, version := Service(action)
	var b strings.Builder
	b.WriteString("Action=" + action + "&Version=" + version)
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		b.WriteString("&" + url.QueryEscape(name) + "=" + url.QueryEscape(value))
	}
	return b.String()
}

// Call calls an operation of IAM or STS. Each parameter is "Name=value".
func (c *Client) Call(action string, params ...string) (status int, body string) {
	c.server.t.Helper()
	resp := c.Post(action, Form(action, params...))
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.server.t.Fatalf("iamtest: %s: %v", action, err)
	}
	return resp.StatusCode, string(text)
}

// Post signs and sends a form to the service of the operation. The caller
// closes the answer's body.
func (c *Client) Post(action, form string) *http.Response {
	c.server.t.Helper()
	resp, err := c.server.http.Do(c.Request(action, form))
	if err != nil {
		c.server.t.Fatalf("iamtest: %s: %v", action, err)
	}
	return resp
}

// Request returns a signed request of a form to the service of the operation.
func (c *Client) Request(action, form string) *http.Request {
	c.server.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.server.URL+"/", strings.NewReader(form))
	if err != nil {
		c.server.t.Fatalf("iamtest: %v", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("User-Agent", "iamtest")
	service, _ := Service(action)
	signer := sigv4.Signer{AccessKeyID: c.Key, SecretAccessKey: c.Secret, SessionToken: c.Token, Region: "us-east-1", Service: service}
	if clock := c.server.clock; clock != nil {
		signer.Now = clock.Now
	}
	if err := signer.Sign(r, sigv4.HashPayload([]byte(form))); err != nil {
		c.server.t.Fatalf("iamtest: %v", err)
	}
	return r
}

// OK is Call for an operation that must succeed.
func (c *Client) OK(action string, params ...string) (body string) {
	c.server.t.Helper()
	status, body := c.Call(action, params...)
	if status != http.StatusOK {
		c.server.t.Fatalf("%s(%s) = %d\n%s", action, strings.Join(params, " "), status, body)
	}
	return body
}

// Fail is Call for an operation that must fail with an error code; it returns
// the message.
func (c *Client) Fail(code, action string, params ...string) (message string) {
	c.server.t.Helper()
	status, body := c.Call(action, params...)
	if status == http.StatusOK || Element(body, "Code") != code {
		c.server.t.Fatalf("%s(%s) = %d, want %s\n%s", action, strings.Join(params, " "), status, code, body)
	}
	return Element(body, "Message")
}

// Session calls an operation of STS that hands out credentials, and returns a
// client with them.
func (c *Client) Session(action string, params ...string) *Client {
	c.server.t.Helper()
	body := c.OK(action, params...)
	return c.server.Client(Element(body, "AccessKeyId"), Element(body, "SecretAccessKey"), Element(body, "SessionToken"))
}

// Assume returns a client of a new session of a role.
func (c *Client) Assume(roleARN, session string, params ...string) *Client {
	c.server.t.Helper()
	return c.Session("AssumeRole", append([]string{"RoleArn=" + roleARN, "RoleSessionName=" + session}, params...)...)
}

// Element returns the text of the first element of that name in an answer, ""
// when there is none.
func Element(body, name string) string {
	_, rest, ok := strings.Cut(body, "<"+name+">")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(rest, "</"+name+">")
	return html.UnescapeString(text)
}

// Elements returns the texts of all elements of that name in an answer, which
// must not nest.
func Elements(body, name string) []string {
	var texts []string
	for {
		_, rest, ok := strings.Cut(body, "<"+name+">")
		if !ok {
			return texts
		}
		text, after, _ := strings.Cut(rest, "</"+name+">")
		texts, body = append(texts, html.UnescapeString(text)), after
	}
}
