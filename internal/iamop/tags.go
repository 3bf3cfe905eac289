// SPDX-License-Identifier: Apache-2.0

package iamop

import (
	"iter"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// A Tag is a generated shape of a tag.
type Tag interface {
	~struct{ Key, Value string }
}

// NewTags returns have with the tags of a request set. Keys compare without
// regard to letter case: a new value keeps the key as it was first written (IAM
// User Guide, "Rules for tagging"). A key twice in one request is an error.
func NewTags[T Tag](have []store.Tag, set []T) ([]store.Tag, error) {
	out := slices.Clone(have)
	for i := range set {
		t := store.Tag(set[i])
		if slices.ContainsFunc(set[:i], func(p T) bool { return strings.EqualFold(store.Tag(p).Key, t.Key) }) {
			return nil, awserr.InvalidInput.Msg("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, awserr.InvalidInput.Msg("Tag keys that begin with aws: are reserved.")
		}
		if j := tagIndex(out, t.Key); j >= 0 {
			out[j].Value = t.Value
		} else {
			out = append(out, store.Tag{Key: t.Key, Value: t.Value})
		}
	}
	return out, nil
}

// WithoutTags returns have without the given keys; unknown keys are ignored.
func WithoutTags(have []store.Tag, keys []string) []store.Tag {
	return slices.DeleteFunc(slices.Clone(have), func(t store.Tag) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, t.Key) })
	})
}

func tagIndex(tags []store.Tag, key string) int {
	return slices.IndexFunc(tags, func(t store.Tag) bool { return strings.EqualFold(t.Key, key) })
}

// ShowTags shows tags; nil for none, which leaves the element out.
func ShowTags[T Tag](tags []store.Tag) []T {
	if len(tags) == 0 {
		return nil
	}
	out := make([]T, len(tags))
	for i, t := range tags {
		out[i] = T(t)
	}
	return out
}

// TagTarget adds the tags of a Tag request to the target of the entity.
func TagTarget[T Tag](checks []authz.Check, err error, tags []T) ([]authz.Check, error) {
	for i := range checks {
		RequestTags(&checks[i], tags)
	}
	return checks, err
}

// UntagTarget adds the keys of an Untag request to the target of the entity.
func UntagTarget(checks []authz.Check, err error, keys []string) ([]authz.Check, error) {
	for i := range checks {
		TagKeys(&checks[i], keys)
	}
	return checks, err
}

// TagPage is one page of an entity's tags.
func TagPage[T Tag](tags []store.Tag, marker *string, maxItems *int32) (Page[T], error) {
	from := func(after string) iter.Seq2[string, store.Tag] {
		return Sorted(tags, after, func(t store.Tag) string { return t.Key })
	}
	return Paginate(marker, maxItems, from, func(t store.Tag) T { return T(t) })
}
