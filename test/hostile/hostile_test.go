// SPDX-License-Identifier: Apache-2.0

// Package hostile sends the real program what no client should send, and checks
// that each request gets a clear AWS error in bounded time and memory.
package hostile

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/innkeeper-iam/innkeeper/sigv4"
	"github.com/innkeeper-iam/innkeeper/test/server"
)

const (
	patience = 5 * time.Second // for one answer
	memory   = 128 << 20       // that the server may ever hold, in bytes
)

// A client makes requests of any form to one server.
type client struct {
	s *server.Server
	t *testing.T
}

// A request is what varies. Zero values are those of a right request.
type request struct {
	method  string // POST
	target  string // "/"
	service string // of the scope: iam
	region  string
	key     server.Key // the administrator's
	skew    time.Duration
	form    url.Values // or:
	body    string
	header  map[string]string // set before signing
	after   func(*http.Request)
}

// An answer is what AWS's error documents hold.
type answer struct {
	Status    int
	Type      string `xml:"Error>Type"`
	Code      string `xml:"Error>Code"`
	Message   string `xml:"Error>Message"`
	RequestID string `xml:"RequestId"`
	Body      string `xml:"-"`
}

func form(action string, pairs ...string) url.Values {
	v := url.Values{"Action": {action}, "Version": {"2010-05-08"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// send makes the request and returns the answer, which must come within
// patience.
func (c *client) send(q request) answer {
	c.t.Helper()
	body := q.body
	if q.form != nil {
		body = q.form.Encode()
	}
	r, err := http.NewRequestWithContext(c.t.Context(), or(q.method, http.MethodPost), c.s.URL+or(q.target, "/"), strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	for name, value := range q.header {
		r.Header.Set(name, value)
	}
	key := q.key
	if key == (server.Key{}) {
		key = c.s.Admin
	}
	signer := sigv4.Signer{
		AccessKeyID: key.ID, SecretAccessKey: key.Secret, SessionToken: key.Token,
		Region: or(q.region, server.Region), Service: or(q.service, "iam"),
		Now: func() time.Time { return time.Now().Add(q.skew) },
	}
	if err := signer.Sign(r, sigv4.HashPayload([]byte(body))); err != nil {
		c.t.Fatal(err)
	}
	if q.after != nil {
		q.after(r)
	}
	begin := time.Now()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if took := time.Since(begin); took > patience {
		c.t.Errorf("the answer took %v", took)
	}
	return parse(c.t, resp, text)
}

func parse(t *testing.T, resp *http.Response, text []byte) answer {
	t.Helper()
	a := answer{Status: resp.StatusCode, Body: string(text)}
	if resp.StatusCode == http.StatusOK {
		return a
	}
	if err := xml.Unmarshal(text, &a); err != nil {
		t.Errorf("%s with a body that is not XML: %v: %.200s", resp.Status, err, text)
	}
	return a
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// want checks an error, and that it is a whole AWS error document.
func (a answer) want(t *testing.T, status int, code, part string) {
	t.Helper()
	if a.Status != status || a.Code != code || !strings.Contains(a.Message, part) {
		t.Errorf("answer %d %s %.300q, want %d %s that says %q", a.Status, a.Code, a.Message, status, code, part)
	}
	if status != http.StatusOK && (a.RequestID == "" || a.Type != "Sender" || len(a.Body) > 64<<10) {
		t.Errorf("error document %.300s of %d bytes", a.Body, len(a.Body))
	}
}

func TestHostile(t *testing.T) {
	s := server.Start(t, server.Options{})
	admin := s.IAM(s.Admin)
	if _, err := admin.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		run  func(*testing.T, *client)
	}{
		{"documents", documents},
		{"bodies", bodies},
		{"sparse-lists", sparse},
		{"patterns", patterns},
		{"signatures", signatures},
		{"credentials", credentials},
		{"sessions", sessions},
		{"connections", connections},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			tt.run(t, &client{s: s, t: t})
			now, peak, err := s.RSS()
			if err != nil || peak > memory {
				t.Errorf("the server held %d MiB, %v, want %d at most", peak>>20, err, memory>>20)
			}
			t.Logf("%v; memory %d MiB, at most %d MiB", time.Since(begin).Round(time.Millisecond), now>>20, peak>>20)
			still := (&client{s: s, t: t}).send(request{form: form("GetUser", "UserName", "ann")})
			if still.Status != http.StatusOK {
				t.Errorf("afterwards GetUser = %d %s", still.Status, still.Body)
			}
		})
	}
	if log := s.Log(); strings.Contains(log, "panic") {
		t.Errorf("the server panicked")
	}
}

func documents(t *testing.T, c *client) {
	statement := `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}`
	for _, tt := range []struct {
		name, document string
		status         int
		code, part     string
	}{
		{"ten-mebibytes", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"` + strings.Repeat("a", 10<<20) + `"}]}`, 413, "RequestEntityTooLarge", "larger than"},
		{"a-hundred-thousand-statements", `{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.Repeat(statement+",", 100_000), ",") + `]}`, 413, "RequestEntityTooLarge", "larger than"},
		{"nested-sixty-thousand-times", strings.Repeat("[", 60_000) + strings.Repeat("]", 60_000), 400, "MalformedPolicyDocument", ""},
		{"objects-nested-nine-thousand-times", strings.Repeat(`{"Statement":`, 9_000) + "1" + strings.Repeat("}", 9_000), 400, "MalformedPolicyDocument", ""},
		{"a-thousand-statements", `{"Version":"2012-10-17","Statement":[` + strings.TrimSuffix(strings.Repeat(statement+",", 1000), ",") + `]}`, 409, "LimitExceeded", "2048"},
		{"too-long-for-the-model", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"` + strings.Repeat("a", 140_000) + `"}]}`, 400, "ValidationError", "131072"},
		{"empty", "", 400, "ValidationError", ""},
		{"not-json", "Allow everything", 400, "MalformedPolicyDocument", ""},
		{"cut-short", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow"`, 400, "MalformedPolicyDocument", ""},
		{"huge-number", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"a:b":1e999999999}}}]}`, 400, "MalformedPolicyDocument", ""},
		{"control-characters", "{\"Version\":\"2012-10-17\x00\"}", 400, "ValidationError", ""},
		{"duplicate-keys", `{"Version":"2012-10-17","Version":"2012-10-17","Statement":[` + statement + `]}`, 400, "MalformedPolicyDocument", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &client{c.s, t}
			a := c.send(request{form: form("PutUserPolicy", "UserName", "ann", "PolicyName", "p", "PolicyDocument", tt.document)})
			a.want(t, tt.status, tt.code, tt.part)
		})
	}
}

func bodies(t *testing.T, c *client) {
	many := func(n int) string {
		var b strings.Builder
		b.WriteString("Action=ListUsers&Version=2010-05-08")
		for i := range n {
			fmt.Fprintf(&b, "&P%d=v", i)
		}
		return b.String()
	}
	listUsers := form("ListUsers").Encode()
	for _, tt := range []struct {
		name       string
		request    request
		status     int
		code, part string
	}{
		{"broken-utf-8", request{body: "Action=CreateUser&Version=2010-05-08&UserName=%ff%fe"}, 404, "MalformedQueryString", ""},
		{"raw-broken-utf-8", request{body: "Action=CreateUser&Version=2010-05-08&UserName=\xff"}, 404, "MalformedQueryString", ""},
		{"bad-escape", request{body: "Action=CreateUser&Version=2010-05-08&UserName=%zz"}, 404, "MalformedQueryString", ""},
		{"twenty-thousand-parameters", request{body: many(20_000)}, 404, "MalformedQueryString", "parameters"},
		{"one-parameter-twice", request{body: listUsers + "&Action=DeleteUser"}, 404, "MalformedQueryString", "duplicate"},
		{"list-index-beyond-64-bits", request{form: form("CreateUser", "UserName", "x", "Tags.member.99999999999999999999999.Key", "k")}, 400, "", ""},
		{"list-index-negative", request{form: form("CreateUser", "UserName", "x", "Tags.member.-1.Key", "k")}, 400, "", ""},
		{"number-beyond-64-bits", request{form: form("ListUsers", "MaxItems", strings.Repeat("9", 1000))}, 400, "", ""},
		{"content-type-json", request{body: `{"Action":"ListUsers"}`, header: map[string]string{"Content-Type": "application/json"}}, 400, "MalformedInput", "application/json"},
		{"content-type-missing", request{body: listUsers, after: func(r *http.Request) { r.Header.Del("Content-Type") }}, 400, "MalformedInput", "Content-Type"},
		{"content-type-multipart", request{body: listUsers, header: map[string]string{"Content-Type": "multipart/form-data; boundary=x"}}, 400, "MalformedInput", ""},
		{"no-action", request{body: "Version=2010-05-08"}, 400, "MissingAction", ""},
		{"empty-body", request{}, 400, "MissingAction", ""},
		{"unknown-action", request{form: form("OpenTheInn")}, 400, "InvalidAction", "OpenTheInn"},
		{"unknown-version", request{body: "Action=ListUsers&Version=1999-01-01"}, 400, "InvalidAction", "1999-01-01"},
		{"markup-in-the-action", request{form: form("<script>&amp;]]>")}, 400, "InvalidAction", "<script>"},
		{"method-put", request{method: http.MethodPut, form: form("ListUsers")}, 400, "InvalidAction", "PUT"},
		{"method-delete", request{method: http.MethodDelete, form: form("ListUsers")}, 400, "InvalidAction", "DELETE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := (&client{c.s, t}).send(tt.request)
			if tt.code == "" { // any error of the input
				if a.Code != "ValidationError" && a.Code != "MalformedInput" && a.Code != "LimitExceeded" && a.Code != "InvalidInput" {
					t.Errorf("answer %d %s %.200q", a.Status, a.Code, a.Message)
				}
				return
			}
			a.want(t, tt.status, tt.code, tt.part)
		})
	}
}

// sparse checks that an element far out in a list is taken as AWS takes it, at
// no cost for the ones that are not there.
func sparse(t *testing.T, c *client) {
	a := c.send(request{form: form("CreateUser", "UserName", "x", "Tags.member.2000000000.Key", "far", "Tags.member.2000000000.Value", "out")})
	if a.Status != http.StatusOK || !strings.Contains(a.Body, "<Key>far</Key>") {
		t.Errorf("CreateUser = %d %s, want a tag", a.Status, a.Body)
	}
}

// patterns decides with policies that backtracking matchers never finish.
func patterns(t *testing.T, c *client) {
	stars := strings.Repeat("*a", 900) + "*b"
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + strings.Repeat("*", 1000) + `","Resource":"` + stars[:900] + `"}]}`
	resource := "arn:aws:s3:::" + strings.Repeat("a", 1900)
	a := c.send(request{form: form("SimulateCustomPolicy", "PolicyInputList.member.1", doc, "ActionNames.member.1", "s3:GetObject", "ResourceArns.member.1", resource)})
	if a.Status == http.StatusOK && !strings.Contains(a.Body, "<EvalDecision>") || a.Status >= 500 {
		t.Errorf("SimulateCustomPolicy = %d %.300s", a.Status, a.Body)
	}
	own := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"arn:aws:iam::*:user/` + strings.Repeat("*a", 900) + `*b"}]}`
	if a := c.send(request{form: form("PutUserPolicy", "UserName", "ann", "PolicyName", "stars", "PolicyDocument", own)}); a.Status != http.StatusOK {
		t.Fatalf("PutUserPolicy = %d %s", a.Status, a.Body)
	}
	out, err := c.s.IAM(c.s.Admin).CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("ann")})
	if err != nil {
		t.Fatal(err)
	}
	key := server.UserKey(out.AccessKey)
	begin := time.Now()
	for range 20 {
		c.send(request{key: key, form: form("GetUser", "UserName", strings.Repeat("a", 64))}).want(t, 403, "AccessDenied", "no identity-based policy")
	}
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("20 decisions on a pattern of 900 stars took %v", took)
	}
}
