// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

func createDevice(s *Store, name string) func(*Tx) error {
	return func(tx *Tx) error {
		d, _ := s.NewDevice(alpha, "", name)
		return tx.CreateDevice(d)
	}
}

func deviceARN(name string) string { return "arn:aws:iam::" + alpha + ":mfa/" + name }

func TestDevices(t *testing.T) {
	s, x := newStore(t)
	update(t, s, all(createUser("ann"), createDevice(s, "phone"), createDevice(s, "Spare")))
	serial := deviceARN("phone")
	wants(t, s, "a device that is there", exists(KindDevice, deviceARN("PHONE")), createDevice(s, "PHONE"))
	wants(t, s, "assigning to nobody", notFound(KindUser, "eve"), func(tx *Tx) error { return tx.AssignDevice(serial, "eve", time.Now()) })
	wants(t, s, "another letter case", notFound(KindDevice, deviceARN("Phone")), func(tx *Tx) error { return tx.AssignDevice(deviceARN("Phone"), "ann", time.Now()) })
	update(t, s, func(tx *Tx) error { return tx.AssignDevice(serial, "ann", time.Now()) })
	wants(t, s, "assigning twice", exists(KindDevice, serial), func(tx *Tx) error { return tx.AssignDevice(serial, "", time.Now()) })
	wants(t, s, "deleting in use", &InUseError{KindDevice, serial, ReasonAssigned}, func(tx *Tx) error { return tx.DeleteDevice(serial) })
	wants(t, s, "deleting the owner", &InUseError{KindUser, "ann", ReasonDevice}, func(tx *Tx) error { return tx.DeleteUser("ann") })
	wants(t, s, "changing the owner by PutDevice", fmt.Errorf("MFA device %q: something changed that PutDevice does not change: %w", "phone", ErrInvalid), func(tx *Tx) error {
		d, err := tx.Device(serial)
		d.Owner = alpha
		return errors.Join(err, tx.PutDevice(d))
	})
	update(t, s, func(tx *Tx) error { return tx.RenameUser("ann", "Anna", "/x/") })
	other := x.node(t)
	for _, n := range []*Store{s, other} {
		v := view(t, n, alpha)
		u, err := v.User("anna")
		if err != nil || v.DeviceCount(u.ID) != 1 || v.DevicesInUse() != 1 || v.Usage(quota.VirtualDevices) != 2 {
			t.Fatalf("anna has %d devices, %d are in use, %v", v.DeviceCount(u.ID), v.DevicesInUse(), err)
		}
		for d := range v.DevicesOf(u.ID, "") {
			if v.DeviceARN(d) != serial || d.Owner != u.ID {
				t.Errorf("anna's device is %+v", d)
			}
		}
		d, err := v.Device(serial)
		if err != nil {
			t.Fatal(err)
		}
		if seed, err := n.Seed(alpha, d); err != nil || len(seed) != 40 {
			t.Errorf("Seed = %d bytes, %v", len(seed), err)
		}
		moved := *d
		moved.Name = "other"
		if _, err := n.Seed(alpha, &moved); err == nil {
			t.Error("the seed of one device opens for another")
		}
	}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.ReleaseDevice(serial), tx.DeleteDevice(serial), tx.DeleteUser("anna"))
	})
	if v := view(t, s, alpha); v.DevicesInUse() != 0 || v.Usage(quota.VirtualDevices) != 1 {
		t.Errorf("after deleting: %d in use of %d", v.DevicesInUse(), v.Usage(quota.VirtualDevices))
	}
}

// TestADeviceOutlivesNoOwner: a user that gets a device, or two that are one too
// many, while it is being deleted or given another.
func TestADeviceOutlivesNoOwner(t *testing.T) {
	s, x := newStore(t)
	other := x.node(t)
	update(t, s, all(createUser("ann"), createDevice(s, "one"), createDevice(s, "two"), func(tx *Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{quota.Devices: 1}
		return tx.PutAccount(a)
	}))
	eventually(t, "the other node sees the devices", func() bool { _, err := view(t, other, alpha).Device(deviceARN("two")); return err == nil })
	assign := func(name string) func(*Tx) error {
		return func(tx *Tx) error { return tx.AssignDevice(deviceARN(name), "ann", time.Now()) }
	}
	// meanwhile runs a change on the other node after the first attempt of fn and
	// before its commit.
	meanwhile := func(change, fn func(*Tx) error) func(*Tx) error {
		first := true
		return func(tx *Tx) error {
			err := fn(tx)
			if first {
				first = false
				update(t, other, change)
			}
			return err
		}
	}
	wants(t, s, "deleting a user who gets a device", &InUseError{KindUser, "ann", ReasonDevice},
		meanwhile(assign("one"), func(tx *Tx) error { return tx.DeleteUser("ann") }))
	update(t, s, func(tx *Tx) error { return tx.ReleaseDevice(deviceARN("one")) })
	eventually(t, "the other node sees the release", func() bool { return view(t, other, alpha).DevicesInUse() == 0 })
	wants(t, s, "one device too many", &LimitError{quota.Devices, 1}, meanwhile(assign("one"), assign("two")))
}

func TestServerCertificates(t *testing.T) {
	s, _ := newStore(t)
	c := &ServerCertificate{Name: "Tls", Body: "body"}
	update(t, s, func(tx *Tx) error { return tx.CreateServerCert(c) })
	if c.ID == "" || c.Path != "/" || c.Uploaded.IsZero() {
		t.Errorf("CreateServerCert fills %+v", c)
	}
	wants(t, s, "a name taken", exists(KindServerCert, "TLS"), func(tx *Tx) error { return tx.CreateServerCert(&ServerCertificate{Name: "TLS"}) })
	update(t, s, func(tx *Tx) error { return tx.RenameServerCert("tls", "Web", "/x/") })
	v := view(t, s, alpha)
	if got, err := v.ServerCert("WEB"); err != nil || got.ID != c.ID || v.ServerCertARN(got) != "arn:aws:iam::"+alpha+":server-certificate/x/Web" {
		t.Errorf("ServerCert(web) = %+v, %v", got, err)
	}
	wants(t, s, "another body", fmt.Errorf("server certificate %q: something changed that PutServerCert does not change: %w", "Web", ErrInvalid), func(tx *Tx) error {
		c, err := tx.ServerCert("web")
		c.Body = "x"
		return errors.Join(err, tx.PutServerCert(c))
	})
	update(t, s, func(tx *Tx) error { return tx.DeleteServerCert("web") })
	wants(t, s, "one that is gone", notFound(KindServerCert, "web"), func(tx *Tx) error { return tx.DeleteServerCert("web") })
}

func TestExpires(t *testing.T) {
	set := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	l := &LoginProfile{Created: set.AddDate(0, -1, 0), Changed: set}
	if got := l.Expires(nil); !got.IsZero() {
		t.Errorf("Expires without rules = %v", got)
	}
	if got, want := l.Expires(&PasswordRules{MaxAge: 90}), set.AddDate(0, 0, 90); !got.Equal(want) {
		t.Errorf("Expires = %v, want %v", got, want)
	}
}

func TestServiceSecrets(t *testing.T) {
	var c ServiceCredential
	if c.Matches("") {
		t.Error("a credential without a secret matches")
	}
	c.SetSecret("one")
	if !c.Matches("one") || c.Matches("two") || c.Matches("") {
		t.Error("Matches is wrong")
	}
}
