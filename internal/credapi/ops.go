// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
)

// ops is the index of the package, sorted by name.
func (s *service) ops() []api.Op { return slices.Concat(s.opsToG(), s.opsFromL()) }

func (s *service) opsToG() []api.Op {
	return []api.Op{
		api.Void("iam:ChangePassword", decodeChangePasswordInput, changePasswordTarget, s.changePassword),
		api.Write("iam:CreateAccessKey", decodeCreateAccessKeyInput, createAccessKeyTarget, s.createAccessKey),
		api.Write("iam:CreateLoginProfile", decodeCreateLoginProfileInput, createLoginProfileTarget, s.createLoginProfile),
		api.Write("iam:CreateServiceSpecificCredential", decodeCreateServiceSpecificCredentialInput, createServiceSpecificCredentialTarget, s.createServiceSpecificCredential),
		api.Write("iam:CreateVirtualMFADevice", decodeCreateVirtualMFADeviceInput, createVirtualMFADeviceTarget, s.createVirtualMFADevice),
		api.Void("iam:DeactivateMFADevice", decodeDeactivateMFADeviceInput, deactivateMFADeviceTarget, s.deactivateMFADevice),
		api.Void("iam:DeleteAccessKey", decodeDeleteAccessKeyInput, deleteAccessKeyTarget, s.deleteAccessKey),
		api.Void("iam:DeleteAccountPasswordPolicy", decodeDeleteAccountPasswordPolicyInput, iamop.Whole, s.deleteAccountPasswordPolicy),
		api.Void("iam:DeleteLoginProfile", decodeDeleteLoginProfileInput, deleteLoginProfileTarget, s.deleteLoginProfile),
		api.Void("iam:DeleteSSHPublicKey", decodeDeleteSSHPublicKeyInput, deleteSSHPublicKeyTarget, s.deleteSSHPublicKey),
		api.Void("iam:DeleteServerCertificate", decodeDeleteServerCertificateInput, deleteServerCertificateTarget, s.deleteServerCertificate),
		api.Void("iam:DeleteServiceSpecificCredential", decodeDeleteServiceSpecificCredentialInput, deleteServiceSpecificCredentialTarget, s.deleteServiceSpecificCredential),
		api.Void("iam:DeleteSigningCertificate", decodeDeleteSigningCertificateInput, deleteSigningCertificateTarget, s.deleteSigningCertificate),
		api.Void("iam:DeleteVirtualMFADevice", decodeDeleteVirtualMFADeviceInput, deleteVirtualMFADeviceTarget, s.deleteVirtualMFADevice),
		api.Void("iam:EnableMFADevice", decodeEnableMFADeviceInput, enableMFADeviceTarget, s.enableMFADevice),
		api.Read("iam:GetAccessKeyLastUsed", decodeGetAccessKeyLastUsedInput, getAccessKeyLastUsedTarget, s.getAccessKeyLastUsed),
		api.Read("iam:GetAccountPasswordPolicy", decodeGetAccountPasswordPolicyInput, getAccountPasswordPolicyTarget, s.getAccountPasswordPolicy),
		api.Read("iam:GetLoginProfile", decodeGetLoginProfileInput, getLoginProfileTarget, s.getLoginProfile),
		api.Read("iam:GetMFADevice", decodeGetMFADeviceInput, getMFADeviceTarget, s.getMFADevice),
		api.Read("iam:GetSSHPublicKey", decodeGetSSHPublicKeyInput, getSSHPublicKeyTarget, s.getSSHPublicKey),
		api.Read("iam:GetServerCertificate", decodeGetServerCertificateInput, getServerCertificateTarget, s.getServerCertificate),
	}
}

func (s *service) opsFromL() []api.Op {
	return []api.Op{
		api.Read("iam:ListAccessKeys", decodeListAccessKeysInput, listAccessKeysTarget, s.listAccessKeys),
		api.Read("iam:ListMFADeviceTags", decodeListMFADeviceTagsInput, listMFADeviceTagsTarget, s.listMFADeviceTags),
		api.Read("iam:ListMFADevices", decodeListMFADevicesInput, listMFADevicesTarget, s.listMFADevices),
		api.Read("iam:ListSSHPublicKeys", decodeListSSHPublicKeysInput, listSSHPublicKeysTarget, s.listSSHPublicKeys),
		api.Read("iam:ListServerCertificateTags", decodeListServerCertificateTagsInput, listServerCertificateTagsTarget, s.listServerCertificateTags),
		api.Read("iam:ListServerCertificates", decodeListServerCertificatesInput, listServerCertificatesTarget, s.listServerCertificates),
		api.Read("iam:ListServiceSpecificCredentials", decodeListServiceSpecificCredentialsInput, listServiceSpecificCredentialsTarget, s.listServiceSpecificCredentials),
		api.Read("iam:ListSigningCertificates", decodeListSigningCertificatesInput, listSigningCertificatesTarget, s.listSigningCertificates),
		api.Read("iam:ListVirtualMFADevices", decodeListVirtualMFADevicesInput, listVirtualMFADevicesTarget, s.listVirtualMFADevices),
		api.Write("iam:ResetServiceSpecificCredential", decodeResetServiceSpecificCredentialInput, resetServiceSpecificCredentialTarget, s.resetServiceSpecificCredential),
		api.Void("iam:ResyncMFADevice", decodeResyncMFADeviceInput, resyncMFADeviceTarget, s.resyncMFADevice),
		api.Void("iam:TagMFADevice", decodeTagMFADeviceInput, tagMFADeviceTarget, s.tagMFADevice),
		api.Void("iam:TagServerCertificate", decodeTagServerCertificateInput, tagServerCertificateTarget, s.tagServerCertificate),
		api.Void("iam:UntagMFADevice", decodeUntagMFADeviceInput, untagMFADeviceTarget, s.untagMFADevice),
		api.Void("iam:UntagServerCertificate", decodeUntagServerCertificateInput, untagServerCertificateTarget, s.untagServerCertificate),
		api.Void("iam:UpdateAccessKey", decodeUpdateAccessKeyInput, updateAccessKeyTarget, s.updateAccessKey),
		api.Void("iam:UpdateAccountPasswordPolicy", decodeUpdateAccountPasswordPolicyInput, iamop.Whole, s.updateAccountPasswordPolicy),
		api.Void("iam:UpdateLoginProfile", decodeUpdateLoginProfileInput, updateLoginProfileTarget, s.updateLoginProfile),
		api.Void("iam:UpdateSSHPublicKey", decodeUpdateSSHPublicKeyInput, updateSSHPublicKeyTarget, s.updateSSHPublicKey),
		api.Void("iam:UpdateServerCertificate", decodeUpdateServerCertificateInput, updateServerCertificateTarget, s.updateServerCertificate),
		api.Void("iam:UpdateServiceSpecificCredential", decodeUpdateServiceSpecificCredentialInput, updateServiceSpecificCredentialTarget, s.updateServiceSpecificCredential),
		api.Void("iam:UpdateSigningCertificate", decodeUpdateSigningCertificateInput, updateSigningCertificateTarget, s.updateSigningCertificate),
		api.Write("iam:UploadSSHPublicKey", decodeUploadSSHPublicKeyInput, uploadSSHPublicKeyTarget, s.uploadSSHPublicKey),
		api.Write("iam:UploadServerCertificate", decodeUploadServerCertificateInput, uploadServerCertificateTarget, s.uploadServerCertificate),
		api.Write("iam:UploadSigningCertificate", decodeUploadSigningCertificateInput, uploadSigningCertificateTarget, s.uploadSigningCertificate),
	}
}
