// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"context"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// The token of a client of a Kubernetes cluster is a presigned GetCallerIdentity,
// with the cluster's id in a signed header (kubernetes-sigs/aws-iam-authenticator,
// README, "API Authorization from Outside a Cluster").
const (
	tokenPrefix   = "k8s-aws-v1."
	clusterHeader = "X-K8s-Aws-Id"
	signedHeaders = "host;x-k8s-aws-id"
	tokenLife     = 15 * time.Minute
	maxToken      = 16 << 10
)

// tokenParameters are all that a token's query may have.
var tokenParameters = map[string]bool{
	"Action": true, "Version": true, "X-Amz-Algorithm": true, "X-Amz-Credential": true, "X-Amz-Date": true, "X-Amz-Expires": true,
	"X-Amz-SignedHeaders": true, "X-Amz-Signature": true, "X-Amz-Security-Token": true, "x-amz-user-agent": true, "x-id": true,
}

// Token returns who made a token for a cluster. It says nothing of why there is
// none; the error is a failure only if its Status is not 401.
func (v *Visit) Token(ctx context.Context, cluster, token string) (*authn.Caller, error) {
	bad := &unauthenticated{authn.ErrUnknownKey}
	text, ok := strings.CutPrefix(token, tokenPrefix)
	if !ok || len(token) > maxToken || cluster == "" || strings.ContainsAny(cluster, " \t\r\n") { // signing trims blanks
		return nil, bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, bad
	}
	u, err := url.Parse(string(raw))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" && u.Path != "/" || u.User != nil {
		return nil, bad
	}
	params, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, bad
	}
	for name, values := range params {
		if !tokenParameters[name] || len(values) != 1 {
			return nil, bad
		}
	}
	if params.Get("Action") != "GetCallerIdentity" || params.Get("Version") != "2011-06-15" {
		return nil, bad
	}
	r := &http.Request{
		Method: http.MethodGet, Host: u.Host, URL: u, RequestURI: u.RequestURI(), Header: http.Header{clusterHeader: {cluster}},
	}
	sig, err := sigv4.Parse(r)
	if err != nil || !sig.Presigned || sig.Service != "sts" || sig.SignedHeaders != signedHeaders || sig.Expires > tokenLife {
		return nil, bad
	}
	sig.Expires = tokenLife // quirk Q149
	c, err := v.desk.o.Authn.Gate(ctx, r, sig, []byte{})
	if err != nil {
		return nil, &unauthenticated{err}
	}
	return c, nil
}
