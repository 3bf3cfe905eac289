// SPDX-License-Identifier: Apache-2.0

package iamop

import (
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// A target names what an operation acts on, for the decision. A refusal must not
// tell what exists: it names things as the request did ("user ann", as AWS does),
// and the ARN of something that is missing is the one it would have with the
// path "/".

// UserCheck is the check for an operation on a user.
func UserCheck(c *api.Call, name string) authz.Check {
	u, err := c.View.User(name)
	if err != nil {
		return authz.Check{Resource: string(arn.User(c.Account, "/", name)), Shown: "user " + name}
	}
	ck := authz.Check{Resource: c.View.UserARN(u), Shown: "user " + name}
	ResourceTags(&ck, u.Tags)
	return ck
}

func UserTarget(c *api.Call, name string) ([]authz.Check, error) {
	return []authz.Check{UserCheck(c, name)}, nil
}

// BoundaryKey adds iam:PermissionsBoundary with the boundary in force, which
// guards changes of a principal's policies.
func BoundaryKey(ck *authz.Check, boundary string) {
	if boundary != "" {
		SetKey(ck, "iam:PermissionsBoundary", boundary)
	}
}

// ResourceTags adds the tags of the entity acted upon. IAM's own key is for users
// and roles only (Service Authorization Reference, resource types of IAM).
func ResourceTags(ck *authz.Check, tags []store.Tag) {
	own := strings.Contains(ck.Resource, ":user/") || strings.Contains(ck.Resource, ":role/")
	for _, t := range tags {
		SetKey(ck, "aws:ResourceTag/"+t.Key, t.Value)
		if own {
			SetKey(ck, "iam:ResourceTag/"+t.Key, t.Value)
		}
	}
}

// RequestTags adds the tags that a request carries.
func RequestTags[T Tag](ck *authz.Check, tags []T) {
	keys := make([]string, len(tags))
	for i := range tags {
		t := store.Tag(tags[i])
		SetKey(ck, "aws:RequestTag/"+t.Key, t.Value)
		keys[i] = t.Key
	}
	TagKeys(ck, keys)
}

// TagKeys adds the keys of the tags that a request names.
func TagKeys(ck *authz.Check, keys []string) {
	if len(keys) == 0 {
		return
	}
	if ck.Lists == nil {
		ck.Lists = make(map[string][]string)
	}
	ck.Lists["aws:TagKeys"] = keys
}

func SetKey(ck *authz.Check, key, value string) {
	if ck.Keys == nil {
		ck.Keys = make(map[string]string)
	}
	ck.Keys[key] = value
}

// WithTags returns the checks of an operation that creates something with tags:
// tagging is a permission of its own (IAM User Guide, "Tagging IAM resources").
func WithTags[T Tag](ck authz.Check, tagAction string, tags []T) []authz.Check {
	if len(tags) == 0 {
		return []authz.Check{ck}
	}
	RequestTags(&ck, tags)
	tag := ck
	tag.Action = tagAction
	return []authz.Check{ck, tag}
}

// Whole is the target of an operation on the account as a whole.
func Whole[I any](*api.Call, I) ([]authz.Check, error) {
	return []authz.Check{{Resource: "*"}}, nil
}

// List returns the check of a List operation, whose resource is the collection,
// such as "user/".
func List(c *api.Call, collection string) ([]authz.Check, error) {
	return []authz.Check{{Resource: ARN(c, collection)}}, nil
}

// ARN returns the ARN of a resource of the caller's account.
func ARN(c *api.Call, resource string) string {
	return string(arn.Make(arn.Partition, "iam", "", string(c.Account), resource))
}

// Self returns the name of the user that an operation with an optional UserName
// acts on: the caller when it does not say. Callers that are not users must say.
func Self(c *api.Call, name *string) (string, error) {
	if name != nil {
		return *name, nil
	}
	if c.Caller.User == nil || c.Caller.Principal.ARN != c.View.UserARN(c.Caller.User) {
		return "", awserr.ValidationError.Msg("Must specify userName when calling with non-User credentials")
	}
	return c.Caller.User.Name, nil
}

// SelfUser returns the user that Self names.
func SelfUser(c *api.Call, name *string) (*store.User, error) {
	n, err := Self(c, name)
	if err != nil {
		return nil, err
	}
	u, err := c.View.User(n)
	return u, Fail(err)
}

// SelfCheck is UserCheck for an operation whose UserName is optional. Root acts
// on itself.
func SelfCheck(c *api.Call, name *string) ([]authz.Check, error) {
	if name == nil && c.Caller.Root() {
		return []authz.Check{{Resource: string(arn.Root(c.Account))}}, nil
	}
	n, err := Self(c, name)
	if err != nil {
		return nil, err
	}
	return []authz.Check{UserCheck(c, n)}, nil
}
