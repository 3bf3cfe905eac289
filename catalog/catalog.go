// SPDX-License-Identifier: Apache-2.0

// Package catalog knows the services of AWS: their actions, resource types and condition keys.
//
// It holds the facts of AWS's service authorization reference as of Date, none
// of its prose, from the packages that NOTICE names. The facts of a service are
// decoded when they are first asked for and stay in memory. What functions return
// is shared: slices must not be modified. Everything is safe for concurrent use.
//
// AWS adds actions every week, so that an action unknown here may exist.
package catalog

import (
	"iter"
	"slices"
)

//go:generate go run ../internal/gen/catalog

// An Access is the level of access that an action gives, in AWS's words.
type Access string

// The levels. Tagging and PermissionsManagement are writing too, but AWS calls
// an action by one name.
const (
	List                  Access = "List"
	Read                  Access = "Read"
	Write                 Access = "Write"
	Tagging               Access = "Tagging"
	PermissionsManagement Access = "Permissions management"
)

// A KeyType is the type of a condition key's values.
type KeyType string

// The types of condition keys.
const (
	TypeARN       KeyType = "ARN"
	TypeBool      KeyType = "Bool"
	TypeDate      KeyType = "Date"
	TypeIPAddress KeyType = "IPAddress"
	TypeNumeric   KeyType = "Numeric"
	TypeString    KeyType = "String"
)

// A Service is a service of AWS, or a part of one that has its own prefix.
type Service struct {
	Prefix string // what its actions begin with, such as "s3"
	Name   string // such as "Amazon S3"

	facts func() *facts // decodes on the first call
}

// An Action is what a policy allows or denies.
type Action struct {
	Name          string // without the prefix: "GetObject"
	Access        Access
	Resources     []ResourceUse // sorted by type; none: the action has no resource but "*"
	ConditionKeys []string      // for the action whatever its resource, sorted
	Dependent     []string      // other actions, as "iam:PassRole", that the caller needs; see Dependent of ResourceUse
}

// A ResourceUse is a type of resource that an action works on. An action whose
// types are all optional needs one of them.
type ResourceUse struct {
	Type          string // the Name of a ResourceType of the same service
	Required      bool
	ConditionKeys []string // for the action on this type, beside those of Action, sorted
	Dependent     []string // other actions that the caller needs for this type; AWS's list of December 2025, its last
}

// A ResourceType is a kind of resource of a service.
type ResourceType struct {
	Name          string   // such as "role"
	ARNs          []string // templates: "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}"; rarely more than one
	ConditionKeys []string // that may be tested whatever the action, sorted
}

// A ConditionKey is a key that a condition may test.
type ConditionKey struct {
	Name  string  // may have a variable part: "aws:ResourceTag/${TagKey}"
	Type  KeyType // of each value
	Multi bool    // it has a list of values
}

// Lookup returns the service whose actions begin with prefix, in any letter case.
func Lookup(prefix string) (*Service, bool) {
	x := load()
	i, ok := find(x.services, prefix, func(s *Service) string { return s.Prefix })
	if !ok {
		return nil, false
	}
	return x.services[i], true
}

// Services returns the services, sorted by prefix. It decodes none of them.
func Services() iter.Seq[*Service] { return slices.Values(load().services) }

// GlobalKeys returns the condition keys that do not belong to a service, sorted by
// name: those that begin with "aws:", and what some services put into the
// requests of the roles that they lend.
func GlobalKeys() iter.Seq[ConditionKey] { return slices.Values(load().globals) }

// GlobalKey returns the global key that name is, or is one of, in any letter case.
func GlobalKey(name string) (ConditionKey, bool) { return findKey(load().globals, name) }

// Action returns the action with the given name, in any letter case.
func (s *Service) Action(name string) (Action, bool) {
	actions := s.facts().actions
	i, ok := find(actions, name, func(a Action) string { return a.Name })
	if !ok {
		return Action{}, false
	}
	return actions[i], true
}

// Actions returns the actions, sorted by name without regard to letter case.
func (s *Service) Actions() iter.Seq[Action] { return slices.Values(s.facts().actions) }

// ResourceType returns the resource type with the given name, in any letter case.
func (s *Service) ResourceType(name string) (ResourceType, bool) {
	types := s.facts().types
	i, ok := find(types, name, func(t ResourceType) string { return t.Name })
	if !ok {
		return ResourceType{}, false
	}
	return types[i], true
}

// ResourceTypes returns the resource types, sorted by name without regard to
// letter case.
func (s *Service) ResourceTypes() iter.Seq[ResourceType] { return slices.Values(s.facts().types) }

// ConditionKey returns the key of the service that name is, or is one of, in any
// letter case: "aws:ResourceTag/team" is one of "aws:ResourceTag/${TagKey}".
func (s *Service) ConditionKey(name string) (ConditionKey, bool) {
	return findKey(s.facts().keys, name)
}

// ConditionKeys returns the keys that actions and resource types of the service
// name, sorted by name without regard to letter case. Some are global, or belong
// to other services.
func (s *Service) ConditionKeys() iter.Seq[ConditionKey] { return slices.Values(s.facts().keys) }
