// SPDX-License-Identifier: Apache-2.0

// Package everyday tests what administrators do every day, with the AWS CLI
// against the real program.
package everyday

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// An inn is a server that a test sets up with an SDK, and then uses as people do.
type inn struct {
	*server.Server
	*iam.Client // the administrator's
	t           *testing.T
	aws         string // path of the AWS CLI
	account     string
}

func open(t *testing.T) *inn {
	t.Helper()
	t.Parallel()
	s := server.Start(t, server.Options{Args: []string{"--account-id", "111122223333"}})
	return &inn{s, s.IAM(s.Admin), t, server.AWS(t)[0], "111122223333"}
}

// do fails the test when a step of its preparation fails.
func (n *inn) do(err error) {
	n.t.Helper()
	if err != nil {
		n.t.Fatal(err)
	}
}

// user makes a user with a key and inline policies, and returns the AWS CLI with
// that key.
func (n *inn) user(name string, policies ...string) *server.CLI {
	n.t.Helper()
	_, err := n.CreateUser(n.t.Context(), &iam.CreateUserInput{UserName: &name})
	n.do(err)
	for i, doc := range policies {
		_, err := n.PutUserPolicy(n.t.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String(fmt.Sprint("p", i)), PolicyDocument: &doc})
		n.do(err)
	}
	return n.as(n.key(name))
}

func (n *inn) as(k server.Key) *server.CLI { return n.CLI(n.t, n.aws, k) }

func (n *inn) key(user string) server.Key {
	n.t.Helper()
	out, err := n.CreateAccessKey(n.t.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	n.do(err)
	return server.UserKey(out.AccessKey)
}

// role makes a role that its account may assume.
func (n *inn) role(name string) {
	n.t.Helper()
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, n.account)
	_, err := n.CreateRole(n.t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	n.do(err)
}

func statement(effect, action, resource, more string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Action":%q,"Resource":%q%s}]}`, effect, action, resource, more)
}

func TestUserMayChangeOnlyTheirOwnPassword(t *testing.T) {
	n := open(t)
	ann := n.user("ann", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:ChangePassword","iam:UpdateLoginProfile"],"Resource":"arn:aws:iam::*:user/${aws:username}"}]}`)
	n.user("bob")
	for _, name := range []string{"ann", "bob"} {
		_, err := n.CreateLoginProfile(t.Context(), &iam.CreateLoginProfileInput{UserName: &name, Password: aws.String("First-Passw0rd!")})
		n.do(err)
	}
	ann.Run("iam", "change-password", "--old-password", "First-Passw0rd!", "--new-password", "Second-Passw0rd!")
	ann.Run("iam", "update-login-profile", "--user-name", "ann", "--password", "Third-Passw0rd!")
	ann.Refused("AccessDenied", []string{"iam:UpdateLoginProfile", "user bob"}, "iam", "update-login-profile", "--user-name", "bob", "--password", "Other-Passw0rd!")
	_, err := ann.Try("iam", "change-password", "--old-password", "First-Passw0rd!", "--new-password", "Fourth-Passw0rd!")
	if err == nil {
		t.Error("the password was changed with an old one")
	}
}

func TestUserMayRotateOnlyTheirOwnKeys(t *testing.T) {
	n := open(t)
	ann := n.user("ann", statement("Allow", "iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}", ""))
	n.user("bob")
	fresh := strings.Fields(ann.Run("iam", "create-access-key", "--query", "AccessKey.[AccessKeyId,SecretAccessKey]"))
	again := n.as(server.Key{ID: fresh[0], Secret: fresh[1]})
	old := strings.Fields(again.Run("iam", "list-access-keys", "--user-name", "ann", "--query", "AccessKeyMetadata[?AccessKeyId!='"+fresh[0]+"'].AccessKeyId"))
	again.Run("iam", "update-access-key", "--access-key-id", old[0], "--status", "Inactive")
	ann.Refused("InvalidClientTokenId", nil, "iam", "list-access-keys")
	again.Run("iam", "delete-access-key", "--access-key-id", old[0])
	again.Refused("AccessDenied", []string{"iam:CreateAccessKey", "user bob"}, "iam", "create-access-key", "--user-name", "bob")
	again.Refused("AccessDenied", []string{"iam:ListAccessKeys", "user bob"}, "iam", "list-access-keys", "--user-name", "bob")
}

// In a document of 2008 a variable is no variable.
func TestDocumentOf2008(t *testing.T) {
	n := open(t)
	const own = `{"Version":"%s","Statement":[{"Effect":"Allow","Action":"iam:GetUser","Resource":"arn:aws:iam::111122223333:user/${aws:username}"},{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}`
	old := n.user("old", fmt.Sprintf(own, "2008-10-17"))
	old.Run("iam", "list-users", "--query", "Users[].UserName")
	old.Refused("AccessDenied", []string{"iam:GetUser"}, "iam", "get-user", "--user-name", "old")
	if got := n.user("new", fmt.Sprintf(own, "2012-10-17")).Run("iam", "get-user", "--user-name", "new", "--query", "User.UserName"); got != "new" {
		t.Errorf("get-user = %s", got)
	}
}

func TestGroupsAddUpAndADenyInOneOfThemWins(t *testing.T) {
	n := open(t)
	ann := n.user("ann")
	for group, doc := range map[string]string{
		"readers": statement("Allow", "iam:Get*", "*", ""),
		"listers": statement("Allow", "iam:List*", "*", ""),
		"barred":  statement("Deny", "iam:*", "arn:aws:iam::*:user/secret/*", `,"Sid":"Keep"`),
	} {
		_, err := n.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: &group})
		n.do(err)
		_, err = n.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{GroupName: &group, PolicyName: aws.String("p"), PolicyDocument: &doc})
		n.do(err)
		_, err = n.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{GroupName: &group, UserName: aws.String("ann")})
		n.do(err)
	}
	_, err := n.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("agent"), Path: aws.String("/secret/")})
	n.do(err)
	ann.Run("iam", "get-user", "--user-name", "ann")
	ann.Run("iam", "list-users")
	ann.Refused("AccessDenied", []string{"iam:GetUser", "user agent", "with an explicit deny in an identity-based policy"}, "iam", "get-user", "--user-name", "agent")
}

func TestNewUserHasNoCredentials(t *testing.T) {
	n := open(t)
	admin := n.as(n.Admin)
	admin.Run("iam", "create-user", "--user-name", "ann")
	if got := admin.Run("iam", "list-access-keys", "--user-name", "ann", "--query", "AccessKeyMetadata"); got != "" {
		t.Errorf("list-access-keys = %q, want none", got)
	}
	admin.Refused("NoSuchEntity", nil, "iam", "get-login-profile", "--user-name", "ann")
	ann := n.as(n.key("ann"))
	ann.Run("sts", "get-caller-identity")
	ann.Refused("AccessDenied", []string{"no identity-based policy allows"}, "iam", "get-user")
}

func TestGroupsCannotNestAndRolesCannotJoin(t *testing.T) {
	n := open(t)
	for _, group := range []string{"outer", "inner"} {
		_, err := n.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: &group})
		n.do(err)
	}
	n.role("app")
	admin := n.as(n.Admin)
	admin.Refused("NoSuchEntity", []string{"The user with name inner cannot be found."}, "iam", "add-user-to-group", "--group-name", "outer", "--user-name", "inner")
	admin.Refused("NoSuchEntity", []string{"The user with name app cannot be found."}, "iam", "add-user-to-group", "--group-name", "outer", "--user-name", "app")
}

func TestInstanceProfileHoldsOneRole(t *testing.T) {
	n := open(t)
	n.role("one")
	n.role("two")
	admin := n.as(n.Admin)
	admin.Run("iam", "create-instance-profile", "--instance-profile-name", "host")
	admin.Run("iam", "add-role-to-instance-profile", "--instance-profile-name", "host", "--role-name", "one")
	admin.Refused("LimitExceeded", nil, "iam", "add-role-to-instance-profile", "--instance-profile-name", "host", "--role-name", "two")
	admin.Refused("DeleteConflict", nil, "iam", "delete-role", "--role-name", "one")
	admin.Run("iam", "remove-role-from-instance-profile", "--instance-profile-name", "host", "--role-name", "one")
	admin.Run("iam", "add-role-to-instance-profile", "--instance-profile-name", "host", "--role-name", "two")
}

// AWS revokes sessions in this way.
func TestOlderSessionsAreRevoked(t *testing.T) {
	n := open(t)
	n.role("app")
	put := func(name, doc string) {
		_, err := n.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("app"), PolicyName: &name, PolicyDocument: &doc})
		n.do(err)
	}
	put("read", statement("Allow", "iam:ListUsers", "*", ""))
	assume := func() *server.CLI {
		out, err := n.STS(n.Admin).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::" + n.account + ":role/app"), RoleSessionName: aws.String("shift")})
		n.do(err)
		return n.as(server.SessionKey(out.Credentials))
	}
	older := assume()
	older.Run("iam", "list-users")
	time.Sleep(1100 * time.Millisecond) // issue times count in seconds
	cut := time.Now().UTC().Format("2006-01-02T15:04:05Z")
	put("AWSRevokeOlderSessions", statement("Deny", "*", "*", `,"Condition":{"DateLessThan":{"aws:TokenIssueTime":"`+cut+`"}}`))
	older.Refused("AccessDenied", []string{"with an explicit deny in an identity-based policy"}, "iam", "list-users")
	assume().Run("iam", "list-users")
}

func TestPolicyEditTakesEffectOnCredentialsAlreadyIssued(t *testing.T) {
	n := open(t)
	n.role("app")
	pol, err := n.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: aws.String(statement("Allow", "iam:ListRoles", "*", ""))})
	n.do(err)
	_, err = n.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("app"), PolicyArn: pol.Policy.Arn})
	n.do(err)
	admin := n.as(n.Admin)
	creds := strings.Fields(admin.Run("sts", "assume-role", "--role-arn", "arn:aws:iam::"+n.account+":role/app", "--role-session-name", "shift",
		"--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]"))
	session := n.as(server.Key{ID: creds[0], Secret: creds[1], Token: creds[2]})
	session.Refused("AccessDenied", []string{"iam:ListUsers"}, "iam", "list-users")
	admin.Run("iam", "create-policy-version", "--policy-arn", *pol.Policy.Arn, "--policy-document", statement("Allow", "iam:ListUsers", "*", ""), "--set-as-default")
	session.Run("iam", "list-users")
	session.Refused("AccessDenied", []string{"iam:ListRoles"}, "iam", "list-roles")
	admin.Run("iam", "set-default-policy-version", "--policy-arn", *pol.Policy.Arn, "--version-id", "v1")
	session.Run("iam", "list-roles")
}
