// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"errors"
	"iter"
	"slices"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

func createPolicyVersionTarget(c *api.Call, in *CreatePolicyVersionInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) createPolicyVersion(c *api.Call, in *CreatePolicyVersionInput) (*CreatePolicyVersionOutput, error) {
	doc, err := s.managedDocument(c, in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	var made *store.PolicyVersion
	err = s.update(c, func(tx *store.Tx) (err error) {
		made, err = tx.AddVersion(in.PolicyArn, doc, in.SetAsDefault)
		return err
	})
	if err != nil {
		return nil, noPolicy(err, in.PolicyArn)
	}
	return &CreatePolicyVersionOutput{PolicyVersion: &PolicyVersion{
		VersionId: new(made.ID), IsDefaultVersion: in.SetAsDefault, CreateDate: made.Created,
	}}, nil
}

func deletePolicyVersionTarget(c *api.Call, in *DeletePolicyVersionInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) deletePolicyVersion(c *api.Call, in *DeletePolicyVersionInput) error {
	return noVersion(s.update(c, func(tx *store.Tx) error { return tx.DeleteVersion(in.PolicyArn, in.VersionId) }), in.PolicyArn, in.VersionId)
}

func getPolicyVersionTarget(c *api.Call, in *GetPolicyVersionInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) getPolicyVersion(c *api.Call, in *GetPolicyVersionInput) (*GetPolicyVersionOutput, error) {
	p, err := c.View.Policy(in.PolicyArn)
	if err != nil {
		return nil, noPolicy(err, in.PolicyArn)
	}
	v := p.Version(in.VersionId)
	if v == nil {
		return nil, awserr.NoSuchEntity.Msg("%s", versionGone(in.PolicyArn, in.VersionId))
	}
	out := showVersion(p, v)
	out.Document = new(v.Document.Text())
	return &GetPolicyVersionOutput{PolicyVersion: &out}, nil
}

func listPolicyVersionsTarget(c *api.Call, in *ListPolicyVersionsInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) listPolicyVersions(c *api.Call, in *ListPolicyVersionsInput) (*ListPolicyVersionsOutput, error) {
	p, err := c.View.Policy(in.PolicyArn)
	if err != nil {
		return nil, noPolicy(err, in.PolicyArn)
	}
	from := func(after string) iter.Seq2[string, *store.PolicyVersion] { return newestFirst(p, after) }
	pg, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(v *store.PolicyVersion) PolicyVersion { return showVersion(p, v) })
	if err != nil {
		return nil, err
	}
	return &ListPolicyVersionsOutput{Versions: pg.Items, IsTruncated: pg.Truncated, Marker: pg.Marker}, nil
}

// newestFirst yields the versions older than the one named after ("": all).
func newestFirst(p *store.Policy, after string) iter.Seq2[string, *store.PolicyVersion] {
	return func(yield func(string, *store.PolicyVersion) bool) {
		for i := range slices.Backward(p.Versions) {
			v := &p.Versions[i]
			if (after == "" || older(v.ID, after)) && !yield(v.ID, v) {
				return
			}
		}
	}
}

// older reports whether version id a was made before b: "v9" before "v10".
func older(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

func setDefaultPolicyVersionTarget(c *api.Call, in *SetDefaultPolicyVersionInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) setDefaultPolicyVersion(c *api.Call, in *SetDefaultPolicyVersionInput) error {
	return noVersion(s.update(c, func(tx *store.Tx) error { return tx.SetDefault(in.PolicyArn, in.VersionId) }), in.PolicyArn, in.VersionId)
}

func showVersion(p *store.Policy, v *store.PolicyVersion) PolicyVersion {
	return PolicyVersion{VersionId: new(v.ID), IsDefaultVersion: v.ID == p.Default, CreateDate: v.Created}
}

// noVersion is iamop.Fail for operations that name a version of a policy.
func noVersion(err error, policyARN, version string) error {
	if e, ok := errors.AsType[*store.NotFoundError](err); ok && e.Kind == store.KindVersion {
		return awserr.NoSuchEntity.Msg("%s", versionGone(policyARN, version)).Because(err)
	}
	return noPolicy(err, policyARN)
}

func versionGone(policyARN, version string) string {
	return "Policy " + policyARN + " version " + version + " does not exist or is not attachable."
}
