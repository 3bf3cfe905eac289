// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"cmp"
	"encoding/base64"
	"iter"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// pageSize is how many items a page has when the request does not say.
const pageSize = 100

// maxName is the longest name in a marker, in bytes, so that the marker is within
// the 320 characters that AWS's model allows. Only keys of tags can be longer: a
// page does not end at one.
const maxName = 240

// A page is one page of a list. Its marker names the last item of the page
// before, not a position, so that a list changed in between is neither skipped
// nor repeated.
type page[T any] struct {
	items     []T
	truncated bool
	marker    *string
}

// paginate collects one page of what from yields; from is called with the name
// after which to begin ("" for the beginning) and yields items with their names
// in order.
func paginate[S, T any](marker *string, maxItems *int32, from func(after string) iter.Seq2[string, S], show func(S) T) (page[T], error) {
	p := page[T]{items: []T{}}
	after, err := openMarker(marker)
	if err != nil {
		return p, err
	}
	size, last := int(wire.Value(maxItems, pageSize)), ""
	for name, item := range from(after) {
		if len(p.items) >= size && len(last) <= maxName {
			p.truncated = true
			p.marker = new(base64.RawURLEncoding.EncodeToString([]byte(last)))
			break
		}
		p.items, last = append(p.items, show(item)), name
	}
	return p, nil
}

func openMarker(marker *string) (string, error) {
	if marker == nil || *marker == "" {
		return "", nil
	}
	after, err := base64.RawURLEncoding.DecodeString(*marker)
	if err != nil || len(after) == 0 {
		return "", invalidMarker()
	}
	return string(after), nil
}

func invalidMarker() error { return awserr.ValidationError.Msg("Invalid Marker.") }

// under yields those items of seq whose path begins with prefix.
func under[S any](seq iter.Seq[S], prefix *string, key func(S) (name, path string)) iter.Seq2[string, S] {
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

// sorted yields the items of a short list in order of their names, regardless
// of letter case, beginning after a name.
func sorted[S any](items []S, after string, name func(S) string) iter.Seq2[string, S] {
	ordered := slices.SortedFunc(slices.Values(items), func(a, b S) int { return compareFold(name(a), name(b)) })
	return func(yield func(string, S) bool) {
		for _, item := range ordered {
			if compareFold(name(item), after) > 0 && !yield(name(item), item) {
				return
			}
		}
	}
}

// compareFold compares names without regard to letter case, and by it only those
// that are otherwise the same: names of inline policies may be.
func compareFold(a, b string) int {
	return cmp.Or(strings.Compare(strings.ToLower(a), strings.ToLower(b)), strings.Compare(a, b))
}
