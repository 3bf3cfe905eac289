// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// shared is a group that every writer uses.
const shared = "shared"

// keep is how many users a writer lets live.
const keep = 5

func document(n int) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Sid":"S%d","Effect":"Allow","Action":"sts:GetCallerIdentity","Resource":"*"}]}`, n)
}

// A writer makes, changes and removes users of its own, and remembers what the
// server has acknowledged.
type writer struct {
	id, next int
	client   *iam.Client
	alive    []*user // oldest first
	doubtful []*user // about whom a request was never answered
	gone     []string
	requests []string // ids of the changes acknowledged
}

// A user is what a writer knows about a user that it made.
type user struct {
	born, name, id string // born is the first name, and that of its policy
	policy         string // ARN of its own managed policy, attached; "" for none
	inline         string // document of its inline policy; "" for none
	key            server.Key
}

func newWriter(id int, s *server.Server) *writer {
	w := &writer{id: id}
	config := s.Config(s.Admin)
	config.HTTPClient = &http.Client{Transport: ledger{w, config.HTTPClient.(*http.Client).Transport}}
	w.client = iam.NewFromConfig(config)
	return w
}

// A ledger notes the ids of the requests that were answered with success.
type ledger struct {
	w *writer
	http.RoundTripper
}

func (l ledger) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if err == nil && resp.StatusCode == http.StatusOK {
		l.w.requests = append(l.w.requests, resp.Header.Get("X-Amzn-Requestid"))
	}
	return resp, err
}

// work makes changes until stop is closed or a request is not answered, as
// happens when the server is killed.
func (w *writer) work(t *testing.T, stop <-chan struct{}) {
	ctx := context.WithoutCancel(t.Context())
	for len(w.doubtful) > 0 {
		if !answered(t, w.purge(ctx, w.doubtful[0])) {
			return
		}
		w.doubtful = w.doubtful[1:]
	}
	for {
		select {
		case <-stop:
			return
		default:
		}
		u := new(user)
		if !answered(t, w.make(ctx, u)) {
			w.doubtful = append(w.doubtful, u)
			return
		}
		w.alive = append(w.alive, u)
		if len(w.alive) <= keep {
			continue
		}
		u, w.alive = w.alive[0], w.alive[1:]
		if !answered(t, w.purge(ctx, u)) {
			w.doubtful = append(w.doubtful, u)
			return
		}
	}
}

// answered reports whether the server answered. Any answer but success is its
// fault: nobody else touches what a writer made.
func answered(t *testing.T, err error) bool {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		t.Errorf("the server refused a change: %v", e)
	}
	return err == nil
}

// make makes a user with everything that one can have.
func (w *writer) make(ctx context.Context, u *user) error {
	w.next++
	u.born = fmt.Sprintf("w%d-%d", w.id, w.next)
	u.name = u.born
	made, err := w.client.CreateUser(ctx, &iam.CreateUserInput{UserName: &u.name})
	if err != nil {
		return err
	}
	u.id = *made.User.UserId
	pol, err := w.client.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &u.born, PolicyDocument: aws.String(document(w.next))})
	if err != nil {
		return err
	}
	if _, err := w.client.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &u.name, PolicyArn: pol.Policy.Arn}); err != nil {
		return err
	}
	u.policy = *pol.Policy.Arn
	doc := document(1_000_000 + w.next)
	if _, err := w.client.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &u.name, PolicyName: aws.String("own"), PolicyDocument: &doc}); err != nil {
		return err
	}
	u.inline = doc
	if _, err := w.client.AddUserToGroup(ctx, &iam.AddUserToGroupInput{UserName: &u.name, GroupName: aws.String(shared)}); err != nil {
		return err
	}
	key, err := w.client.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &u.name})
	if err != nil {
		return err
	}
	u.key = server.UserKey(key.AccessKey)
	name := u.born + "-renamed"
	if _, err := w.client.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &u.name, NewUserName: &name}); err != nil {
		return err
	}
	u.name, w.gone = name, append(w.gone, u.born)
	return nil
}

// purge removes a user with everything it has, under whichever name it goes. It
// forgives that something is missing.
func (w *writer) purge(ctx context.Context, u *user) error {
	u.name = u.born + "-renamed"
	if _, err := w.client.GetUser(ctx, &iam.GetUserInput{UserName: &u.name}); missing(err) {
		u.name = u.born
	} else if err != nil {
		return err
	}
	keys, err := w.client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &u.name})
	if err != nil && !missing(err) {
		return err
	}
	var steps []func() error
	step := func(f func() error) { steps = append(steps, f) }
	if keys != nil {
		for _, k := range keys.AccessKeyMetadata {
			step(func() error {
				_, err := w.client.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &u.name, AccessKeyId: k.AccessKeyId})
				return err
			})
		}
	}
	step(func() error {
		_, err := w.client.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{UserName: &u.name, GroupName: aws.String(shared)})
		return err
	})
	step(func() error {
		_, err := w.client.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &u.name, PolicyName: aws.String("own")})
		return err
	})
	arn := "arn:aws:iam::" + account + ":policy/" + u.born
	step(func() error {
		_, err := w.client.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: &u.name, PolicyArn: &arn})
		return err
	})
	step(func() error {
		_, err := w.client.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: &arn})
		return err
	})
	step(func() error {
		_, err := w.client.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &u.name})
		return err
	})
	for _, f := range steps {
		if err := f(); err != nil && !missing(err) {
			return err
		}
	}
	w.gone = append(w.gone, u.born, u.born+"-renamed")
	return nil
}

func missing(err error) bool { return server.Code(err) == "NoSuchEntity" }
