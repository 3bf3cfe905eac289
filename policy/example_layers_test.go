// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"
	"log"
	"sync"
	"sync/atomic"

	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/policy/policytest"
)

// Fred's notebook has a policy of its own. Within the account it is enough; ann of
// another account also needs her own policies to allow.
func ExampleDecide_resourcePolicy() {
	notebook := mustCompile("fred's notebook", `{
  "Version": "2012-10-17",
  "Statement": {
    "Sid": "Share",
    "Effect": "Allow",
    "Principal": {"AWS": ["arn:aws:iam::111122223333:user/carl", "444455556666"]},
    "Action": "notes:Read",
    "Resource": "arn:aws:notes::111122223333:note/fred/*"
  }
}`, policy.Resource)
	visitor := mustCompile("visitor", `{
  "Version": "2012-10-17",
  "Statement": {"Sid": "Visit", "Effect": "Allow", "Action": "notes:Read", "Resource": "arn:aws:notes::*:note/*"}
}`, policy.Identity)

	read := func(caller string, identity ...*policy.Policy) {
		d := policy.Decide(
			&policy.Request{
				Principal: mustUser(caller),
				Action:    "notes:Read",
				Resource:  "arn:aws:notes::111122223333:note/fred/shopping",
			},
			&policy.Set{Identity: identity, Resource: notebook})
		fmt.Println(caller, d.Outcome, "by", d.Layer)
	}
	read("arn:aws:iam::111122223333:user/carl")
	read("arn:aws:iam::444455556666:user/ann")
	read("arn:aws:iam::444455556666:user/ann", visitor)
	// Output:
	// arn:aws:iam::111122223333:user/carl allow by resource-based policy
	// arn:aws:iam::444455556666:user/ann implicit-deny by identity-based policy
	// arn:aws:iam::444455556666:user/ann allow by resource-based policy
}

// A boundary grants nothing; it takes away what it does not allow.
func ExampleDecide_boundary() {
	identity := mustCompile("all-notes", `{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": "notes:*", "Resource": "*"}
}`, policy.Identity)
	boundary := mustCompile("readers-only", `{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": "notes:Read", "Resource": "*"}
}`, policy.Boundary)

	set := &policy.Set{Identity: []*policy.Policy{identity}, Boundary: boundary}
	for _, action := range []string{"notes:Read", "notes:Delete"} {
		d := policy.Decide(&policy.Request{
			Principal: mustUser("arn:aws:iam::111122223333:user/fred"),
			Action:    action,
			Resource:  "arn:aws:notes::111122223333:note/fred/shopping",
		}, set)
		fmt.Println(action, d.Outcome, "by", d.Layer)
	}
	// Output:
	// notes:Read allow by identity-based policy
	// notes:Delete implicit-deny by permissions boundary
}

// Keys with one value are in Context, those that may have several in Lists.
func ExampleRequest() {
	p := mustCompile("office-hours", `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "FromTheOffice",
      "Effect": "Allow",
      "Action": "notes:*",
      "Resource": "*",
      "Condition": {
        "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
        "DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}
      }
    },
    {
      "Sid": "KeepHeldNotes",
      "Effect": "Deny",
      "Action": "notes:Delete",
      "Resource": "*",
      "Condition": {"ForAnyValue:StringEquals": {"notes:Label": ["hold", "evidence"]}}
    }
  ]
}`, policy.Identity)
	fmt.Println(p.Keys())

	r := &policy.Request{
		Principal: mustUser("arn:aws:iam::111122223333:user/fred"),
		Action:    "notes:Delete",
		Resource:  "arn:aws:notes::111122223333:note/fred/invoice",
		Context:   map[string]string{"aws:SourceIp": "203.0.113.7", "aws:CurrentTime": "2026-06-30T12:00:00Z"},
		Lists:     map[string][]string{"notes:Label": {"tax", "hold"}},
	}
	set := &policy.Set{Identity: []*policy.Policy{p}}
	d := policy.Decide(r, set)
	fmt.Println(d.Outcome, "by", d.Statement)

	r.Lists = nil // a note without labels
	d = policy.Decide(r, set)
	fmt.Println(d.Outcome, "by", d.Statement)

	delete(r.Context, "aws:SourceIp") // nobody knows where from
	d = policy.Decide(r, set)
	fmt.Println(d.Outcome)
	// Output:
	// [aws:currenttime aws:sourceip notes:label]
	// explicit-deny by statement KeepHeldNotes of office-hours (14:5)
	// allow by statement FromTheOffice of office-hours (4:5)
	// implicit-deny
}

// Policies are replaced as a whole, while others decide under the old ones.
func Example_replacingPolicies() {
	compile := func(effect string) *policy.Set {
		p := mustCompile("notes", `{
  "Version": "2012-10-17",
  "Statement": {"Effect": "`+effect+`", "Action": "notes:Read", "Resource": "*"}
}`, policy.Identity)
		return &policy.Set{Identity: []*policy.Policy{p}}
	}
	var current atomic.Pointer[policy.Set]
	current.Store(compile("Allow"))

	r := &policy.Request{
		Principal: mustUser("arn:aws:iam::111122223333:user/fred"),
		Action:    "notes:Read",
		Resource:  "arn:aws:notes::111122223333:note/fred/todo",
	}
	var deciding sync.WaitGroup
	for range 4 {
		deciding.Go(func() {
			for range 1000 {
				policy.Decide(r, current.Load()) // under the old Set or the new one
			}
		})
	}
	current.Store(compile("Deny"))
	deciding.Wait()
	fmt.Println(policy.Decide(r, current.Load()).Outcome)
	// Output: explicit-deny
}

// Access tests say what the policies must answer, in a file beside them. In a
// program of yours this is a Test, with t.Errorf for a case that failed.
func Example_accessTest() {
	const file = `{
  "policies": {
    "own-notes": {
      "Version": "2012-10-17",
      "Statement": {"Effect": "Allow", "Action": "notes:*", "Resource": "arn:aws:notes::*:note/${aws:username}/*"}
    }
  },
  "cases": [
    {"name": "fred reads his own", "principal": "arn:aws:iam::111122223333:user/fred", "identity": ["own-notes"],
     "action": "notes:Read", "resource": "arn:aws:notes::111122223333:note/fred/todo", "expect": "allow"},
    {"name": "fred reads ann's", "principal": "arn:aws:iam::111122223333:user/fred", "identity": ["own-notes"],
     "action": "notes:Read", "resource": "arn:aws:notes::111122223333:note/ann/todo", "expect": "allow"}
  ]
}`
	cases, err := policytest.Read("access.json", []byte(file), nil)
	if err != nil {
		log.Fatal(err)
	}
	result := cases.Run(policy.Decide)
	for _, c := range result.Cases {
		if !c.Passed {
			fmt.Printf("access.json:%d: %s: %s\n", c.Line, c.Name, c.Failure)
		}
	}
	fmt.Println(result.Passed, "passed,", result.Failed, "failed")
	// Output:
	// access.json:11: fred reads ann's: got implicit-deny, want allow
	// 1 passed, 1 failed
}
