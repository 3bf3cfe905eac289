// SPDX-License-Identifier: Apache-2.0

package terraform

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/crypto/ssh"
)

// waiting is how long a waiter or a poll may take.
const waiting = 10 * time.Second

// certificate returns a new certificate and its key, as a configuration has them.
var certificate = sync.OnceValues(func() (cert, key string) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		panic(err)
	}
	bytes, err := x509.MarshalECPrivateKey(k)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: bytes}))
})

// sshKey is a public key as ssh-keygen writes it.
var sshKey = sync.OnceValue(func() string {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	pub, err := ssh.NewPublicKey(k.Public())
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))
})

// metadata is a document of an identity provider, long enough for AWS.
func metadata(entity string) string {
	cert, _ := certificate()
	block, _ := pem.Decode([]byte(cert))
	return `<?xml version="1.0" encoding="UTF-8"?>
<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://` + entity + `/metadata" validUntil="2099-01-01T00:00:00Z">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>` + base64.StdEncoding.EncodeToString(block.Bytes) + `</X509Certificate></X509Data></KeyInfo></KeyDescriptor>
    <SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://` + entity + `/logout"/>
    <NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</NameIDFormat>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://` + entity + `/sso"/>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://` + entity + `/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>
`
}

var providers = []resource{{
	name: "aws_iam_openid_connect_provider",
	create: func(c *calls) error {
		_, err := c.iam.CreateOpenIDConnectProvider(c.ctx, &iam.CreateOpenIDConnectProviderInput{Url: aws.String("https://ci.example.com/t"), ClientIDList: []string{"sts.amazonaws.com"},
			ThumbprintList: []string{strings.Repeat("ab", 20)}, Tags: tags("k", "v")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetOpenIDConnectProvider(c.ctx, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: c.arn("oidc-provider", "ci.example.com/t")})
		if err != nil {
			return nil, err
		}
		return attributes{"url": *out.Url, "client_id_list": fmt.Sprint(out.ClientIDList), "thumbprint_list": fmt.Sprint(out.ThumbprintList), "tags": tagged(out.Tags)}, nil
	},
	want: attributes{"url": "ci.example.com/t", "client_id_list": "[sts.amazonaws.com]", "thumbprint_list": "[" + strings.Repeat("ab", 20) + "]", "tags": "map[k:v]"},
	change: func(c *calls) error {
		arn := c.arn("oidc-provider", "ci.example.com/t")
		_, err := c.iam.UpdateOpenIDConnectProviderThumbprint(c.ctx, &iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn, ThumbprintList: []string{strings.Repeat("cd", 20)}})
		_, err2 := c.iam.AddClientIDToOpenIDConnectProvider(c.ctx, &iam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: aws.String("app")})
		_, err3 := c.iam.RemoveClientIDFromOpenIDConnectProvider(c.ctx, &iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: aws.String("sts.amazonaws.com")})
		return errors.Join(err, err2, err3)
	},
	then: attributes{"client_id_list": "[app]", "thumbprint_list": "[" + strings.Repeat("cd", 20) + "]"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteOpenIDConnectProvider(c.ctx, &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: c.arn("oidc-provider", "ci.example.com/t")})
		return err
	},
}, {
	name: "aws_iam_saml_provider",
	create: func(c *calls) error {
		_, err := c.iam.CreateSAMLProvider(c.ctx, &iam.CreateSAMLProviderInput{Name: aws.String("tf-corp"), SAMLMetadataDocument: aws.String(metadata("one.example.com")), Tags: tags("k", "v")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetSAMLProvider(c.ctx, &iam.GetSAMLProviderInput{SAMLProviderArn: c.arn("saml-provider", "tf-corp")})
		if err != nil {
			return nil, err
		}
		return attributes{"saml_metadata_document": *out.SAMLMetadataDocument, "valid_until": out.ValidUntil.Format(time.RFC3339), "tags": tagged(out.Tags)}, nil
	},
	want: attributes{"saml_metadata_document": metadata("one.example.com"), "valid_until": "2099-01-01T00:00:00Z", "tags": "map[k:v]"},
	change: func(c *calls) error {
		_, err := c.iam.UpdateSAMLProvider(c.ctx, &iam.UpdateSAMLProviderInput{SAMLProviderArn: c.arn("saml-provider", "tf-corp"), SAMLMetadataDocument: aws.String(metadata("two.example.com"))})
		return err
	},
	then: attributes{"saml_metadata_document": metadata("two.example.com")},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteSAMLProvider(c.ctx, &iam.DeleteSAMLProviderInput{SAMLProviderArn: c.arn("saml-provider", "tf-corp")})
		return err
	},
}, {
	name: "aws_iam_account_password_policy",
	create: func(c *calls) error {
		_, err := c.iam.UpdateAccountPasswordPolicy(c.ctx, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(14), RequireNumbers: true, AllowUsersToChangePassword: true,
			MaxPasswordAge: aws.Int32(90), PasswordReusePrevention: aws.Int32(5), HardExpiry: aws.Bool(true)})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetAccountPasswordPolicy(c.ctx, nil)
		if err != nil {
			return nil, err
		}
		p := out.PasswordPolicy
		return attributes{"min": fmt.Sprint(*p.MinimumPasswordLength), "require": fmt.Sprint(p.RequireNumbers, p.RequireSymbols, p.RequireLowercaseCharacters, p.RequireUppercaseCharacters),
			"change": fmt.Sprint(p.AllowUsersToChangePassword), "age": fmt.Sprint(p.ExpirePasswords, aws.ToInt32(p.MaxPasswordAge)), "reuse": fmt.Sprint(aws.ToInt32(p.PasswordReusePrevention)), "hard": fmt.Sprint(aws.ToBool(p.HardExpiry))}, nil
	},
	want: attributes{"min": "14", "require": "true false false false", "change": "true", "age": "true 90", "reuse": "5", "hard": "true"},
	change: func(c *calls) error {
		_, err := c.iam.UpdateAccountPasswordPolicy(c.ctx, &iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: aws.Int32(8), RequireSymbols: true})
		return err
	},
	then: attributes{"min": "8", "require": "false true false false", "change": "false", "age": "false 0", "reuse": "0", "hard": "false"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteAccountPasswordPolicy(c.ctx, nil)
		return err
	},
}, {
	name: "aws_iam_account_alias",
	create: func(c *calls) error {
		_, err := c.iam.CreateAccountAlias(c.ctx, &iam.CreateAccountAliasInput{AccountAlias: aws.String("tf-lab")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.ListAccountAliases(c.ctx, nil)
		if err != nil {
			return nil, err
		}
		return attributes{"account_alias": strings.Join(out.AccountAliases, " ")}, nil
	},
	want: attributes{"account_alias": "tf-lab"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteAccountAlias(c.ctx, &iam.DeleteAccountAliasInput{AccountAlias: aws.String("tf-lab")})
		return err
	},
	gone: func(err error) bool { return err == nil },
}, {
	name: "aws_iam_service_linked_role",
	create: func(c *calls) error {
		_, err := c.iam.CreateServiceLinkedRole(c.ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: aws.String("autoscaling.amazonaws.com"), CustomSuffix: aws.String("tf"), Description: aws.String("d")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetRole(c.ctx, &iam.GetRoleInput{RoleName: aws.String("AWSServiceRoleForAutoScaling_tf")})
		if err != nil {
			return nil, err
		}
		return attributes{"arn": *out.Role.Arn, "path": *out.Role.Path, "description": *out.Role.Description, "tags": tagged(out.Role.Tags)}, nil
	},
	want: attributes{"arn": "arn:aws:iam::ACCOUNT:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling_tf", "path": "/aws-service-role/autoscaling.amazonaws.com/", "description": "d", "tags": "map[]"},
	change: func(c *calls) error {
		_, err := c.iam.UpdateRole(c.ctx, &iam.UpdateRoleInput{RoleName: aws.String("AWSServiceRoleForAutoScaling_tf"), Description: aws.String("e")})
		_, err2 := c.iam.TagRole(c.ctx, &iam.TagRoleInput{RoleName: aws.String("AWSServiceRoleForAutoScaling_tf"), Tags: tags("k", "v")})
		return errors.Join(err, err2)
	},
	then: attributes{"description": "e", "tags": "map[k:v]"},
	delete: func(c *calls) error {
		out, err := c.iam.DeleteServiceLinkedRole(c.ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: aws.String("AWSServiceRoleForAutoScaling_tf")})
		if err != nil {
			return err
		}
		return poll(func() (string, error) {
			status, err := c.iam.GetServiceLinkedRoleDeletionStatus(c.ctx, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: out.DeletionTaskId})
			if err != nil {
				return "", err
			}
			return string(status.Status), nil
		}, "SUCCEEDED", "NOT_STARTED", "IN_PROGRESS")
	},
}, {
	name: "aws_iam_server_certificate",
	create: func(c *calls) error {
		cert, key := certificate()
		_, err := c.iam.UploadServerCertificate(c.ctx, &iam.UploadServerCertificateInput{ServerCertificateName: aws.String("tf-web"), CertificateBody: &cert, PrivateKey: &key, Path: aws.String("/cloudfront/tf/"), Tags: tags("k", "v")})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetServerCertificate(c.ctx, &iam.GetServerCertificateInput{ServerCertificateName: aws.String("tf-web")})
		if err != nil {
			return nil, err
		}
		m := out.ServerCertificate.ServerCertificateMetadata
		if m.Expiration == nil || m.UploadDate == nil {
			return nil, errors.New("no expiration or upload date")
		}
		same := "changed"
		if cert, _ := certificate(); strings.TrimSpace(*out.ServerCertificate.CertificateBody) == strings.TrimSpace(cert) {
			same = "as uploaded"
		}
		return attributes{"path": *m.Path, "certificate_body": same, "certificate_chain": aws.ToString(out.ServerCertificate.CertificateChain), "tags": tagged(out.ServerCertificate.Tags)}, nil
	},
	want: attributes{"path": "/cloudfront/tf/", "certificate_body": "as uploaded", "certificate_chain": "", "tags": "map[k:v]"},
	change: func(c *calls) error {
		_, err := c.iam.UpdateServerCertificate(c.ctx, &iam.UpdateServerCertificateInput{ServerCertificateName: aws.String("tf-web"), NewPath: aws.String("/")})
		return err
	},
	then: attributes{"path": "/"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteServerCertificate(c.ctx, &iam.DeleteServerCertificateInput{ServerCertificateName: aws.String("tf-web")})
		return err
	},
}}

// poll asks until the answer is target; every other answer must be one of pending.
func poll(ask func() (string, error), target string, pending ...string) error {
	for end := time.Now().Add(waiting); ; time.Sleep(50 * time.Millisecond) {
		got, err := ask()
		if err != nil || got == target {
			return err
		}
		if !strings.Contains(strings.Join(pending, " "), got) || time.Now().After(end) {
			return fmt.Errorf("the state is %s, want %s", got, target)
		}
	}
}

var credentials = []resource{{
	name: "aws_iam_access_key",
	create: func(c *calls) error {
		out, err := c.iam.CreateAccessKey(c.ctx, &iam.CreateAccessKeyInput{UserName: aws.String(c.user())})
		if err == nil {
			c.ids["key"] = *out.AccessKey.AccessKeyId
		}
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.ListAccessKeys(c.ctx, &iam.ListAccessKeysInput{UserName: aws.String(c.user())})
		if err != nil {
			return nil, err
		}
		for _, k := range out.AccessKeyMetadata {
			if *k.AccessKeyId == c.ids["key"] {
				return attributes{"status": string(k.Status)}, nil
			}
		}
		return nil, errors.New("not listed")
	},
	want: attributes{"status": "Active"},
	change: func(c *calls) error {
		_, err := c.iam.UpdateAccessKey(c.ctx, &iam.UpdateAccessKeyInput{UserName: aws.String(c.user()), AccessKeyId: c.id("key"), Status: types.StatusTypeInactive})
		return err
	},
	then: attributes{"status": "Inactive"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteAccessKey(c.ctx, &iam.DeleteAccessKeyInput{UserName: aws.String(c.user()), AccessKeyId: c.id("key")})
		return err
	},
	gone: func(err error) bool { return err != nil && err.Error() == "not listed" },
}, {
	name: "aws_iam_user_login_profile",
	create: func(c *calls) error {
		_, err := c.iam.CreateLoginProfile(c.ctx, &iam.CreateLoginProfileInput{UserName: aws.String(c.user()), Password: aws.String("kQ8!vMz2#pLw9@xT5"), PasswordResetRequired: true})
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetLoginProfile(c.ctx, &iam.GetLoginProfileInput{UserName: aws.String(c.user())})
		if err != nil {
			return nil, err
		}
		return attributes{"user": *out.LoginProfile.UserName, "password_reset_required": fmt.Sprint(out.LoginProfile.PasswordResetRequired)}, nil
	},
	want:   attributes{"user": "tf-ann", "password_reset_required": "true"},
	change: func(*calls) error { return nil }, // the user was renamed
	then:   attributes{"user": "tf-anne"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteLoginProfile(c.ctx, &iam.DeleteLoginProfileInput{UserName: aws.String(c.user())})
		return err
	},
}, {
	name: "aws_iam_virtual_mfa_device",
	create: func(c *calls) error {
		out, err := c.iam.CreateVirtualMFADevice(c.ctx, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: aws.String("tf-phone"), Path: aws.String("/tf/"), Tags: tags("k", "v")})
		if err == nil {
			c.ids["mfa"] = *out.VirtualMFADevice.SerialNumber
		}
		return err
	},
	read: func(c *calls) (attributes, error) {
		for p := iam.NewListVirtualMFADevicesPaginator(c.iam, &iam.ListVirtualMFADevicesInput{}); p.HasMorePages(); {
			out, err := p.NextPage(c.ctx)
			if err != nil {
				return nil, err
			}
			for _, d := range out.VirtualMFADevices {
				if *d.SerialNumber == c.ids["mfa"] {
					list, err := c.iam.ListMFADeviceTags(c.ctx, &iam.ListMFADeviceTagsInput{SerialNumber: d.SerialNumber})
					if err != nil {
						return nil, err
					}
					return attributes{"arn": *d.SerialNumber, "tags": tagged(list.Tags)}, nil
				}
			}
		}
		return nil, errors.New("not listed")
	},
	want: attributes{"arn": "arn:aws:iam::ACCOUNT:mfa/tf/tf-phone", "tags": "map[k:v]"},
	change: func(c *calls) error {
		_, err := c.iam.TagMFADevice(c.ctx, &iam.TagMFADeviceInput{SerialNumber: c.id("mfa"), Tags: tags("k", "w")})
		return err
	},
	then: attributes{"tags": "map[k:w]"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteVirtualMFADevice(c.ctx, &iam.DeleteVirtualMFADeviceInput{SerialNumber: c.id("mfa")})
		return err
	},
	gone: func(err error) bool { return err != nil && err.Error() == "not listed" },
}, {
	name: "aws_iam_user_ssh_key",
	create: func(c *calls) error {
		out, err := c.iam.UploadSSHPublicKey(c.ctx, &iam.UploadSSHPublicKeyInput{UserName: aws.String(c.user()), SSHPublicKeyBody: aws.String(sshKey())})
		if err == nil {
			c.ids["ssh"] = *out.SSHPublicKey.SSHPublicKeyId
		}
		return err
	},
	read: func(c *calls) (attributes, error) {
		out, err := c.iam.GetSSHPublicKey(c.ctx, &iam.GetSSHPublicKeyInput{UserName: aws.String(c.user()), SSHPublicKeyId: c.id("ssh"), Encoding: types.EncodingTypeSsh})
		if err != nil {
			return nil, err
		}
		return attributes{"public_key": *out.SSHPublicKey.SSHPublicKeyBody, "status": string(out.SSHPublicKey.Status)}, nil
	},
	want: attributes{"public_key": sshKey(), "status": "Active"},
	change: func(c *calls) error {
		_, err := c.iam.UpdateSSHPublicKey(c.ctx, &iam.UpdateSSHPublicKeyInput{UserName: aws.String(c.user()), SSHPublicKeyId: c.id("ssh"), Status: types.StatusTypeInactive})
		return err
	},
	then: attributes{"status": "Inactive"},
	delete: func(c *calls) error {
		_, err := c.iam.DeleteSSHPublicKey(c.ctx, &iam.DeleteSSHPublicKeyInput{UserName: aws.String(c.user()), SSHPublicKeyId: c.id("ssh")})
		return err
	},
}}
