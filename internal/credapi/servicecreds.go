// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"encoding/base64"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// credentialServices are the services that have credentials of their own. Those
// with a prefix have API keys, which can expire: the prefix and the base64 of
// alias and password (API reference of CreateServiceSpecificCredential).
var credentialServices = map[string]struct{ prefix string }{
	"bedrock.amazonaws.com":    {"ABSK"},
	"cassandra.amazonaws.com":  {},
	"codecommit.amazonaws.com": {},
	"innkeeper.amazonaws.com":  {}, // ours: for clients of the authorization API that cannot sign
	"logs.amazonaws.com":       {"ACWL"},
}

func notSupported(service string) error {
	return awserr.NotSupportedService.Msg("No such service %s is supported for Service Specific Credentials", service)
}

func createServiceSpecificCredentialTarget(c *api.Call, in *CreateServiceSpecificCredentialInput) ([]authz.Check, error) {
	checks, err := iamop.UserTarget(c, in.UserName)
	iamop.SetKey(&checks[0], "iam:ServiceSpecificCredentialServiceName", in.ServiceName)
	if in.CredentialAgeDays != nil {
		iamop.SetKey(&checks[0], "iam:ServiceSpecificCredentialAgeDays", strconv.Itoa(int(*in.CredentialAgeDays)))
	}
	return checks, err
}

func (s *service) createServiceSpecificCredential(c *api.Call, in *CreateServiceSpecificCredentialInput) (*CreateServiceSpecificCredentialOutput, error) {
	service, ok := credentialServices[in.ServiceName]
	if !ok {
		return nil, notSupported(in.ServiceName)
	}
	if in.CredentialAgeDays != nil && service.prefix == "" {
		return nil, awserr.InvalidInput.Msg("CredentialAgeDays is not supported for %s.", in.ServiceName)
	}
	cred, password := s.store.NewServiceCredential(string(c.Account), in.ServiceName), s.store.NewServiceSecret()
	if in.CredentialAgeDays != nil {
		cred.Expires = cred.Created.AddDate(0, 0, int(*in.CredentialAgeDays))
	}
	var out *ServiceSpecificCredential
	err := s.changeUser(c, in.UserName, func(u *store.User) error {
		made := cred
		made.Name = credentialName(u, c, in.ServiceName)
		secret := serviceSecret(&made, password)
		made.SetSecret(secret)
		u.Services = append(u.Services, made)
		out = s.showServiceCredential(u.Name, &made, secret)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &CreateServiceSpecificCredentialOutput{ServiceSpecificCredential: out}, nil
}

// credentialName returns the first name for a credential that the user has not
// given to another of the service: ann-at-111122223333, then ann+1-at-….
func credentialName(u *store.User, c *api.Call, service string) string {
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s-at-%s", u.Name, c.Account)
		if n > 0 {
			name = fmt.Sprintf("%s+%d-at-%s", u.Name, n, c.Account)
		}
		if !slices.ContainsFunc(u.Services, func(o store.ServiceCredential) bool { return o.Service == service && o.Name == name }) {
			return name
		}
	}
}

// serviceSecret returns the secret of a credential in the service's form.
func serviceSecret(cred *store.ServiceCredential, password []byte) string {
	secret := base64.StdEncoding.EncodeToString(password)
	if prefix := credentialServices[cred.Service].prefix; prefix != "" {
		return prefix + base64.StdEncoding.EncodeToString([]byte(cred.Name+":"+secret))
	}
	return secret
}

// credentialStatus is the status that answers show: Expired is not set but comes.
func (s *service) credentialStatus(cred *store.ServiceCredential) string {
	if !cred.Expires.IsZero() && !s.now().Before(cred.Expires) {
		return StatusTypeExpired
	}
	return iamop.Status(cred.Inactive)
}

// showServiceCredential shows a credential with its secret.
func (s *service) showServiceCredential(owner string, cred *store.ServiceCredential, secret string) *ServiceSpecificCredential {
	out := &ServiceSpecificCredential{
		CreateDate: cred.Created, ExpirationDate: cred.Expires, ServiceName: cred.Service,
		ServiceSpecificCredentialId: cred.ID, UserName: owner, Status: s.credentialStatus(cred),
	}
	if credentialServices[cred.Service].prefix == "" {
		out.ServiceUserName, out.ServicePassword = &cred.Name, &secret
	} else {
		out.ServiceCredentialAlias, out.ServiceCredentialSecret = &cred.Name, &secret
	}
	return out
}

func (s *service) showServiceMetadata(owner string, cred *store.ServiceCredential) ServiceSpecificCredentialMetadata {
	full := s.showServiceCredential(owner, cred, "")
	return ServiceSpecificCredentialMetadata{
		UserName: owner, Status: full.Status, ServiceUserName: full.ServiceUserName, ServiceCredentialAlias: full.ServiceCredentialAlias,
		CreateDate: cred.Created, ExpirationDate: cred.Expires, ServiceSpecificCredentialId: cred.ID, ServiceName: cred.Service,
	}
}

// changeServiceCredential applies change, which may run more than once, to one
// credential of the user that a request means.
func (s *service) changeServiceCredential(c *api.Call, userName *string, id string, change func(*store.User, int) error) error {
	u, err := iamop.SelfUser(c, userName)
	if err != nil {
		return err
	}
	return s.changeUser(c, u.Name, func(u *store.User) error {
		i := slices.IndexFunc(u.Services, func(cred store.ServiceCredential) bool { return cred.ID == id })
		if i < 0 {
			return awserr.NoSuchEntity.Msg("No such credential %s exists", id)
		}
		return change(u, i)
	})
}

// serviceCredentialTarget names the user whose credential a request means, and
// the service that the credential is for.
func serviceCredentialTarget(c *api.Call, userName *string, id string) ([]authz.Check, error) {
	checks, err := iamop.SelfCheck(c, userName)
	if err != nil {
		return nil, err
	}
	if u, err := iamop.SelfUser(c, userName); err == nil {
		if i := slices.IndexFunc(u.Services, func(cred store.ServiceCredential) bool { return cred.ID == id }); i >= 0 {
			iamop.SetKey(&checks[0], "iam:ServiceSpecificCredentialServiceName", u.Services[i].Service)
		}
	}
	return checks, nil
}

func resetServiceSpecificCredentialTarget(c *api.Call, in *ResetServiceSpecificCredentialInput) ([]authz.Check, error) {
	return serviceCredentialTarget(c, in.UserName, in.ServiceSpecificCredentialId)
}

func (s *service) resetServiceSpecificCredential(c *api.Call, in *ResetServiceSpecificCredentialInput) (*ResetServiceSpecificCredentialOutput, error) {
	password := s.store.NewServiceSecret()
	var out *ServiceSpecificCredential
	err := s.changeServiceCredential(c, in.UserName, in.ServiceSpecificCredentialId, func(u *store.User, i int) error {
		cred := &u.Services[i]
		secret := serviceSecret(cred, password)
		cred.SetSecret(secret)
		out = s.showServiceCredential(u.Name, cred, secret)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &ResetServiceSpecificCredentialOutput{ServiceSpecificCredential: out}, nil
}

func updateServiceSpecificCredentialTarget(c *api.Call, in *UpdateServiceSpecificCredentialInput) ([]authz.Check, error) {
	return serviceCredentialTarget(c, in.UserName, in.ServiceSpecificCredentialId)
}

func (s *service) updateServiceSpecificCredential(c *api.Call, in *UpdateServiceSpecificCredentialInput) error {
	off, err := iamop.SwitchedOff(in.Status)
	if err != nil {
		return err
	}
	return s.changeServiceCredential(c, in.UserName, in.ServiceSpecificCredentialId, func(u *store.User, i int) error {
		u.Services[i].Inactive = off
		return nil
	})
}

func deleteServiceSpecificCredentialTarget(c *api.Call, in *DeleteServiceSpecificCredentialInput) ([]authz.Check, error) {
	return serviceCredentialTarget(c, in.UserName, in.ServiceSpecificCredentialId)
}

func (s *service) deleteServiceSpecificCredential(c *api.Call, in *DeleteServiceSpecificCredentialInput) error {
	return s.changeServiceCredential(c, in.UserName, in.ServiceSpecificCredentialId, func(u *store.User, i int) error {
		u.Services = slices.Delete(u.Services, i, i+1)
		return nil
	})
}

// listServiceSpecificCredentialsTarget: all users' are those of the account.
func listServiceSpecificCredentialsTarget(c *api.Call, in *ListServiceSpecificCredentialsInput) ([]authz.Check, error) {
	if !wire.Value(in.AllUsers, false) {
		return iamop.SelfCheck(c, in.UserName)
	}
	if in.UserName != nil {
		return nil, awserr.InvalidInput.Msg("AllUsers and UserName cannot be given together.")
	}
	return iamop.List(c, "user/")
}

// An owned is a credential with the name of its user.
type owned struct {
	user string
	cred *store.ServiceCredential
}

func (s *service) listServiceSpecificCredentials(c *api.Call, in *ListServiceSpecificCredentialsInput) (*ListServiceSpecificCredentialsOutput, error) {
	wanted := wire.Value(in.ServiceName, "")
	if _, ok := credentialServices[wanted]; !ok && wanted != "" {
		return nil, notSupported(wanted)
	}
	users := c.View.Users("")
	if !wire.Value(in.AllUsers, false) {
		u, err := iamop.SelfUser(c, in.UserName)
		if err != nil {
			return nil, err
		}
		users = slices.Values([]*store.User{u})
	}
	var all []owned
	for u := range users {
		for i := range u.Services {
			if cred := &u.Services[i]; wanted == "" || cred.Service == wanted {
				all = append(all, owned{u.Name, cred})
			}
		}
	}
	from := func(after string) iter.Seq2[string, owned] {
		return iamop.Sorted(all, after, func(o owned) string { return o.cred.ID })
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(o owned) ServiceSpecificCredentialMetadata {
		return s.showServiceMetadata(o.user, o.cred)
	})
	if err != nil {
		return nil, err
	}
	return &ListServiceSpecificCredentialsOutput{ServiceSpecificCredentials: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
