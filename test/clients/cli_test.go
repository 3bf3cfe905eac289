// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

func cliEveryday(t *testing.T) {
	for _, path := range server.AWS(t) {
		t.Run(filepath.Dir(path), func(t *testing.T) {
			t.Parallel()
			s := server.Start(t, server.Options{})
			cli := s.CLI(t, path, s.Admin)
			account := cli.Run("sts", "get-caller-identity", "--query", "Account")
			t.Run("life-of-a-session", func(t *testing.T) { cliSession(t, s, path, account) })
			t.Run("tags-and-documents", func(t *testing.T) { cliOdd(t, s.CLI(t, path, s.Admin)) })
			t.Run("pagination-and-waiters", func(t *testing.T) { cliPages(t, s, s.CLI(t, path, s.Admin)) })
			t.Run("errors", func(t *testing.T) { cliErrors(t, s.CLI(t, path, s.Admin)) })
		})
	}
}

// cliSession goes the whole way from a group to a session that is refused.
func cliSession(t *testing.T, s *server.Server, path, account string) {
	cli := s.CLI(t, path, s.Admin)
	cli.Run("iam", "create-group", "--group-name", "readers")
	cli.Run("iam", "create-user", "--user-name", "ann")
	cli.Run("iam", "add-user-to-group", "--group-name", "readers", "--user-name", "ann")
	role := cli.Run("iam", "create-role", "--role-name", "app", "--assume-role-policy-document", trust("arn:aws:iam::"+account+":root"), "--query", "Role.Arn")
	pol := cli.Run("iam", "create-policy", "--policy-name", "assume", "--policy-document", allow("sts:AssumeRole", role), "--query", "Policy.Arn")
	cli.Run("iam", "attach-group-policy", "--group-name", "readers", "--policy-arn", pol)
	cli.Run("iam", "put-role-policy", "--role-name", "app", "--policy-name", "read", "--policy-document", allow("iam:GetUser", "*"))
	key := strings.Fields(cli.Run("iam", "create-access-key", "--user-name", "ann", "--query", "AccessKey.[AccessKeyId,SecretAccessKey]"))
	ann := s.CLI(t, path, server.Key{ID: key[0], Secret: key[1]})
	creds := strings.Fields(ann.Run("sts", "assume-role", "--role-arn", role, "--role-session-name", "cli",
		"--query", "Credentials.[AccessKeyId,SecretAccessKey,SessionToken]"))
	session := s.CLI(t, path, server.Key{ID: creds[0], Secret: creds[1], Token: creds[2]})
	if got, want := session.Run("sts", "get-caller-identity", "--query", "Arn"), "arn:aws:sts::"+account+":assumed-role/app/cli"; got != want {
		t.Errorf("get-caller-identity = %s, want %s", got, want)
	}
	if got := session.Run("iam", "get-user", "--user-name", "ann", "--query", "User.UserName"); got != "ann" {
		t.Errorf("get-user = %s", got)
	}
	session.Refused("AccessDenied", []string{"assumed-role/app/cli is not authorized to perform: iam:DeleteUser", "user ann", "no identity-based policy allows"},
		"iam", "delete-user", "--user-name", "ann")
}

func cliOdd(t *testing.T, cli *server.CLI) {
	var list []map[string]string
	for k, v := range tagPairs {
		list = append(list, map[string]string{"Key": k, "Value": v})
	}
	tags, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	cli.Run("iam", "create-user", "--user-name", "odd", "--tags", string(tags))
	var got []struct{ Key, Value string }
	if err := json.Unmarshal([]byte(cli.Run("iam", "list-user-tags", "--user-name", "odd", "--query", "Tags", "--output", "json")), &got); err != nil {
		t.Fatal(err)
	}
	for _, tag := range got {
		if want, ok := tagPairs[tag.Key]; !ok || tag.Value != want {
			t.Errorf("tag %q = %q, want %q", tag.Key, tag.Value, want)
		}
	}
	cli.Run("iam", "put-user-policy", "--user-name", "odd", "--policy-name", "odd", "--policy-document", oddDocument)
	doc := cli.Run("iam", "get-user-policy", "--user-name", "odd", "--policy-name", "odd", "--query", "PolicyDocument", "--output", "json")
	if a, b := decoded(t, doc), decoded(t, oddDocument); !reflect.DeepEqual(a, b) {
		t.Errorf("get-user-policy = %v, want %v", a, b)
	}
}

func decoded(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

func cliPages(t *testing.T, s *server.Server, cli *server.CLI) {
	admin := s.IAM(s.Admin)
	for i := range pages {
		name := "p" + strings.Repeat("x", i%50) + string(rune('a'+i/50))
		must(admin.CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name, Path: aws.String("/many/")}))(t)
	}
	if got := strings.Fields(cli.Run("iam", "list-users", "--path-prefix", "/many/", "--page-size", "20", "--query", "Users[].UserName")); len(got) != pages {
		t.Errorf("list-users in pages of 20 lists %d users, want %d", len(got), pages)
	}
	cli.Run("iam", "wait", "user-exists", "--user-name", "pa")
}

func cliErrors(t *testing.T, cli *server.CLI) {
	cli.Refused("NoSuchEntity", []string{"The user with name nobody cannot be found."}, "iam", "get-user", "--user-name", "nobody")
	cli.Refused("EntityAlreadyExists", nil, "iam", "create-user", "--user-name", "ADMIN")
	cli.Refused("MalformedPolicyDocument", nil, "iam", "create-policy", "--policy-name", "bad", "--policy-document", "{}")
	cli.Refused("ValidationError", nil, "iam", "create-user", "--user-name", "a/b")
}
