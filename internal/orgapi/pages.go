// SPDX-License-Identifier: Apache-2.0

package orgapi

import (
	"encoding/base64"
	"iter"

	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// pageSize is how many items a page has when the request does not say.
const pageSize = 20

// A page is one page of a list. Its token names the last item of the page
// before, so that a list changed in between is neither skipped nor repeated.
type page[T any] struct {
	items []T
	next  *string
}

// paginate collects one page of what from yields after an id, in the order of
// ids.
func paginate[S, T any](token *string, limit *int32, from func(after string) iter.Seq[S], id func(S) string, show func(S) T) (page[T], error) {
	p := page[T]{items: []T{}}
	after, err := openToken(token)
	if err != nil {
		return p, err
	}
	size, last := int(wire.Value(limit, pageSize)), ""
	for item := range from(after) {
		if len(p.items) >= size {
			p.next = new(base64.RawURLEncoding.EncodeToString([]byte(last)))
			break
		}
		p.items, last = append(p.items, show(item)), id(item)
	}
	return p, nil
}

func openToken(token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	after, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || len(after) == 0 {
		return "", badInput(InvalidInputExceptionReasonInvalidNextToken, "Get the value for the NextToken parameter from the response to a previous call of the operation.")
	}
	return string(after), nil
}

// filter yields those items that keep says yes to.
func filter[S any](seq iter.Seq[S], keep func(S) bool) iter.Seq[S] {
	return func(yield func(S) bool) {
		for item := range seq {
			if keep(item) && !yield(item) {
				return
			}
		}
	}
}

// after yields the items of a short list, which is in the order of their keys,
// after a key.
func after[S any](items []S, last string, key func(S) string) iter.Seq[S] {
	return func(yield func(S) bool) {
		for _, item := range items {
			if key(item) > last && !yield(item) {
				return
			}
		}
	}
}

func itself(id string) string { return id }
