// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// Kinds of MFA devices, with which their serial numbers begin.
const (
	DeviceVirtual = "mfa" // makes codes of six digits from a seed and the time
	DeviceFIDO    = "u2f"
)

// An MFADevice is a second factor. It belongs to a user or the root user from
// the time that it is assigned.
type MFADevice struct {
	Kind    string    `json:"kind"` // DeviceVirtual or DeviceFIDO
	Name    string    `json:"name"`
	Path    string    `json:"path"`
	Created time.Time `json:"created"`
	Tags    []Tag     `json:"tags,omitempty"`
	Owner   string    `json:"owner,omitempty"` // unique id of the user, or the account's id for the root user; "" when unassigned
	Enabled time.Time `json:"enabled,omitzero"`

	Sealed         []byte            `json:"sealed,omitempty"`         // seed of a virtual device; see Store.Seed
	Certifications map[string]string `json:"certifications,omitempty"` // of a FIDO device, as its maker states them

	Step  int64 `json:"step,omitempty"`  // of the newest code accepted, by the device's clock: that one and all before it are spent
	Drift int64 `json:"drift,omitempty"` // steps by which the device's clock is ahead of ours
	Tries       // at codes
}

// Label returns the end of a device's serial number, which names it in its
// account and by which lists are ordered: "mfa/phone".
func (d *MFADevice) Label() string { return d.Kind + d.Path + d.Name }

func (d *MFADevice) clone() *MFADevice {
	c := *d
	c.Tags = slices.Clone(d.Tags)
	return &c
}

func (d *MFADevice) links() []string {
	if d == nil || d.Owner == "" {
		return nil
	}
	return []string{linkTo(linkDevice, d.Owner) + "\x00" + lower(d.Label())}
}

func (s *state) indexDevice(old, now *MFADevice) {
	before, after := old.links(), now.links()
	s.assigned += len(after) - len(before)
	s.relink(before, after)
}

// seedSize is the size of a virtual device's seed in bytes, as AWS makes them:
// 64 characters of base32.
const seedSize = 40

// NewDevice returns a virtual device of an account, not stored yet, and its
// seed. The seed is sealed for this path ("" is "/") and name.
func (s *Store) NewDevice(account, path, name string) (*MFADevice, []byte) {
	d := &MFADevice{Kind: DeviceVirtual, Name: name, Path: cmp.Or(path, "/")}
	seed := s.ids.Bytes(seedSize)
	d.Sealed = s.keeper.Seal(seed, seedContext(account, d))
	return d, seed
}

// Seed returns the seed of a virtual device. The error wraps those of package
// seal.
func (s *Store) Seed(account string, d *MFADevice) ([]byte, error) {
	seed, err := s.keeper.Unseal(d.Sealed, seedContext(account, d))
	if err != nil {
		return nil, fmt.Errorf("MFA device %s: %w", d.Label(), err)
	}
	return seed, nil
}

func seedContext(account string, d *MFADevice) []byte {
	return []byte("device/" + account + "/" + d.Label())
}

// Device returns the MFA device with that serial number, compared exactly.
func (v *View) Device(serial string) (*MFADevice, error) {
	r, ok := v.s.devices.Get(lower(v.label(serial)))
	if !ok || v.DeviceARN(r.rec) != serial {
		return nil, notFound(KindDevice, serial)
	}
	return r.rec, nil
}

// label returns the end of a serial number of this account, else "".
func (v *View) label(serial string) string {
	label, ok := strings.CutPrefix(serial, arnOf(v.s.id, "", "", ""))
	if !ok {
		return ""
	}
	return label
}

// Devices lists the MFA devices after a label.
func (v *View) Devices(after string) iter.Seq[*MFADevice] { return list(v.s.devices, after) }

// DevicesOf lists the MFA devices of an owner after a label: a user's unique id,
// or the account's id for the root user.
func (v *View) DevicesOf(owner, after string) iter.Seq[*MFADevice] {
	return linkedFrom(v.s, v.s.devices, linkDevice, owner, after)
}

// DeviceCount returns how many MFA devices an owner has.
func (v *View) DeviceCount(owner string) int { return v.s.linked(linkDevice, owner) }

// DevicesInUse returns how many MFA devices have an owner.
func (v *View) DevicesInUse() int { return v.s.assigned }

// DeviceARN returns the serial number of an MFA device of this account.
func (v *View) DeviceARN(d *MFADevice) string { return arnOf(v.s.id, d.Kind, d.Path, d.Name) }

// ServerCert returns the server certificate of that name.
func (v *View) ServerCert(name string) (*ServerCertificate, error) {
	return lookup(v.s.certs, KindServerCert, name)
}

// ServerCerts lists the server certificates after a name.
func (v *View) ServerCerts(after string) iter.Seq[*ServerCertificate] { return list(v.s.certs, after) }

// ServerCertARN returns the ARN of a server certificate of this account.
func (v *View) ServerCertARN(c *ServerCertificate) string {
	return arnOf(v.s.id, "server-certificate", c.Path, c.Name)
}
