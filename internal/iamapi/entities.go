// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"iter"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// An entity is one item of a list of several kinds; one field is set.
type entity struct {
	user   *store.User
	group  *store.Group
	role   *store.Role
	policy *store.Policy
}

// A section is the items of one kind in a list of several. Its mark begins the
// markers of its items, so that a page can begin within it.
type section struct {
	mark  string // one letter; the sections of a list are in order of their marks
	items func(after string) iter.Seq2[string, entity]
}

// sections returns the items of several sections, one after the other, as
// iamop.Paginate takes them.
func sections(list []section) func(after string) iter.Seq2[string, entity] {
	return func(after string) iter.Seq2[string, entity] {
		return func(yield func(string, entity) bool) {
			for _, s := range list {
				from, here := strings.CutPrefix(after, s.mark)
				switch {
				case after == "" || s.mark > after[:1]:
					from = ""
				case !here:
					continue // a section before the one that the marker is in
				}
				for name, e := range s.items(from) {
					if !yield(s.mark+name, e) {
						return
					}
				}
			}
		}
	}
}

// userSection, groupSection and roleSection make sections of lists that begin
// after a name.

func userSection(mark string, list func(after string) iter.Seq[*store.User]) section {
	return section{mark, func(after string) iter.Seq2[string, entity] {
		return named(list(after), func(u *store.User) (string, entity) { return u.Name, entity{user: u} })
	}}
}

func groupSection(mark string, list func(after string) iter.Seq[*store.Group]) section {
	return section{mark, func(after string) iter.Seq2[string, entity] {
		return named(list(after), func(g *store.Group) (string, entity) { return g.Name, entity{group: g} })
	}}
}

func roleSection(mark string, list func(after string) iter.Seq[*store.Role]) section {
	return section{mark, func(after string) iter.Seq2[string, entity] {
		return named(list(after), func(r *store.Role) (string, entity) { return r.Name, entity{role: r} })
	}}
}

func policySection(mark string, list func(after string) iter.Seq[*store.Policy]) section {
	return section{mark, func(after string) iter.Seq2[string, entity] {
		return named(list(after), func(p *store.Policy) (string, entity) { return p.Name, entity{policy: p} })
	}}
}

func named[S any](seq iter.Seq[S], of func(S) (string, entity)) iter.Seq2[string, entity] {
	return func(yield func(string, entity) bool) {
		for item := range seq {
			if name, e := of(item); !yield(name, e) {
				return
			}
		}
	}
}

// later returns a list of records, in order of names, that begins after a name.
func later[S any](items []S, key func(S) (name, path string)) func(after string) iter.Seq[S] {
	return func(after string) iter.Seq[S] {
		return func(yield func(S) bool) {
			for _, item := range items {
				name, _ := key(item)
				if iamop.CompareFold(name, after) > 0 && !yield(item) {
					return
				}
			}
		}
	}
}

func listEntitiesForPolicyTarget(c *api.Call, in *ListEntitiesForPolicyInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) listEntitiesForPolicy(c *api.Call, in *ListEntitiesForPolicyInput) (*ListEntitiesForPolicyOutput, error) {
	if _, err := c.View.Policy(in.PolicyArn); err != nil {
		return nil, noPolicy(err, in.PolicyArn)
	}
	wanted, err := entityFilter(in.EntityFilter)
	if err != nil {
		return nil, err
	}
	users, groups, roles := usersOfPolicy(c, in)
	var list []section
	for _, s := range []struct {
		kind string
		section
	}{
		{EntityTypeGroup, groupSection("g", later(groups, groupKey))},
		{EntityTypeRole, roleSection("r", later(roles, roleKey))},
		{EntityTypeUser, userSection("u", later(users, userKey))},
	} {
		if wanted(s.kind) {
			list = append(list, s.section)
		}
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, sections(list), func(e entity) entity { return e })
	if err != nil {
		return nil, err
	}
	out := &ListEntitiesForPolicyOutput{
		PolicyGroups: []PolicyGroup{}, PolicyUsers: []PolicyUser{}, PolicyRoles: []PolicyRole{},
		IsTruncated: p.Truncated, Marker: p.Marker,
	}
	for _, e := range p.Items {
		switch {
		case e.user != nil:
			out.PolicyUsers = append(out.PolicyUsers, PolicyUser{UserName: &e.user.Name, UserId: &e.user.ID})
		case e.group != nil:
			out.PolicyGroups = append(out.PolicyGroups, PolicyGroup{GroupName: &e.group.Name, GroupId: &e.group.ID})
		case e.role != nil:
			out.PolicyRoles = append(out.PolicyRoles, PolicyRole{RoleName: &e.role.Name, RoleId: &e.role.ID})
		}
	}
	return out, nil
}

// entityFilter returns which kinds of entities an EntityFilter wants. Policies
// hold no policies, so that asking for them is a mistake.
func entityFilter(filter *string) (func(kind string) bool, error) {
	switch f := wire.Value(filter, ""); f {
	case "":
		return func(string) bool { return true }, nil
	case EntityTypeUser, EntityTypeGroup, EntityTypeRole:
		return func(kind string) bool { return kind == f }, nil
	default:
		return nil, awserr.InvalidInput.Msg("EntityFilter %s is not valid: use User, Role or Group.", f)
	}
}

// usersOfPolicy returns who uses a managed policy as the request wants it, as
// permissions, as boundary or both, in order of names.
func usersOfPolicy(c *api.Call, in *ListEntitiesForPolicyInput) (users []*store.User, groups []*store.Group, roles []*store.Role) {
	usage := wire.Value(in.PolicyUsageFilter, "")
	if usage != PolicyUsageTypePermissionsBoundary {
		users, groups, roles = c.View.Holders(in.PolicyArn)
	}
	if usage != PolicyUsageTypePermissionsPolicy {
		u, r := c.View.BoundaryUsers(in.PolicyArn)
		users, roles = append(users, u...), append(roles, r...)
	}
	return tidy(users, in.PathPrefix, userKey), tidy(groups, in.PathPrefix, groupKey), tidy(roles, in.PathPrefix, roleKey)
}

// tidy returns those of items that are under a path, sorted by name, each once.
func tidy[S comparable](items []S, prefix *string, key func(S) (name, path string)) []S {
	items = slices.DeleteFunc(items, func(item S) bool {
		_, path := key(item)
		return !strings.HasPrefix(path, wire.Value(prefix, "/"))
	})
	slices.SortFunc(items, func(a, b S) int {
		one, _ := key(a)
		two, _ := key(b)
		return iamop.CompareFold(one, two)
	})
	return slices.Compact(items)
}
