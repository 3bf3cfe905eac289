// SPDX-License-Identifier: Apache-2.0

// Package credapi is the operations of IAM on credentials: passwords, keys, devices, certificates.
package credapi

import (
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/passwords"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

//go:generate go run ../gen/shapes -package credapi iam ChangePassword CreateAccessKey CreateLoginProfile CreateServiceSpecificCredential CreateVirtualMFADevice DeactivateMFADevice DeleteAccessKey DeleteAccountPasswordPolicy DeleteLoginProfile DeleteSSHPublicKey DeleteServerCertificate DeleteServiceSpecificCredential DeleteSigningCertificate DeleteVirtualMFADevice EnableMFADevice GetAccessKeyLastUsed GetAccountPasswordPolicy GetLoginProfile GetMFADevice GetSSHPublicKey GetServerCertificate ListAccessKeys ListMFADeviceTags ListMFADevices ListSSHPublicKeys ListServerCertificateTags ListServerCertificates ListServiceSpecificCredentials ListSigningCertificates ListVirtualMFADevices ResetServiceSpecificCredential ResyncMFADevice TagMFADevice TagServerCertificate UntagMFADevice UntagServerCertificate UpdateAccessKey UpdateAccountPasswordPolicy UpdateLoginProfile UpdateSSHPublicKey UpdateServerCertificate UpdateServiceSpecificCredential UpdateSigningCertificate UploadSSHPublicKey UploadServerCertificate UploadSigningCertificate

// Options are what the operations need; all of them are required.
type Options struct {
	Store *store.Store
	Now   func() time.Time
}

// service has the operations as its methods.
type service struct {
	store  *store.Store
	now    func() time.Time
	hasher *passwords.Hasher
}

// Ops returns the operations in order of their names, for the IAM service.
func Ops(o Options) []api.Op {
	s := &service{store: o.Store, now: o.Now, hasher: passwords.New()}
	return s.ops()
}

// lastUse returns when something of the caller's account was last used.
func (s *service) lastUse(c *api.Call, id string) store.Use {
	return s.store.LastUse(string(c.Account), id)
}

// update changes the caller's account and maps the store's errors to AWS's. fn
// may run more than once.
func (s *service) update(c *api.Call, fn func(*store.Tx) error) error {
	return iamop.Fail(s.store.Update(c.Context(), string(c.Account), fn))
}
