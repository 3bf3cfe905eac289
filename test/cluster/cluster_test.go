// SPDX-License-Identifier: Apache-2.0

// Package cluster tests several nodes on one etcd, all of them real programs.
package cluster

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/internal/kv/etcdtest"
	"github.com/innkeeper-iam/innkeeper/test/server"
)

// patience is how long a node may take to follow another: generous, because
// tests share their machine.
const patience = 2 * time.Second

// eventually returns how long it took until f returned no error.
func eventually(t *testing.T, what string, f func() error) time.Duration {
	t.Helper()
	begin := time.Now()
	for {
		err := f()
		took := time.Since(begin)
		if err == nil {
			return took
		}
		if took > patience {
			t.Fatalf("%s: after %v: %v", what, took, err)
		}
		time.Sleep(time.Millisecond)
	}
}

func TestTwoNodes(t *testing.T) {
	ctx := t.Context()
	etcd := etcdtest.Start(t, etcdtest.Options{})
	flags := []string{"--store", "etcd://" + etcd.Endpoints() + "/inn"}
	one := server.Start(t, server.Options{Args: flags})
	flags = append(flags, "--master-key", filepath.Join(one.Data, "master.key"))
	two := server.Start(t, server.Options{Args: flags})
	admin := one.Admin
	if two.Admin != (server.Key{}) {
		t.Error("the second node made an administrator of its own")
	}

	t.Run("what-one-makes-the-other-knows", func(t *testing.T) {
		var lags []time.Duration
		for i := range 50 {
			nodes := []*server.Server{one, two}
			from, to := nodes[i%2], nodes[1-i%2]
			name := aws.String(fmt.Sprint("user", i))
			if _, err := from.IAM(admin).CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
				t.Fatal(err)
			}
			key, err := from.IAM(admin).CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
			if err != nil {
				t.Fatal(err)
			}
			lags = append(lags, eventually(t, "a new key on the other node", func() error {
				_, err := to.STS(server.UserKey(key.AccessKey)).GetCallerIdentity(ctx, nil)
				return err
			}))
		}
		slices.Sort(lags)
		t.Logf("a new key works on the other node after %v in the median, %v at most", lags[len(lags)/2], lags[len(lags)-1])
		if median := lags[len(lags)/2]; median > 100*time.Millisecond {
			t.Errorf("the median is %v, want less than 100 ms", median)
		}
	})
	t.Run("a-policy-edit-on-one-binds-the-other", func(t *testing.T) { policyEdit(t, one, two) })
	t.Run("sessions-of-one-verify-on-the-other", func(t *testing.T) {
		out, err := one.STS(admin).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := two.STS(server.SessionKey(out.Credentials)).GetCallerIdentity(ctx, nil); err != nil {
			t.Error(err)
		}
	})
	t.Run("one-is-killed-and-comes-back", func(t *testing.T) {
		one.Kill()
		if _, err := two.IAM(admin).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("meanwhile")}); err != nil {
			t.Fatalf("while the other node is down: %v", err)
		}
		if err := one.Restart(); err != nil {
			t.Fatal(err)
		}
		if _, err := one.IAM(admin).GetUser(ctx, &iam.GetUserInput{UserName: aws.String("meanwhile")}); err != nil {
			t.Error(err)
		}
	})
	t.Run("etcd-is-killed-and-comes-back", func(t *testing.T) {
		etcd.Members[0].Kill()
		if _, err := one.IAM(admin).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("lost")}); err == nil {
			t.Error("a user was made without a store")
		}
		etcd.Members[0].Restart()
		for i, node := range []*server.Server{one, two} {
			name := aws.String(fmt.Sprint("again", i))
			begin := time.Now()
			for {
				_, err := node.IAM(admin).CreateUser(ctx, &iam.CreateUserInput{UserName: name})
				if code := server.Code(err); code == "" || code == "EntityAlreadyExists" {
					break
				}
				if time.Since(begin) > 30*time.Second {
					t.Fatalf("node %d: %v", i+1, err)
				}
				time.Sleep(50 * time.Millisecond)
			}
			t.Logf("node %d writes again after %v", i+1, time.Since(begin).Round(time.Millisecond))
		}
	})
	for i, node := range []*server.Server{one, two} {
		if err := node.Stop(); err != nil {
			t.Errorf("node %d ended with %v", i+1, err)
		}
	}
}

// policyEdit takes a permission away on one node and waits until the other
// refuses.
func policyEdit(t *testing.T, one, two *server.Server) {
	ctx, admin, name := t.Context(), one.IAM(one.Admin), aws.String("edited")
	if _, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: name}); err != nil {
		t.Fatal(err)
	}
	put := func(effect string) {
		doc := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":"iam:ListUsers","Resource":"*"}]}`, effect)
		if _, err := admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: name, PolicyDocument: &doc}); err != nil {
			t.Fatal(err)
		}
	}
	put("Allow")
	out, err := admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	if err != nil {
		t.Fatal(err)
	}
	list := func(want string) func() error {
		return func() error {
			_, err := two.IAM(server.UserKey(out.AccessKey)).ListUsers(ctx, nil)
			if got := server.Code(err); got != want {
				return fmt.Errorf("ListUsers = %q, want %q", got, want)
			}
			return nil
		}
	}
	eventually(t, "an allow on the other node", list(""))
	put("Deny")
	t.Logf("a deny binds the other node after %v", eventually(t, "a deny on the other node", list("AccessDenied")))
}
