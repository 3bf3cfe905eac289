// SPDX-License-Identifier: Apache-2.0

package askapi_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

type tokenReview struct {
	APIVersion, Kind string
	Status           struct {
		Authenticated bool
		Error         string
		User          struct {
			Username, UID string
			Groups        []string
			Extra         map[string][]string
		}
	}
}

// A maker makes tokens as aws-iam-authenticator does.
type maker struct {
	service, cluster, url string
	method                string
	ago, expires          time.Duration
}

// token presigns with the host and the cluster's header, which package sigv4 does
// not sign (AWS General Reference, "Create a signed AWS API request").
func (m maker) token(t *testing.T, c *iamtest.Client) string {
	t.Helper()
	u, err := url.Parse(m.url)
	if err != nil {
		t.Fatal(err)
	}
	const region = "us-east-1"
	date := time.Now().Add(-m.ago).UTC().Format("20060102T150405Z")
	scope := date[:8] + "/" + region + "/" + m.service + "/aws4_request"
	query := u.Query()
	query.Set("X-Amz-Algorithm", "AWS4-HMAC-SHA256")
	query.Set("X-Amz-Credential", c.Key+"/"+scope)
	query.Set("X-Amz-Date", date)
	query.Set("X-Amz-Expires", strconv.Itoa(int(m.expires.Seconds())))
	query.Set("X-Amz-SignedHeaders", "host;x-k8s-aws-id")
	if c.Token != "" {
		query.Set("X-Amz-Security-Token", c.Token)
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	canonical := strings.Join([]string{
		m.method, u.EscapedPath(), u.RawQuery, "host:" + u.Host, "x-k8s-aws-id:" + m.cluster, "", "host;x-k8s-aws-id", sigv4.HashPayload(nil),
	}, "\n")
	key := sigv4.DeriveKey(c.Secret, date[:8], region, m.service)
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + sigv4.HashPayload([]byte(canonical))))
	u.RawQuery += "&X-Amz-Signature=" + hex.EncodeToString(mac.Sum(nil))
	return "k8s-aws-v1." + base64.RawURLEncoding.EncodeToString([]byte(u.String()))
}

// TestTokenReview covers quirk Q149: how long a token is good, and what a session
// is called.
func TestTokenReview(t *testing.T) {
	s := start(t)
	s.Admin().OK("CreateGroup", "GroupName=devs")
	s.Admin().OK("AddUserToGroup", "GroupName=devs", "UserName=ann")
	bob, session := s.KeyOf("bob"), s.ann.Assume(appARN, "build")
	const sts = "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
	base := maker{service: "sts", cluster: "dev", url: sts, method: "GET", expires: time.Minute}
	with := func(change func(*maker)) maker { m := base; change(&m); return m }
	for _, tt := range []struct {
		name, path string
		client     *iamtest.Client
		maker      maker
		status     int
		user       string
	}{
		{"a-user", "dev", s.ann, base, 200, annARN},
		{"a-session", "dev", session, base, 200, appARN},
		{"a-trailing-slash", "dev/?timeout=30s", s.ann, base, 200, annARN},
		{"fourteen-minutes-old", "dev", s.ann, with(func(m *maker) { m.ago = 14 * time.Minute }), 200, annARN},
		{"sixteen-minutes-old", "dev", s.ann, with(func(m *maker) { m.ago = 16 * time.Minute }), 200, ""},
		{"good-for-a-week", "dev", s.ann, with(func(m *maker) { m.expires = 7 * 24 * time.Hour }), 200, ""},
		{"of-another-cluster", "prod", s.ann, base, 200, ""},
		{"of-another-service", "dev", s.ann, with(func(m *maker) { m.service = "iam" }), 200, ""},
		{"of-another-method", "dev", s.ann, with(func(m *maker) { m.method = "POST" }), 200, ""},
		{"of-another-operation", "dev", s.ann, with(func(m *maker) { m.url = "https://sts.amazonaws.com/?Action=GetSessionToken&Version=2011-06-15" }), 200, ""},
		{"without-a-cluster", "%20", s.ann, with(func(m *maker) { m.cluster = "" }), 200, ""},
		{"with-another-parameter", "dev", s.ann, with(func(m *maker) { m.url += "&X=1" }), 200, ""},
		{"with-a-path", "dev", s.ann, with(func(m *maker) { m.url = "https://sts.amazonaws.com/x?Action=GetCallerIdentity&Version=2011-06-15" }), 200, ""},
		{"of-a-wrong-secret", "dev", s.Client(s.ann.Key, "x", ""), base, 200, ""},
		{"of-whom-the-cluster-may-not-know", "dev", bob, base, 403, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body := `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","metadata":{"creationTimestamp":null},"spec":{"token":"` +
				tt.maker.token(t, tt.client) + `","audiences":["https://kubernetes.default.svc"]},"status":{"user":{}}}`
			a := s.post(t, "/authorize/v1/tokenreview/"+tt.path, body)
			if a.status != tt.status {
				t.Fatalf("status %d, want %d\n%s", a.status, tt.status, a.body)
			}
			if a.status != 200 {
				return
			}
			out := as[tokenReview](t, a)
			if out.Kind != "TokenReview" || out.Status.Authenticated != (tt.user != "") || out.Status.User.Username != tt.user || (out.Status.Error == "") != (tt.user != "") {
				t.Errorf("review = %s, want %q", a.body, tt.user)
			}
		})
	}
	token := base.token(t, s.ann)
	body := func(token string) string {
		return `{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"` + token + `"}}`
	}
	user := as[tokenReview](t, s.post(t, "/authorize/v1/tokenreview/dev", body(token))).Status.User
	if !slices.Equal(user.Groups, []string{"aws:account:" + iamtest.Account, "aws:group:" + iamtest.Account + ":devs"}) ||
		user.UID == "" || user.Extra["arn"][0] != annARN || user.Extra["accessKeyId"][0] != s.ann.Key {
		t.Errorf("user = %+v", user)
	}
	for _, bad := range []string{"", "x", "k8s-aws-v1.", "k8s-aws-v1.!", "k8s-aws-v1.aHR0cHM6Ly94", token[:len(token)-4] + "AAAA", token + "A"} {
		if out := as[tokenReview](t, s.post(t, "/authorize/v1/tokenreview/dev", body(bad))); out.Status.Authenticated {
			t.Errorf("the token %q is taken for one of %s", bad, out.Status.User.Username)
		}
	}
	if a := s.post(t, "/authorize/v1/tokenreview/dev", `{"kind":"TokenReview"}`); a.status != 400 {
		t.Errorf("another version = %d, want 400", a.status)
	}
}
