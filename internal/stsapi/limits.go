// SPDX-License-Identifier: Apache-2.0

package stsapi

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Limits of session policies (API reference of AssumeRole, Policy and
// PolicyArns): the characters of the inline one, and the number of managed ones.
const (
	maxPolicy     = 2048
	maxPolicyARNs = 10
)

// A sessionLimit is the session policies of a request, checked.
type sessionLimit struct {
	text string
	arns []string
}

// sessionPolicy checks the session policies of a request against the account in
// which the session will act.
func sessionPolicy(view *store.View, text *string, arns []PolicyDescriptorType) (sessionLimit, error) {
	var l sessionLimit
	if text != nil && utf8.RuneCountInString(*text) > maxPolicy {
		return l, awserr.ValidationError.Msg("1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to %d", maxPolicy)
	}
	if text != nil {
		if _, err := api.Document("session policy", *text, policy.Session); err != nil {
			return l, err
		}
		l.text = *text
	}
	if len(arns) > maxPolicyARNs {
		return l, awserr.ValidationError.Msg("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to %d", maxPolicyARNs)
	}
	for _, d := range arns {
		a := wire.Value(d.Arn, "")
		if _, err := view.Policy(a); err != nil {
			return l, awserr.ValidationError.Msg("Policy ARN %s does not exist or is not attachable.", a).Because(err)
		}
		l.arns = append(l.arns, a)
	}
	return l, nil
}

// An inherited is what a role session passes on to a role assumed from it.
type inherited struct {
	Tags       []session.Tag // the transitive ones
	Transitive []string      // their keys
}

// inherit returns what the caller's session passes on, with its source identity.
func inherit(c *api.Call) (inherited, string) {
	var in inherited
	s := c.Caller.Session
	if s == nil {
		return in, ""
	}
	for _, t := range s.Tags {
		if containsFold(s.Transitive, t.Key) {
			in.Tags, in.Transitive = append(in.Tags, t), append(in.Transitive, t.Key)
		}
	}
	return in, s.SourceIdentity
}

// inheritInto gives a new session the tags and the source identity that the
// request asks for and the calling session passes on. Texts as AWS sends them.
func inheritInto(claims *session.Claims, c *api.Call, tags []Tag, transitive []string, sourceIdentity *string) error {
	from, identity := inherit(c)
	if err := checkTags(tags, transitive, from); err != nil {
		return err
	}
	claims.Tags, claims.Transitive = from.Tags, from.Transitive
	for _, t := range tags {
		claims.Tags = append(claims.Tags, session.Tag{Key: t.Key, Value: t.Value})
		if containsFold(transitive, t.Key) {
			claims.Transitive = append(claims.Transitive, t.Key)
		}
	}
	claims.SourceIdentity = wire.Value(sourceIdentity, identity)
	if identity != "" && claims.SourceIdentity != identity {
		return awserr.AccessDenied.Msg("The source identity of a session cannot be changed.")
	}
	return nil
}

func checkTags(tags []Tag, transitive []string, from inherited) error {
	keys := tagKeys(tags)
	for i, k := range keys {
		if containsFold(keys[:i], k) {
			return awserr.InvalidParameterValue.Msg("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if containsFold(from.Transitive, k) {
			return awserr.InvalidParameterValue.Msg("One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.")
		}
	}
	for _, k := range transitive {
		if !containsFold(keys, k) {
			return awserr.InvalidParameterValue.Msg("The specified transitive tag key must be included in the requested tags.")
		}
	}
	return nil
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(e string) bool { return strings.EqualFold(e, s) })
}
