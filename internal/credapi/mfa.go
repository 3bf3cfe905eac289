// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"cmp"
	"errors"
	"iter"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/mfa"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// An MFA device is named by its serial number, which is an ARN. Whom it belongs
// to, a user or the root user, is asked by the user's permission; the device
// itself, by the device's (Service Authorization Reference, "AWS Identity and
// Access Management").

// deviceCheck is the check for an operation on a device.
func deviceCheck(c *api.Call, serial string) authz.Check {
	resource := serial
	if !strings.HasPrefix(serial, "arn:") {
		resource = iamop.ARN(c, store.DeviceVirtual+"/"+serial)
	}
	ck := authz.Check{Resource: resource}
	if d, err := c.View.Device(serial); err == nil {
		iamop.ResourceTags(&ck, d.Tags)
	}
	return ck
}

func deviceTarget(c *api.Call, serial string) ([]authz.Check, error) {
	return []authz.Check{deviceCheck(c, serial)}, nil
}

// meansRoot reports whether a request that must name a user means the root user
// who makes it: by the name that lists show, or the account (quirk Q061).
func meansRoot(c *api.Call, name string) bool {
	if !c.Caller.Root() || name != iamop.RootName && name != string(c.Account) {
		return false
	}
	_, err := c.View.User(name)
	return err != nil
}

// ownerTarget is the target of an operation on the devices of a user that the
// request must name.
func ownerTarget(c *api.Call, name string) ([]authz.Check, error) {
	if meansRoot(c, name) {
		return iamop.SelfCheck(c, nil)
	}
	return iamop.UserTarget(c, name)
}

// owner returns the owner of devices that an optional UserName means, as the
// store and as answers call it.
func owner(c *api.Call, name *string) (id, shown string, err error) {
	if c.Caller.Root() && (name == nil || meansRoot(c, *name)) {
		return string(c.Account), iamop.RootName, nil
	}
	u, err := iamop.SelfUser(c, name)
	if err != nil {
		return "", "", err
	}
	return u.ID, u.Name, nil
}

func createVirtualMFADeviceTarget(c *api.Call, in *CreateVirtualMFADeviceInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: iamop.ARN(c, store.DeviceVirtual+wire.Value(in.Path, "/")+in.VirtualMFADeviceName)}
	return iamop.WithTags(ck, "iam:TagMFADevice", in.Tags), nil
}

func (s *service) createVirtualMFADevice(c *api.Call, in *CreateVirtualMFADeviceInput) (*CreateVirtualMFADeviceOutput, error) {
	tags, err := iamop.NewTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	made, seed := s.store.NewDevice(string(c.Account), wire.Value(in.Path, "/"), in.VirtualMFADeviceName)
	made.Tags = tags
	account := c.View.Account()
	png, err := mfa.QR(mfa.URI(made.Name, cmp.Or(account.Alias, account.ID), seed))
	if err != nil {
		return nil, err
	}
	if err := s.update(c, func(tx *store.Tx) error { return tx.CreateDevice(made) }); err != nil {
		return nil, err
	}
	return &CreateVirtualMFADeviceOutput{VirtualMFADevice: VirtualMFADevice{
		SerialNumber: c.View.DeviceARN(made), Base32StringSeed: []byte(mfa.Base32(seed)), QRCodePNG: png, Tags: iamop.ShowTags[Tag](tags),
	}}, nil
}

func deleteVirtualMFADeviceTarget(c *api.Call, in *DeleteVirtualMFADeviceInput) ([]authz.Check, error) {
	return deviceTarget(c, in.SerialNumber)
}

func (s *service) deleteVirtualMFADevice(c *api.Call, in *DeleteVirtualMFADeviceInput) error {
	return s.update(c, func(tx *store.Tx) error {
		d, err := tx.Device(in.SerialNumber)
		if err == nil && d.Kind != store.DeviceVirtual {
			return noDevice(in.SerialNumber)
		}
		return tx.DeleteDevice(in.SerialNumber)
	})
}

func noDevice(serial string) error {
	return awserr.NoSuchEntity.Msg("VirtualMFADevice with serial number %s doesn't exist.", serial)
}

func (s *service) check(c *api.Call, serial string) *mfa.Check {
	return &mfa.Check{Store: s.store, Account: string(c.Account), Serial: serial, Now: s.now()}
}

// codeError maps the errors of checking codes, and those of the store.
func codeError(err error, serial string) error {
	if e, ok := errors.AsType[*mfa.LockedError](err); ok {
		return awserr.EntityTemporarilyUnmodifiable.Msg("Too many invalid authentication codes for the device. Try again after %s.", e.Until.UTC().Format(iamop.ISO8601))
	}
	switch {
	case errors.Is(err, mfa.ErrCode):
		return awserr.InvalidAuthenticationCode.Msg("Authentication code for device is not valid.").Because(err)
	case errors.Is(err, mfa.ErrDevice):
		return noDevice(serial)
	}
	return iamop.Fail(err)
}

func enableMFADeviceTarget(c *api.Call, in *EnableMFADeviceInput) ([]authz.Check, error) {
	return ownerTarget(c, in.UserName)
}

func (s *service) enableMFADevice(c *api.Call, in *EnableMFADeviceInput) error {
	user := in.UserName
	if meansRoot(c, user) {
		user = ""
	}
	err := s.check(c, in.SerialNumber).Enable(c.Context(), user, in.AuthenticationCode1, in.AuthenticationCode2)
	if errors.Is(err, store.ErrExists) {
		return awserr.EntityAlreadyExists.Msg("MFA device %s is already in use.", in.SerialNumber).Because(err)
	}
	return codeError(err, in.SerialNumber)
}

func resyncMFADeviceTarget(c *api.Call, in *ResyncMFADeviceInput) ([]authz.Check, error) {
	return ownerTarget(c, in.UserName)
}

func (s *service) resyncMFADevice(c *api.Call, in *ResyncMFADeviceInput) error {
	id, _, err := owner(c, &in.UserName)
	if err != nil {
		return err
	}
	err = s.check(c, in.SerialNumber).Resync(c.Context(), id, in.AuthenticationCode1, in.AuthenticationCode2)
	return codeError(err, in.SerialNumber)
}

func deactivateMFADeviceTarget(c *api.Call, in *DeactivateMFADeviceInput) ([]authz.Check, error) {
	if in.UserName == nil {
		return iamop.SelfCheck(c, nil)
	}
	return ownerTarget(c, *in.UserName)
}

func (s *service) deactivateMFADevice(c *api.Call, in *DeactivateMFADeviceInput) error {
	id, _, err := owner(c, in.UserName)
	if err != nil {
		return err
	}
	return s.update(c, func(tx *store.Tx) error {
		d, err := tx.Device(in.SerialNumber)
		if err != nil {
			return err
		}
		if d.Owner != id {
			return noDevice(in.SerialNumber)
		}
		if err := tx.ReleaseDevice(in.SerialNumber); err != nil || d.Kind == store.DeviceVirtual {
			return err
		}
		return tx.DeleteDevice(in.SerialNumber) // there is no use for a FIDO device without its owner
	})
}

func getMFADeviceTarget(c *api.Call, in *GetMFADeviceInput) ([]authz.Check, error) {
	if in.UserName == nil {
		return iamop.SelfCheck(c, nil)
	}
	return ownerTarget(c, *in.UserName)
}

func (s *service) getMFADevice(c *api.Call, in *GetMFADeviceInput) (*GetMFADeviceOutput, error) {
	id, name, err := owner(c, in.UserName)
	if err != nil {
		return nil, err
	}
	d, err := c.View.Device(in.SerialNumber)
	if err != nil || d.Owner != id {
		return nil, noDevice(in.SerialNumber)
	}
	return &GetMFADeviceOutput{UserName: &name, SerialNumber: in.SerialNumber, EnableDate: d.Enabled, Certifications: d.Certifications}, nil
}

func listMFADevicesTarget(c *api.Call, in *ListMFADevicesInput) ([]authz.Check, error) {
	if in.UserName == nil {
		return iamop.SelfCheck(c, nil)
	}
	return ownerTarget(c, *in.UserName)
}

func (s *service) listMFADevices(c *api.Call, in *ListMFADevicesInput) (*ListMFADevicesOutput, error) {
	id, name, err := owner(c, in.UserName)
	if err != nil {
		return nil, err
	}
	from := func(after string) iter.Seq2[string, *store.MFADevice] {
		return labelled(c.View.DevicesOf(id, after), func(*store.MFADevice) bool { return true })
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(d *store.MFADevice) MFADevice {
		return MFADevice{UserName: name, SerialNumber: c.View.DeviceARN(d), EnableDate: d.Enabled}
	})
	if err != nil {
		return nil, err
	}
	return &ListMFADevicesOutput{MFADevices: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// labelled yields those devices that are wanted with their labels, as paginate
// takes them.
func labelled(seq iter.Seq[*store.MFADevice], wanted func(*store.MFADevice) bool) iter.Seq2[string, *store.MFADevice] {
	return func(yield func(string, *store.MFADevice) bool) {
		for d := range seq {
			if wanted(d) && !yield(d.Label(), d) {
				return
			}
		}
	}
}

func listVirtualMFADevicesTarget(c *api.Call, _ *ListVirtualMFADevicesInput) ([]authz.Check, error) {
	return iamop.List(c, store.DeviceVirtual+"/")
}

func (s *service) listVirtualMFADevices(c *api.Call, in *ListVirtualMFADevicesInput) (*ListVirtualMFADevicesOutput, error) {
	status := wire.Value(in.AssignmentStatus, AssignmentStatusTypeAny)
	from := func(after string) iter.Seq2[string, *store.MFADevice] {
		return labelled(c.View.Devices(after), func(d *store.MFADevice) bool {
			return d.Kind == store.DeviceVirtual &&
				(status == AssignmentStatusTypeAny || (d.Owner != "") == (status == AssignmentStatusTypeAssigned))
		})
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(d *store.MFADevice) VirtualMFADevice {
		return VirtualMFADevice{SerialNumber: c.View.DeviceARN(d), EnableDate: d.Enabled, User: s.ownerOf(c, d)}
	})
	if err != nil {
		return nil, err
	}
	return &ListVirtualMFADevicesOutput{VirtualMFADevices: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// ownerOf returns whom a device is assigned to, or nil.
func (s *service) ownerOf(c *api.Call, d *store.MFADevice) *User {
	if a := c.View.Account(); d.Owner == a.ID {
		return &User{
			UserName: a.Name, UserId: a.ID, Arn: string(arn.Root(c.Account)), CreateDate: a.Created, Path: "/",
			PasswordLastUsed: s.lastUse(c, a.ID).Time,
		}
	}
	u, err := c.View.UserByID(d.Owner)
	if err != nil {
		return nil
	}
	return &User{
		Path: u.Path, UserName: u.Name, UserId: u.ID, Arn: c.View.UserARN(u), CreateDate: u.Created,
		PasswordLastUsed: s.lastUse(c, u.ID).Time,
	}
}

func tagMFADeviceTarget(c *api.Call, in *TagMFADeviceInput) ([]authz.Check, error) {
	checks, err := deviceTarget(c, in.SerialNumber)
	return iamop.TagTarget(checks, err, in.Tags)
}

func (s *service) tagMFADevice(c *api.Call, in *TagMFADeviceInput) error {
	return s.update(c, func(tx *store.Tx) error {
		d, err := tx.Device(in.SerialNumber)
		if err != nil {
			return err
		}
		if d.Tags, err = iamop.NewTags(d.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutDevice(d)
	})
}

func untagMFADeviceTarget(c *api.Call, in *UntagMFADeviceInput) ([]authz.Check, error) {
	checks, err := deviceTarget(c, in.SerialNumber)
	return iamop.UntagTarget(checks, err, in.TagKeys)
}

func (s *service) untagMFADevice(c *api.Call, in *UntagMFADeviceInput) error {
	return s.update(c, func(tx *store.Tx) error {
		d, err := tx.Device(in.SerialNumber)
		if err != nil {
			return err
		}
		d.Tags = iamop.WithoutTags(d.Tags, in.TagKeys)
		return tx.PutDevice(d)
	})
}

func listMFADeviceTagsTarget(c *api.Call, in *ListMFADeviceTagsInput) ([]authz.Check, error) {
	return deviceTarget(c, in.SerialNumber)
}

func (s *service) listMFADeviceTags(c *api.Call, in *ListMFADeviceTagsInput) (*ListMFADeviceTagsOutput, error) {
	d, err := c.View.Device(in.SerialNumber)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	p, err := iamop.TagPage[Tag](d.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListMFADeviceTagsOutput{Tags: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
