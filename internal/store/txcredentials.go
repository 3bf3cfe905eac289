// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
)

// checkCredentials checks the SSH keys, certificates and service credentials of
// a user, who was before.
func (tx *Tx) checkCredentials(was, u *User) error {
	a := tx.account.now
	if err := a.within(quota.SSHKeys, len(was.SSHKeys), len(u.SSHKeys)); err != nil {
		return err
	}
	if err := a.within(quota.SigningCerts, len(was.Certs), len(u.Certs)); err != nil {
		return err
	}
	for i := range u.Services {
		service := u.Services[i].Service
		if err := a.within(quota.ServiceCreds, was.servicesFor(service), u.servicesFor(service)); err != nil {
			return err
		}
	}
	return nil
}

func (u *User) servicesFor(service string) int {
	n := 0
	for i := range u.Services {
		if u.Services[i].Service == service {
			n++
		}
	}
	return n
}

// device finds an MFA device by its serial number, compared exactly.
func (tx *Tx) device(serial string) (*slot[MFADevice], error) {
	s := tx.devices.slot(tx.view.label(serial))
	if s.now == nil || tx.view.DeviceARN(s.now) != serial {
		return nil, notFound(KindDevice, serial)
	}
	return s, nil
}

// Device returns the MFA device with that serial number.
func (tx *Tx) Device(serial string) (*MFADevice, error) {
	s, err := tx.device(serial)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// CreateDevice stores a new MFA device without an owner, and fills Created and
// an empty Path. Path and name together must be new.
func (tx *Tx) CreateDevice(d *MFADevice) error {
	d.Path = cmp.Or(d.Path, "/")
	if err := checkName(KindDevice, d.Name); err != nil {
		return err
	}
	if d.Kind != DeviceVirtual && d.Kind != DeviceFIDO || d.Owner != "" {
		return invalid("new MFA device %q of kind %q with owner %q", d.Name, d.Kind, d.Owner)
	}
	s := tx.devices.slot(d.Label())
	if s.now != nil {
		return exists(KindDevice, tx.view.DeviceARN(d))
	}
	if err := tx.create(quota.VirtualDevices); err != nil {
		return err
	}
	d.Created = stamp(tx.a.s.now())
	if err := tx.checkRecord(d.Path, nil, d.Tags); err != nil {
		return err
	}
	s.set(d.clone())
	return nil
}

// PutDevice replaces an MFA device. Its name, kind, time of creation and owner
// must be as they were.
func (tx *Tx) PutDevice(d *MFADevice) error {
	s, err := tx.device(tx.view.DeviceARN(d))
	if err != nil {
		return err
	}
	was := s.now
	if d.Owner != was.Owner || !d.Enabled.Equal(was.Enabled) || !d.Created.Equal(was.Created) {
		return invalid("MFA device %q: something changed that PutDevice does not change", d.Name)
	}
	if err := tx.checkRecord(d.Path, was.Tags, d.Tags); err != nil {
		return err
	}
	s.set(d.clone())
	return nil
}

// AssignDevice gives an MFA device that has no owner to a user, or to the root
// user for "". The error is an ExistsError if it has one.
func (tx *Tx) AssignDevice(serial, user string, at time.Time) error {
	s, err := tx.device(serial)
	if err != nil {
		return err
	}
	if s.now.Owner != "" {
		return exists(KindDevice, serial)
	}
	owner, touch := tx.a.id, tx.account.touch
	if user != "" {
		u, err := tx.users.find(user)
		if err != nil {
			return err
		}
		owner, touch = u.now.ID, u.touch
	}
	n := tx.devicesOf(owner)
	if err := tx.account.now.within(quota.Devices, n, n+1); err != nil {
		return err
	}
	d := s.now.clone()
	d.Owner, d.Enabled = owner, stamp(at)
	s.set(d)
	touch() // who deletes the owner, or gives it another device, conflicts
	return nil
}

// devicesOf returns how many MFA devices an owner has.
func (tx *Tx) devicesOf(owner string) int {
	return tx.view.s.linked(linkDevice, owner) + tx.devices.changed(func(d *MFADevice) bool { return d.Owner == owner })
}

// ReleaseDevice takes an MFA device from its owner. Codes that were accepted
// stay spent.
func (tx *Tx) ReleaseDevice(serial string) error {
	s, err := tx.device(serial)
	if err != nil {
		return err
	}
	d := s.now.clone()
	d.Owner, d.Enabled = "", time.Time{}
	s.set(d)
	return nil
}

// DeleteDevice deletes an MFA device that has no owner.
func (tx *Tx) DeleteDevice(serial string) error {
	s, err := tx.device(serial)
	if err != nil {
		return err
	}
	if err := inUse(KindDevice, serial, []reason{{s.now.Owner != "", ReasonAssigned}}); err != nil {
		return err
	}
	s.set(nil)
	return nil
}

// ServerCert returns the server certificate of that name.
func (tx *Tx) ServerCert(name string) (*ServerCertificate, error) {
	s, err := tx.certs.find(name)
	if err != nil {
		return nil, err
	}
	return s.now.clone(), nil
}

// CreateServerCert stores a new server certificate, and fills ID, Uploaded and
// an empty Path.
func (tx *Tx) CreateServerCert(c *ServerCertificate) error {
	s, err := tx.certs.vacant(c.Name)
	if err != nil {
		return err
	}
	if err := tx.create(quota.ServerCerts); err != nil {
		return err
	}
	c.Path = cmp.Or(c.Path, "/")
	c.ID, c.Uploaded = tx.a.s.ids.Unique(ids.ServerCert, tx.a.id), stamp(tx.a.s.now())
	if err := tx.checkRecord(c.Path, nil, c.Tags); err != nil {
		return err
	}
	s.set(c.clone())
	return nil
}

// PutServerCert replaces the tags of a server certificate; nothing else may
// differ.
func (tx *Tx) PutServerCert(c *ServerCertificate) error {
	s, err := tx.certs.find(c.Name)
	if err != nil {
		return err
	}
	was := s.now
	if c.Name != was.Name || c.Path != was.Path || c.ID != was.ID || c.Body != was.Body || c.Chain != was.Chain ||
		!c.Uploaded.Equal(was.Uploaded) || !c.Expires.Equal(was.Expires) {
		return invalid("server certificate %q: something changed that PutServerCert does not change", c.Name)
	}
	if err := tx.checkRecord(c.Path, was.Tags, c.Tags); err != nil {
		return err
	}
	s.set(c.clone())
	return nil
}

// RenameServerCert changes a server certificate's name, path or both; "" leaves
// one as it is. Id and tags stay.
func (tx *Tx) RenameServerCert(name, newName, newPath string) error {
	s, err := tx.certs.find(name)
	if err != nil {
		return err
	}
	c := s.now.clone()
	c.Name, c.Path = cmp.Or(newName, c.Name), cmp.Or(newPath, c.Path)
	if err := checkPath(c.Path); err != nil {
		return err
	}
	return tx.certs.rename(s, name, c.Name, c)
}

// DeleteServerCert deletes a server certificate.
func (tx *Tx) DeleteServerCert(name string) error {
	s, err := tx.certs.find(name)
	if err != nil {
		return err
	}
	s.set(nil)
	return nil
}
