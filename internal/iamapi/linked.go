// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	_ "embed"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// linkedTable lists the services that have roles of their own in accounts; its
// head says how.
//
//go:embed linked.txt
var linkedTable string

// A linkedService says what the roles of a service are.
type linkedService struct {
	role   string // its name, or what it begins with
	policy string // ARN of what it may do; "" for nothing
	suffix bool   // a request may add to the name
}

// linkedServices has the services by name. The map is shared and must not be
// modified.
var linkedServices = sync.OnceValue(func() map[string]linkedService {
	m := make(map[string]linkedService)
	for line := range strings.Lines(linkedTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line) // four, which a test verifies
		s := linkedService{role: f[1], suffix: f[3] == "suffix"}
		if f[2] != "-" {
			s.policy = "arn:aws:iam::aws:policy" + store.ServiceLinkedPath + f[2]
		}
		m[f[0]] = s
	}
	return m
})

const (
	reservedPath = "/aws-reserved/" // begins the paths of roles that AWS makes

	serviceKey  = "iam:AWSServiceName"
	maxRoleName = 64
	maxTasks    = 100 // that an account remembers
)

// linkedPath returns the path of the roles of a service, and linkedTo the service
// of a path.
func linkedPath(service string) string { return store.ServiceLinkedPath + service + "/" }
func linkedTo(path string) string {
	return strings.TrimSuffix(strings.TrimPrefix(path, store.ServiceLinkedPath), "/")
}

// linkedName returns the service that a request names, and its role's name.
//
// quirk Q064: a service that is not in the table is refused.
func linkedName(in *CreateServiceLinkedRoleInput) (linkedService, string, error) {
	svc, ok := linkedServices()[in.AWSServiceName]
	switch {
	case !ok:
		return svc, "", awserr.InvalidInput.Msg("Service-linked roles are not known for the service %s.", in.AWSServiceName)
	case in.CustomSuffix == nil:
		return svc, svc.role, nil
	case !svc.suffix:
		return svc, "", awserr.InvalidInput.Msg("Custom suffix is not allowed for %s", in.AWSServiceName)
	}
	name := svc.role + "_" + *in.CustomSuffix
	if len(name) > maxRoleName {
		return svc, "", awserr.ValidationError.Msg("1 validation error detected: Value '%s' at 'roleName' failed to satisfy constraint: "+
			"Member must have length less than or equal to %d", name, maxRoleName)
	}
	return svc, name, nil
}

func createServiceLinkedRoleTarget(c *api.Call, in *CreateServiceLinkedRoleInput) ([]authz.Check, error) {
	_, name, err := linkedName(in)
	if err != nil {
		return nil, err
	}
	ck := authz.Check{Resource: string(arn.Role(c.Account, linkedPath(in.AWSServiceName), name))}
	iamop.SetKey(&ck, serviceKey, in.AWSServiceName)
	return []authz.Check{ck}, nil
}

func (s *iam) createServiceLinkedRole(c *api.Call, in *CreateServiceLinkedRoleInput) (*CreateServiceLinkedRoleOutput, error) {
	svc, name, err := linkedName(in)
	if err != nil {
		return nil, err
	}
	trust := store.NewTrust(`{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow","Principal":{"Service":["`+in.AWSServiceName+`"]}}]}`, nil)
	var made *store.Role
	err = s.store.Update(c.Context(), string(c.Account), func(tx *store.Tx) error {
		made = &store.Role{Name: name, Path: linkedPath(in.AWSServiceName), Trust: trust, Description: wire.Value(in.Description, "")}
		if err := tx.CreateRole(made); err != nil || svc.policy == "" {
			return err
		}
		return tx.Attach(store.RoleHolder(name), svc.policy)
	})
	if errors.Is(err, store.ErrExists) {
		return nil, awserr.InvalidInput.Msg("Service role name %s has been taken in this account, please try a different suffix.", name).Because(err)
	}
	if err != nil {
		return nil, iamop.Fail(err)
	}
	return &CreateServiceLinkedRoleOutput{Role: new(s.newRole(c, made))}, nil
}

// A deletion is the outcome of a task that deletes a service-linked role.
type deletion struct {
	Task   string    `json:"task"`
	Made   time.Time `json:"made"`
	Reason string    `json:"reason,omitempty"` // why it failed; "" if it did not
	Uses   []string  `json:"uses,omitempty"`   // ARNs of what needs the role
}

const taskRows = "task/" // and the end of the task's id

func deleteServiceLinkedRoleTarget(c *api.Call, in *DeleteServiceLinkedRoleInput) ([]authz.Check, error) {
	ck := roleCheck(c, in.RoleName)
	if r, err := c.View.Role(in.RoleName); err == nil && r.ServiceLinked() {
		iamop.SetKey(&ck, serviceKey, linkedTo(r.Path))
	}
	return []authz.Check{ck}, nil
}

// deleteServiceLinkedRole deletes the role and notes the task that did it.
//
// quirk Q065: the task is over when the request is answered.
func (s *iam) deleteServiceLinkedRole(c *api.Call, in *DeleteServiceLinkedRoleInput) (*DeleteServiceLinkedRoleOutput, error) {
	id := s.ids.RequestID()
	var task *deletion
	err := s.update(c, func(tx *store.Tx) error {
		r, err := tx.Role(in.RoleName)
		if err != nil {
			return err
		}
		if !r.ServiceLinked() {
			return awserr.NoSuchEntity.Msg("The service-linked role with name %s cannot be found.", in.RoleName)
		}
		task = &deletion{Task: "task" + r.Path + r.Name + "/" + id, Made: s.now().UTC().Truncate(time.Second)}
		for p := range tx.View().ProfilesOfRole(r.Name) {
			task.Uses = append(task.Uses, tx.View().ProfileARN(p))
		}
		if len(task.Uses) > 0 {
			task.Reason = "The role is in use by instance profiles. Remove it from them first."
		} else if err := dropRole(tx, r); err != nil {
			return err
		}
		return noteTask(tx, taskRows+id, task)
	})
	if err != nil {
		return nil, err
	}
	return &DeleteServiceLinkedRoleOutput{DeletionTaskId: task.Task}, nil
}

// dropRole deletes a role with its policies.
func dropRole(tx *store.Tx, r *store.Role) error {
	h := store.RoleHolder(r.Name)
	for _, policyARN := range r.Attached {
		if err := tx.Detach(h, policyARN); err != nil {
			return err
		}
	}
	for _, in := range r.Inline {
		if err := tx.DeleteInline(h, in.Name); err != nil {
			return err
		}
	}
	return tx.DeleteRole(r.Name)
}

// noteTask stores a task and forgets the oldest ones, so that maxTasks are left.
func noteTask(tx *store.Tx, key string, task *deletion) error {
	made := make(map[string]time.Time)
	for row := range tx.View().Annex(store.AnnexIAM).Rows() {
		var old deletion
		if strings.HasPrefix(row.Key, taskRows) {
			if err := json.Unmarshal(row.Value, &old); err != nil {
				return err
			}
			made[row.Key] = old.Made
		}
	}
	oldest := slices.SortedFunc(maps.Keys(made), func(a, b string) int { return made[a].Compare(made[b]) })
	for _, key := range oldest[:max(0, len(oldest)+1-maxTasks)] {
		tx.DeleteAnnexed(store.AnnexIAM, key)
	}
	value, err := json.Marshal(task)
	if err != nil {
		return err
	}
	tx.PutAnnexed(store.AnnexIAM, key, value)
	return nil
}

// openTask returns the path and the name of the role in a task's id, and the row
// of the task.
func openTask(task string) (path, role, row string, ok bool) {
	rest, ok := strings.CutPrefix(task, "task"+store.ServiceLinkedPath)
	f := strings.Split(rest, "/")
	if !ok || len(f) != 3 || slices.Contains(f, "") {
		return "", "", "", false
	}
	return linkedPath(f[0]), f[1], taskRows + f[2], true
}

func getServiceLinkedRoleDeletionStatusTarget(c *api.Call, in *GetServiceLinkedRoleDeletionStatusInput) ([]authz.Check, error) {
	path, role, _, ok := openTask(in.DeletionTaskId)
	if !ok {
		return nil, awserr.InvalidInput.Msg("The deletion task id %s is not valid.", in.DeletionTaskId)
	}
	return []authz.Check{{Resource: string(arn.Role(c.Account, path, role))}}, nil
}

func (s *iam) getServiceLinkedRoleDeletionStatus(c *api.Call, in *GetServiceLinkedRoleDeletionStatusInput) (*GetServiceLinkedRoleDeletionStatusOutput, error) {
	_, _, key, _ := openTask(in.DeletionTaskId)
	var task deletion
	if row, ok := c.View.Annex(store.AnnexIAM).Row(key); ok {
		if err := json.Unmarshal(row.Value, &task); err != nil {
			return nil, err
		}
	}
	switch {
	case task.Task != in.DeletionTaskId:
		return nil, awserr.NoSuchEntity.Msg("The deletion task with id %s cannot be found.", in.DeletionTaskId)
	case task.Reason == "":
		return &GetServiceLinkedRoleDeletionStatusOutput{Status: DeletionTaskStatusTypeSucceeded}, nil
	}
	return &GetServiceLinkedRoleDeletionStatusOutput{Status: DeletionTaskStatusTypeFailed, Reason: &DeletionTaskFailureReasonType{
		Reason: &task.Reason, RoleUsageList: []RoleUsageType{{Resources: task.Uses}},
	}}, nil
}

// unprotected returns the refusal of a change to a role that belongs to AWS.
func unprotected(r *store.Role) error {
	if !r.ServiceLinked() && !strings.HasPrefix(r.Path, reservedPath) {
		return nil
	}
	return awserr.UnmodifiableEntity.Msg("Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.Name)
}

// changeable is unprotected for a holder of policies.
func changeable(tx *store.Tx, h store.Holder) error {
	if h.Kind != store.KindRole {
		return nil
	}
	r, err := tx.Role(h.Name)
	if err != nil {
		return err
	}
	return unprotected(r)
}

// checkPath refuses the paths that only AWS uses; "" and nil are no path.
//
// quirk Q063: they are refused for everything that has a path.
func checkPath(path *string) error {
	for prefix, use := range map[string]string{store.ServiceLinkedPath: "AWS Service linked Roles", reservedPath: "AWS reserved Roles"} {
		if strings.HasPrefix(wire.Value(path, ""), prefix) {
			return awserr.InvalidInput.Msg("Path prefix '%s' can only be used for %s", prefix, use)
		}
	}
	return nil
}
