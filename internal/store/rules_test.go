// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// wants runs fn in a transaction and compares its error.
func wants(t *testing.T, s *Store, what string, want error, fn func(*Tx) error) {
	t.Helper()
	err := s.Update(t.Context(), alpha, fn)
	if want == nil && err != nil || want != nil && (err == nil || err.Error() != want.Error()) {
		t.Errorf("%s = %v, want %v", what, err, want)
	}
}

func TestRenamingKeepsEverythingElse(t *testing.T) {
	s, _ := newStore(t)
	key, _ := s.NewKey(alpha)
	update(t, s, all(createUser("ann"), createUser("bob"), createGroup("staff"), createGroup("ops"), createPolicy("p"),
		func(tx *Tx) error { return errors.Join(tx.AddMember("staff", "ann"), tx.AddMember("staff", "bob")) },
		func(tx *Tx) error { return tx.Attach(UserHolder("ann"), alphaPolicy("p")) },
		func(tx *Tx) error { return tx.Attach(GroupHolder("staff"), alphaPolicy("p")) },
		func(tx *Tx) error { return tx.SetBoundary(UserHolder("ann"), alphaPolicy("p")) },
		func(tx *Tx) error {
			u, err := tx.User("ann")
			u.Keys = append(u.Keys, key)
			return errors.Join(err, tx.PutUser(u))
		}))
	was, _ := view(t, s, alpha).User("ann")
	group, _ := view(t, s, alpha).Group("staff")

	wants(t, s, "renaming to a name in use", exists(KindUser, "BOB"), func(tx *Tx) error { return tx.RenameUser("ann", "BOB", "") })
	wants(t, s, "renaming nobody", notFound(KindUser, "eve"), func(tx *Tx) error { return tx.RenameUser("eve", "x", "") })
	update(t, s, func(tx *Tx) error { return tx.RenameUser("ann", "Anna", "") })
	update(t, s, func(tx *Tx) error { return tx.RenameUser("anna", "", "/x/") })
	update(t, s, func(tx *Tx) error { return tx.RenameUser("anna", "ANNA", "") })
	update(t, s, func(tx *Tx) error { return tx.RenameGroup("staff", "Crew", "/y/") })

	v := view(t, s, alpha)
	checkSound(t, v)
	u, err := v.User("anna")
	if err != nil || u.Name != "ANNA" || u.Path != "/x/" || u.ID != was.ID || !u.Created.Equal(was.Created) ||
		u.Boundary != was.Boundary || !slices.Equal(u.Attached, was.Attached) || !slices.Equal(u.Groups, was.Groups) {
		t.Errorf("User(anna) = %+v, %v, want ann under another name", u, err)
	}
	if byKey, k, err := v.UserByKey(key.ID); err != nil || byKey != u || k.ID != key.ID {
		t.Errorf("UserByKey = %v, %v, want the renamed user", byKey, err)
	}
	if _, err := v.User("ann"); !errors.Is(err, ErrNotFound) {
		t.Errorf("User(ann) = %v, want ErrNotFound", err)
	}
	g, err := v.Group("crew")
	if err != nil || g.ID != group.ID || len(g.Attached) != 1 || v.GroupARN(g) != "arn:aws:iam::"+alpha+":group/y/Crew" {
		t.Errorf("Group(crew) = %+v, %v, want staff under another name", g, err)
	}
	var members []string
	for u := range v.Members("CREW", "") {
		members = append(members, u.Name)
	}
	if !slices.Equal(members, []string{"ANNA", "bob"}) || v.MemberCount(g) != 2 {
		t.Errorf("Members(crew) = %v, want ANNA and bob", members)
	}
	for range v.Members("crew", "bob") {
		t.Error("Members(crew, after bob) is not empty")
	}
	for range v.Members("staff", "") {
		t.Error("Members of a name that is gone is not empty")
	}
	users, groups, roles := v.Holders(alphaPolicy("p"))
	if len(users) != 1 || users[0] != u || len(groups) != 1 || groups[0] != g || len(roles) != 0 {
		t.Errorf("Holders = %v, %v, %v, want the renamed ones", users, groups, roles)
	}
	bounded, _ := v.BoundaryUsers(alphaPolicy("p"))
	if len(bounded) != 1 || bounded[0] != u || v.AttachmentCount(alphaPolicy("p")) != 2 || v.BoundaryCount(alphaPolicy("p")) != 1 {
		t.Errorf("BoundaryUsers = %v, %d attachments, want the renamed user, 2", bounded, v.AttachmentCount(alphaPolicy("p")))
	}
}

func TestPolicyVersions(t *testing.T) {
	s, _ := newStore(t)
	arn := alphaPolicy("p")
	p := &Policy{Name: "p"}
	update(t, s, func(tx *Tx) error { return tx.CreatePolicy(p, doc()) })
	if p.Default != "v1" || len(p.Versions) != 1 || p.ID == "" || p.Account != alpha {
		t.Errorf("CreatePolicy fills %+v, want version v1 in force", p)
	}
	add := func(want string, setDefault bool) {
		t.Helper()
		update(t, s, func(tx *Tx) error {
			v, err := tx.AddVersion(arn, NewDocument("", `{"Version":"2012-10-17","Statement":[],"Id":"`+want+`"}`), setDefault)
			if err == nil && v.ID != want {
				t.Errorf("AddVersion = %s, want %s", v.ID, want)
			}
			return err
		})
	}
	add("v2", false)
	add("v3", true)
	add("v4", false)
	add("v5", false)
	sixth := func(tx *Tx) error { _, err := tx.AddVersion(arn, doc(), true); return err }
	wants(t, s, "a sixth version", &LimitError{quota.Versions, 5}, sixth)
	wants(t, s, "deleting the default version", &InUseError{KindVersion, "v3", ReasonInDefault}, func(tx *Tx) error { return tx.DeleteVersion(arn, "v3") })
	wants(t, s, "deleting no version", notFound(KindVersion, "v9"), func(tx *Tx) error { return tx.DeleteVersion(arn, "v9") })
	wants(t, s, "putting no version in force", notFound(KindVersion, "v9"), func(tx *Tx) error { return tx.SetDefault(arn, "v9") })
	update(t, s, func(tx *Tx) error { return tx.DeleteVersion(arn, "v5") })
	add("v6", false) // v5 is never used again
	update(t, s, func(tx *Tx) error { return tx.SetDefault(arn, "v6") })
	v := view(t, s, alpha)
	got, err := v.Policy(arn)
	if err != nil || got.DefaultVersion().ID != "v6" || !strings.Contains(got.DefaultVersion().Document.Text(), `"Id":"v6"`) {
		t.Errorf("Policy = %+v, %v, want v6 in force", got, err)
	}
	if n := v.Usage(quota.VersionsInUse); n != 5 {
		t.Errorf("Usage(%s) = %d, want 5", quota.VersionsInUse, n)
	}
	wants(t, s, "deleting a policy of many versions", &InUseError{KindPolicy, arn, ReasonVersions}, func(tx *Tx) error { return tx.DeletePolicy(arn) })
	for _, id := range []string{"v1", "v2", "v3", "v4"} {
		update(t, s, func(tx *Tx) error { return tx.DeleteVersion(arn, id) })
	}
	update(t, s, func(tx *Tx) error { return tx.DeletePolicy(arn) })
	if n := view(t, s, alpha).Usage(quota.VersionsInUse); n != 0 {
		t.Errorf("Usage(%s) = %d after all, want 0", quota.VersionsInUse, n)
	}
	checkSound(t, view(t, s, alpha))
}

func TestPoliciesOfAWS(t *testing.T) {
	s, _ := newStore(t)
	const arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	p, err := view(t, s, alpha).Policy(arn)
	if err != nil || p.Name != "ReadOnlyAccess" || p.Account != "aws" || p.DefaultVersion() == nil || !strings.Contains(p.DefaultVersion().Document.Text(), "Statement") {
		t.Fatalf("Policy(%s) = %+v, %v", arn, p, err)
	}
	if again, _ := view(t, s, beta).Policy(arn); again != p {
		t.Error("a policy of AWS is made anew for each view")
	}
	update(t, s, all(createUser("ann"), createRole("app"),
		func(tx *Tx) error { return tx.Attach(UserHolder("ann"), arn) },
		func(tx *Tx) error { return tx.SetBoundary(RoleHolder("app"), arn) }))
	v := view(t, s, alpha)
	if v.AttachmentCount(arn) != 1 || v.BoundaryCount(arn) != 1 || view(t, s, beta).AttachmentCount(arn) != 0 {
		t.Errorf("counts = %d, %d, in beta %d, want 1, 1, 0", v.AttachmentCount(arn), v.BoundaryCount(arn), view(t, s, beta).AttachmentCount(arn))
	}
	checkSound(t, v)
	for what, fn := range map[string]func(*Tx) error{
		"PutPolicy":     func(tx *Tx) error { p, err := tx.Policy(arn); return errors.Join(err, tx.PutPolicy(p)) },
		"DeletePolicy":  func(tx *Tx) error { return tx.DeletePolicy(arn) },
		"AddVersion":    func(tx *Tx) error { _, err := tx.AddVersion(arn, doc(), true); return err },
		"DeleteVersion": func(tx *Tx) error { return tx.DeleteVersion(arn, p.Default) },
		"SetDefault":    func(tx *Tx) error { return tx.SetDefault(arn, p.Default) },
	} {
		if err := s.Update(t.Context(), alpha, fn); !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s of a policy of AWS = %v, want ErrReadOnly", what, err)
		}
	}
	wants(t, s, "attaching no policy", notFound(KindPolicy, arn+"x"), func(tx *Tx) error { return tx.Attach(UserHolder("ann"), arn+"x") })
}

func TestWhatIsInUseStays(t *testing.T) {
	s, _ := newStore(t)
	p := alphaPolicy("p")
	update(t, s, all(createUser("u"), createGroup("g"), createRole("r"), createPolicy("p"),
		func(tx *Tx) error { return tx.CreateProfile(&InstanceProfile{Name: "i"}) },
		func(tx *Tx) error {
			return errors.Join(tx.Attach(UserHolder("u"), p), tx.Attach(GroupHolder("g"), p), tx.Attach(RoleHolder("r"), p),
				tx.PutInline(UserHolder("u"), "in", doc()), tx.PutInline(GroupHolder("g"), "in", doc()), tx.PutInline(RoleHolder("r"), "in", doc()),
				tx.SetBoundary(UserHolder("u"), p), tx.SetBoundary(RoleHolder("r"), p), tx.AddMember("g", "u"), tx.AddRole("i", "r"))
		},
		addKey(s, "u"),
		func(tx *Tx) error {
			u, err := tx.User("u")
			u.Login = &LoginProfile{Hash: "h"}
			return errors.Join(err, tx.PutUser(u))
		}))
	drop := map[Kind]func(*Tx) error{
		KindUser:    func(tx *Tx) error { return tx.DeleteUser("u") },
		KindGroup:   func(tx *Tx) error { return tx.DeleteGroup("g") },
		KindRole:    func(tx *Tx) error { return tx.DeleteRole("r") },
		KindPolicy:  func(tx *Tx) error { return tx.DeletePolicy(p) },
		KindProfile: func(tx *Tx) error { return tx.DeleteProfile("i") },
	}
	for _, step := range []struct {
		kind   Kind
		name   string
		reason string
		free   func(*Tx) error
	}{
		{KindUser, "u", ReasonAttached, func(tx *Tx) error { return tx.Detach(UserHolder("u"), p) }},
		{KindUser, "u", ReasonInline, func(tx *Tx) error { return tx.DeleteInline(UserHolder("u"), "in") }},
		{KindUser, "u", ReasonKeys, func(tx *Tx) error {
			u, err := tx.User("u")
			u.Keys = nil
			return errors.Join(err, tx.PutUser(u))
		}},
		{KindUser, "u", ReasonLogin, func(tx *Tx) error {
			u, err := tx.User("u")
			u.Login = nil
			return errors.Join(err, tx.PutUser(u))
		}},
		{KindUser, "u", ReasonMember, func(tx *Tx) error { return nil }},
		{KindGroup, "g", ReasonMember, func(tx *Tx) error { return tx.RemoveMember("g", "u") }},
		{KindGroup, "g", ReasonAttached, func(tx *Tx) error { return tx.Detach(GroupHolder("g"), p) }},
		{KindGroup, "g", ReasonInline, func(tx *Tx) error { return tx.DeleteInline(GroupHolder("g"), "in") }},
		{KindProfile, "i", ReasonProfile, func(tx *Tx) error { return nil }},
		{KindRole, "r", ReasonProfile, func(tx *Tx) error { return tx.RemoveRole("i", "r") }},
		{KindRole, "r", ReasonAttached, func(tx *Tx) error { return tx.Detach(RoleHolder("r"), p) }},
		{KindPolicy, p, ReasonHolders, func(tx *Tx) error { return tx.SetBoundary(RoleHolder("r"), "") }},
		{KindRole, "r", ReasonInline, func(tx *Tx) error { return tx.DeleteInline(RoleHolder("r"), "in") }},
		{KindPolicy, p, ReasonHolders, func(tx *Tx) error { return tx.SetBoundary(UserHolder("u"), "") }},
	} {
		wants(t, s, "deleting "+step.name, &InUseError{step.kind, step.name, step.reason}, drop[step.kind])
		// The same is told if the transaction itself began to free it.
		if err := s.Update(t.Context(), alpha, all(step.free, func(tx *Tx) error { drop[step.kind](tx); return nil })); err != nil {
			t.Fatalf("freeing %s of %q = %v", step.name, step.reason, err)
		}
		checkSound(t, view(t, s, alpha))
	}
	left := 0
	for kind, fn := range drop {
		switch err := s.Update(t.Context(), alpha, fn); {
		case err == nil:
			left++
		case !errors.Is(err, ErrNotFound):
			t.Errorf("deleting the %s at last = %v", kind, err)
		}
	}
	if got := view(t, s, alpha).s.indexes(); got != "versions 0\n" {
		t.Errorf("after deleting everything (%d at last): %s", left, got)
	}
}

func TestOneTransactionSeesItsOwnWrites(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, all(createGroup("g"), createUser("u"), createPolicy("p"), createRole("r")))
	update(t, s, func(tx *Tx) error {
		if err := all(createUser("new"), func(tx *Tx) error { return tx.AddMember("g", "new") })(tx); err != nil {
			return err
		}
		if u, err := tx.User("NEW"); err != nil || len(u.Groups) != 1 {
			t.Errorf("User(new) in the transaction that made it = %+v, %v", u, err)
		}
		if _, ok := errors.AsType[*InUseError](tx.DeleteGroup("g")); !ok {
			t.Error("a group with a member of the same transaction can be deleted")
		}
		if err := tx.Attach(RoleHolder("r"), alphaPolicy("p")); err != nil {
			return err
		}
		if _, ok := errors.AsType[*InUseError](tx.DeletePolicy(alphaPolicy("p"))); !ok {
			t.Error("a policy attached in the same transaction can be deleted")
		}
		if _, err := tx.View().User("new"); !errors.Is(err, ErrNotFound) {
			t.Errorf("View().User(new) = %v, want the state before", err)
		}
		u, err := tx.User("u")
		u.Path, u.Tags = "/changed/", []Tag{{"k", "v"}}
		if again, _ := tx.User("u"); again.Path != "/" || len(again.Tags) != 0 {
			t.Error("a change without Put is seen")
		}
		return errors.Join(err, tx.RemoveMember("g", "new"), tx.DeleteGroup("g"), tx.DeleteUser("new"), createUser("NEW")(tx))
	})
	v := view(t, s, alpha)
	checkSound(t, v)
	if u, err := v.User("new"); err != nil || u.Name != "NEW" || len(u.Groups) != 0 {
		t.Errorf("User(new) = %+v, %v, want the second one", u, err)
	}
	if u, _ := v.User("u"); u.Path != "/" {
		t.Errorf("User(u) = %+v, want it unchanged", u)
	}
}

func TestRecordLimits(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, all(createUser("u"), createRole("r"), createGroup("g")))
	for i := range 11 {
		update(t, s, all(createGroup(fmt.Sprint("g", i)), createPolicy(fmt.Sprint("p", i))))
	}
	for i := range 10 {
		update(t, s, func(tx *Tx) error {
			return errors.Join(tx.AddMember(fmt.Sprint("g", i), "u"), tx.Attach(UserHolder("u"), alphaPolicy(fmt.Sprint("p", i))),
				tx.Attach(GroupHolder("g"), alphaPolicy(fmt.Sprint("p", i))), tx.Attach(RoleHolder("r"), alphaPolicy(fmt.Sprint("p", i))))
		})
	}
	long := func(n int) *Document { return NewDocument("", strings.Repeat("x", n)+" \t\r\n") }
	tags := make([]Tag, 51)
	for i := range tags {
		tags[i].Key = fmt.Sprint(i)
	}
	for what, c := range map[string]struct {
		fn   func(*Tx) error
		want error
	}{
		"an-eleventh-group":        {func(tx *Tx) error { return tx.AddMember("g10", "u") }, &LimitError{quota.GroupsPerUser, 10}},
		"a-group-again":            {func(tx *Tx) error { return tx.AddMember("g9", "u") }, nil},
		"an-eleventh-user-policy":  {func(tx *Tx) error { return tx.Attach(UserHolder("u"), alphaPolicy("p10")) }, &LimitError{quota.UserPolicies, 10}},
		"an-eleventh-group-policy": {func(tx *Tx) error { return tx.Attach(GroupHolder("g"), alphaPolicy("p10")) }, &LimitError{quota.GroupPolicies, 10}},
		"an-eleventh-role-policy":  {func(tx *Tx) error { return tx.Attach(RoleHolder("r"), alphaPolicy("p10")) }, &LimitError{quota.RolePolicies, 10}},
		"a-policy-again":           {func(tx *Tx) error { return tx.Attach(RoleHolder("r"), alphaPolicy("p9")) }, nil},
		"51-tags-on-a-user":        {func(tx *Tx) error { return tx.CreateUser(&User{Name: "x", Tags: tags}) }, &LimitError{quota.Tags, 50}},
		"51-tags-on-a-policy":      {func(tx *Tx) error { return tx.CreatePolicy(&Policy{Name: "x", Tags: tags}, doc()) }, &LimitError{quota.Tags, 50}},
		"51-tags-on-a-profile":     {func(tx *Tx) error { return tx.CreateProfile(&InstanceProfile{Name: "x", Tags: tags}) }, &LimitError{quota.Tags, 50}},
		"a-long-policy":            {func(tx *Tx) error { return tx.CreatePolicy(&Policy{Name: "x"}, long(6145)) }, &LimitError{quota.PolicySize, 6144}},
		"a-policy-of-6144":         {func(tx *Tx) error { return tx.CreatePolicy(&Policy{Name: "longest"}, long(6144)) }, nil},
		"a-long-version":           {func(tx *Tx) error { _, err := tx.AddVersion(alphaPolicy("p1"), long(6145), false); return err }, &LimitError{quota.PolicySize, 6144}},
		"a-long-trust-policy":      {func(tx *Tx) error { return tx.CreateRole(&Role{Name: "x", Trust: long(2049)}) }, &LimitError{quota.AssumePolicySize, 2048}},
		"a-user-s-inline-policy":   {func(tx *Tx) error { return tx.PutInline(UserHolder("u"), "i", long(2049)) }, &LimitError{quota.UserPolicySize, 2048}},
		"a-group-s-inline-policies": {func(tx *Tx) error {
			return errors.Join(tx.PutInline(GroupHolder("g"), "a", long(5000)), tx.PutInline(GroupHolder("g"), "b", long(121)))
		}, &LimitError{quota.GroupPolicySize, 5120}},
		"a-role-s-inline-policies": {func(tx *Tx) error {
			return errors.Join(tx.PutInline(RoleHolder("r"), "a", long(10240)), tx.PutInline(RoleHolder("r"), "a", long(10240)))
		}, nil},
		"much-white-space": {func(tx *Tx) error {
			return tx.CreatePolicy(&Policy{Name: "x"}, NewDocument("", strings.Repeat(" ", quota.MaxRecord)))
		}, &LimitError{quota.RecordSize, quota.MaxRecord}},
		"three-root-keys": {func(tx *Tx) error {
			a := tx.Account()
			for range 3 {
				k, _ := s.NewKey(alpha)
				a.Keys = append(a.Keys, k)
			}
			return tx.PutAccount(a)
		}, &LimitError{quota.Keys, 2}},
	} {
		t.Run(what, func(t *testing.T) {
			wants(t, s, what, c.want, c.fn)
		})
	}
	update(t, s, func(tx *Tx) error { return tx.CreateUser(&User{Name: "tagged", Tags: tags[:5]}) })
	update(t, s, func(tx *Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{quota.GroupsPerUser: 3, quota.Tags: 3}
		return tx.PutAccount(a)
	})
	retag := func(n int) func(*Tx) error {
		return func(tx *Tx) error {
			u, err := tx.User("tagged")
			u.Tags = tags[:n]
			return errors.Join(err, tx.PutUser(u))
		}
	}
	wants(t, s, "more tags over a lowered quota", &LimitError{quota.Tags, 3}, retag(6))
	wants(t, s, "fewer tags over a lowered quota", nil, retag(4))
	wants(t, s, "leaving a group over a lowered quota", nil, func(tx *Tx) error { return tx.RemoveMember("g0", "u") })
	wants(t, s, "joining over a lowered quota", &LimitError{quota.GroupsPerUser, 3}, func(tx *Tx) error { return tx.AddMember("g10", "u") })
}

func TestPutRefusesWhatHasAnotherMethod(t *testing.T) {
	s, _ := newStore(t)
	update(t, s, all(createUser("u"), createGroup("g"), createRole("r"), createPolicy("p"),
		func(tx *Tx) error { return tx.CreateProfile(&InstanceProfile{Name: "i"}) }))
	user := func(change func(*User)) func(*Tx) error {
		return func(tx *Tx) error { u, err := tx.User("u"); change(u); return errors.Join(err, tx.PutUser(u)) }
	}
	role := func(change func(*Role)) func(*Tx) error {
		return func(tx *Tx) error { r, err := tx.Role("r"); change(r); return errors.Join(err, tx.PutRole(r)) }
	}
	group := func(change func(*Group)) func(*Tx) error {
		return func(tx *Tx) error { g, err := tx.Group("g"); change(g); return errors.Join(err, tx.PutGroup(g)) }
	}
	policy := func(change func(*Policy)) func(*Tx) error {
		return func(tx *Tx) error {
			p, err := tx.Policy(alphaPolicy("p"))
			change(p)
			return errors.Join(err, tx.PutPolicy(p))
		}
	}
	for what, fn := range map[string]func(*Tx) error{
		"user-id":               user(func(u *User) { u.ID = "AIDA" }),
		"user-name":             user(func(u *User) { u.Name = "U" }),
		"user-created":          user(func(u *User) { u.Created = time.Now() }),
		"user-groups":           user(func(u *User) { u.Groups = []string{"AGPA"} }),
		"user-attached":         user(func(u *User) { u.Attached = []string{alphaPolicy("p")} }),
		"user-boundary":         user(func(u *User) { u.Boundary = alphaPolicy("p") }),
		"user-path":             user(func(u *User) { u.Path = "x" }),
		"user-inline":           user(func(u *User) { u.Inline = []Inline{{"b", doc()}, {"a", doc()}} }),
		"user-inline-without":   user(func(u *User) { u.Inline = []Inline{{"b", nil}} }),
		"user-inline-not-utf-8": user(func(u *User) { u.Inline = []Inline{{"b", NewDocument("", "\xff")}} }),
		"policy-without-text":   func(tx *Tx) error { return tx.CreatePolicy(&Policy{Name: "x"}, nil) },
		"version-without-text":  func(tx *Tx) error { _, err := tx.AddVersion(alphaPolicy("p"), nil, true); return err },
		"role-trust":            role(func(r *Role) { r.Trust = nil }),
		"role-attached":         role(func(r *Role) { r.Attached = []string{alphaPolicy("p")} }),
		"role-boundary":         role(func(r *Role) { r.Boundary = alphaPolicy("p") }),
		"group-id":              group(func(g *Group) { g.ID = "" }),
		"group-attached":        group(func(g *Group) { g.Attached = []string{alphaPolicy("p")} }),
		"policy-versions":       policy(func(p *Policy) { p.Versions[0].Document = doc() }),
		"policy-default":        policy(func(p *Policy) { p.Default = "v2" }),
		"profile-role": func(tx *Tx) error {
			i, err := tx.Profile("i")
			i.Role = "r"
			return errors.Join(err, tx.PutProfile(i))
		},
		"account-alias": func(tx *Tx) error { a := tx.Account(); a.Alias = "x"; return tx.PutAccount(a) },
		"new-user":      func(tx *Tx) error { return tx.CreateUser(&User{Name: "x", Groups: []string{"AGPA"}}) },
		"new-role":      func(tx *Tx) error { return tx.CreateRole(&Role{Name: "x"}) },
		"group-bound":   func(tx *Tx) error { return tx.SetBoundary(GroupHolder("g"), alphaPolicy("p")) },
		"profile-holds": func(tx *Tx) error { return tx.Attach(Holder{KindProfile, "i"}, alphaPolicy("p")) },
	} {
		if err := s.Update(t.Context(), alpha, fn); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s = %v, want ErrInvalid", what, err)
		}
	}
	wants(t, s, "detaching what is not attached", notFound(KindPolicy, alphaPolicy("p")), func(tx *Tx) error { return tx.Detach(UserHolder("u"), alphaPolicy("p")) })
	wants(t, s, "removing no boundary", notFound(KindBoundary, "u"), func(tx *Tx) error { return tx.SetBoundary(UserHolder("u"), "") })
	wants(t, s, "removing no member", notFound(KindMember, "u in g"), func(tx *Tx) error { return tx.RemoveMember("G", "U") })
	wants(t, s, "removing no role", notFound(KindRole, "r"), func(tx *Tx) error { return tx.RemoveRole("i", "r") })
	wants(t, s, "deleting no inline policy", notFound(KindInline, "x"), func(tx *Tx) error { return tx.DeleteInline(RoleHolder("r"), "x") })
	wants(t, s, "a second role", &LimitError{quota.RolesPerProfile, 1}, func(tx *Tx) error { return errors.Join(tx.AddRole("i", "r"), tx.AddRole("i", "r")) })
	wants(t, s, "a change of tags", nil, policy(func(p *Policy) { p.Tags = []Tag{{"k", "v"}}; p.Description = "d" }))
	if p, err := view(t, s, alpha).PolicyNamed("p"); err != nil || len(p.Tags) != 1 || p.Description != "d" {
		t.Errorf("PolicyNamed(p) = %+v, %v, want it changed", p, err)
	}
}

func TestOneKeyHasOneOwner(t *testing.T) {
	s, _ := newStore(t)
	k, _ := s.NewKey(alpha)
	give := func(name string) func(*Tx) error {
		return func(tx *Tx) error {
			u, err := tx.User(name)
			u.Keys = append(u.Keys, k)
			return errors.Join(err, tx.PutUser(u))
		}
	}
	update(t, s, all(createUser("ann"), createUser("bob"), give("ann")))
	wants(t, s, "another's key", exists(KindKey, k.ID), give("bob"))
	wants(t, s, "one's own key again", exists(KindKey, k.ID), give("ann"))
	wants(t, s, "a user's key as root's", exists(KindKey, k.ID), func(tx *Tx) error {
		a := tx.Account()
		a.Keys = append(a.Keys, k)
		return tx.PutAccount(a)
	})
}

func TestQuotasAreTheDefaultsUntilChanged(t *testing.T) {
	s, _ := newStore(t)
	v := view(t, s, alpha)
	for _, q := range quota.All {
		if got := v.Quota(q.Name); got != q.Default {
			t.Errorf("Quota(%s) = %d, want %d", q.Name, got, q.Default)
		}
	}
	if got := v.Quota("none"); got != 0 {
		t.Errorf("Quota(none) = %d, want 0", got)
	}
}

func TestAccountsAndAliases(t *testing.T) {
	s, x := newStore(t)
	other := x.node(t)
	ctx := t.Context()
	made, err := s.CreateAccount(ctx, Account{Name: "third", Alias: "acme"})
	if err != nil || len(made.ID) != 12 || made.Created.IsZero() {
		t.Fatalf("CreateAccount = %+v, %v", made, err)
	}
	for what, c := range map[string]struct {
		a    Account
		want error
	}{
		"taken-id":    {Account{ID: alpha}, exists(KindAccount, alpha)},
		"taken-alias": {Account{Alias: "acme"}, exists(KindAlias, "acme")},
	} {
		if _, err := s.CreateAccount(ctx, c.a); err == nil || err.Error() != c.want.Error() {
			t.Errorf("CreateAccount with a %s = %v, want %v", what, err, c.want)
		}
	}
	for _, id := range []string{"1", "12345678901a", "../../../../x"} {
		if _, err := s.CreateAccount(ctx, Account{ID: id}); !errors.Is(err, ErrInvalid) {
			t.Errorf("CreateAccount(%q) = %v, want ErrInvalid", id, err)
		}
	}
	if err := other.SetAlias(ctx, alpha, "acme"); !errors.Is(err, ErrExists) {
		t.Errorf("SetAlias to one in use = %v, want ErrExists", err)
	}
	if err := other.SetAlias(ctx, alpha, "first"); err != nil {
		t.Fatal(err)
	}
	if err := other.SetAlias(ctx, alpha, "second"); err != nil {
		t.Fatal(err)
	}
	if err := other.SetAlias(ctx, alpha, "second"); err != nil {
		t.Errorf("SetAlias to one's own = %v", err)
	}
	if a, err := s.AccountByAlias(ctx, "second"); err != nil || a.ID != alpha || a.Alias != "second" {
		t.Errorf("AccountByAlias(second) = %+v, %v, want alpha", a, err)
	}
	if _, err := s.AccountByAlias(ctx, "first"); !errors.Is(err, ErrNotFound) {
		t.Errorf("AccountByAlias of a replaced alias = %v, want ErrNotFound", err)
	}
	if err := s.SetAlias(ctx, beta, "first"); err != nil {
		t.Errorf("SetAlias to one that is free again = %v", err)
	}
	if err := s.DeleteAlias(ctx, beta, "acme"); !errors.Is(err, ErrNotFound) {
		t.Errorf("DeleteAlias of another's = %v, want ErrNotFound", err)
	}
	if err := s.DeleteAlias(ctx, beta, "first"); err != nil || view(t, s, beta).Account().Alias != "" {
		t.Errorf("DeleteAlias = %v", err)
	}
	accounts, err := s.Accounts(ctx)
	var ids []string
	for _, a := range accounts {
		ids = append(ids, a.ID)
	}
	want := []string{alpha, beta, made.ID}
	slices.Sort(want)
	if err != nil || !slices.Equal(ids, want) {
		t.Errorf("Accounts = %v, %v, want %v", ids, err, want)
	}
	eventually(t, "the other node knows the new account", func() bool { _, err := other.View(ctx, made.ID); return err == nil })
}
