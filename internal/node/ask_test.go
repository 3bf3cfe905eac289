// SPDX-License-Identifier: Apache-2.0

package node

import (
	"context"
	"testing"
	"time"

	auth "github.com/envoyproxy/go-control-plane/envoy/service/auth/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/config"
)

// TestEnvoy: the address for Envoy answers, and refuses one that does not say who it is.
func TestEnvoy(t *testing.T) {
	n := started(t, config.Config{Envoy: "127.0.0.1:0"})
	conn, err := grpc.NewClient(n.envoys.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(t, err)
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out, err := auth.NewAuthorizationClient(conn).Check(ctx, &auth.CheckRequest{})
	must(t, err)
	if got := codes.Code(out.GetStatus().GetCode()); got == codes.OK {
		t.Errorf("Check by somebody unknown = %v, want a refusal", out)
	}
	closing(t, n)
	if _, err := auth.NewAuthorizationClient(conn).Check(ctx, &auth.CheckRequest{}); err == nil {
		t.Error("Check after Close succeeds")
	}
}

// TestQuestionsKnowBuckets: who asks about an object is answered by its bucket's owner
// and policy.
func TestQuestionsKnowBuckets(t *testing.T) {
	n := started(t, config.Config{AccountID: "111122223333"})
	defer closing(t, n)
	registry := buckets.New(n.store)
	must(t, registry.Create(t.Context(), "111122223333", "photos", "us-east-1"))
	photos, err := registry.Get(t.Context(), "photos")
	must(t, err)
	must(t, registry.SetPolicy(t.Context(), photos, `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::photos/*"}}`))
	for _, tt := range []struct {
		resource, account string
		policy            bool
	}{
		{"arn:aws:s3:::photos", "111122223333", true},
		{"arn:aws:s3:::photos/a/b", "111122223333", true},
		{"arn:aws:s3:::nobodys/a", "", false},
		{"arn:aws:sqs:us-east-1:444455556666:photos", "", false},
		{"photos", "", false},
	} {
		got, err := bucketOf(t.Context(), registry, tt.resource)
		if err != nil || got.Account != tt.account || (got.Policy != nil) != tt.policy {
			t.Errorf("bucketOf(%s) = %+v, %v, want account %q, a policy %v", tt.resource, got, err, tt.account, tt.policy)
		}
	}
}
