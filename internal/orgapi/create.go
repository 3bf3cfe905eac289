// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// defaultRole is the role by which the management account enters an account that
// it has created, unless the request names another (API reference, CreateAccount).
const defaultRole = "OrganizationAccountAccessRole"

// adminPolicy is the policy of that role.
const adminPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"

func (s *org) createAccountTarget(c *api.Call, in *CreateAccountInput) ([]authz.Check, error) {
	list, err := s.checks(c, only, everything)
	return withTags(list, in.Tags), err
}

// createAccount notes the request and begins with it at once. Whatever comes of
// it, the answer is that it is in progress, as in AWS.
func (s *org) createAccount(c *api.Call, in *CreateAccountInput) (*CreateAccountOutput, error) {
	if _, err := s.enter(c, only); err != nil {
		return nil, err
	}
	tags, err := newTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	r := &orgs.AccountRequest{
		Name: in.AccountName, Email: in.Email, Role: wire.Value(in.RoleName, defaultRole), Tags: tags, Account: s.ids.AccountID(),
	}
	if r.Role == "" {
		return nil, badInput(InvalidInputExceptionReasonInvalidRoleName, "You provided a role name that isn't valid.")
	}
	if err := s.update(c, func(tx *orgs.Tx) error { return tx.CreateRequest(r) }); err != nil {
		return nil, err
	}
	_ = s.advance(c.Context(), c.Membership.Org.Management(), r) // whoever asks for the state goes on with it
	out := showRequest(r)
	return &CreateAccountOutput{CreateAccountStatus: &out}, nil
}

// advance brings a request to create an account to its end, from wherever it is.
// The account points to the organization from its first moment on, is listed by
// it before anybody can act in it, and gets its role last. Several nodes may do
// this at once.
func (s *org) advance(ctx context.Context, management string, r *orgs.AccountRequest) error {
	finish := func(failure string) error {
		return s.orgs.Update(ctx, management, func(tx *orgs.Tx) error { return tx.FinishRequest(r.ID, failure) })
	}
	if failure, err := s.makeAccount(ctx, management, r); err != nil || failure != "" {
		return errors.Join(err, ifAny(failure, finish))
	}
	err := s.orgs.Update(ctx, management, func(tx *orgs.Tx) error {
		return tx.Enroll(&orgs.Member{ID: r.Account, Name: r.Name, Email: r.Email, Tags: r.Tags})
	})
	if _, ok := errors.AsType[*store.LimitError](err); ok {
		return finish(CreateAccountFailureReasonAccountLimitExceeded)
	}
	if err != nil {
		return err
	}
	if err := s.makeRole(ctx, management, r); err != nil {
		return err
	}
	return finish("")
}

func ifAny(failure string, finish func(string) error) error {
	if failure == "" {
		return nil
	}
	return finish(failure)
}

// makeAccount makes the account, unless it is there already. failure says why it
// never can be.
func (s *org) makeAccount(ctx context.Context, management string, r *orgs.AccountRequest) (failure string, err error) {
	_, err = s.store.CreateAccount(ctx, store.Account{ID: r.Account, Name: r.Name, Email: r.Email, Organization: management})
	e, ok := errors.AsType[*store.ExistsError](err)
	if !ok {
		return "", err
	}
	if e.Kind == store.KindMail {
		return CreateAccountFailureReasonEmailAlreadyExists, nil
	}
	v, err := s.store.View(ctx, r.Account)
	if err != nil {
		return "", err
	}
	if a := v.Account(); a.Organization != management || a.Email != r.Email { // somebody else's
		return CreateAccountFailureReasonInternalFailure, nil
	}
	return "", nil
}

// makeRole makes the role by which the management account enters the account.
func (s *org) makeRole(ctx context.Context, management string, r *orgs.AccountRequest) error {
	trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` +
		arn.Root(arn.AccountID(management)).String() + `"},"Action":"sts:AssumeRole"}]}`
	err := s.store.Update(ctx, r.Account, func(tx *store.Tx) error {
		if err := tx.CreateRole(&store.Role{Name: r.Role, Trust: store.NewTrust(trust, nil)}); err != nil {
			return err
		}
		return tx.Attach(store.RoleHolder(r.Role), adminPolicy)
	})
	if errors.Is(err, store.ErrExists) {
		return nil
	}
	return err
}

// current returns a request as it is after going on with it if it is pending.
func (s *org) current(c *api.Call, r *orgs.AccountRequest) *orgs.AccountRequest {
	if r.State != orgs.RequestPending || s.advance(c.Context(), c.Membership.Org.Management(), r) != nil {
		return r
	}
	o, err := s.latest(c.Context(), c.Membership.Org.Management())
	if err != nil || o == nil {
		return r
	}
	now, err := o.Request(r.ID)
	if err != nil {
		return r
	}
	return now
}

func (s *org) describeCreateAccountStatus(c *api.Call, in *DescribeCreateAccountStatusInput) (*DescribeCreateAccountStatusOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	r, err := o.Request(in.CreateAccountRequestId)
	if err != nil {
		return nil, fail(err)
	}
	return &DescribeCreateAccountStatusOutput{CreateAccountStatus: new(showRequest(s.current(c, r)))}, nil
}

func (s *org) listCreateAccountStatus(c *api.Call, in *ListCreateAccountStatusInput) (*ListCreateAccountStatusOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	from := func(after string) iter.Seq[*orgs.AccountRequest] {
		return filter(o.Requests(after), func(r *orgs.AccountRequest) bool {
			return len(in.States) == 0 || slices.Contains(in.States, r.State)
		})
	}
	p, err := paginate(in.NextToken, in.MaxResults, from, func(r *orgs.AccountRequest) string { return r.ID }, func(r *orgs.AccountRequest) CreateAccountStatus {
		return showRequest(s.current(c, r))
	})
	if err != nil {
		return nil, err
	}
	return &ListCreateAccountStatusOutput{CreateAccountStatuses: p.items, NextToken: p.next}, nil
}

func (s *org) createGovCloudAccountTarget(c *api.Call, in *CreateGovCloudAccountInput) ([]authz.Check, error) {
	list, err := s.checks(c, only, everything)
	return withTags(list, in.Tags), err
}

func (s *org) createGovCloudAccount(c *api.Call, _ *CreateGovCloudAccountInput) (*CreateGovCloudAccountOutput, error) {
	if _, err := s.enter(c, only); err != nil {
		return nil, err
	}
	return nil, constraint(ConstraintViolationExceptionReasonMasterAccountNotGovcloudEnabled,
		"To complete this operation, the management account must have an associated account in the AWS GovCloud (US-West) Region.")
}

// newTags returns have with the tags of a request set. Unlike IAM's, keys compare
// exactly.
func newTags(have []store.Tag, set []Tag) ([]store.Tag, error) {
	out := slices.Clone(have)
	for i, t := range set {
		if slices.ContainsFunc(set[:i], func(p Tag) bool { return p.Key == t.Key }) {
			return nil, badInput(InvalidInputExceptionReasonDuplicateTagKey, "Tag keys must be unique among the tags attached to the same entity.")
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, badInput(InvalidInputExceptionReasonInvalidSystemTagsParameter, "You specified a tag key that is a system tag. You can't add, edit, or delete system tag keys because they're reserved for AWS use.")
		}
		if j := slices.IndexFunc(out, func(h store.Tag) bool { return h.Key == t.Key }); j >= 0 {
			out[j].Value = t.Value
		} else {
			out = append(out, store.Tag{Key: t.Key, Value: t.Value})
		}
	}
	return out, nil
}
