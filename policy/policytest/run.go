// SPDX-License-Identifier: Apache-2.0

package policytest

import (
	"fmt"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// A Result is what became of a file's cases.
type Result struct {
	Passed int          `json:"passed"`
	Failed int          `json:"failed"`
	Cases  []CaseResult `json:"cases"`
}

// A CaseResult is what became of one case.
type CaseResult struct {
	Name     string          `json:"name"`
	Line     int             `json:"line"`
	Passed   bool            `json:"passed"`
	Failure  string          `json:"failure,omitempty"` // what is wrong with the answer, "" if nothing
	Expect   string          `json:"expect"`
	Decision policy.Decision `json:"decision"`        // the engine's answer
	Trace    *policy.Trace   `json:"trace,omitempty"` // policy.Explain's account of it
}

// An Engine answers a request under the policies of a set. policy.Decide is one.
type Engine func(*policy.Request, *policy.Set) policy.Decision

// Run puts every case to an engine.
func (f *File) Run(engine Engine) Result {
	result := Result{Cases: make([]CaseResult, 0, len(f.Cases))}
	for i := range f.Cases {
		c := f.Cases[i].Run(engine)
		if c.Passed {
			result.Passed++
		} else {
			result.Failed++
		}
		result.Cases = append(result.Cases, c)
	}
	return result
}

// Run puts the case to an engine.
func (c *Case) Run(engine Engine) CaseResult {
	got := engine(&c.Request, &c.Set)
	failure := c.check(got)
	return CaseResult{Name: c.Name, Line: c.Line, Passed: failure == "", Failure: failure, Expect: c.Expect,
		Decision: got, Trace: policy.Explain(&c.Request, &c.Set)}
}

// check returns what is wrong with an answer, or "".
func (c *Case) check(got policy.Decision) string {
	denied := c.Expect == "deny" && got.Outcome != policy.Allowed
	switch {
	case got.Err != nil:
		return fmt.Sprintf("got an error: %v", got.Err)
	case got.Outcome.String() != c.Expect && !denied:
		return fmt.Sprintf("got %v, want %s", got.Outcome, c.Expect)
	case c.Statement == "":
		return ""
	case got.Statement == nil:
		return fmt.Sprintf("got %v by no statement, want it by statement %s", got.Outcome, c.Statement)
	case got.Statement.Sid != c.Statement:
		return fmt.Sprintf("got %v by %v, want it by statement %s", got.Outcome, got.Statement, c.Statement)
	}
	return ""
}
