// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"iter"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/iamop"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// Short names for what the operations of IAM share.

const pageSize = iamop.PageSize

var (
	boundaryKey   = iamop.BoundaryKey
	compareFold   = iamop.CompareFold
	fail          = iamop.Fail
	invalidMarker = iamop.InvalidMarker
	list          = iamop.List
	openMarker    = iamop.OpenMarker
	resourceTags  = iamop.ResourceTags
	self          = iamop.Self
	selfCheck     = iamop.SelfCheck
	setKey        = iamop.SetKey
	userCheck     = iamop.UserCheck
	userTarget    = iamop.UserTarget
	withoutTags   = iamop.WithoutTags
)

func whole[I any](c *api.Call, in I) ([]authz.Check, error) { return iamop.Whole(c, in) }

func withTags(ck authz.Check, tagAction string, tags []Tag) []authz.Check {
	return iamop.WithTags(ck, tagAction, tags)
}

func newTags(have []store.Tag, set []Tag) ([]store.Tag, error) { return iamop.NewTags(have, set) }

func showTags(tags []store.Tag) []Tag { return iamop.ShowTags[Tag](tags) }

func tagTarget(checks []authz.Check, err error, tags []Tag) ([]authz.Check, error) {
	return iamop.TagTarget(checks, err, tags)
}

func untagTarget(checks []authz.Check, err error, keys []string) ([]authz.Check, error) {
	return iamop.UntagTarget(checks, err, keys)
}

// A page is one page of a list.
type page[T any] struct {
	items     []T
	truncated bool
	marker    *string
}

func paginate[S, T any](marker *string, maxItems *int32, from func(after string) iter.Seq2[string, S], show func(S) T) (page[T], error) {
	p, err := iamop.Paginate(marker, maxItems, from, show)
	return page[T]{p.Items, p.Truncated, p.Marker}, err
}

func tagPage(tags []store.Tag, marker *string, maxItems *int32) (page[Tag], error) {
	p, err := iamop.TagPage[Tag](tags, marker, maxItems)
	return page[Tag]{p.Items, p.Truncated, p.Marker}, err
}

func under[S any](seq iter.Seq[S], prefix *string, key func(S) (name, path string)) iter.Seq2[string, S] {
	return iamop.Under(seq, prefix, key)
}

func sorted[S any](items []S, after string, name func(S) string) iter.Seq2[string, S] {
	return iamop.Sorted(items, after, name)
}
