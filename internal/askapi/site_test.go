// SPDX-License-Identifier: Apache-2.0

package askapi_test

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

const (
	prefix    = "arn:aws:iam::" + iamtest.Account
	annARN    = prefix + ":user/ann"
	bobARN    = prefix + ":user/bob"
	appARN    = prefix + ":role/svc/app"
	trustAnn  = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + annARN + `"},"Action":["sts:AssumeRole","sts:TagSession"]}}`
	annPolicy = `{"Version":"2012-10-17","Statement":[
 {"Sid":"Read","Effect":"Allow","Action":["s3:GetObject","todo:can_read","notes:GET","s3:ListBucket"],"Resource":"*"},
 {"Sid":"Office","Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}},
 {"Sid":"Second","Effect":"Allow","Action":"s3:DeleteObject","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}},
 {"Sid":"Secret","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::b/secret/*"},
 {"Sid":"Assume","Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}]}`
	askPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"innkeeper:Authorize","Resource":["` +
		annARN + `","` + appARN + `","` + prefix + `:user/nobody","` + prefix + `:unknown/*"]}}`
	appPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/${aws:PrincipalTag/team}/*"}}`
)

// A site is a server with ann, bob who may do nothing, the role app, and the user proxy,
// who may ask about ann and app.
type site struct {
	*iamtest.Server
	proxy, ann *iamtest.Client
	basic      string // the proxy's service-specific credential, as a header
}

func start(t testing.TB) *site {
	t.Helper()
	s := &site{Server: iamtest.Start(t)}
	s.ann = s.User("ann", annPolicy)
	s.User("bob", "")
	s.proxy = s.User("proxy", askPolicy)
	s.Admin().OK("CreateRole", "RoleName=app", "Path=/svc/", "AssumeRolePolicyDocument="+trustAnn, "Tags.member.1.Key=team", "Tags.member.1.Value=red")
	s.Admin().OK("PutRolePolicy", "RoleName=app", "PolicyName=p", "PolicyDocument="+appPolicy)
	s.basic = s.credential("proxy")
	return s
}

// credential makes a service-specific credential of a user.
func (s *site) credential(user string) string {
	body := s.Admin().OK("CreateServiceSpecificCredential", "UserName="+user, "ServiceName=innkeeper.amazonaws.com")
	pair := iamtest.Element(body, "ServiceUserName") + ":" + iamtest.Element(body, "ServicePassword")
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
}

// An answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
}

// post asks with the proxy's credential.
func (s *site) post(t testing.TB, path, body string, headers ...string) answer {
	t.Helper()
	return s.send(t, http.MethodPost, path, body, append([]string{"Content-Type", "application/json", "Authorization", s.basic}, headers...)...)
}

// send sends a request; headers are names and values, "" for none.
func (s *site) send(t testing.TB, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Del(headers[i])
		if headers[i+1] != "" {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	return do(t, r)
}

// signed asks with a signature for a service.
func (s *site) signed(t testing.TB, c *iamtest.Client, service, path, body string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	signer := sigv4.Signer{AccessKeyID: c.Key, SecretAccessKey: c.Secret, SessionToken: c.Token, Region: "us-east-1", Service: service}
	if err := signer.Sign(r, sigv4.HashPayload([]byte(body))); err != nil {
		t.Fatal(err)
	}
	return do(t, r)
}

func do(t testing.TB, r *http.Request) answer {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(text)}
}

// as decodes an answer that must be 200.
func as[T any](t testing.TB, a answer) (out T) {
	t.Helper()
	if a.status != http.StatusOK || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("status %d, Content-Type %q, want 200 and JSON\n%s", a.status, a.header.Get("Content-Type"), a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		t.Fatalf("%v\n%s", err, a.body)
	}
	return out
}
