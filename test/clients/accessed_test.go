// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

const accessedPolicy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:ListUsers","s3:GetObject"],"Resource":"*"}}`

// TestLastAccessedWithTheCLI goes with the AWS CLI from a policy to what of it is
// not used.
func TestLastAccessedWithTheCLI(t *testing.T) {
	for _, path := range server.AWS(t) {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			admin := s.CLI(t, path, s.Admin)
			user := admin.Run("iam", "create-user", "--user-name", "ann", "--query", "User.Arn")
			admin.Run("iam", "put-user-policy", "--user-name", "ann", "--policy-name", "work", "--policy-document", accessedPolicy)
			key := strings.Fields(admin.Run("iam", "create-access-key", "--user-name", "ann", "--query", "AccessKey.[AccessKeyId,SecretAccessKey]"))
			s.CLI(t, path, server.Key{ID: key[0], Secret: key[1]}).Run("iam", "list-users")
			job := admin.Run("iam", "generate-service-last-accessed-details", "--arn", user, "--granularity", "ACTION_LEVEL", "--query", "JobId")
			for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
				if admin.Run("iam", "get-service-last-accessed-details", "--job-id", job, "--query", "JobStatus") == "COMPLETED" {
					break
				}
			}
			got := admin.Run("iam", "get-service-last-accessed-details", "--job-id", job, "--query",
				"ServicesLastAccessed[].[ServiceNamespace,LastAuthenticatedEntity,TrackedActionsLastAccessed[0].ActionName]")
			if got := strings.Join(strings.Fields(got), " "); got != "iam "+user+" ListUsers s3 None None" {
				t.Errorf("get-service-last-accessed-details = %s", got)
			}
			got = admin.Run("iam", "get-service-last-accessed-details-with-entities", "--job-id", job, "--service-namespace", "iam",
				"--query", "EntityDetailsList[].EntityInfo.Name")
			if got != "ann" {
				t.Errorf("get-service-last-accessed-details-with-entities = %s", got)
			}
			got = admin.Run("iam", "list-policies-granting-service-access", "--arn", user, "--service-namespaces", "s3",
				"--query", "PoliciesGrantingServiceAccess[].Policies[].PolicyName")
			if got != "work" {
				t.Errorf("list-policies-granting-service-access = %s", got)
			}
		})
	}
}

// TestLastAccessedAfterACrash asks a server for what it knew before it was killed,
// with the AWS SDK for Go.
func TestLastAccessedAfterACrash(t *testing.T) {
	s := server.Start(t, server.Options{})
	ctx, admin := t.Context(), s.IAM(s.Admin)
	user := must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("ann")}))(t).User
	must(admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: user.UserName, PolicyName: aws.String("work"), PolicyDocument: aws.String(accessedPolicy)}))(t)
	key := must(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: user.UserName}))(t).AccessKey
	must(s.IAM(server.UserKey(key)).ListUsers(ctx, nil))(t)
	report := func() (*string, types.ServiceLastAccessed) {
		t.Helper()
		job := must(admin.GenerateServiceLastAccessedDetails(ctx, &iam.GenerateServiceLastAccessedDetailsInput{Arn: user.Arn}))(t).JobId
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
			out := must(admin.GetServiceLastAccessedDetails(ctx, &iam.GetServiceLastAccessedDetailsInput{JobId: job}))(t)
			if out.JobStatus == types.JobStatusTypeCompleted && len(out.ServicesLastAccessed) == 2 {
				return job, out.ServicesLastAccessed[0]
			}
		}
		t.Fatal("the report is not finished")
		return nil, types.ServiceLastAccessed{}
	}
	job, before := report()
	if before.LastAuthenticated == nil || aws.ToInt32(before.TotalAuthenticatedEntities) != 1 {
		t.Fatalf("before the crash iam was last used %v", before.LastAuthenticated)
	}
	s.Kill()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	admin = s.IAM(s.Admin)
	_, after := report()
	if after.LastAuthenticated == nil || !after.LastAuthenticated.Equal(*before.LastAuthenticated) || aws.ToString(after.LastAuthenticatedEntity) != *user.Arn {
		t.Errorf("after the crash iam was last used %v by %s, want %v by ann", after.LastAuthenticated, aws.ToString(after.LastAuthenticatedEntity), before.LastAuthenticated)
	}
	must(admin.GetServiceLastAccessedDetails(ctx, &iam.GetServiceLastAccessedDetailsInput{JobId: job}))(t)
}
