// SPDX-License-Identifier: Apache-2.0

package terraform

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// attributes are what a plan compares with the configuration.
type attributes map[string]string

// A resource is one block of a module and what the AWS provider calls for it.
// After create and after change, read must tell exactly what was configured, or
// every plan would show a change.
type resource struct {
	name   string // of its kind in the provider
	create func(*calls) error
	read   func(*calls) (attributes, error) // also what import calls
	want   attributes                       // after create; ACCOUNT stands for the account
	change func(*calls) error               // in place; nil for a resource that has nothing to change
	then   attributes                       // what change makes of want
	delete func(*calls) error
	gone   func(error) bool // says that there is no such resource; nil means NoSuchEntity
}

// calls are the clients, and what create learnt for the other functions.
type calls struct {
	ctx     context.Context
	iam     *iam.Client
	sts     *sts.Client
	org     *organizations.Client
	account string
	ids     map[string]string
}

func (c *calls) arn(kind, name string) *string {
	s := fmt.Sprintf("arn:aws:iam::%s:%s/%s", c.account, kind, name)
	return &s
}

func (c *calls) id(name string) *string {
	s := c.ids[name]
	return &s
}

func noSuchEntity(err error) bool {
	_, ok := errors.AsType[*types.NoSuchEntityException](err)
	return ok
}

// TestProvider applies a module, plans it, reads it as data, changes it in place,
// plans it again, imports it and destroys it, by the calls that the AWS provider
// makes for it.
func TestProvider(t *testing.T) {
	t.Parallel()
	s := server.Start(t, server.Options{})
	cfg := s.Config(s.Admin)
	c := &calls{ctx: t.Context(), iam: iam.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg), org: organizations.NewFromConfig(cfg), ids: make(map[string]string)}
	c.account = *must(c.sts.GetCallerIdentity(c.ctx, nil))(t).Account
	before := inventory(t, c)
	resources := slices.Concat(principals, policies, providers, credentials, organization)
	for _, r := range resources {
		t.Run("apply-"+r.name, func(t *testing.T) {
			if err := r.create(c); err != nil {
				t.Fatal(err)
			}
			plan(t, c, r, r.want)
		})
	}
	data(t, s, c)
	for _, r := range resources {
		if r.change == nil {
			continue
		}
		t.Run("change-"+r.name, func(t *testing.T) {
			if err := r.change(c); err != nil {
				t.Fatal(err)
			}
			want := maps.Clone(r.want)
			maps.Copy(want, r.then)
			plan(t, c, r, want)
		})
	}
	for _, r := range slices.Backward(resources) {
		t.Run("destroy-"+r.name, func(t *testing.T) {
			if err := r.delete(c); err != nil {
				t.Fatal(err)
			}
			gone := r.gone
			if gone == nil {
				gone = noSuchEntity
			}
			if got, err := r.read(c); !gone(err) {
				t.Errorf("read after delete = %v, %v", got, err)
			}
		})
	}
	if after := inventory(t, c); after != before {
		t.Errorf("what is left after destroy:\n%s\nwant\n%s", after, before)
	}
}

// plan reads a resource twice, as a refresh and an import do.
func plan(t *testing.T, c *calls, r resource, want attributes) {
	t.Helper()
	for range 2 {
		got, err := r.read(c)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if text = strings.ReplaceAll(text, "ACCOUNT", c.account); got[name] != text {
				t.Errorf("%s = %q, want %q", name, got[name], text)
			}
		}
		for name := range got {
			if _, ok := want[name]; !ok {
				t.Errorf("%s = %q, which was not configured", name, got[name])
			}
		}
	}
}

// inventory lists what IAM has that was made.
func inventory(t *testing.T, c *calls) string {
	t.Helper()
	var all []string
	for p := iam.NewGetAccountAuthorizationDetailsPaginator(c.iam, &iam.GetAccountAuthorizationDetailsInput{}); p.HasMorePages(); {
		out := must(p.NextPage(c.ctx))(t)
		for _, u := range out.UserDetailList {
			all = append(all, *u.Arn)
		}
		for _, r := range out.RoleDetailList {
			all = append(all, *r.Arn)
		}
		for _, g := range out.GroupDetailList {
			all = append(all, *g.Arn)
		}
		for _, p := range out.Policies {
			if !strings.HasPrefix(*p.Arn, "arn:aws:iam::aws:") {
				all = append(all, *p.Arn)
			}
		}
	}
	for _, p := range must(c.iam.ListOpenIDConnectProviders(c.ctx, nil))(t).OpenIDConnectProviderList {
		all = append(all, *p.Arn)
	}
	for _, p := range must(c.iam.ListSAMLProviders(c.ctx, nil))(t).SAMLProviderList {
		all = append(all, *p.Arn)
	}
	for _, d := range must(c.iam.ListVirtualMFADevices(c.ctx, nil))(t).VirtualMFADevices {
		all = append(all, *d.SerialNumber)
	}
	for _, s := range must(c.iam.ListServerCertificates(c.ctx, nil))(t).ServerCertificateMetadataList {
		all = append(all, *s.Arn)
	}
	for _, p := range must(c.iam.ListInstanceProfiles(c.ctx, nil))(t).InstanceProfiles {
		all = append(all, *p.Arn)
	}
	all = append(all, must(c.iam.ListAccountAliases(c.ctx, nil))(t).AccountAliases...)
	return strings.Join(all, "\n")
}
