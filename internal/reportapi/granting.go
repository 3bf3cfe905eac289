// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/catalog"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/policy"
)

var identities = []arn.Kind{arn.KindUser, arn.KindGroup, arn.KindRole}

func listPoliciesGrantingServiceAccessTarget(c *api.Call, in *ListPoliciesGrantingServiceAccessInput) ([]authz.Check, error) {
	e, err := find(c, in.Arn, identities...)
	if err != nil {
		return nil, err
	}
	return []authz.Check{e.check(c.View, in.Arn)}, nil
}

// listPoliciesGrantingServiceAccess has one page: it is no longer than the request.
func listPoliciesGrantingServiceAccess(c *api.Call, in *ListPoliciesGrantingServiceAccessInput) (*ListPoliciesGrantingServiceAccessOutput, error) {
	e, err := find(c, in.Arn, identities...)
	if err != nil {
		return nil, err
	}
	if err := e.exists(in.Arn); err != nil {
		return nil, err
	}
	if in.Marker != nil {
		return nil, iamop.InvalidMarker()
	}
	var services []*catalog.Service
	var unknown []string
	for i, prefix := range in.ServiceNamespaces {
		if slices.Contains(in.ServiceNamespaces[:i], prefix) {
			continue
		}
		if service, ok := lookup(prefix); ok {
			services = append(services, service)
		} else {
			unknown = append(unknown, prefix)
		}
	}
	if len(unknown) > 0 {
		return nil, awserr.InvalidInput.Msg("Invalid service namespace: [%s]", strings.Join(unknown, ", "))
	}
	out := &ListPoliciesGrantingServiceAccessOutput{}
	sources := e.sources(c.View)
	for _, service := range services {
		entry := ListPoliciesGrantingServiceAccessEntry{ServiceNamespace: &service.Prefix, Policies: []PolicyGrantingServiceAccess{}}
		for _, src := range sources {
			if grants(src.doc, service) {
				entry.Policies = append(entry.Policies, src.show())
			}
		}
		out.PoliciesGrantingServiceAccess = append(out.PoliciesGrantingServiceAccess, entry)
	}
	return out, nil
}

func (s *source) show() PolicyGrantingServiceAccess {
	if s.arn != "" {
		return PolicyGrantingServiceAccess{PolicyName: s.name, PolicyType: PolicyTypeManaged, PolicyArn: &s.arn}
	}
	return PolicyGrantingServiceAccess{PolicyName: s.name, PolicyType: PolicyTypeInline, EntityType: &s.owner, EntityName: &s.holder}
}

// lookup returns the service of a namespace, which is in lower case.
func lookup(prefix string) (*catalog.Service, bool) {
	service, ok := catalog.Lookup(prefix)
	return service, ok && service.Prefix == prefix
}

// grants reports whether a document alone lets somebody use some action of a
// service, also one that the catalogue does not know.
//
// quirk Q073: of its denies only one of the whole service on everything, without a
// condition, counts, as recorded on AWS.
func grants(d *policy.Document, service *catalog.Service) bool {
	r := newReach([]*policy.Document{d})
	everything := patternsOfAll(service)
	return slices.ContainsFunc(r.levels[0], func(s statement) bool {
		return s.concerns(service.Prefix) && len(s.narrow(everything)) > 0
	}) && !slices.ContainsFunc(r.denies, func(s statement) bool {
		whole := slices.ContainsFunc(s.actions, func(a string) bool { return arn.Match(a, service.Prefix+":*") })
		return whole && !s.notActions && !s.notResources && slices.Contains(s.resources, "*")
	})
}
