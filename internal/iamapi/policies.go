// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"errors"
	"iter"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/managed"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// policyTarget is the target of an operation on a managed policy. The ARN must
// be one.
func policyTarget(c *api.Call, policyARN string) ([]authz.Check, error) {
	if err := checkPolicyARN(policyARN); err != nil {
		return nil, err
	}
	ck := authz.Check{Resource: policyARN, Shown: "policy " + policyARN}
	if p, err := c.View.Policy(policyARN); err == nil {
		iamop.ResourceTags(&ck, p.Tags)
	}
	return []authz.Check{ck}, nil
}

// checkPolicyARN returns AWS's ValidationError for what is not an ARN at all.
func checkPolicyARN(text string) error {
	if e, ok := arn.SplitEntity(text); !ok || e.Kind != arn.KindPolicy {
		// Two spaces, as AWS has them.
		return awserr.ValidationError.Msg("Invalid ARN:  Could not be parsed!")
	}
	return nil
}

// noPolicy is iamop.Fail for operations that name a policy by its ARN; noPolicy(nil)
// is nil.
func noPolicy(err error, policyARN string) error {
	err = iamop.Fail(err)
	if e, ok := errors.AsType[*awserr.Error](err); ok && e.Is(awserr.NoSuchEntity) {
		return awserr.NoSuchEntity.Msg("Policy %s was not found.", policyARN).Because(err)
	}
	return err
}

func createPolicyTarget(c *api.Call, in *CreatePolicyInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: string(arn.Policy(c.Account, wire.Value(in.Path, "/"), in.PolicyName))}
	return iamop.WithTags(ck, "iam:TagPolicy", in.Tags), nil
}

func (s *iam) createPolicy(c *api.Call, in *CreatePolicyInput) (*CreatePolicyOutput, error) {
	if err := checkPath(in.Path); err != nil {
		return nil, err
	}
	tags, err := iamop.NewTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	doc, err := s.managedDocument(c, in.PolicyDocument)
	if err != nil {
		return nil, err
	}
	var made *store.Policy
	err = s.update(c, func(tx *store.Tx) error {
		made = &store.Policy{
			Name: in.PolicyName, Path: wire.Value(in.Path, "/"), Description: wire.Value(in.Description, ""), Tags: tags,
		}
		return tx.CreatePolicy(made, doc)
	})
	if err != nil {
		return nil, err
	}
	out := s.briefPolicy(c, made)
	out.Tags = iamop.ShowTags[Tag](made.Tags)
	return &CreatePolicyOutput{Policy: &out}, nil
}

// managedDocument returns a checked document for a managed policy.
func (s *iam) managedDocument(c *api.Call, text string) (*store.Document, error) {
	if limit := c.View.Quota(quota.PolicySize); policy.SizeWithoutSpace(text) > limit {
		return nil, awserr.LimitExceeded.Msg("Cannot exceed quota for PolicySize: %d", limit)
	}
	if _, err := api.Document("", text, policy.Identity, (*policy.Document).CheckVersion); err != nil {
		return nil, err
	}
	return store.NewDocument("", text), nil
}

func deletePolicyTarget(c *api.Call, in *DeletePolicyInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) deletePolicy(c *api.Call, in *DeletePolicyInput) error {
	return noPolicy(s.update(c, func(tx *store.Tx) error { return tx.DeletePolicy(in.PolicyArn) }), in.PolicyArn)
}

func getPolicyTarget(c *api.Call, in *GetPolicyInput) ([]authz.Check, error) {
	return policyTarget(c, in.PolicyArn)
}

func (s *iam) getPolicy(c *api.Call, in *GetPolicyInput) (*GetPolicyOutput, error) {
	p, err := c.View.Policy(in.PolicyArn)
	if err != nil {
		return nil, noPolicy(err, in.PolicyArn)
	}
	out := s.briefPolicy(c, p)
	out.Description, out.Tags = wire.NonZero(p.Description), tagsOrNone(p.Tags)
	return &GetPolicyOutput{Policy: &out}, nil
}

func listPoliciesTarget(c *api.Call, in *ListPoliciesInput) ([]authz.Check, error) {
	checks, err := iamop.List(c, "policy/")
	checks[0].Shown = "policy path " + wire.Value(in.PathPrefix, "/")
	return checks, err
}

// ListPolicies shows the account's own policies first, then AWS's; within each
// in order of their names. The marker of an AWS policy begins with a character
// that sorts after every name.
const awsMark = "~"

func (s *iam) listPolicies(c *api.Call, in *ListPoliciesInput) (*ListPoliciesOutput, error) {
	scope := wire.Value(in.Scope, "All")
	from := func(after string) iter.Seq2[string, Policy] {
		return func(yield func(string, Policy) bool) {
			rest, inAWS := strings.CutPrefix(after, awsMark)
			if scope != "AWS" && !inAWS {
				for p := range c.View.Policies(after) {
					if s.listed(c, in, p.Path, c.View.PolicyARN(p)) && !yield(p.Name, s.briefPolicy(c, p)) {
						return
					}
				}
			}
			if scope != "Local" {
				if !inAWS {
					rest = ""
				}
				s.awsPolicies(c, in, rest, yield)
			}
		}
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(p Policy) Policy { return p })
	if err != nil {
		return nil, err
	}
	return &ListPoliciesOutput{Policies: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// awsPolicies yields AWS's policies after a name.
func (s *iam) awsPolicies(c *api.Call, in *ListPoliciesInput, after string, yield func(string, Policy) bool) {
	for _, p := range awsAfter(after) {
		if s.listed(c, in, p.Path, p.ARN) && !yield(awsMark+p.Name, s.awsPolicy(c, p)) {
			return
		}
	}
}

// listed applies the filters of ListPolicies.
func (s *iam) listed(c *api.Call, in *ListPoliciesInput, path, policyARN string) bool {
	if !strings.HasPrefix(path, wire.Value(in.PathPrefix, "/")) {
		return false
	}
	attached, bounds := c.View.AttachmentCount(policyARN) > 0, c.View.BoundaryCount(policyARN) > 0
	switch wire.Value(in.PolicyUsageFilter, "") {
	case "PermissionsPolicy":
		return attached
	case "PermissionsBoundary":
		return bounds
	}
	return !in.OnlyAttached || attached || bounds
}

// briefPolicy is a policy as lists show it: without description and tags.
func (s *iam) briefPolicy(c *api.Call, p *store.Policy) Policy {
	policyARN := c.View.PolicyARN(p)
	return Policy{
		PolicyName: new(p.Name), PolicyId: new(p.ID), Arn: new(policyARN), Path: new(p.Path),
		DefaultVersionId: new(p.Default), IsAttachable: true, CreateDate: p.Created, UpdateDate: p.Updated,
		AttachmentCount:               new(int32(c.View.AttachmentCount(policyARN))),
		PermissionsBoundaryUsageCount: new(int32(c.View.BoundaryCount(policyARN))),
	}
}

// awsPolicy is briefPolicy for one of AWS's, without reading its document.
func (s *iam) awsPolicy(c *api.Call, p *managed.Policy) Policy {
	return s.briefPolicy(c, &store.Policy{
		Account: string(arn.ManagedAccount), Name: p.Name, Path: p.Path, ID: p.ID,
		Default: p.DefaultVersion, Created: p.Created, Updated: p.Updated,
	})
}

// tagsOrNone shows tags as GetPolicy and GetInstanceProfile do: an empty list when
// there are none.
func tagsOrNone(tags []store.Tag) []Tag {
	if out := iamop.ShowTags[Tag](tags); out != nil {
		return out
	}
	return []Tag{}
}
