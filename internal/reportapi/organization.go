// SPDX-License-Identifier: Apache-2.0

package reportapi

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/catalog"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/orgs"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/usage"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// An orgRequest is what a job on an organization is about.
type orgRequest struct {
	Path   string `json:"path"`
	Policy string `json:"policy,omitempty"` // id of a service control policy
}

// An orgAccess is the result of a job on an organization: the services that are
// allowed, in order of their prefixes.
type orgAccess []orgService

type orgService struct {
	Prefix   string    `json:"p"`
	Accounts int       `json:"n,omitempty"` // that used it
	Last     usage.Use `json:"u,omitzero"`
	Path     string    `json:"path,omitempty"` // of the account that used it last
}

// recents are the account's latest jobs on its organization.
type recents []recent

type recent struct {
	ID      string     `json:"id"`
	Owner   string     `json:"owner"`
	Started time.Time  `json:"started"`
	Request orgRequest `json:"request"`
}

// again is for how long a job on an organization answers further requests for the
// same, as recorded on AWS.
const again = time.Minute

func generateOrganizationsAccessReportTarget(c *api.Call, in *GenerateOrganizationsAccessReportInput) ([]authz.Check, error) {
	ck := authz.Check{Resource: iamop.ARN(c, "access-report/"+in.EntityPath)}
	if in.OrganizationsPolicyId != nil {
		iamop.SetKey(&ck, "iam:OrganizationsPolicyId", *in.OrganizationsPolicyId)
	}
	return []authz.Check{ck}, nil
}

func (s *Reports) generateOrganizationsAccessReport(c *api.Call, in *GenerateOrganizationsAccessReportInput) (*GenerateOrganizationsAccessReportOutput, error) {
	m, err := orgs.Find(c.Context(), s.store, c.View)
	if err != nil {
		return nil, err
	}
	if err := entitled(c, m, in.EntityPath); err != nil {
		return nil, err
	}
	req := orgRequest{in.EntityPath, wire.Value(in.OrganizationsPolicyId, "")}
	if id, err := s.recent(c, req); id != "" || err != nil {
		return &GenerateOrganizationsAccessReportOutput{JobId: &id}, err
	}
	j := &job{Org: &req}
	id, err := s.begin(c, j, s.organization(c, m.Org, req), func(tx *store.Tx, id string) error {
		list := slices.DeleteFunc(recentsOf(tx.View()), func(r recent) bool { return s.now().Sub(r.Started) >= again })
		return put(tx, keyRecent, append(list, recent{id, j.Owner, j.Started, req}))
	})
	if err != nil {
		return nil, err
	}
	return &GenerateOrganizationsAccessReportOutput{JobId: &id}, nil
}

func recentsOf(v *store.View) recents {
	var list recents
	load(v, keyRecent, &list)
	return list
}

// recent returns the job that a request gets again, "" for none. While another one
// of the account is in progress there can be none.
func (s *Reports) recent(c *api.Call, req orgRequest) (string, error) {
	for _, r := range recentsOf(c.View) {
		age := s.now().Sub(r.Started)
		if r.Owner == owner(c) && r.Request == req && age < again {
			return r.ID, nil
		}
		var j job
		if load(c.View, dirJob+r.ID, &j) && j.Done.IsZero() && age < stale {
			return "", awserr.ReportGenerationLimitExceeded.Msg("Maximum number of concurrent jobs exceeded")
		}
	}
	return "", nil
}

// entitled returns why the caller's account may not report on an organization: it
// does not manage it, or service control policies are not enabled.
//
// quirk Q075: that is AccessDenied. AWS's model names no error for it.
func entitled(c *api.Call, m *orgs.Membership, path string) error {
	why := ""
	switch {
	case m == nil || !m.Management:
		why = "the account does not manage an organization"
	case !strings.HasPrefix(path, m.Org.Record().ID+"/"):
		why = "the account does not manage that organization"
	case m.Org.Record().Type(orgs.TypeSCP) == nil:
		why = "service control policies are not enabled in the organization"
	default:
		return nil
	}
	return awserr.AccessDenied.Msg("User: %s is not authorized to perform: iam:GenerateOrganizationsAccessReport on resource: %s because %s",
		c.Caller.ARN, iamop.ARN(c, "access-report/"+path), why)
}

// The failures of jobs on organizations, as AWS has them.
var (
	failedAccess = &ErrorDetails{Code: "ORGANIZATIONS_REPORT_ACCESS_DENIED", Message: "Requester is not authorized to perform the required AWS Organizations Describe* and List* actions."}
	failedPath   = &ErrorDetails{Code: "INVALID_ORGANIZATIONS_ENTITY_PATH", Message: "The entity with the specified path does not exist in your organization."}
	failedPolicy = &ErrorDetails{Code: "INVALID_ORGANIZATIONS_POLICY", Message: "The policy with the specified ID does not exist in your organization."}
)

// organization finds out what service control policies allow and when that was
// last used.
func (s *Reports) organization(c *api.Call, o *orgs.Org, req orgRequest) worker {
	return func(ctx context.Context) (any, *ErrorDetails, error) {
		steps := strings.Split(req.Path, "/")
		target := steps[len(steps)-1]
		if ok, err := s.mayRead(ctx, c, o, target, req.Policy); !ok || err != nil {
			return nil, failedAccess, err
		}
		if _, err := o.Parent(target); err != nil && target != o.Record().Root || pathOf(o, target) != req.Path {
			return nil, failedPath, nil
		}
		levels := scps(o, target)
		if target == o.Management() {
			levels, req.Policy = nil, ""
		}
		if req.Policy != "" {
			p, err := o.Policy(req.Policy)
			if err != nil || p.Type != orgs.TypeSCP {
				return nil, failedPolicy, nil
			}
			levels = [][]*policy.Document{documents(p)}
		}
		used, err := s.usedBy(ctx, o, accountsOf(o, target, req.Policy))
		if err != nil {
			return nil, nil, err
		}
		r, out := newReach(levels...), orgAccess{}
		for service := range catalog.Services() {
			if ctx.Err() != nil {
				return nil, nil, context.Cause(ctx)
			}
			if len(r.actions(service, true)) > 0 {
				row := used[service.Prefix]
				row.Prefix = service.Prefix
				out = append(out, row)
			}
		}
		return out, nil, nil
	}
}

// pathOf returns the path of an entity of an organization as reports have it.
func pathOf(o *orgs.Org, id string) string {
	return o.Record().ID + "/" + strings.Join(o.Path(id), "/")
}

// scps returns the service control policies over an entity, a list for each level.
func scps(o *orgs.Org, target string) [][]*policy.Document {
	var levels [][]*policy.Document
	for _, at := range o.Path(target) {
		var level []*policy.Document
		for _, id := range o.Attached(at, orgs.TypeSCP) {
			if p, err := o.Policy(id); err == nil {
				level = append(level, documents(p)...)
			}
		}
		levels = append(levels, level)
	}
	return levels
}

func documents(p *orgs.Policy) []*policy.Document {
	doc, err := policy.Parse(p.ID, []byte(p.Document.Text()))
	if err != nil {
		return nil
	}
	return []*policy.Document{doc}
}

// accountsOf returns the accounts in an entity, or of them those that a policy
// reaches which is attached to the entity or something in it. The management
// account is in none but itself (API reference of
// GenerateOrganizationsAccessReport).
func accountsOf(o *orgs.Org, target, policyID string) []string {
	if target == o.Management() {
		return []string{target}
	}
	var list []string
	for m := range o.Members("") {
		path := o.Path(m.ID)
		i := slices.Index(path, target)
		if i < 0 || m.ID == o.Management() {
			continue
		}
		if policyID == "" || slices.ContainsFunc(path[i:], func(at string) bool {
			return slices.Contains(o.Attached(at, orgs.TypeSCP), policyID)
		}) {
			list = append(list, m.ID)
		}
	}
	return list
}

// usedBy adds up the last uses of accounts, by service.
func (s *Reports) usedBy(ctx context.Context, o *orgs.Org, accounts []string) (map[string]orgService, error) {
	used := make(map[string]orgService)
	for _, account := range accounts {
		v, err := s.store.View(ctx, account)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for prefix, use := range s.usage.Services(v) {
			row := used[prefix]
			row.Accounts++
			if use.Unix > row.Last.Unix {
				row.Last, row.Path = use, pathOf(o, account)
			}
			used[prefix] = row
		}
	}
	return used, nil
}

// mayRead reports whether the caller may read of the organization what a report
// shows (service authorization reference: what GenerateOrganizationsAccessReport
// depends on).
func (s *Reports) mayRead(ctx context.Context, c *api.Call, o *orgs.Org, target, policyID string) (bool, error) {
	kind := "account/"
	if strings.HasPrefix(target, "r-") {
		kind = "root/"
	} else if strings.HasPrefix(target, "ou-") {
		kind = "ou/"
	}
	entity := organizationARN(o, kind+o.Record().ID+"/"+target)
	checks := []authz.Check{
		{Action: "organizations:ListRoots", Resource: "*"},
		{Action: "organizations:ListParents", Resource: entity},
		{Action: "organizations:ListChildren", Resource: entity},
		{Action: "organizations:ListPoliciesForTarget", Resource: entity},
	}
	if policyID != "" {
		p := organizationARN(o, "policy/"+o.Record().ID+"/service_control_policy/"+policyID)
		checks = append(checks,
			authz.Check{Action: "organizations:DescribePolicy", Resource: p},
			authz.Check{Action: "organizations:ListTargetsForPolicy", Resource: p})
	}
	set := s.authz.Policies(c.Caller)
	for i := range checks {
		req := authz.Request(c.Caller, &c.Env, &checks[i])
		if err := s.authz.Organize(ctx, set, req, c.Caller); err != nil {
			return false, err
		}
		if policy.Decide(req, set).Outcome != policy.Allowed {
			return false, nil
		}
	}
	return true, nil
}

func organizationARN(o *orgs.Org, resource string) string {
	return "arn:aws:organizations::" + o.Management() + ":" + resource
}

func isOrg(j *job) bool { return j.Org != nil }

// organizationAgain is what a job on an organization that a node left unfinished
// has to do.
func (s *Reports) organizationAgain(c *api.Call) func(*job) worker {
	return func(j *job) worker {
		return func(ctx context.Context) (any, *ErrorDetails, error) {
			m, err := orgs.Find(ctx, s.store, c.View)
			if err != nil {
				return nil, nil, err
			}
			if entitled(c, m, j.Org.Path) != nil {
				return nil, failedAccess, nil
			}
			return s.organization(c, m.Org, *j.Org)(ctx)
		}
	}
}

func (s *Reports) getOrganizationsAccessReport(c *api.Call, in *GetOrganizationsAccessReportInput) (*GetOrganizationsAccessReportOutput, error) {
	j, err := s.job(c, in.JobId, isOrg, s.organizationAgain(c))
	if err != nil {
		return nil, err
	}
	out := &GetOrganizationsAccessReportOutput{
		JobStatus: j.status(), JobCreationDate: j.Started, JobCompletionDate: j.Done, ErrorDetails: j.Failure, AccessDetails: []AccessDetail{},
	}
	if out.JobStatus != JobStatusTypeCompleted {
		return out, nil
	}
	var rows orgAccess
	if err := j.result(c.View, in.JobId, &rows); err != nil {
		return nil, err
	}
	unused := 0
	for i := range rows {
		if rows[i].Accounts == 0 {
			unused++
		}
	}
	out.NumberOfServicesAccessible, out.NumberOfServicesNotAccessed = new(int32(len(rows))), new(int32(unused))
	key := wire.Value(in.SortKey, SortKeyTypeServiceNamespaceAscending)
	rows.sort(key)
	prefix := strings.ToLower(key) + "/" + in.JobId + "/"
	last, err := after(in.Marker, prefix)
	if err != nil {
		return nil, err
	}
	from := func(string) iter.Seq2[string, orgService] {
		return func(yield func(string, orgService) bool) {
			skip := slices.IndexFunc(rows, func(r orgService) bool { return r.Prefix == last }) + 1
			for _, r := range rows[skip:] {
				if !yield(prefix+r.Prefix, r) {
					return
				}
			}
		}
	}
	p, err := iamop.Paginate(in.Marker, in.MaxItems, from, func(r orgService) AccessDetail {
		return AccessDetail{
			ServiceName: serviceName(r.Prefix), ServiceNamespace: r.Prefix, Region: wire.NonZero(r.Last.Region), EntityPath: wire.NonZero(r.Path),
			LastAuthenticatedTime: r.Last.Time(), TotalAuthenticatedEntities: new(int32(r.Accounts)),
		}
	})
	if err != nil {
		return nil, err
	}
	out.AccessDetails, out.IsTruncated, out.Marker = p.Items, p.Truncated, p.Marker
	return out, nil
}

// sort puts the rows, which are in order of their prefixes, into another order.
func (a orgAccess) sort(key string) {
	switch key {
	case SortKeyTypeServiceNamespaceDescending:
		slices.Reverse(a)
	case SortKeyTypeLastAuthenticatedTimeAscending:
		slices.SortStableFunc(a, func(x, y orgService) int { return cmp.Compare(x.Last.Unix, y.Last.Unix) })
	case SortKeyTypeLastAuthenticatedTimeDescending:
		slices.SortStableFunc(a, func(x, y orgService) int { return cmp.Compare(y.Last.Unix, x.Last.Unix) })
	}
}
