// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// A state is all that an account holds.
type state struct {
	users    map[string]*found       // :: name
	policies map[string]types.Policy // :: ARN
	members  map[string]bool         // of the shared group
	summary  map[string]int32
}

// found is a user as the server shows it.
type found struct {
	id       string
	attached []string // ARNs of managed policies
	inline   []string // documents
	groups   []string
}

// read reads the whole account through the API. It returns nil when it cannot.
func read(t *testing.T, s *server.Server) *state {
	t.Helper()
	d := &state{users: map[string]*found{}, policies: map[string]types.Policy{}, members: map[string]bool{}}
	admin, ctx := s.IAM(s.Admin), t.Context()
	if err := errors.Join(d.readUsers(ctx, admin), d.readRest(ctx, admin)); err != nil {
		t.Error(err)
		return nil
	}
	return d
}

func (d *state) readUsers(ctx context.Context, admin *iam.Client) error {
	for all := iam.NewListUsersPaginator(admin, &iam.ListUsersInput{}); all.HasMorePages(); {
		out, err := all.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, u := range out.Users {
			if d.users[*u.UserName] != nil {
				return fmt.Errorf("two users are named %s", *u.UserName)
			}
			f := &found{id: *u.UserId}
			if err := f.read(ctx, admin, u.UserName); err != nil {
				return err
			}
			d.users[*u.UserName] = f
		}
	}
	return nil
}

func (f *found) read(ctx context.Context, admin *iam.Client, name *string) error {
	attached, err := admin.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: name})
	if err != nil {
		return err
	}
	for _, p := range attached.AttachedPolicies {
		f.attached = append(f.attached, *p.PolicyArn)
	}
	inline, err := admin.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: name})
	if err != nil {
		return err
	}
	for _, p := range inline.PolicyNames {
		out, err := admin.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: name, PolicyName: &p})
		if err != nil {
			return err
		}
		doc, err := url.QueryUnescape(*out.PolicyDocument)
		if err != nil {
			return err
		}
		f.inline = append(f.inline, doc)
	}
	groups, err := admin.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: name})
	if err != nil {
		return err
	}
	for _, g := range groups.Groups {
		f.groups = append(f.groups, *g.GroupName)
	}
	return nil
}

func (d *state) readRest(ctx context.Context, admin *iam.Client) error {
	for all := iam.NewListPoliciesPaginator(admin, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal}); all.HasMorePages(); {
		out, err := all.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, p := range out.Policies {
			d.policies[*p.Arn] = p
		}
	}
	for all := iam.NewGetGroupPaginator(admin, &iam.GetGroupInput{GroupName: aws.String(shared)}); all.HasMorePages(); {
		out, err := all.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, u := range out.Users {
			d.members[*u.UserName] = true
		}
	}
	out, err := admin.GetAccountSummary(ctx, nil)
	if err != nil {
		return err
	}
	d.summary = out.SummaryMap
	return nil
}

// consistent checks that no change was made by half: every reference leads to
// something, and what is told in two places is the same in both.
func (d *state) consistent(t *testing.T) {
	t.Helper()
	attached := make(map[string]int32)
	for name, u := range d.users {
		for _, p := range u.attached {
			attached[p]++
			if _, ok := d.policies[p]; !ok && !strings.HasPrefix(p, "arn:aws:iam::aws:") {
				t.Errorf("%s has policy %s, which does not exist", name, p)
			}
		}
		if in := len(u.groups) > 0; in != d.members[name] {
			t.Errorf("%s is in groups %v; GetGroup has it: %v", name, u.groups, d.members[name])
		}
	}
	for name := range d.members {
		if _, ok := d.users[name]; !ok {
			t.Errorf("group %s has a member %s that does not exist", shared, name)
		}
	}
	for arn, p := range d.policies {
		if got := aws.ToInt32(p.AttachmentCount); got != attached[arn] {
			t.Errorf("%s counts %d attachments, %d users have it", arn, got, attached[arn])
		}
	}
	if got, want := d.summary["Users"], int32(len(d.users)); got != want {
		t.Errorf("the summary counts %d users of %d", got, want)
	}
	if got, want := d.summary["Policies"], int32(len(d.policies)); got != want {
		t.Errorf("the summary counts %d policies of %d", got, want)
	}
}

// check compares what a writer was told with what is there.
func (w *writer) check(t *testing.T, s *server.Server, d *state) {
	t.Helper()
	for _, u := range w.alive {
		got, ok := d.users[u.name]
		if !ok || got.id != u.id {
			t.Errorf("user %s (%s) is lost", u.name, u.id)
			continue
		}
		want := found{u.id, []string{u.policy}, []string{u.inline}, []string{shared}}
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%s is %+v, want %+v", u.name, *got, want)
		}
	}
	if n := len(w.alive); n > 0 {
		u := w.alive[n-1]
		if out, err := s.STS(u.key).GetCallerIdentity(t.Context(), nil); err != nil || *out.UserId != u.id {
			t.Errorf("the key of %s: %v, %v", u.name, out, err)
		}
	}
	for _, name := range w.gone {
		if _, ok := d.users[name]; ok {
			t.Errorf("user %s is back, or was never renamed or deleted", name)
		}
	}
	w.gone = w.gone[max(0, len(w.gone)-100):]
}

// recorded checks that the audit log in the data directory is whole and has a
// record of every request.
func recorded(t *testing.T, data string, requests []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "audit", "audit*.log"))
	if err != nil || len(files) < 2 {
		t.Fatalf("files of the audit log: %v, %v, want several", files, err)
	}
	have := make(map[string]bool)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var rec struct{ RequestID, ErrorCode string }
			if err := json.Unmarshal(lines.Bytes(), &rec); err != nil {
				t.Errorf("%s: %v: %.100s", name, err, lines.Text())
			}
			have[rec.RequestID] = rec.ErrorCode == ""
		}
		if err := lines.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
	lost := 0
	for _, id := range requests {
		if !have[id] {
			lost++
		}
	}
	t.Logf("%d records in %d files", len(have), len(files))
	if lost > 0 {
		t.Errorf("%d of %d acknowledged changes have no record of success", lost, len(requests))
	}
}
