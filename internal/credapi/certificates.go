// SPDX-License-Identifier: Apache-2.0

package credapi

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"iter"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/pubkey"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// certificateError maps the errors of reading certificates to AWS's.
func certificateError(err error) error {
	if e, ok := errors.AsType[*pubkey.ChainError](err); ok {
		return awserr.MalformedCertificate.Msg("Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: %d", e.Index).Because(err)
	}
	switch {
	case errors.Is(err, pubkey.ErrCertificate):
		return awserr.MalformedCertificate.Msg("Unable to parse certificate. Please ensure the certificate is in PEM format.").Because(err)
	case errors.Is(err, pubkey.ErrPrivateKey):
		return awserr.MalformedCertificate.Msg("Unable to parse private key. Please ensure the key is in PEM format and not encrypted.").Because(err)
	case errors.Is(err, pubkey.ErrMismatch):
		return awserr.KeyPairMismatch.Msg("The public key certificate and the private key do not match.").Because(err)
	}
	return err
}

func uploadSigningCertificateTarget(c *api.Call, in *UploadSigningCertificateInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) uploadSigningCertificate(c *api.Call, in *UploadSigningCertificateInput) (*UploadSigningCertificateOutput, error) {
	parsed, err := pubkey.ParseCertificate(in.CertificateBody)
	if err != nil {
		return nil, certificateError(err)
	}
	if now := s.now(); now.Before(parsed.NotBefore) || now.After(parsed.NotAfter) {
		return nil, awserr.InvalidCertificate.Msg("The certificate is not valid at this time.")
	}
	digest := sha256.Sum256(parsed.Raw)
	cert := s.store.NewSigningCert(in.CertificateBody, digest[:])
	if held(c, cert.Digest) {
		return nil, awserr.DuplicateCertificate.Msg("The same certificate is associated with an IAM user in the account.")
	}
	name, err := s.changeCerts(c, in.UserName, func(certs []store.SigningCert) ([]store.SigningCert, error) {
		return append(certs, cert), nil
	})
	if err != nil {
		return nil, err
	}
	return &UploadSigningCertificateOutput{Certificate: showSigningCert(name, cert)}, nil
}

// held reports whether somebody in the account has a certificate already.
func held(c *api.Call, digest []byte) bool {
	same := func(cert store.SigningCert) bool { return bytes.Equal(cert.Digest, digest) }
	if slices.ContainsFunc(c.View.Account().Certs, same) {
		return true
	}
	for u := range c.View.Users("") {
		if slices.ContainsFunc(u.Certs, same) {
			return true
		}
	}
	return false
}

// changeCerts applies change, which may run more than once, to the signing
// certificates of the user that a request means, and returns that user's name.
func (s *service) changeCerts(c *api.Call, userName *string, change func([]store.SigningCert) ([]store.SigningCert, error)) (string, error) {
	return s.changeOwn(c, userName,
		func(a *store.Account) (err error) { a.Certs, err = change(a.Certs); return err },
		func(u *store.User) (err error) { u.Certs, err = change(u.Certs); return err })
}

func certIndex(certs []store.SigningCert, id string) (int, error) {
	i := slices.IndexFunc(certs, func(c store.SigningCert) bool { return c.ID == id })
	if i < 0 {
		return 0, awserr.NoSuchEntity.Msg("The Certificate with id %s cannot be found.", id)
	}
	return i, nil
}

func showSigningCert(owner string, c store.SigningCert) SigningCertificate {
	return SigningCertificate{UserName: owner, CertificateId: c.ID, CertificateBody: c.Body, Status: iamop.Status(c.Inactive), UploadDate: c.Uploaded}
}

func updateSigningCertificateTarget(c *api.Call, in *UpdateSigningCertificateInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) updateSigningCertificate(c *api.Call, in *UpdateSigningCertificateInput) error {
	off, err := iamop.SwitchedOff(in.Status)
	if err != nil {
		return err
	}
	_, err = s.changeCerts(c, in.UserName, func(certs []store.SigningCert) ([]store.SigningCert, error) {
		i, err := certIndex(certs, in.CertificateId)
		if err != nil {
			return nil, err
		}
		certs[i].Inactive = off
		return certs, nil
	})
	return err
}

func deleteSigningCertificateTarget(c *api.Call, in *DeleteSigningCertificateInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) deleteSigningCertificate(c *api.Call, in *DeleteSigningCertificateInput) error {
	_, err := s.changeCerts(c, in.UserName, func(certs []store.SigningCert) ([]store.SigningCert, error) {
		i, err := certIndex(certs, in.CertificateId)
		if err != nil {
			return nil, err
		}
		return slices.Delete(certs, i, i+1), nil
	})
	return err
}

func listSigningCertificatesTarget(c *api.Call, in *ListSigningCertificatesInput) ([]authz.Check, error) {
	return iamop.SelfCheck(c, in.UserName)
}

func (s *service) listSigningCertificates(c *api.Call, in *ListSigningCertificatesInput) (*ListSigningCertificatesOutput, error) {
	owner, certs := iamop.RootName, c.View.Account().Certs
	if in.UserName != nil || !c.Caller.Root() {
		u, err := iamop.SelfUser(c, in.UserName)
		if err != nil {
			return nil, err
		}
		owner, certs = u.Name, u.Certs
	}
	from := func(after string) iter.Seq2[string, store.SigningCert] {
		return iamop.Sorted(certs, after, func(c store.SigningCert) string { return c.ID })
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(c store.SigningCert) SigningCertificate { return showSigningCert(owner, c) })
	if err != nil {
		return nil, err
	}
	return &ListSigningCertificatesOutput{Certificates: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// serverCertTarget is the check for an operation on a server certificate.
func serverCertTarget(c *api.Call, name string) ([]authz.Check, error) {
	ck := authz.Check{Resource: iamop.ARN(c, "server-certificate/"+name), Shown: "server certificate " + name}
	if cert, err := c.View.ServerCert(name); err == nil {
		ck.Resource = c.View.ServerCertARN(cert)
		iamop.ResourceTags(&ck, cert.Tags)
	}
	return []authz.Check{ck}, nil
}

func uploadServerCertificateTarget(c *api.Call, in *UploadServerCertificateInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: iamop.ARN(c, "server-certificate"+wire.Value(in.Path, "/")+in.ServerCertificateName)}
	return iamop.WithTags(ck, "iam:TagServerCertificate", in.Tags), nil
}

// uploadServerCertificate checks that certificate, chain and private key belong
// together.
//
// quirk Q062: the key is not kept, since nothing here ends TLS with it, and AWS
// never gives it back.
func (s *service) uploadServerCertificate(c *api.Call, in *UploadServerCertificateInput) (*UploadServerCertificateOutput, error) {
	tags, err := iamop.NewTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	parsed, err := pubkey.CheckServer(in.CertificateBody, in.PrivateKey, wire.Value(in.CertificateChain, ""), s.now())
	if errors.Is(err, pubkey.ErrTime) {
		return nil, awserr.MalformedCertificate.Msg("The certificate is not valid at this time.").Because(err)
	}
	if err != nil {
		return nil, certificateError(err)
	}
	var made *store.ServerCertificate
	err = s.update(c, func(tx *store.Tx) error {
		made = &store.ServerCertificate{
			Name: in.ServerCertificateName, Path: wire.Value(in.Path, "/"), Expires: parsed.NotAfter.UTC(),
			Body: in.CertificateBody, Chain: wire.Value(in.CertificateChain, ""), Tags: tags,
		}
		return tx.CreateServerCert(made)
	})
	if err != nil {
		return nil, err
	}
	return &UploadServerCertificateOutput{ServerCertificateMetadata: new(showServerCert(c, made)), Tags: iamop.ShowTags[Tag](tags)}, nil
}

func showServerCert(c *api.Call, cert *store.ServerCertificate) ServerCertificateMetadata {
	return ServerCertificateMetadata{
		Path: cert.Path, ServerCertificateName: cert.Name, ServerCertificateId: cert.ID, Arn: c.View.ServerCertARN(cert),
		UploadDate: cert.Uploaded, Expiration: cert.Expires,
	}
}

func getServerCertificateTarget(c *api.Call, in *GetServerCertificateInput) ([]authz.Check, error) {
	return serverCertTarget(c, in.ServerCertificateName)
}

func (s *service) getServerCertificate(c *api.Call, in *GetServerCertificateInput) (*GetServerCertificateOutput, error) {
	cert, err := c.View.ServerCert(in.ServerCertificateName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	return &GetServerCertificateOutput{ServerCertificate: ServerCertificate{
		ServerCertificateMetadata: showServerCert(c, cert), CertificateBody: cert.Body,
		CertificateChain: wire.NonZero(cert.Chain), Tags: iamop.ShowTags[Tag](cert.Tags),
	}}, nil
}

// updateServerCertificateTarget asks for both ARNs, as updateUserTarget does.
func updateServerCertificateTarget(c *api.Call, in *UpdateServerCertificateInput) ([]authz.Check, error) {
	checks, err := serverCertTarget(c, in.ServerCertificateName)
	path := "/"
	if cert, err := c.View.ServerCert(in.ServerCertificateName); err == nil {
		path = cert.Path
	}
	then := checks[0]
	then.Shown = ""
	then.Resource = iamop.ARN(c, "server-certificate"+wire.Value(in.NewPath, path)+wire.Value(in.NewServerCertificateName, in.ServerCertificateName))
	if then.Resource != checks[0].Resource {
		checks = append(checks, then)
	}
	return checks, err
}

func (s *service) updateServerCertificate(c *api.Call, in *UpdateServerCertificateInput) error {
	return s.update(c, func(tx *store.Tx) error {
		return tx.RenameServerCert(in.ServerCertificateName, wire.Value(in.NewServerCertificateName, ""), wire.Value(in.NewPath, ""))
	})
}

func deleteServerCertificateTarget(c *api.Call, in *DeleteServerCertificateInput) ([]authz.Check, error) {
	return serverCertTarget(c, in.ServerCertificateName)
}

func (s *service) deleteServerCertificate(c *api.Call, in *DeleteServerCertificateInput) error {
	return s.update(c, func(tx *store.Tx) error { return tx.DeleteServerCert(in.ServerCertificateName) })
}

func listServerCertificatesTarget(c *api.Call, _ *ListServerCertificatesInput) ([]authz.Check, error) {
	return iamop.List(c, "server-certificate/")
}

func (s *service) listServerCertificates(c *api.Call, in *ListServerCertificatesInput) (*ListServerCertificatesOutput, error) {
	from := func(after string) iter.Seq2[string, *store.ServerCertificate] {
		return iamop.Under(c.View.ServerCerts(after), in.PathPrefix, func(cert *store.ServerCertificate) (name, path string) { return cert.Name, cert.Path })
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(cert *store.ServerCertificate) ServerCertificateMetadata { return showServerCert(c, cert) })
	if err != nil {
		return nil, err
	}
	return &ListServerCertificatesOutput{ServerCertificateMetadataList: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

func tagServerCertificateTarget(c *api.Call, in *TagServerCertificateInput) ([]authz.Check, error) {
	checks, err := serverCertTarget(c, in.ServerCertificateName)
	return iamop.TagTarget(checks, err, in.Tags)
}

func (s *service) tagServerCertificate(c *api.Call, in *TagServerCertificateInput) error {
	return s.update(c, func(tx *store.Tx) error {
		cert, err := tx.ServerCert(in.ServerCertificateName)
		if err != nil {
			return err
		}
		if cert.Tags, err = iamop.NewTags(cert.Tags, in.Tags); err != nil {
			return err
		}
		return tx.PutServerCert(cert)
	})
}

func untagServerCertificateTarget(c *api.Call, in *UntagServerCertificateInput) ([]authz.Check, error) {
	checks, err := serverCertTarget(c, in.ServerCertificateName)
	return iamop.UntagTarget(checks, err, in.TagKeys)
}

func (s *service) untagServerCertificate(c *api.Call, in *UntagServerCertificateInput) error {
	return s.update(c, func(tx *store.Tx) error {
		cert, err := tx.ServerCert(in.ServerCertificateName)
		if err != nil {
			return err
		}
		cert.Tags = iamop.WithoutTags(cert.Tags, in.TagKeys)
		return tx.PutServerCert(cert)
	})
}

func listServerCertificateTagsTarget(c *api.Call, in *ListServerCertificateTagsInput) ([]authz.Check, error) {
	return serverCertTarget(c, in.ServerCertificateName)
}

func (s *service) listServerCertificateTags(c *api.Call, in *ListServerCertificateTagsInput) (*ListServerCertificateTagsOutput, error) {
	cert, err := c.View.ServerCert(in.ServerCertificateName)
	if err != nil {
		return nil, iamop.Fail(err)
	}
	p, err := iamop.TagPage[Tag](cert.Tags, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	return &ListServerCertificateTagsOutput{Tags: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}
