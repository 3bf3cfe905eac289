// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/managed"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// pages collects an element of every page of a list. between is called after
// each page.
func pages(c *iamtest.Client, element string, between func(page int), op string, params ...string) []string {
	var all []string
	marker := []string{}
	for page := 1; ; page++ {
		body := c.OK(op, slices.Concat(params, marker)...)
		all = append(all, iamtest.Elements(body, element)...)
		if iamtest.Element(body, "IsTruncated") != "true" {
			return all
		}
		marker = []string{"Marker=" + iamtest.Element(body, "Marker")}
		if between != nil {
			between(page)
		}
	}
}

func TestPagesAreStable(t *testing.T) {
	w := newWorld(t)
	admin := w.Admin()
	var want []string
	for i := range 25 {
		admin.OK("CreateGroup", fmt.Sprintf("GroupName=Team-%02d", i))
		want = append(want, fmt.Sprintf("Team-%02d", i))
	}
	got := pages(admin, "GroupName", func(page int) {
		switch page {
		case 1: // before, at, and after the marker, while the list is read
			admin.OK("CreateGroup", "GroupName=aaa")
			admin.OK("DeleteGroup", "GroupName=team-01")
			admin.OK("DeleteGroup", "GroupName=TEAM-03")
			admin.OK("CreateGroup", "GroupName=team-20a")
		case 2:
			admin.OK("DeleteGroup", "GroupName=Team-24")
		}
	}, "ListGroups", "MaxItems=5")
	want = slices.Concat([]string{"devs"}, want[:21], []string{"team-20a"}, want[21:24])
	if !slices.Equal(got, want) {
		t.Errorf("ListGroups in pages of 5 = %v\nwant %v", got, want)
	}
}

// TestListPoliciesReachesAll: the account's policies, then all of AWS's, each
// once, whatever the page size.
func TestListPoliciesReachesAll(t *testing.T) {
	w := newWorld(t)
	w.Admin().OK("CreatePolicy", "PolicyName=zzz", "PolicyDocument="+anyPolicy)
	want := []string{prefix + "policy/p/pol", prefix + "policy/zzz"}
	for _, p := range managed.All() {
		want = append(want, p.ARN)
	}
	for _, size := range []string{"1000", "37"} {
		if got := pages(w.Admin(), "Arn", nil, "ListPolicies", "MaxItems="+size); !slices.Equal(got, want) {
			t.Errorf("ListPolicies in pages of %s: %d policies, want %d", size, len(got), len(want))
		}
	}
	if got := pages(w.Admin(), "Arn", nil, "ListPolicies", "Scope=AWS", "MaxItems=500", "PathPrefix=/job-function/"); len(got) == 0 || len(got) > 30 {
		t.Errorf("ListPolicies under /job-function/: %v", got)
	}
	if got := pages(w.Admin(), "Arn", nil, "ListPolicies", "PolicyUsageFilter=PermissionsBoundary"); !slices.Equal(got, []string{readOnly}) {
		t.Errorf("policies used as boundary: %v, want %s", got, readOnly)
	}
}

func TestPathPrefixes(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/a/", "/a/b/", "/ab/"} {
		w.Admin().OK("CreateUser", "UserName=u"+strings.ReplaceAll(path, "/", "-"), "Path="+path)
	}
	for _, tt := range []struct{ prefix, want string }{
		{"/a/", "u-a- u-a-b-"}, {"/a", "u-a- u-a-b- u-ab-"}, {"/none/", ""}, {"/", "admin ann carl u- u-a- u-a-b- u-ab-"},
	} {
		if got := strings.Join(pages(w.Admin(), "UserName", nil, "ListUsers", "PathPrefix="+tt.prefix, "MaxItems=2"), " "); got != tt.want {
			t.Errorf("ListUsers under %s = %s, want %s", tt.prefix, got, tt.want)
		}
	}
}

// TestEntitiesAndDetails: lists of several kinds, in pages that end in any of
// them.
func TestEntitiesAndDetails(t *testing.T) {
	w := newWorld(t)
	pol := prefix + "policy/p/pol"
	w.change(t, func(tx *store.Tx) error {
		for _, h := range []store.Holder{store.UserHolder("ann"), store.UserHolder("carl"), store.GroupHolder("devs"), store.RoleHolder("app")} {
			if err := tx.Attach(h, pol); err != nil {
				return err
			}
		}
		if err := tx.AddMember("devs", "ann"); err != nil {
			return err
		}
		return tx.SetBoundary(store.UserHolder("carl"), pol)
	})
	names := func(params ...string) string {
		var out []string
		for _, kind := range []string{"GroupName", "RoleName", "UserName"} {
			out = append(out, pages(w.Admin(), kind, nil, "ListEntitiesForPolicy", append(params, "PolicyArn="+pol)...)...)
		}
		return strings.Join(out, " ")
	}
	for _, tt := range []struct{ params, want string }{
		{"", "devs app ann carl"}, {"MaxItems=1", "devs app ann carl"}, {"MaxItems=3", "devs app ann carl"},
		{"EntityFilter=User", "ann carl"}, {"EntityFilter=Group", "devs"}, {"EntityFilter=Role MaxItems=1", "app"},
		{"PolicyUsageFilter=PermissionsBoundary", "carl"}, {"PathPrefix=/t/", "ann"}, {"PolicyUsageFilter=PermissionsPolicy PathPrefix=/r/", "app"},
	} {
		if got := names(strings.Fields(tt.params)...); got != tt.want {
			t.Errorf("ListEntitiesForPolicy(%s) = %s, want %s", tt.params, got, tt.want)
		}
	}
	for _, tt := range []struct{ filter, ids string }{
		{"", "UserId:3 GroupId:1 RoleId:1 PolicyId:3"}, {"User", "UserId:3 GroupId:0 RoleId:0 PolicyId:0"},
		{"LocalManagedPolicy", "UserId:0 GroupId:0 RoleId:0 PolicyId:1"}, {"AWSManagedPolicy", "UserId:0 GroupId:0 RoleId:0 PolicyId:2"},
	} {
		for _, size := range []string{"MaxItems=1", "MaxItems=3", "MaxItems=1000"} {
			params := []string{size}
			if tt.filter != "" {
				params = append(params, "Filter.member.1="+tt.filter)
			}
			var got []string
			for _, id := range []string{"UserId", "GroupId", "RoleId", "PolicyId"} {
				ids := pages(w.Admin(), id, nil, "GetAccountAuthorizationDetails", params...)
				slices.Sort(ids)
				got = append(got, fmt.Sprintf("%s:%d", id, len(slices.Compact(ids))))
			}
			if text := strings.Join(got, " "); text != tt.ids {
				t.Errorf("GetAccountAuthorizationDetails(%v) has %s, want %s", params, text, tt.ids)
			}
		}
	}
}

// TestLongNamesInMarkers: a marker is at most 320 characters long, whatever it
// stands for.
func TestLongNamesInMarkers(t *testing.T) {
	w := newWorld(t)
	path := "/" + strings.Repeat("p", 510) + "/"
	long := strings.Repeat("n", 127)
	for _, last := range []string{"a", "b", "c"} {
		w.Admin().OK("CreatePolicy", "PolicyName="+long+last, "Path="+path, "PolicyDocument="+anyPolicy)
		w.Admin().OK("AttachUserPolicy", "UserName=carl", "PolicyArn="+prefix+"policy"+path+long+last)
		w.Admin().OK("TagUser", "UserName=carl", "Tags.member.1.Key="+strings.Repeat("\u4e00", 126)+last, "Tags.member.1.Value=v")
	}
	if got := pages(w.Admin(), "PolicyName", nil, "ListAttachedUserPolicies", "UserName=carl", "MaxItems=1"); len(got) != 3 {
		t.Errorf("ListAttachedUserPolicies: %v", got)
	}
	if got := pages(w.Admin(), "Key", nil, "ListUserTags", "UserName=carl", "MaxItems=1"); len(got) != 3 {
		t.Errorf("ListUserTags: %v", got)
	}
}
