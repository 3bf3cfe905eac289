// SPDX-License-Identifier: Apache-2.0

package askapi

import (
	"context"
	"net/http"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// The TokenReview of authentication.k8s.io/v1 (Kubernetes, "Webhook Token
// Authentication"), as far as it is needed.

const (
	reviewVersion = "authentication.k8s.io/v1"
	reviewKind    = "TokenReview"
)

type tokenReview struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Spec       *reviewSpec   `json:"spec,omitempty"` // of requests
	Status     *reviewStatus `json:"status,omitempty"`
}

type reviewSpec struct {
	Token string `json:"token"`
}

type reviewStatus struct {
	Authenticated bool        `json:"authenticated"`
	User          *reviewUser `json:"user,omitempty"`
	Error         string      `json:"error,omitempty"`
}

type reviewUser struct {
	Username string              `json:"username"`
	UID      string              `json:"uid"`
	Groups   []string            `json:"groups"`
	Extra    map[string][]string `json:"extra"`
}

// reviewAction is what a token is: a presigned request for it.
const reviewAction = "sts:GetCallerIdentity"

// review answers who made the token of a client of a cluster. The asker, the
// cluster's API server, needs the permission to ask about that principal.
func review(ctx context.Context, v *ask.Visit, cluster string, body []byte) (any, error) {
	var in tokenReview
	if err := decode(body, &in, false); err != nil {
		return nil, err
	}
	if in.APIVersion != reviewVersion || in.Kind != reviewKind || in.Spec == nil {
		return nil, invalid("the body must be a %s of %s with a spec", reviewKind, reviewVersion)
	}
	out := &tokenReview{APIVersion: reviewVersion, Kind: reviewKind, Status: &reviewStatus{Error: "the token is not valid for this cluster"}}
	cluster = strings.TrimSuffix(cluster, "/")
	who, err := v.Token(ctx, cluster, in.Spec.Token)
	if status, _ := ask.Status(err); err != nil && status == http.StatusUnauthorized {
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	answers, err := v.Ask(ctx, []ask.Question{{Principal: ask.Principal{Caller: who}, Action: reviewAction, Resource: "*"}}, nil)
	if err != nil {
		return nil, err
	}
	if answers[0].Allowed() {
		out.Status = &reviewStatus{Authenticated: true, User: userOf(who)}
	}
	return out, nil
}

// userOf returns what the cluster calls a principal. The extra names are those of
// aws-iam-authenticator. No group begins with "system:".
func userOf(c *authn.Caller) *reviewUser {
	account := string(c.Account)
	canonical, id, name := c.ARN, c.UserID, ""
	if c.Role != nil { // quirk Q149
		canonical = c.View.RoleARN(c.Role)
		id, name, _ = strings.Cut(c.UserID, ":")
	}
	u := &reviewUser{
		Username: canonical, UID: id, Groups: []string{"aws:account:" + account},
		Extra: map[string][]string{
			"accessKeyId": {c.AccessKeyID}, "arn": {c.ARN}, "canonicalArn": {canonical}, "principalId": {id}, "sessionName": {name},
		},
	}
	if c.User != nil && c.Principal.Type == policy.User {
		for _, g := range c.View.GroupsOf(c.User) {
			u.Groups = append(u.Groups, "aws:group:"+account+":"+g.Name)
		}
	}
	return u
}
