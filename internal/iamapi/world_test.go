// SPDX-License-Identifier: Apache-2.0

package iamapi_test

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	prefix      = "arn:aws:iam::" + iamtest.Account + ":"
	anyPolicy   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`
	trustPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + iamtest.Account + `"},"Action":"sts:AssumeRole"}]}`
	readOnly    = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

// A world is a node with one of everything: the user ann in /t/ with a key, the
// group devs in /g/, the role app in /r/, the policy pol in /p/ with two versions,
// the empty instance profile prof in /i/ and full with the role app, the MFA device
// spare in /d/ and the server certificate tls in /c/, each tagged
// team=blue where it can be; and the user carl, who calls.
type world struct {
	*iamtest.Server
	carl *iamtest.Client
	key  string // id of ann's access key
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{Server: iamtest.Start(t)}
	st := w.Store()
	own, secret := st.NewKey(iamtest.Account)
	key, _ := st.NewKey(iamtest.Account)
	w.carl, w.key = w.Client(own.ID, secret, ""), key.ID
	tags := []store.Tag{{Key: "team", Value: "blue"}}
	inline := []store.Inline{{Name: "in", Document: store.NewDocument("in", anyPolicy)}}
	w.change(t, func(tx *store.Tx) error {
		policy := prefix + "policy/p/pol"
		for _, step := range []func() error{
			func() error {
				return tx.CreatePolicy(&store.Policy{Name: "pol", Path: "/p/", Tags: tags}, store.NewDocument("", anyPolicy))
			},
			func() error { _, err := tx.AddVersion(policy, store.NewDocument("", anyPolicy), false); return err },
			func() error { return tx.CreateUser(&store.User{Name: "carl", Keys: []store.AccessKey{own}}) },
			func() error {
				return tx.CreateUser(&store.User{Name: "ann", Path: "/t/", Tags: tags, Boundary: readOnly, Keys: []store.AccessKey{key}, Grants: store.Grants{Inline: inline}})
			},
			func() error {
				return tx.CreateGroup(&store.Group{Name: "devs", Path: "/g/", Grants: store.Grants{Inline: inline}})
			},
			func() error {
				return tx.CreateRole(&store.Role{Name: "app", Path: "/r/", Tags: tags, Boundary: readOnly, Trust: store.NewTrust(trustPolicy, nil), Grants: store.Grants{Inline: inline}})
			},
			func() error { return tx.CreateProfile(&store.InstanceProfile{Name: "prof", Path: "/i/", Tags: tags}) },
			func() error { return tx.CreateProfile(&store.InstanceProfile{Name: "full"}) },
			func() error { return tx.AddRole("full", "app") },
			func() error {
				return tx.CreateDevice(&store.MFADevice{Kind: store.DeviceVirtual, Name: "spare", Path: "/d/", Tags: tags})
			},
			func() error {
				return tx.CreateServerCert(&store.ServerCertificate{Name: "tls", Path: "/c/", Tags: tags})
			},
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	return w
}

func (w *world) change(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	if err := w.Store().Update(t.Context(), iamtest.Account, fn); err != nil {
		t.Fatal(err)
	}
}

// allow makes a policy the only one of the caller.
func (w *world) allow(t testing.TB, policy string) {
	t.Helper()
	w.change(t, func(tx *store.Tx) error {
		return tx.PutInline(store.UserHolder("carl"), "test", store.NewDocument("test", policy))
	})
}
