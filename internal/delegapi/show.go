// SPDX-License-Identifier: Apache-2.0

package delegapi

import (
	"errors"
	"iter"
	"regexp"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/delegation"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// viewTarget is the target of reading a request: its owner needs no permission,
// and before it has one nobody does in an account that may take it up (API
// reference of GetDelegationRequest).
func (s *service) viewTarget(c *api.Call, id string) ([]authz.Check, error) {
	r, ck, err := s.found(c, id)
	ck.Open = r != nil && (r.Owner == nil || mine(c, r))
	return []authz.Check{ck}, err
}

// view returns a request that the caller's account may read: one for it to decide
// about, or that it made itself.
//
// quirk Q091: who made it may see how it goes, since nothing is sent.
func (s *service) view(c *api.Call, id string) (*delegation.Request, error) {
	r, err := s.requests.Find(c.Context(), id)
	if err != nil {
		return nil, fail(err)
	}
	if account := string(c.Account); !r.Concerns(account) && r.Requestor != account {
		return nil, unknown(id)
	}
	return r, nil
}

func (s *service) getTarget(c *api.Call, in *GetDelegationRequestInput) ([]authz.Check, error) {
	return s.viewTarget(c, in.DelegationRequestId)
}

func (s *service) getDelegationRequest(c *api.Call, in *GetDelegationRequestInput) (*GetDelegationRequestOutput, error) {
	r, err := s.view(c, in.DelegationRequestId)
	if err != nil {
		return nil, err
	}
	out := &GetDelegationRequestOutput{DelegationRequest: new(s.show(c, r))}
	if in.DelegationPermissionCheck && r.Concerns(string(c.Account)) {
		result, err := s.check(c, r)
		if err != nil {
			return nil, err
		}
		out.PermissionCheckStatus, out.PermissionCheckResult = new(PermissionCheckStatusTypeComplete), &result
	}
	return out, nil
}

// show returns a request as the caller's account sees it. The requestor does not
// learn who in the other account handles it, nor what they tell each other.
func (s *service) show(c *api.Call, r *delegation.Request) DelegationRequest {
	out := DelegationRequest{
		DelegationRequestId: &r.ID, OwnerAccountId: wire.NonZero(r.Account), Description: &r.Description,
		RequestMessage: wire.NonZero(r.Message), PermissionPolicy: &r.Policy, RolePermissionRestrictionArns: []string{},
		Permissions: &DelegationPermission{PolicyTemplateArn: &r.Template, Parameters: parameters(r)},
		State:       new(string(r.State(s.now()))), ExpirationTime: r.Expires(), RequestorId: &r.Requestor,
		RequestorName: wire.NonZero(r.RequestorName), CreateDate: r.Created, SessionDuration: new(int32(r.Seconds)),
		RedirectUrl: wire.NonZero(r.Redirect), RejectionReason: wire.NonZero(r.Rejection),
		OnlySendByOwner: r.OwnerSends, UpdatedTime: r.Updated,
	}
	if d, err := policy.Parse("", []byte(r.Policy)); err == nil {
		out.RolePermissionRestrictionArns = delegation.Restrictions(d)
	}
	if !r.Concerns(string(c.Account)) {
		return out
	}
	out.Notes = wire.NonZero(r.Notes)
	if r.Owner != nil {
		out.OwnerId = &r.Owner.ARN
	}
	if r.Approver != nil {
		out.ApproverId = &r.Approver.ARN
	}
	return out
}

func parameters(r *delegation.Request) []PolicyParameter {
	list := make([]PolicyParameter, len(r.Parameters))
	for i, p := range r.Parameters {
		list[i] = PolicyParameter{Name: &p.Name, Values: p.Values, Type: wire.NonZero(p.Type)}
	}
	return list
}

// check reports whether the caller has what the request asks for.
func (s *service) check(c *api.Call, r *delegation.Request) (string, error) {
	want, err := policy.Parse("", []byte(r.Policy))
	if err != nil {
		return "", err
	}
	set := s.authz.Policies(c.Caller)
	req := &policy.Request{Principal: c.Caller.Principal, ResourceAccount: string(c.Account), Context: make(map[string]string)}
	if err := s.authz.Organize(c.Context(), set, req, c.Caller); err != nil {
		return "", err
	}
	return map[delegation.Cover]string{
		delegation.CoverAllowed: PermissionCheckResultTypeAllowed,
		delegation.CoverUnsure:  PermissionCheckResultTypeUnsure,
		delegation.CoverDenied:  PermissionCheckResultTypeDenied,
	}[delegation.CoverOf(want, set, c.Caller.Root())], nil
}

// listTarget: everybody may list what they own.
func listTarget(c *api.Call, in *ListDelegationRequestsInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: "*"}
	if in.OwnerId != nil {
		iamop.SetKey(&ck, "iam:DelegationRequestOwner", *in.OwnerId)
		ck.Open = *in.OwnerId == c.Caller.ARN
	}
	return []authz.Check{ck}, nil
}

func (s *service) listDelegationRequests(c *api.Call, in *ListDelegationRequestsInput) (*ListDelegationRequestsOutput, error) {
	owned, err := s.requests.Owned(c.Context(), c.View)
	if err != nil {
		return nil, err
	}
	from := func(after string) iter.Seq2[string, *delegation.Request] {
		return func(yield func(string, *delegation.Request) bool) {
			for _, r := range owned {
				if r.ID > after && (in.OwnerId == nil || r.Owner.ARN == *in.OwnerId) && !yield(r.ID, r) {
					return
				}
			}
		}
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(r *delegation.Request) DelegationRequest { return s.show(c, r) })
	if err != nil {
		return nil, err
	}
	return &ListDelegationRequestsOutput{DelegationRequests: p.Items, IsTruncated: p.Truncated, Marker: p.Marker}, nil
}

// entity is the ARN of a request.
var entity = regexp.MustCompile(`^arn:` + arn.Partition + `:iam::(\d{12}):delegation-request/([\w-]{16,128})$`)

func requestID(entityARN string) (account, id string, err error) {
	m := entity.FindStringSubmatch(entityARN)
	if m == nil {
		return "", "", awserr.InvalidInput.Msg("%s is not the ARN of a delegation request, the only entity that has a summary.", entityARN)
	}
	return m[1], m[2], nil
}

func (s *service) summaryTarget(c *api.Call, in *GetHumanReadableSummaryInput) ([]authz.Check, error) {
	_, id, err := requestID(in.EntityArn)
	if err != nil {
		return nil, err
	}
	return s.viewTarget(c, id)
}

// english is the language of summaries, and the locale of those that ask for none.
const english = "en"

// getHumanReadableSummary answers at once.
//
// quirk Q097: summaries are in English, for every locale of English and none else.
func (s *service) getHumanReadableSummary(c *api.Call, in *GetHumanReadableSummaryInput) (*GetHumanReadableSummaryOutput, error) {
	account, id, err := requestID(in.EntityArn)
	if err != nil {
		return nil, err
	}
	r, err := s.view(c, id)
	if err != nil {
		return nil, err
	}
	if account != string(c.Account) && account != r.Account && account != r.Requestor {
		return nil, unknown(id)
	}
	locale := wire.Value(in.Locale, english)
	language, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-")
	if !strings.EqualFold(language, english) {
		return &GetHumanReadableSummaryOutput{Locale: &locale, SummaryState: new(SummaryStateTypeNotSupported)}, nil
	}
	d, err := policy.Parse("", []byte(r.Policy))
	if err != nil {
		return nil, errors.Join(store.ErrFormat, err)
	}
	return &GetHumanReadableSummaryOutput{
		SummaryContent: new(delegation.Summary(r, d)), Locale: &locale, SummaryState: new(SummaryStateTypeAvailable),
	}, nil
}
