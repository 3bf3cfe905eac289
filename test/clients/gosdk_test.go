// SPDX-License-Identifier: Apache-2.0

package clients

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// must returns v, or fails the test with the error.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func goEveryday(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	admin := s.IAM(s.Admin)
	account := *must(s.STS(s.Admin).GetCallerIdentity(t.Context(), nil))(t).Account

	t.Run("life-of-a-session", func(t *testing.T) { goSession(t, s, account) })
	t.Run("pagination", func(t *testing.T) { goPages(t, admin) })
	t.Run("waiters", func(t *testing.T) { goWaiters(t, admin) })
	t.Run("tags-with-markup-and-other-scripts", func(t *testing.T) { goTags(t, admin) })
	t.Run("documents-with-percent-and-other-scripts", func(t *testing.T) { goDocuments(t, admin) })
	t.Run("times", func(t *testing.T) { goTimes(t, s) })
	t.Run("error-types", func(t *testing.T) { goErrors(t, s) })
	t.Run("presigned-get", func(t *testing.T) { goPresigned(t, s) })
	t.Run("retries-are-not-needed", func(t *testing.T) {
		if log := s.Log(); strings.Contains(log, "level=ERROR") {
			t.Errorf("the server logged errors:\n%s", log)
		}
	})
}

// goSession goes the whole way from a group to a session that is refused.
func goSession(t *testing.T, s *server.Server, account string) {
	ctx, admin := t.Context(), s.IAM(s.Admin)
	must(admin.CreateGroup(ctx, &iam.CreateGroupInput{GroupName: aws.String("go-readers"), Path: aws.String("/teams/")}))(t)
	must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("go-ann")}))(t)
	must(admin.AddUserToGroup(ctx, &iam.AddUserToGroupInput{GroupName: aws.String("go-readers"), UserName: aws.String("go-ann")}))(t)
	role := must(admin.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: aws.String("go-app"), AssumeRolePolicyDocument: aws.String(trust("arn:aws:iam::" + account + ":root")),
	}))(t).Role
	pol := must(admin.CreatePolicy(ctx, &iam.CreatePolicyInput{
		PolicyName: aws.String("go-assume"), PolicyDocument: aws.String(allow("sts:AssumeRole", *role.Arn)),
	}))(t).Policy
	must(admin.AttachGroupPolicy(ctx, &iam.AttachGroupPolicyInput{GroupName: aws.String("go-readers"), PolicyArn: pol.Arn}))(t)
	must(admin.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("go-app"), PolicyName: aws.String("read"), PolicyDocument: aws.String(allow("iam:GetUser", "*")),
	}))(t)
	key := must(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("go-ann")}))(t).AccessKey

	out := must(s.STS(server.UserKey(key)).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: role.Arn, RoleSessionName: aws.String("go"), DurationSeconds: aws.Int32(900),
	}))(t)
	session := server.SessionKey(out.Credentials)
	me := must(s.STS(session).GetCallerIdentity(ctx, nil))(t)
	if want := "arn:aws:sts::" + account + ":assumed-role/go-app/go"; *me.Arn != want || *me.UserId != *role.RoleId+":go" {
		t.Errorf("GetCallerIdentity = %s, %s, want %s", *me.Arn, *me.UserId, want)
	}
	if u := must(s.IAM(session).GetUser(ctx, &iam.GetUserInput{UserName: aws.String("go-ann")}))(t).User; *u.UserName != "go-ann" {
		t.Errorf("GetUser = %s", *u.UserName)
	}

	_, err := s.IAM(session).DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("go-ann")})
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != "AccessDenied" {
		t.Fatalf("DeleteUser: %v, want AccessDenied", err)
	}
	for _, part := range []string{*me.Arn, "iam:DeleteUser", "user go-ann", "no identity-based policy allows"} {
		if !strings.Contains(api.ErrorMessage(), part) {
			t.Errorf("message %q does not say %q", api.ErrorMessage(), part)
		}
	}
	goDecode(t, s, api.ErrorMessage())
}

// goDecode opens the message that a refusal carries.
func goDecode(t *testing.T, s *server.Server, message string) {
	_, encoded, ok := strings.Cut(message, "Encoded authorization failure message: ")
	if !ok {
		t.Fatalf("%q carries no encoded message", message)
	}
	out := must(s.STS(s.Admin).DecodeAuthorizationMessage(t.Context(), &sts.DecodeAuthorizationMessageInput{EncodedMessage: &encoded}))(t)
	if !strings.Contains(*out.DecodedMessage, `"iam:DeleteUser"`) {
		t.Errorf("decoded message %s", *out.DecodedMessage)
	}
}

const pages = 250 // users to list

func goPages(t *testing.T, admin *iam.Client) {
	for i := range pages {
		must(admin.CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String(fmt.Sprintf("go-p%03d", i)), Path: aws.String("/go/many/")}))(t)
	}
	for _, size := range []int32{0, 7, 100, 1000} {
		in := &iam.ListUsersInput{PathPrefix: aws.String("/go/many/")}
		if size > 0 {
			in.MaxItems = &size
		}
		var names []string
		count := 0
		for p := iam.NewListUsersPaginator(admin, in); p.HasMorePages(); count++ {
			for _, u := range must(p.NextPage(t.Context()))(t).Users {
				names = append(names, *u.UserName)
			}
		}
		if want := (pages + max(int(size), 1) - 1) / max(int(size), 1); size > 0 && count != want {
			t.Errorf("%d pages of %d users, want %d", count, size, want)
		}
		if len(names) != pages || !slices.IsSorted(names) || len(slices.Compact(names)) != pages {
			t.Errorf("pages of %d list %d users, want %d, each once", size, len(names), pages)
		}
	}
}

func goWaiters(t *testing.T, admin *iam.Client) {
	ctx := t.Context()
	const most = 5 * time.Second
	go func() { // while the first waiter waits
		time.Sleep(50 * time.Millisecond)
		_, err := admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("go-w")})
		if err != nil {
			t.Error(err)
		}
	}()
	soon := func(o *iam.UserExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 100*time.Millisecond
	}
	if err := iam.NewUserExistsWaiter(admin).Wait(ctx, &iam.GetUserInput{UserName: aws.String("go-w")}, most, soon); err != nil {
		t.Errorf("user_exists: %v", err)
	}
	must(admin.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("go-w"), AssumeRolePolicyDocument: aws.String(trust("*"))}))(t)
	if err := iam.NewRoleExistsWaiter(admin).Wait(ctx, &iam.GetRoleInput{RoleName: aws.String("go-w")}, most); err != nil {
		t.Errorf("role_exists: %v", err)
	}
	pol := must(admin.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("go-w"), PolicyDocument: aws.String(allow("*", "*"))}))(t).Policy
	if err := iam.NewPolicyExistsWaiter(admin).Wait(ctx, &iam.GetPolicyInput{PolicyArn: pol.Arn}, most); err != nil {
		t.Errorf("policy_exists: %v", err)
	}
	must(admin.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: aws.String("go-w")}))(t)
	if err := iam.NewInstanceProfileExistsWaiter(admin).Wait(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: aws.String("go-w")}, most); err != nil {
		t.Errorf("instance_profile_exists: %v", err)
	}
	none := iam.NewRoleExistsWaiter(admin, func(o *iam.RoleExistsWaiterOptions) { o.MinDelay, o.MaxDelay = time.Millisecond, time.Millisecond })
	if err := none.Wait(ctx, &iam.GetRoleInput{RoleName: aws.String("go-none")}, 100*time.Millisecond); err == nil {
		t.Error("role_exists found a role that does not exist")
	}
}

func goTags(t *testing.T, admin *iam.Client) {
	ctx := t.Context()
	tags := make([]types.Tag, 0, len(tagPairs))
	for k, v := range tagPairs {
		tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("go-tags"), Tags: tags}))(t)
	out := must(admin.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: aws.String("go-tags")}))(t)
	if len(out.Tags) != len(tagPairs) {
		t.Errorf("%d tags, want %d", len(out.Tags), len(tagPairs))
	}
	for _, tag := range out.Tags {
		if want := tagPairs[*tag.Key]; *tag.Value != want {
			t.Errorf("tag %q = %q, want %q", *tag.Key, *tag.Value, want)
		}
	}
	must(admin.UntagUser(ctx, &iam.UntagUserInput{UserName: aws.String("go-tags"), TagKeys: []string{*tags[0].Key}}))(t)
	_, err := admin.TagUser(ctx, &iam.TagUserInput{UserName: aws.String("go-tags"), Tags: []types.Tag{{Key: aws.String("k"), Value: aws.String(oddText)}}})
	if e, ok := errors.AsType[smithy.APIError](err); !ok || e.ErrorCode() != "ValidationError" || !strings.Contains(e.ErrorMessage(), oddText) {
		t.Errorf("TagUser with %q: %v, want ValidationError that quotes it", oddText, err)
	}
	if out := must(admin.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("go-tags")}))(t); len(out.User.Tags) != len(tagPairs)-1 {
		t.Errorf("%d tags after UntagUser", len(out.User.Tags))
	}
}

func goDocuments(t *testing.T, admin *iam.Client) {
	ctx := t.Context()
	decoded := func(s *string) string { return must(url.QueryUnescape(strings.ReplaceAll(*s, "+", "%2B")))(t) }
	must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("go-doc")}))(t)
	must(admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: aws.String("go-doc"), PolicyName: aws.String("odd"), PolicyDocument: aws.String(oddDocument)}))(t)
	if got := decoded(must(admin.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: aws.String("go-doc"), PolicyName: aws.String("odd")}))(t).PolicyDocument); got != oddDocument {
		t.Errorf("GetUserPolicy = %s, want %s", got, oddDocument)
	}
	pol := must(admin.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("go-odd"), PolicyDocument: aws.String(oddDocument), Description: aws.String(oddText)}))(t).Policy
	if got := *must(admin.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: pol.Arn}))(t).Policy.Description; got != oddText {
		t.Errorf("description %q", got)
	}
	ver := must(admin.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: pol.Arn, VersionId: pol.DefaultVersionId}))(t).PolicyVersion
	if got := decoded(ver.Document); got != oddDocument {
		t.Errorf("GetPolicyVersion = %s, want %s", got, oddDocument)
	}
}

func goTimes(t *testing.T, s *server.Server) {
	before := time.Now().Truncate(time.Second)
	u := must(s.IAM(s.Admin).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("go-time")}))(t).User
	if got := *u.CreateDate; got.Before(before) || got.After(time.Now()) {
		t.Errorf("CreateDate %v, want about %v", got, before)
	}
	out := must(s.STS(s.Admin).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(1800)}))(t)
	if left := time.Until(*out.Credentials.Expiration); left < 1790*time.Second || left > 1801*time.Second {
		t.Errorf("the session ends in %v, want 30m", left)
	}
}

func goErrors(t *testing.T, s *server.Server) {
	ctx, admin := t.Context(), s.IAM(s.Admin)
	must(admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("go-err")}))(t)
	must(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("go-err")}))(t)
	must(admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("go-err")}))(t)

	_, err := admin.GetUser(ctx, &iam.GetUserInput{UserName: aws.String("go-nobody")})
	wantType[*types.NoSuchEntityException](t, err)
	_, err = admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("GO-ERR")})
	wantType[*types.EntityAlreadyExistsException](t, err)
	_, err = admin.DeleteUser(ctx, &iam.DeleteUserInput{UserName: aws.String("go-err")})
	wantType[*types.DeleteConflictException](t, err)
	_, err = admin.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: aws.String("go-err")})
	wantType[*types.LimitExceededException](t, err)
	_, err = admin.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: aws.String("go-bad"), PolicyDocument: aws.String(`{"Version":"2012-10-17"}`)})
	wantType[*types.MalformedPolicyDocumentException](t, err)
	_, err = s.STS(s.Admin).DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String("no such message")})
	wantType[*ststypes.InvalidAuthorizationMessageException](t, err)
	_, err = admin.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("a/b")})
	if code := server.Code(err); code != "ValidationError" {
		t.Errorf("error code %q, want ValidationError", code)
	}
	_, err = s.IAM(server.Key{ID: s.Admin.ID, Secret: "wrong"}).ListUsers(ctx, nil)
	if code := server.Code(err); code != "SignatureDoesNotMatch" {
		t.Errorf("error code %q, want SignatureDoesNotMatch", code)
	}
}

// wantType wants an error of the SDK's type E, with a message.
func wantType[E smithy.APIError](t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[E](err)
	if !ok || e.ErrorMessage() == "" {
		t.Errorf("error %v, want %T with a message", err, *new(E))
	}
}

func goPresigned(t *testing.T, s *server.Server) {
	req := must(sts.NewPresignClient(s.STS(s.Admin)).PresignGetCallerIdentity(t.Context(), nil))(t)
	if status, body := get(t, req.URL); status != http.StatusOK || !strings.Contains(body, ":user/admin</Arn>") {
		t.Errorf("GET of a presigned URL: %d %s", status, body)
	}
	if status, body := get(t, strings.Replace(req.URL, "Action=GetCallerIdentity", "Action=GetSessionToken", 1)); status != http.StatusForbidden || !strings.Contains(body, "<Code>SignatureDoesNotMatch</Code>") {
		t.Errorf("GET of a changed URL: %d %s", status, body)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}
