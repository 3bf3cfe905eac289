// SPDX-License-Identifier: Apache-2.0

package advice

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// Missing returns the condition keys that statements look at and the request of a
// trace does not have, each once, in the order of the trace. Statements that
// something else keeps from applying do not count.
func Missing(t *policy.Trace) []string {
	var keys []string
	for _, l := range t.Layers {
		for _, p := range l.Policies {
			for _, s := range p.Statements {
				if slices.ContainsFunc(s.Elements, settled) {
					continue
				}
				for _, e := range s.Elements {
					for _, key := range e.Missing {
						if !slices.ContainsFunc(keys, func(k string) bool { return strings.EqualFold(k, key) }) {
							keys = append(keys, key)
						}
					}
				}
			}
		}
	}
	return keys
}

// settled reports whether an element keeps its statement from applying whatever
// condition keys are added.
func settled(e policy.ElementTrace) bool {
	return !e.Matched && e.Element != "Condition" && len(e.Missing) == 0
}
