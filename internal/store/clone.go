// SPDX-License-Identifier: Apache-2.0

package store

import (
	"maps"
	"slices"
)

// The copies of records are deep, except for documents and sealed secrets,
// which nobody changes.

func (a *Account) clone() *Account {
	c := *a
	c.Keys, c.Login, c.Quotas = slices.Clone(a.Keys), cloneLogin(a.Login), maps.Clone(a.Quotas)
	c.Certs, c.Invitations = slices.Clone(a.Certs), slices.Clone(a.Invitations)
	if a.Rules != nil {
		c.Rules = new(*a.Rules)
	}
	return &c
}

func (u *User) clone() *User {
	c := *u
	c.Tags, c.Groups, c.Keys = slices.Clone(u.Tags), slices.Clone(u.Groups), slices.Clone(u.Keys)
	c.Login, c.Grants = cloneLogin(u.Login), u.Grants.clone()
	c.SSHKeys, c.Certs, c.Services = slices.Clone(u.SSHKeys), slices.Clone(u.Certs), slices.Clone(u.Services)
	return &c
}

func (g *Group) clone() *Group {
	c := *g
	c.Grants = g.Grants.clone()
	return &c
}

func (r *Role) clone() *Role {
	c := *r
	c.Tags, c.Grants = slices.Clone(r.Tags), r.Grants.clone()
	return &c
}

func (p *Policy) clone() *Policy {
	c := *p
	c.Tags, c.Versions = slices.Clone(p.Tags), slices.Clone(p.Versions)
	return &c
}

func (p *InstanceProfile) clone() *InstanceProfile {
	c := *p
	c.Tags = slices.Clone(p.Tags)
	return &c
}

func (g *Grants) clone() Grants {
	return Grants{Inline: slices.Clone(g.Inline), Attached: slices.Clone(g.Attached)}
}

func cloneLogin(l *LoginProfile) *LoginProfile {
	if l == nil {
		return nil
	}
	c := *l
	c.Past = slices.Clone(l.Past)
	return &c
}
