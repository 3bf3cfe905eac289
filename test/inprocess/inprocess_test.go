// SPDX-License-Identifier: Apache-2.0

// Package inprocess tests innkeepertest as others use it: with the AWS SDK for Go.
package inprocess

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/innkeeper-iam/innkeeper/innkeepertest"
)

func client(srv *innkeepertest.Server, account string) *iam.Client {
	key := srv.RootKey(account)
	return iam.New(iam.Options{
		BaseEndpoint: &srv.URL, Region: srv.Region,
		Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret, ""),
	})
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code {
		t.Errorf("%s = %v, want %s", what, err, code)
	}
}

// TestServersInParallel: each test has a server of its own, and sees nothing of
// the others.
func TestServersInParallel(t *testing.T) {
	for i := range 8 {
		t.Run(fmt.Sprint("server-", i), func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			srv := innkeepertest.Start(t, innkeepertest.Options{})
			c := client(srv, innkeepertest.DefaultAccount)
			made := must(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}))(t)
			t.Logf("%v from the start to the first answer", time.Since(began))
			if got, want := *made.User.Arn, "arn:aws:iam::123456789012:user/ann"; got != want {
				t.Errorf("CreateUser: Arn = %s, want %s", got, want)
			}
			users := must(c.ListUsers(t.Context(), &iam.ListUsersInput{}))(t)
			if len(users.Users) != 1 {
				t.Errorf("%d users, want the one of this test", len(users.Users))
			}
		})
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	srv := innkeepertest.Start(t, innkeepertest.Options{})
	c := client(srv, innkeepertest.DefaultAccount)
	must(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}))(t)
	srv.Reset()
	_, err := c.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("ann")})
	wantCode(t, "GetUser after a reset", err, "NoSuchEntity")
}

// TestSessionsExpire: the SDK signs by the real clock.
func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	srv := innkeepertest.Start(t, innkeepertest.Options{Accounts: []string{"111111111111", "222222222222"}})
	ctx := t.Context()
	one, two := client(srv, "111111111111"), client(srv, "222222222222")
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"111111111111"},"Action":"sts:AssumeRole"}}`
	role := must(two.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("app"), AssumeRolePolicyDocument: &trust}))(t)
	allow := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}`
	must(one.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann")}))(t)
	must(one.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("ann"), PolicyName: aws.String("p"), PolicyDocument: &allow}))(t)
	key := must(one.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("ann")}))(t).AccessKey

	at := func(id, secret, token string) *sts.Client {
		return sts.New(sts.Options{BaseEndpoint: &srv.URL, Region: srv.Region, Credentials: credentials.NewStaticCredentialsProvider(id, secret, token)})
	}
	in := &sts.AssumeRoleInput{RoleArn: role.Role.Arn, RoleSessionName: aws.String("job")}
	got := must(at(*key.AccessKeyId, *key.SecretAccessKey, "").AssumeRole(ctx, in))(t).Credentials
	session := at(*got.AccessKeyId, *got.SecretAccessKey, *got.SessionToken)
	who := must(session.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}))(t)
	if want := "arn:aws:sts::222222222222:assumed-role/app/job"; *who.Arn != want {
		t.Errorf("GetCallerIdentity: Arn = %s, want %s", *who.Arn, want)
	}
	srv.Advance(time.Hour + time.Second)
	if !srv.Now().After(*got.Expiration) {
		t.Errorf("Now() = %v, want after %v", srv.Now(), *got.Expiration)
	}
	_, err := session.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	wantCode(t, "GetCallerIdentity an hour later", err, "ExpiredToken")
}

// TestDelay: what AWS's eventual consistency does to a program that does not wait.
func TestDelay(t *testing.T) {
	t.Parallel()
	srv := innkeepertest.Start(t, innkeepertest.Options{Delay: time.Hour})
	c := client(srv, innkeepertest.DefaultAccount)
	must(c.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("ann")}))(t)
	_, err := c.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("ann")})
	wantCode(t, "GetUser at once", err, "NoSuchEntity")
	srv.Advance(time.Hour)
	must(c.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("ann")}))(t)
}

// TestEnv: a child process finds the server.
func TestEnv(t *testing.T) {
	if os.Getenv("INPROCESS_CHILD") != "" {
		child(t)
		return
	}
	t.Parallel()
	srv := innkeepertest.Start(t, innkeepertest.Options{
		Accounts: []string{"333333333333"}, RootKeys: []innkeepertest.RootKey{{Account: "333333333333", ID: "test", Secret: "te/st"}},
	})
	cmd := exec.Command(os.Args[0], "-test.run=^TestEnv$", "-test.v")
	cmd.Env = append(append(os.Environ(), "INPROCESS_CHILD=1"), srv.Env()...)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "arn:aws:iam::333333333333:root") {
		t.Errorf("the child says, %v\n%s", err, out)
	}
}

func child(t *testing.T) {
	cfg := must(config.LoadDefaultConfig(context.Background()))(t)
	who := must(sts.NewFromConfig(cfg).GetCallerIdentity(context.Background(), &sts.GetCallerIdentityInput{}))(t)
	fmt.Println(*who.Arn)
}
