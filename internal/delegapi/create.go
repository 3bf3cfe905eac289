// SPDX-License-Identifier: Apache-2.0

package delegapi

import (
	"cmp"
	"errors"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/delegation"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// createTarget has the condition keys that guard what may be asked for (Service
// Authorization Reference, IAM). The request has no id yet.
func createTarget(c *api.Call, in *CreateDelegationRequestInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: requestARN(c, "*")}
	iamop.SetKey(&ck, "iam:DelegationDuration", strconv.Itoa(int(in.SessionDuration)))
	iamop.SetKey(&ck, "iam:NotificationChannel", in.NotificationChannel)
	if in.Permissions.PolicyTemplateArn != nil {
		iamop.SetKey(&ck, "iam:TemplateArn", *in.Permissions.PolicyTemplateArn)
	}
	return []authz.Check{ck}, nil
}

// topic is the form of a notification channel (API reference of
// CreateDelegationRequest: "only SNS topic ARNs are accepted").
var topic = regexp.MustCompile(`^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w.-]+$`)

// createDelegationRequest makes a request of the caller's account.
//
// quirk Q090: any account may make them, from its own managed policies and AWS's.
func (s *service) createDelegationRequest(c *api.Call, in *CreateDelegationRequestInput) (*CreateDelegationRequestOutput, error) {
	if !topic.MatchString(in.NotificationChannel) {
		return nil, awserr.InvalidInput.Msg("The notification channel %s is not the ARN of an SNS topic.", in.NotificationChannel)
	}
	r := &delegation.Request{
		Requestor: string(c.Account), RequestorName: requestorName(c.View.Account()), Workflow: in.RequestorWorkflowId,
		Description: in.Description, Message: wire.Value(in.RequestMessage, ""), Redirect: wire.Value(in.RedirectUrl, ""),
		Channel: in.NotificationChannel, Seconds: int(in.SessionDuration), OwnerSends: in.OnlySendByOwner,
		Account: wire.Value(in.OwnerAccountId, ""),
	}
	if err := permissions(c.View, r, &in.Permissions); err != nil {
		return nil, err
	}
	if err := s.requests.Create(c.Context(), r); err != nil {
		return nil, fail(err)
	}
	s.told(c, r)
	return &CreateDelegationRequestOutput{DelegationRequestId: &r.ID}, nil
}

// permissions fills what a request asks for.
func permissions(v *store.View, r *delegation.Request, in *DelegationPermission) error {
	if in.PolicyTemplateArn == nil {
		return awserr.InvalidInput.Msg("The permissions name no policy template.")
	}
	template, err := v.Policy(*in.PolicyTemplateArn)
	if err != nil || template.DefaultVersion() == nil {
		return awserr.InvalidInput.Msg("The policy template %s does not exist.", *in.PolicyTemplateArn).Because(err)
	}
	for _, p := range in.Parameters {
		r.Parameters = append(r.Parameters, delegation.Parameter{Name: wire.Value(p.Name, ""), Type: wire.Value(p.Type, ""), Values: p.Values})
	}
	r.Template, r.Managed = *in.PolicyTemplateArn, template.Account == "aws"
	if r.Managed && len(r.Parameters) > 0 {
		return awserr.InvalidInput.Msg("The policy template %s has no parameters.", r.Template)
	}
	r.Policy, err = delegation.Render(template.DefaultVersion().Document.Text(), r.Parameters)
	if e, ok := errors.AsType[*delegation.ParameterError](err); ok {
		return awserr.InvalidInput.Msg("%s", e.Reason)
	}
	if err != nil {
		return err
	}
	if n := utf8.RuneCountInString(r.Policy); n > delegation.MaxPolicy && !r.Managed {
		return awserr.InvalidInput.Msg("The policy of the delegation request has %d characters: at most %d are allowed.", n, delegation.MaxPolicy)
	}
	d, err := policy.Parse("policy of the delegation request", []byte(r.Policy))
	if err == nil && !r.Managed {
		err = d.Validate(policy.Session)
	}
	if err != nil {
		return awserr.InvalidInput.Msg("The policy of the delegation request is not valid: %s", api.Fault(err, policy.Session)).Because(err)
	}
	return nil
}

// maxName is how long the name of a requestor may be, in characters.
const maxName = 30

// requestorName is how a requestor appears to those whom it asks: under its
// account's name, as far as the form of answers takes it.
func requestorName(a *store.Account) string {
	name := []rune(strings.Map(func(r rune) rune {
		if r >= ' ' && r <= '~' || r >= 0xa1 && r <= 0xff {
			return r
		}
		return -1
	}, cmp.Or(a.Name, a.Alias, a.ID)))
	return string(name[:min(len(name), maxName)])
}
