// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
)

// FuzzState applies changes made from bytes to a state, and compares its
// indexes with those of a state that is made from the records alone. Earlier
// snapshots must not change.
func FuzzState(f *testing.F) {
	f.Add([]byte{0, 0, 1, 7, 0, 0, 2, 9, 1, 1, 3, 8, 0, 0, 0, 0})
	f.Add([]byte("users join groups, groups hold policies, roles are in profiles, and all of it changes"))
	f.Fuzz(func(t *testing.T, program []byte) {
		s := newState(alpha)
		held, want := s.snapshot(), s.indexes()
		for i := 0; i+4 <= len(program) && i < 400; i += 4 {
			events := []kv.Event{event(t, program[i:i+4])}
			if program[i]&0x80 != 0 && i+8 <= len(program) { // two changes in one commit
				if e := event(t, program[i+4:i+8]); e.Key != events[0].Key {
					events = append(events, e)
				}
			}
			if err := s.apply(kv.Revision(i+1), events); err != nil {
				t.Fatal(err)
			}
			if i == 40 {
				held, want = s.snapshot(), s.indexes()
			}
		}
		if got := held.indexes(); got != want {
			t.Errorf("a snapshot changed:\n%s\nwas\n%s", got, want)
		}
		fresh := newState(alpha)
		v := &View{s: s}
		rebuild(t, fresh, dirUser, v.Users(""), func(u *User) string { return u.Name })
		rebuild(t, fresh, dirGroup, v.Groups(""), func(g *Group) string { return g.Name })
		rebuild(t, fresh, dirRole, v.Roles(""), func(r *Role) string { return r.Name })
		rebuild(t, fresh, dirPolicy, v.Policies(""), func(p *Policy) string { return p.Name })
		rebuild(t, fresh, dirProfile, v.Profiles(""), func(p *InstanceProfile) string { return p.Name })
		if got, want := s.indexes(), fresh.indexes(); got != want {
			t.Errorf("indexes:\n%s\nwant\n%s", got, want)
		}
	})
}

// event makes a change of a user, group, role, policy or profile. The ids
// follow from kind and name, as those of stored records are unique.
func event(t *testing.T, b []byte) kv.Event {
	name := string('a' + rune(b[1]%4))
	arn := func(x byte) string { return alphaPolicy(fmt.Sprint(x % 3)) }
	grants := Grants{Attached: []string{arn(b[2])}, Inline: []Inline{{"in", NewDocument("", fmt.Sprint(b[3]%2))}}}
	if b[2]%2 == 0 {
		grants.Attached = append(grants.Attached, arn(b[2]+1))
	}
	var dir string
	var rec any
	switch b[0] % 5 {
	case 0:
		u := &User{Name: name, ID: "AIDA" + name, Grants: grants, Boundary: arn(b[3])}
		for i := range b[3] % 3 {
			u.Groups = append(u.Groups, "AGPA"+string('a'+rune(i)))
			u.Keys = append(u.Keys, AccessKey{ID: fmt.Sprint("AKIA", name, (b[2]+i)%4)})
		}
		dir, rec = dirUser, u
	case 1:
		dir, rec = dirGroup, &Group{Name: name, ID: "AGPA" + name, Grants: grants}
	case 2:
		dir, rec = dirRole, &Role{Name: name, ID: "AROA" + name, Grants: grants, Boundary: arn(b[3])}
	case 3:
		p := &Policy{Name: name, ID: "ANPA" + name, Default: "v1"}
		for i := range b[3] % 4 {
			p.Versions = append(p.Versions, PolicyVersion{ID: fmt.Sprint("v", i), Document: doc()})
		}
		dir, rec = dirPolicy, p
	default:
		p := &InstanceProfile{Name: name, ID: "AIPA" + name}
		if b[3]%3 != 0 {
			p.Role = fmt.Sprint(b[3] % 3)
		}
		dir, rec = dirProfile, p
	}
	if b[3] >= 200 {
		return kv.Event{Key: dir + name, Deleted: true}
	}
	value, err := encode(rec)
	if err != nil {
		t.Fatal(err)
	}
	return kv.Event{Key: dir + name, Value: value}
}

func rebuild[T any](t *testing.T, s *state, dir string, recs func(func(*T) bool), name func(*T) string) {
	for rec := range recs {
		value, err := encode(rec)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.applyOne(1, kv.Event{Key: dir + name(rec), Value: value}); err != nil {
			t.Fatal(err)
		}
	}
}
