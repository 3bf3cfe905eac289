// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"runtime/debug"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// An engine is one row of the table.
type engine struct {
	name    string
	module  string // "" for innkeeper, which is measured as it is checked out
	licence string // SPDX
	form    string // what policies and requests are to it, in a few words

	// write translates a workload's policies to the engine's own text. It is
	// not timed.
	write func(*workload) ([]document, error)

	// load makes that text ready to decide. It is timed, and what it keeps is
	// measured; it may keep parts of the text.
	load func([]document) (prepare, error)
}

// A document is policies of one owner as text.
type document struct{ owner, text string }

// A prepare turns requests into the engine's own form, which is not timed.
type prepare func([]request) (ask, error)

// An ask decides the request of an index. That is all that is timed. An engine
// that fails answers failed.
type ask func(i int) policy.Outcome

// failed is the answer that is always wrong.
const failed policy.Outcome = 0xff

// engines are the rows. The first is what the others are compared with.
var engines = []*engine{
	&innkeeperStrings,
	&innkeeperLowered,
	&cedarEngine,
	&casbinEngine,
	&celEngine,
	&opaEngine,
}

// version returns the version of the engine's module that is linked in.
func (e *engine) version() string {
	if e.module == "" {
		return ""
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == e.module {
			return strings.TrimPrefix(cmp.Or(m.Version, "?"), "v")
		}
	}
	return ""
}

// label is the engine's name and version.
func (e *engine) label() string { return strings.TrimSpace(e.name + " " + e.version()) }

// clone returns documents that share no memory with docs, so that what load
// keeps of them counts as kept.
func clone(docs []document) []document {
	copies := make([]document, len(docs))
	for i, d := range docs {
		copies[i] = document{owner: d.owner, text: strings.Clone(d.text)}
	}
	return copies
}
