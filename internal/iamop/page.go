// SPDX-License-Identifier: Apache-2.0

package iamop

import (
	"cmp"
	"encoding/base64"
	"iter"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// PageSize is how many items a page has when the request does not say.
const PageSize = 100

// MaxName is the longest name in a marker, in bytes, so that the marker is within
// the 320 characters that AWS's model allows. Only keys of tags can be longer: a
// page does not end at one.
const MaxName = 240

// A Page is one page of a list. Its marker names the last item of the page
// before, not a position, so that a list changed in between is neither skipped
// nor repeated.
type Page[T any] struct {
	Items     []T
	Truncated bool
	Marker    *string
}

// Paginate collects one page of what from yields; from is called with the name
// after which to begin ("" for the beginning) and yields items with their names
// in order.
func Paginate[S, T any](marker *string, maxItems *int32, from func(after string) iter.Seq2[string, S], show func(S) T) (Page[T], error) {
	p := Page[T]{Items: []T{}}
	after, err := OpenMarker(marker)
	if err != nil {
		return p, err
	}
	size, last := int(wire.Value(maxItems, PageSize)), ""
	for name, item := range from(after) {
		if len(p.Items) >= size && len(last) <= MaxName {
			p.Truncated = true
			p.Marker = new(base64.RawURLEncoding.EncodeToString([]byte(last)))
			break
		}
		p.Items, last = append(p.Items, show(item)), name
	}
	return p, nil
}

// OpenMarker returns the name in a marker, "" for none.
func OpenMarker(marker *string) (string, error) {
	if marker == nil || *marker == "" {
		return "", nil
	}
	after, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(after) == 0 {
		return "", InvalidMarker()
	}
	return string(after), nil
}

// InvalidMarker is the answer to a marker that no page had.
func InvalidMarker() error { return awserr.ValidationError.Msg("Invalid Marker.") }

// Under yields those items of seq whose path begins with prefix.
func Under[S any](seq iter.Seq[S], prefix *string, key func(S) (name, path string)) iter.Seq2[string, S] {
	want := wire.Value(prefix, "/")
	return func(yield func(string, S) bool) {
		for item := range seq {
			name, path := key(item)
			if len(path) >= len(want) && path[:len(want)] == want && !yield(name, item) {
				return
			}
		}
	}
}

// Sorted yields the items of a short list in order of their names, regardless
// of letter case, beginning after a name.
func Sorted[S any](items []S, after string, name func(S) string) iter.Seq2[string, S] {
	ordered := slices.SortedFunc(slices.Values(items), func(a, b S) int { return CompareFold(name(a), name(b)) })
	return func(yield func(string, S) bool) {
		for _, item := range ordered {
			if CompareFold(name(item), after) > 0 && !yield(name(item), item) {
				return
			}
		}
	}
}

// CompareFold compares names without regard to letter case, and by it only those
// that are otherwise the same: names of inline policies may be.
func CompareFold(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}
