// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

// told are the condition keys of services that a member of the request gives: what is absent there is absent. Reviewed
// by hand against the service authorization reference.
var told = map[string]string{
	"dynamodb:ReturnConsumedCapacity": "ReturnConsumedCapacity",
	"dynamodb:ReturnValues":           "ReturnValues",
	"dynamodb:Select":                 "Select",
	"kms:CustomerMasterKeySpec":       "CustomerMasterKeySpec",
	"kms:DataKeyPairSpec":             "KeyPairSpec",
	"kms:EncryptionAlgorithm":         "EncryptionAlgorithm",
	"kms:MacAlgorithm":                "MacAlgorithm",
	"kms:MessageType":                 "MessageType",
	"kms:SigningAlgorithm":            "SigningAlgorithm",
	"secretsmanager:KmsKeyId":         "KmsKeyId",
	"secretsmanager:Name":             "Name",
	"secretsmanager:SecretId":         "SecretId",
	"secretsmanager:VersionId":        "VersionId",
	"secretsmanager:VersionStage":     "VersionStage",
	"sns:Endpoint":                    "Endpoint",
	"sns:Protocol":                    "Protocol",
}

// passed has the service to which an operation passes a role (iam:PassedToService).
var passed = map[string]string{
	"cloudwatch": "streams.metrics.cloudwatch.amazonaws.com",
	"events":     "events.amazonaws.com",
	"lambda":     "lambda.amazonaws.com",
	"logs":       "logs.amazonaws.com",
}

const (
	requestTag = "aws:RequestTag/${TagKey}"
	tagKeys    = "aws:TagKeys"
)

// conditions puts into the checks what the request says about their condition keys.
func (c *call) conditions(b *binding, all []Check) error {
	tags, err := c.tags(b)
	if err != nil {
		return err
	}
	for i := range all {
		one := &all[i]
		prefix, name, _ := strings.Cut(one.Action, ":")
		s, _ := catalog.Lookup(prefix)
		a, _ := s.Action(name)
		for _, key := range keysOf(s, &a) {
			if err := c.condition(one, key, tags); err != nil {
				return err
			}
		}
		if to, ok := passed[c.model.prefix]; ok && one.Action == "iam:PassRole" {
			one.set("iam:PassedToService", to)
		}
	}
	return nil
}

// keysOf returns the condition keys of an action and of the types that it works on.
func keysOf(s *catalog.Service, a *catalog.Action) []string {
	keys := slices.Clone(a.ConditionKeys)
	for _, use := range a.Resources {
		keys = append(keys, use.ConditionKeys...)
		if r, ok := s.ResourceType(use.Type); ok {
			keys = append(keys, r.ConditionKeys...)
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

func (c *call) condition(one *Check, key string, tags *tags) error {
	member, ok := told[key]
	switch {
	case key == requestTag && tags.values || key == tagKeys && tags.keys:
		for k, v := range tags.pairs {
			if key == requestTag {
				one.set("aws:RequestTag/"+k, v)
			} else {
				one.add(tagKeys, k)
			}
		}
		slices.Sort(one.Lists[tagKeys])
	case ok:
		n, err := c.member(member)
		if err != nil {
			return err
		}
		v, err := n.string(member)
		if err != nil {
			return err
		}
		if n.kind != absent {
			one.set(key, v)
		}
	case !strings.HasPrefix(key, "aws:") && key != "iam:PassedToService", strings.HasPrefix(key, "aws:ResourceTag/"), key == requestTag, key == tagKeys:
		one.Untold = append(one.Untold, key)
	}
	return nil
}

func (k *Check) set(key, value string) {
	if k.Keys == nil {
		k.Keys = make(map[string]string)
	}
	k.Keys[key] = value
}

func (k *Check) add(key, value string) {
	if k.Lists == nil {
		k.Lists = make(map[string][]string)
	}
	k.Lists[key] = append(k.Lists[key], value)
}

// tags are those that the request has.
type tags struct {
	pairs  map[string]string
	values bool // the operation has a member for tags, so that what is not there is not given
	keys   bool // or for their keys
}

func (c *call) tags(b *binding) (*tags, error) {
	t := &tags{pairs: make(map[string]string)}
	for _, m := range b.tags {
		n, err := c.member(m.name)
		if err != nil {
			return nil, err
		}
		t.keys = true
		t.values = t.values || m.kind != "k"
		if m.kind == "m" && n.kind == object {
			for i := range n.kids {
				v, err := n.kids[i].string(m.name)
				if err != nil {
					return nil, err
				}
				t.pairs[n.kids[i].name] = v
			}
			continue
		}
		kids, err := n.elements()
		if err != nil {
			return nil, err
		}
		for i := range kids {
			if err := t.element(m, kids[i].node); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

// element takes a tag or the key of one.
func (t *tags) element(m member, n node) error {
	key, value := n, node{}
	if m.kind == "t" {
		var err error
		if key, err = n.get(m.key); err != nil {
			return err
		}
		if value, err = n.get(m.value); err != nil {
			return err
		}
	}
	k, err := key.string(m.name)
	if err != nil {
		return err
	}
	v, err := value.string(m.name)
	if err != nil {
		return err
	}
	if _, ok := t.pairs[k]; ok || k == "" {
		return fail(Malformed, "tag %q is given twice, or has no key", clip(k))
	}
	t.pairs[k] = v
	return nil
}
