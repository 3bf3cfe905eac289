// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// handshakeLife is how long a handshake waits for its answer (API reference,
// Handshake), and maxInvitations how many wait for one account.
const (
	handshakeLife  = 15 * 24 * time.Hour
	maxInvitations = 20
)

// state returns the state of a handshake at present. Nobody writes that one has
// expired, nor that all who had to agree have.
func (s *org) state(o *orgs.Org, h *orgs.Handshake) string {
	switch {
	case h.State != HandshakeStateOpen && h.State != HandshakeStateRequested:
		return h.State
	case !s.now().Before(h.Expires):
		return HandshakeStateExpired
	case h.State == HandshakeStateRequested && s.agreed(o, h):
		return HandshakeStateOpen
	}
	return h.State
}

// agreed reports whether every account that has to agree to a change of the
// organization, and is still in it, does.
func (s *org) agreed(o *orgs.Org, parent *orgs.Handshake) bool {
	for h := range o.Handshakes("") {
		if _, err := o.Member(h.Account); h.Parent == parent.ID && err == nil && h.State != HandshakeStateAccepted {
			return false
		}
	}
	return true
}

// handshake finds a handshake that the caller's account has a part in, and its
// organization.
func (s *org) handshake(c *api.Call, id string) (*orgs.Org, *orgs.Handshake, error) {
	if m := c.Membership; m != nil && m.Management {
		if h, err := m.Org.Handshake(id); err == nil {
			return m.Org, h, nil
		}
	}
	for _, in := range c.View.Account().Invitations {
		if in.Handshake != id {
			continue
		}
		if o := s.inviter(c, in); o != nil {
			if h, err := o.Handshake(id); err == nil && h.Account == string(c.Account) {
				return o, h, nil
			}
		}
	}
	return nil, nil, awserr.HandshakeNotFoundException
}

// inviter returns the organization of an invitation, or nil.
func (s *org) inviter(c *api.Call, in store.Invitation) *orgs.Org {
	v, err := s.store.View(c.Context(), in.Management)
	if err != nil {
		return nil
	}
	o, err := orgs.Of(v)
	if err != nil {
		return nil
	}
	return o
}

func (s *org) handshakeTarget(c *api.Call, id string) ([]authz.Check, error) {
	if _, err := s.place(c); err != nil {
		return nil, err
	}
	ck := authz.Check{Resource: "*", Shown: "handshake " + id} // whether or not there is one
	if o, h, err := s.handshake(c, id); err == nil {
		ck.Resource = handshakeARN(o, h)
	}
	return []authz.Check{ck}, nil
}

func (s *org) inviteTarget(c *api.Call, in *InviteAccountToOrganizationInput) ([]authz.Check, error) {
	list, err := s.checks(c, only, func(o *orgs.Org) []authz.Check { return invitee(o, in.Target) })
	return withTags(list, in.Tags), err
}

// invitee returns the check for whom an invitation is to: an account, or anybody
// with an address.
func invitee(o *orgs.Org, to HandshakeParty) []authz.Check {
	if to.Type == HandshakePartyTypeAccount {
		return resources(o, to.Id)
	}
	return everything(o)
}

func (s *org) invite(c *api.Call, in *InviteAccountToOrganizationInput) (*InviteAccountToOrganizationOutput, error) {
	o, err := s.enter(c, only)
	if err != nil {
		return nil, err
	}
	tags, err := newTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	account, err := s.invited(c, in.Target)
	if err != nil {
		return nil, err
	}
	v, err := s.store.View(c.Context(), account)
	if err != nil {
		return nil, err
	}
	if m, err := orgs.Find(c.Context(), s.store, v); err != nil {
		return nil, err
	} else if m != nil {
		return nil, alreadyMember()
	}
	h := &orgs.Handshake{
		Action: ActionTypeInvite, State: HandshakeStateOpen, Account: account, Notes: wire.Value(in.Notes, ""), Tags: tags,
	}
	if in.Target.Type == HandshakePartyTypeEmail {
		h.Email = in.Target.Id
	}
	if err := s.begin(c, o, h); err != nil {
		return nil, err
	}
	return &InviteAccountToOrganizationOutput{Handshake: s.show(o, h)}, nil
}

// invited returns the account that an invitation is for.
func (s *org) invited(c *api.Call, party HandshakeParty) (string, error) {
	switch party.Type {
	case HandshakePartyTypeAccount:
		if _, err := s.store.View(c.Context(), party.Id); err == nil {
			return party.Id, nil
		} else if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		return "", badInput(InvalidInputExceptionReasonInvalidPatternTargetId, "You specified an account that doesn't exist.")
	case HandshakePartyTypeEmail:
		account, err := s.store.AccountByMail(c.Context(), party.Id)
		if errors.Is(err, store.ErrNotFound) {
			err = badInput(InvalidInputExceptionReasonInvalidEmailAddressTarget, "You specified an invalid email address for the invited account owner.")
		}
		return account, err
	}
	return "", badInput(InvalidInputExceptionReasonInvalidPartyTypeTarget, "You specified the wrong type of entity (account, organization, or email) as a party.")
}

func alreadyMember() error {
	return handshakeConstraint(HandshakeConstraintViolationExceptionReasonAlreadyInAnOrganization, "The account is already a member of an organization.")
}

// begin stores a new handshake. The account that it waits for learns of it first:
// an invitation to what does not exist is nothing.
func (s *org) begin(c *api.Call, o *orgs.Org, h *orgs.Handshake) error {
	for other := range o.Handshakes("") {
		if other.Action == h.Action && other.Account == h.Account && s.state(o, other) == HandshakeStateOpen {
			return awserr.DuplicateHandshakeException
		}
	}
	s.orgs.NewHandshake(h, handshakeLife)
	err := s.store.Update(c.Context(), h.Account, func(tx *store.Tx) error {
		a := tx.Account()
		a.Invitations = append(a.Invitations, store.Invitation{Handshake: h.ID, Management: o.Management()})
		a.Invitations = a.Invitations[max(0, len(a.Invitations)-maxInvitations):]
		return tx.PutAccount(a)
	})
	if err != nil {
		return err
	}
	return s.update(c, func(tx *orgs.Tx) error { return tx.PutHandshake(h) })
}

func (s *org) acceptTarget(c *api.Call, in *AcceptHandshakeInput) ([]authz.Check, error) {
	return s.handshakeTarget(c, in.HandshakeId)
}

func (s *org) accept(c *api.Call, in *AcceptHandshakeInput) (*AcceptHandshakeOutput, error) {
	o, h, err := s.answerable(c, in.HandshakeId, HandshakeStateAccepted)
	if err != nil {
		return nil, err
	}
	switch h.Action {
	case ActionTypeInvite:
		err = s.join(c, o, h)
	case ActionTypeEnableAllFeatures:
		h, err = s.settle(c, o, h, func(tx *orgs.Tx) error {
			self, err := tx.Organization()
			if err != nil {
				return err
			}
			self.Features = orgs.FeaturesAll
			return tx.PutOrganization(self)
		}, HandshakeStateAccepted)
	default:
		h, err = s.settle(c, o, h, nil, HandshakeStateAccepted)
	}
	if err != nil {
		return nil, err
	}
	h.State = HandshakeStateAccepted
	return &AcceptHandshakeOutput{Handshake: s.show(o, h)}, nil
}

// answerable returns a copy of a handshake that waits for the caller.
func (s *org) answerable(c *api.Call, id, wanted string) (*orgs.Org, *orgs.Handshake, error) {
	o, found, err := s.handshake(c, id)
	if err != nil {
		return nil, nil, err
	}
	switch state := s.state(o, found); {
	case found.Account != string(c.Account):
		return nil, nil, awserr.AccessDeniedException
	case state == wanted:
		return nil, nil, awserr.HandshakeAlreadyInStateException
	case state != HandshakeStateOpen:
		return nil, nil, awserr.InvalidHandshakeTransitionException
	}
	h := *found
	return o, &h, nil
}

// join makes the caller's account a member: it points to the organization first,
// and is one when the organization lists it.
func (s *org) join(c *api.Call, o *orgs.Org, h *orgs.Handshake) error {
	if c.Membership != nil {
		return alreadyMember()
	}
	account := string(c.Account)
	err := s.store.Update(c.Context(), account, func(tx *store.Tx) error { return tx.Join(o.Management()) })
	if errors.Is(err, store.ErrExists) {
		return alreadyMember()
	}
	if err != nil {
		return err
	}
	a := c.View.Account()
	_, err = s.settle(c, o, h, func(tx *orgs.Tx) error {
		return tx.Enroll(&orgs.Member{ID: account, Name: nameOf(a), Email: a.Mail(), Invited: true, Tags: h.Tags})
	}, HandshakeStateAccepted)
	if err != nil {
		return errors.Join(err, s.store.Update(c.Context(), account, func(tx *store.Tx) error {
			tx.Leave(o.Management())
			return nil
		}))
	}
	return nil
}

func nameOf(a *store.Account) string {
	if a.Name == "" {
		return a.ID
	}
	return a.Name
}

// settle ends a handshake together with a change of its organization, which may
// be nil, and takes the invitation away.
func (s *org) settle(c *api.Call, o *orgs.Org, h *orgs.Handshake, change func(*orgs.Tx) error, state string) (*orgs.Handshake, error) {
	var now *orgs.Handshake
	err := fail(s.orgs.Update(c.Context(), o.Management(), func(tx *orgs.Tx) error {
		var err error
		if now, err = tx.Handshake(h.ID); err != nil {
			return err
		}
		if was := s.state(tx.Found(), now); was != HandshakeStateOpen && was != HandshakeStateRequested {
			return awserr.InvalidHandshakeTransitionException
		}
		if change != nil {
			if err := change(tx); err != nil {
				return err
			}
		}
		now.State = state
		return tx.PutHandshake(now)
	}))
	if err != nil {
		return nil, err
	}
	return now, s.store.Update(c.Context(), h.Account, func(tx *store.Tx) error {
		a := tx.Account()
		a.Invitations = slices.DeleteFunc(a.Invitations, func(in store.Invitation) bool { return in.Handshake == h.ID })
		return tx.PutAccount(a)
	})
}

func (s *org) declineTarget(c *api.Call, in *DeclineHandshakeInput) ([]authz.Check, error) {
	return s.handshakeTarget(c, in.HandshakeId)
}

func (s *org) decline(c *api.Call, in *DeclineHandshakeInput) (*DeclineHandshakeOutput, error) {
	o, h, err := s.answerable(c, in.HandshakeId, HandshakeStateDeclined)
	if err == nil {
		h, err = s.settle(c, o, h, nil, HandshakeStateDeclined)
	}
	if err != nil {
		return nil, err
	}
	return &DeclineHandshakeOutput{Handshake: s.show(o, h)}, nil
}

func (s *org) cancelTarget(c *api.Call, in *CancelHandshakeInput) ([]authz.Check, error) {
	return s.handshakeTarget(c, in.HandshakeId)
}

func (s *org) cancel(c *api.Call, in *CancelHandshakeInput) (*CancelHandshakeOutput, error) {
	o, h, err := s.handshake(c, in.HandshakeId)
	if err != nil {
		return nil, err
	}
	switch state := s.state(o, h); {
	case o.Management() != string(c.Account):
		return nil, awserr.AccessDeniedException
	case state == HandshakeStateCanceled:
		return nil, awserr.HandshakeAlreadyInStateException
	case state != HandshakeStateOpen && state != HandshakeStateRequested:
		return nil, awserr.InvalidHandshakeTransitionException
	}
	if h, err = s.settle(c, o, h, nil, HandshakeStateCanceled); err != nil {
		return nil, err
	}
	return &CancelHandshakeOutput{Handshake: s.show(o, h)}, nil
}

func (s *org) describeHandshakeTarget(c *api.Call, in *DescribeHandshakeInput) ([]authz.Check, error) {
	return s.handshakeTarget(c, in.HandshakeId)
}

func (s *org) describeHandshake(c *api.Call, in *DescribeHandshakeInput) (*DescribeHandshakeOutput, error) {
	o, h, err := s.handshake(c, in.HandshakeId)
	if err != nil {
		return nil, err
	}
	return &DescribeHandshakeOutput{Handshake: s.show(o, h)}, nil
}

// wanted reports whether a filter lets a handshake pass.
func wanted(f *HandshakeFilter, h *orgs.Handshake) bool {
	return f == nil || (f.ActionType == nil || *f.ActionType == h.Action) && (f.ParentHandshakeId == nil || *f.ParentHandshakeId == h.Parent)
}

func handshakeID(h *orgs.Handshake) string { return h.ID }

func (s *org) listForAccount(c *api.Call, in *ListHandshakesForAccountInput) (*ListHandshakesForAccountOutput, error) {
	var list []*orgs.Handshake
	of := make(map[string]*orgs.Org)
	for _, inv := range c.View.Account().Invitations {
		if o, h, err := s.handshake(c, inv.Handshake); err == nil && wanted(in.Filter, h) {
			list = append(list, h)
			of[h.ID] = o
		}
	}
	slices.SortFunc(list, func(a, b *orgs.Handshake) int { return strings.Compare(a.ID, b.ID) })
	from := func(last string) iter.Seq[*orgs.Handshake] { return after(list, last, handshakeID) }
	p, err := paginate(in.NextToken, in.MaxResults, from, handshakeID, func(h *orgs.Handshake) Handshake { return *s.show(of[h.ID], h) })
	if err != nil {
		return nil, err
	}
	return &ListHandshakesForAccountOutput{Handshakes: p.items, NextToken: p.next}, nil
}

func (s *org) listForOrganization(c *api.Call, in *ListHandshakesForOrganizationInput) (*ListHandshakesForOrganizationOutput, error) {
	o, err := s.enter(c, reader)
	if err != nil {
		return nil, err
	}
	from := func(after string) iter.Seq[*orgs.Handshake] {
		return filter(o.Handshakes(after), func(h *orgs.Handshake) bool { return wanted(in.Filter, h) })
	}
	p, err := paginate(in.NextToken, in.MaxResults, from, handshakeID, func(h *orgs.Handshake) Handshake { return *s.show(o, h) })
	if err != nil {
		return nil, err
	}
	return &ListHandshakesForOrganizationOutput{Handshakes: p.items, NextToken: p.next}, nil
}

// enableAllFeatures asks the invited accounts, and, when they have agreed, waits
// for the management account to accept.
func (s *org) enableAllFeatures(c *api.Call, _ *EnableAllFeaturesInput) (*EnableAllFeaturesOutput, error) {
	o, err := s.enter(c, only)
	if err != nil {
		return nil, err
	}
	if o.Record().Features == orgs.FeaturesAll {
		return nil, handshakeConstraint(HandshakeConstraintViolationExceptionReasonOrganizationAlreadyHasAllFeatures, "The organization has all features already.")
	}
	for h := range o.Handshakes("") {
		if state := s.state(o, h); h.Action == ActionTypeEnableAllFeatures && (state == HandshakeStateOpen || state == HandshakeStateRequested) {
			return nil, handshakeConstraint(HandshakeConstraintViolationExceptionReasonOrganizationIsAlreadyPendingAllFeaturesMigration,
				"The organization is already in the process of enabling all features.")
		}
	}
	parent := &orgs.Handshake{Action: ActionTypeEnableAllFeatures, State: HandshakeStateRequested, Account: o.Management()}
	s.orgs.NewHandshake(parent, 6*handshakeLife) // 90 days
	for m := range o.Members("") {
		if !m.Invited || m.ID == o.Management() || m.State != orgs.MemberActive {
			continue
		}
		h := &orgs.Handshake{Action: ActionTypeApproveAllFeatures, State: HandshakeStateOpen, Account: m.ID, Parent: parent.ID}
		if err := s.begin(c, o, h); err != nil && !errors.Is(err, awserr.DuplicateHandshakeException) {
			return nil, err
		}
	}
	if err := s.update(c, func(tx *orgs.Tx) error { return tx.PutHandshake(parent) }); err != nil {
		return nil, err
	}
	return &EnableAllFeaturesOutput{Handshake: s.show(o, parent)}, nil
}

// show is a handshake as answers show it.
func (s *org) show(o *orgs.Org, h *orgs.Handshake) *Handshake {
	self := o.Record()
	organization := HandshakeResource{Type: new(HandshakeResourceTypeOrganization), Value: new(self.ID)}
	if m, err := o.Member(o.Management()); err == nil {
		organization.Resources = []HandshakeResource{
			{Type: new(HandshakeResourceTypeMasterEmail), Value: new(m.Email)},
			{Type: new(HandshakeResourceTypeMasterName), Value: new(m.Name)},
			{Type: new(HandshakeResourceTypeOrganizationFeatureSet), Value: new(self.Features)},
		}
	}
	party := HandshakeParty{Id: h.Account, Type: HandshakePartyTypeAccount}
	if h.Email != "" {
		party = HandshakeParty{Id: h.Email, Type: HandshakePartyTypeEmail}
	}
	out := &Handshake{
		Id: new(h.ID), Arn: new(handshakeARN(o, h)), State: new(s.state(o, h)), Action: new(h.Action),
		RequestedTimestamp: h.Requested, ExpirationTimestamp: h.Expires,
		Parties:   []HandshakeParty{{Id: strings.TrimPrefix(self.ID, "o-"), Type: HandshakePartyTypeOrganization}, party},
		Resources: []HandshakeResource{organization, {Type: new(party.Type), Value: new(party.Id)}},
	}
	if h.Notes != "" {
		out.Resources = append(out.Resources, HandshakeResource{Type: new(HandshakeResourceTypeNotes), Value: new(h.Notes)})
	}
	if h.Parent != "" {
		out.Resources = append(out.Resources, HandshakeResource{Type: new(HandshakeResourceTypeParentHandshake), Value: new(h.Parent)})
	}
	return out
}
