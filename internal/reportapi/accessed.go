// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"cmp"
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/catalog"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/usage"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// An accessedRequest is what a job on last accesses is about.
type accessedRequest struct {
	ARN   string `json:"arn"`
	Level string `json:"level"`
}

// An accessed is the result of a job on last accesses.
type accessed struct {
	Users    []string          `json:"users,omitempty"` // unique ids of who could have used what is granted
	Services []accessedService `json:"services"`        // in order of their prefixes
}

// An accessedService is a service that is granted.
type accessedService struct {
	Prefix  string                `json:"p"`
	Used    map[string]usage.Use  `json:"u,omitempty"` // by whom
	Actions []string              `json:"a,omitempty"` // the tracked ones that are granted, of a job at action level
	Last    map[string]accessedBy `json:"l,omitempty"` // of those, the ones that were used
}

// An accessedBy is a last use and whose it was.
type accessedBy struct {
	Who string    `json:"w"`
	Use usage.Use `json:"u"`
}

var reportable = []arn.Kind{arn.KindUser, arn.KindGroup, arn.KindRole, arn.KindPolicy}

func generateServiceLastAccessedDetailsTarget(c *api.Call, in *GenerateServiceLastAccessedDetailsInput) ([]authz.Check, error) {
	e, err := find(c, in.Arn, reportable...)
	if err != nil {
		return nil, err
	}
	return []authz.Check{e.check(c.View, in.Arn)}, nil
}

func (s *Reports) generateServiceLastAccessedDetails(c *api.Call, in *GenerateServiceLastAccessedDetailsInput) (*GenerateServiceLastAccessedDetailsOutput, error) {
	e, err := find(c, in.Arn, reportable...)
	if err != nil {
		return nil, err
	}
	if err := e.exists(in.Arn); err != nil {
		return nil, err
	}
	req := &accessedRequest{in.Arn, wire.Value(in.Granularity, AccessAdvisorUsageGranularityTypeServiceLevel)}
	id, err := s.begin(c, &job{Accessed: req}, s.accessed(c.View, e, req.Level), nil)
	if err != nil {
		return nil, err
	}
	return &GenerateServiceLastAccessedDetailsOutput{JobId: &id}, nil
}

// accessed finds out what an entity grants and when that was last used.
func (s *Reports) accessed(v *store.View, e entity, level string) worker {
	return func(ctx context.Context) (any, *ErrorDetails, error) {
		var docs []*policy.Document
		for _, src := range e.sources(v) {
			docs = append(docs, src.doc)
		}
		r := newReach(docs)
		out := &accessed{Users: e.users(v), Services: []accessedService{}}
		uses := make(map[string]usage.Uses, len(out.Users))
		for _, who := range out.Users {
			uses[who] = s.usage.Of(v, who)
		}
		detailed := level == AccessAdvisorUsageGranularityTypeActionLevel
		for service := range catalog.Services() {
			if ctx.Err() != nil {
				return nil, nil, context.Cause(ctx)
			}
			names := r.actions(service, !detailed || !s.tracked[service.Prefix])
			if len(names) == 0 {
				continue
			}
			row := accessedService{Prefix: service.Prefix, Used: make(map[string]usage.Use)}
			for who, u := range uses {
				if last := u.Last(service.Prefix); last.Unix != 0 {
					row.Used[who] = last
				}
			}
			if detailed {
				s.addActions(&row, names, uses)
			}
			out.Services = append(out.Services, row)
		}
		return out, nil, nil
	}
}

// addActions adds those of the actions whose last use is known.
//
// quirk Q074: those are the operations that innkeeper itself answers. AWS lists
// what it tracks by service.
func (s *Reports) addActions(row *accessedService, names []string, uses map[string]usage.Uses) {
	row.Last = make(map[string]accessedBy)
	for _, name := range names {
		if !s.tracked[row.Prefix+":"+name] {
			continue
		}
		row.Actions = append(row.Actions, name)
		for who, u := range uses {
			use, last := u[row.Prefix][name], row.Last[name]
			if use.Unix > last.Use.Unix || use.Unix == last.Use.Unix && use.Unix != 0 && who < last.Who {
				row.Last[name] = accessedBy{who, use}
			}
		}
	}
}

func isAccessed(j *job) bool { return j.Accessed != nil }

// accessedAgain is what a job on last accesses that a node left unfinished has to
// do.
func (s *Reports) accessedAgain(c *api.Call) func(*job) worker {
	return func(j *job) worker {
		e, err := find(c, j.Accessed.ARN, reportable...)
		if err == nil {
			err = e.exists(j.Accessed.ARN)
		}
		if err != nil {
			return func(context.Context) (any, *ErrorDetails, error) {
				return nil, &ErrorDetails{Code: awserr.NoSuchEntity.Code, Message: "ARN " + j.Accessed.ARN + " does not exist."}, nil
			}
		}
		return s.accessed(c.View, e, j.Accessed.Level)
	}
}

func (s *Reports) getServiceLastAccessedDetails(c *api.Call, in *GetServiceLastAccessedDetailsInput) (*GetServiceLastAccessedDetailsOutput, error) {
	j, err := s.job(c, in.JobId, isAccessed, s.accessedAgain(c))
	if err != nil {
		return nil, err
	}
	out := &GetServiceLastAccessedDetailsOutput{
		JobStatus: j.status(), JobCreationDate: j.Started, JobCompletionDate: j.Done, Error: j.Failure,
		ServicesLastAccessed: []ServiceLastAccessed{},
	}
	if out.JobStatus != JobStatusTypeCompleted {
		return out, nil
	}
	out.JobType = &j.Accessed.Level
	result := new(accessed)
	if err := j.result(c.View, in.JobId, result); err != nil {
		return nil, err
	}
	prefix := "services/" + in.JobId + "/"
	last, err := after(in.Marker, prefix)
	if err != nil {
		return nil, err
	}
	from := func(string) iter.Seq2[string, accessedService] {
		return func(yield func(string, accessedService) bool) {
			for _, row := range result.Services {
				if row.Prefix > last && !yield(prefix+row.Prefix, row) {
					return
				}
			}
		}
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(row accessedService) ServiceLastAccessed {
		return showAccessed(c.View, &row)
	})
	if err != nil {
		return nil, err
	}
	out.ServicesLastAccessed, out.IsTruncated, out.Marker = p.Items, p.Truncated, p.Marker
	return out, nil
}

func showAccessed(v *store.View, row *accessedService) ServiceLastAccessed {
	out := ServiceLastAccessed{
		ServiceName: serviceName(row.Prefix), ServiceNamespace: row.Prefix, TotalAuthenticatedEntities: new(int32(len(row.Used))),
	}
	var last accessedBy
	for _, who := range slices.Sorted(maps.Keys(row.Used)) {
		if use := row.Used[who]; use.Unix > last.Use.Unix {
			last = accessedBy{who, use}
		}
	}
	out.LastAuthenticated = last.Use.Time()
	out.LastAuthenticatedEntity, out.LastAuthenticatedRegion = arnOf(v, last.Who), wire.NonZero(last.Use.Region)
	for _, name := range row.Actions {
		by := row.Last[name]
		out.TrackedActionsLastAccessed = append(out.TrackedActionsLastAccessed, TrackedActionLastAccessed{
			ActionName: &name, LastAccessedEntity: arnOf(v, by.Who), LastAccessedTime: by.Use.Time(), LastAccessedRegion: wire.NonZero(by.Use.Region),
		})
	}
	return out
}

// arnOf returns the ARN of a user or role, nil for one that is gone.
func arnOf(v *store.View, id string) *string {
	if e, ok := info(v, id); ok {
		return &e.Arn
	}
	return nil
}

// serviceName returns the name of a service as reports have it.
func serviceName(prefix string) string {
	if prefix == "iam" {
		return "AWS Identity and Access Management"
	}
	if service, ok := catalog.Lookup(prefix); ok {
		return service.Name
	}
	return prefix
}

// An entityUse is a user or role and its last use of a service.
type entityUse struct {
	info EntityInfo
	at   time.Time
}

func (s *Reports) getServiceLastAccessedDetailsWithEntities(c *api.Call, in *GetServiceLastAccessedDetailsWithEntitiesInput) (*GetServiceLastAccessedDetailsWithEntitiesOutput, error) {
	j, err := s.job(c, in.JobId, isAccessed, s.accessedAgain(c))
	if err != nil {
		return nil, err
	}
	if _, ok := lookup(in.ServiceNamespace); !ok {
		// AWS spells it like this.
		return nil, awserr.InvalidInput.Msg("Service namepace %s is either invalid or unsupported.", in.ServiceNamespace)
	}
	out := &GetServiceLastAccessedDetailsWithEntitiesOutput{
		JobStatus: j.status(), JobCreationDate: j.Started, JobCompletionDate: j.Done, Error: j.Failure,
		EntityDetailsList: []EntityDetails{},
	}
	if out.JobStatus != JobStatusTypeCompleted {
		return out, nil
	}
	result := new(accessed)
	if err := j.result(c.View, in.JobId, result); err != nil {
		return nil, err
	}
	prefix := "entities/" + in.JobId + "/"
	last, err := after(in.Marker, prefix)
	if err != nil {
		return nil, err
	}
	from := func(string) iter.Seq2[string, entityUse] {
		return func(yield func(string, entityUse) bool) {
			list := result.entities(c.View, in.ServiceNamespace)
			skip := slices.IndexFunc(list, func(e entityUse) bool { return e.info.Id == last }) + 1
			for _, e := range list[skip:] {
				if !yield(prefix+e.info.Id, e) {
					return
				}
			}
		}
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(e entityUse) EntityDetails {
		return EntityDetails{EntityInfo: e.info, LastAuthenticated: e.at}
	})
	if err != nil {
		return nil, err
	}
	out.EntityDetailsList, out.IsTruncated, out.Marker = p.Items, p.Truncated, p.Marker
	return out, nil
}

// entities lists who could have used a service, the latest use first. Those that
// are gone by now are left out.
func (a *accessed) entities(v *store.View, prefix string) []entityUse {
	i, ok := slices.BinarySearchFunc(a.Services, prefix, func(row accessedService, p string) int { return cmp.Compare(row.Prefix, p) })
	if !ok {
		return nil
	}
	var list []entityUse
	for _, id := range a.Users {
		if e, ok := info(v, id); ok {
			list = append(list, entityUse{e, a.Services[i].Used[id].Time()})
		}
	}
	slices.SortFunc(list, func(x, y entityUse) int { return cmp.Or(y.at.Compare(x.at), compareInfo(x.info, y.info)) })
	return list
}
