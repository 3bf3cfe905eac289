// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// A target names what an operation acts on, for the decision. A refusal must not
// tell what exists: it names things as the request did ("user ann", as AWS does),
// and the ARN of something that is missing is the one it would have with the
// path "/".

// userCheck is the check for an operation on a user.
func userCheck(c *api.Call, name string) authz.Check {
	u, err := c.View.User(name)
	if err != nil {
		return authz.Check{Resource: string(arn.User(c.Account, "/", name)), Shown: "user " + name}
	}
	ck := authz.Check{Resource: c.View.UserARN(u), Shown: "user " + name}
	resourceTags(&ck, u.Tags)
	return ck
}

func userTarget(c *api.Call, name string) ([]authz.Check, error) {
	return []authz.Check{userCheck(c, name)}, nil
}

// boundaryKey adds iam:PermissionsBoundary with the boundary in force, which
// guards changes of a principal's policies.
func boundaryKey(ck *authz.Check, boundary string) {
	if boundary != "" {
		setKey(ck, "iam:PermissionsBoundary", boundary)
	}
}

// resourceTags adds the tags of the entity acted upon.
func resourceTags(ck *authz.Check, tags []store.Tag) {
	for _, t := range tags {
		setKey(ck, "aws:ResourceTag/"+t.Key, t.Value)
		setKey(ck, "iam:ResourceTag/"+t.Key, t.Value)
	}
}

// requestTags adds the tags that a request carries.
func requestTags(ck *authz.Check, tags []Tag) {
	keys := make([]string, len(tags))
	for i, t := range tags {
		setKey(ck, "aws:RequestTag/"+t.Key, t.Value)
		keys[i] = t.Key
	}
	tagKeys(ck, keys)
}

// tagKeys adds the keys of the tags that a request names.
func tagKeys(ck *authz.Check, keys []string) {
	if len(keys) == 0 {
		return
	}
	if ck.Lists == nil {
		ck.Lists = make(map[string][]string)
	}
	ck.Lists["aws:TagKeys"] = keys
}

func setKey(ck *authz.Check, key, value string) {
	if ck.Keys == nil {
		ck.Keys = make(map[string]string)
	}
	ck.Keys[key] = value
}

// withTags returns the checks of an operation that creates something with tags:
// tagging is a permission of its own (IAM User Guide, "Tagging IAM resources").
func withTags(ck authz.Check, tagAction string, tags []Tag) []authz.Check {
	if len(tags) == 0 {
		return []authz.Check{ck}
	}
	requestTags(&ck, tags)
	tag := ck
	tag.Action = tagAction
	return []authz.Check{ck, tag}
}

// whole is the target of an operation on the account as a whole.
func whole[I any](*api.Call, I) ([]authz.Check, error) {
	return []authz.Check{{Resource: "*"}}, nil
}

// list returns the check of a List operation, whose resource is the collection,
// such as "user/".
func list(c *api.Call, collection string) ([]authz.Check, error) {
	return []authz.Check{{Resource: string(arn.Make(arn.Partition, "iam", "", string(c.Account), collection))}}, nil
}
