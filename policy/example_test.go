// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// Parse a document once, compile it once, decide as often as there are requests.
func Example() {
	doc, err := policy.Parse("readers", []byte(`{"Version": "2012-10-17", "Statement": {
		"Effect": "Allow", "Action": "notes:Read", "Resource": "arn:aws:notes::*:note/${aws:username}/*"}}`))
	if err != nil {
		log.Fatal(err) // readers:2:14: …, with the likely fix
	}
	readers, err := policy.Compile(doc, policy.Identity)
	if err != nil {
		log.Fatal(err)
	}
	fred, err := policy.PrincipalOf("arn:aws:iam::111122223333:user/fred")
	if err != nil {
		log.Fatal(err)
	}
	d := policy.Decide(
		&policy.Request{
			Principal: fred, Action: "notes:Read", Resource: "arn:aws:notes::111122223333:note/fred/todo",
			Context: map[string]string{"aws:username": "fred"},
		},
		&policy.Set{Identity: []*policy.Policy{readers}})
	fmt.Println(d.Outcome, "by", d.Statement)
	// Output: allow by statement 1 of readers (1:40)
}

// mustCompile parses, validates and compiles. It stands in the other examples
// for what a program does once, where it reads its policies.
func mustCompile(name, src string, kind policy.Kind) *policy.Policy {
	doc, err := policy.Parse(name, []byte(src))
	if err != nil {
		log.Fatal(err)
	}
	if err := doc.Validate(kind); err != nil {
		log.Fatal(err)
	}
	p, err := policy.Compile(doc, kind)
	if err != nil {
		log.Fatal(err)
	}
	return p
}

// mustUser returns a user as the caller of a request.
func mustUser(arn string) policy.Principal {
	p, err := policy.PrincipalOf(arn)
	if err != nil {
		log.Fatal(err)
	}
	return p
}

// Parse refuses what no policy may hold, and says where it stands.
func ExampleParse() {
	_, err := policy.Parse("readers", []byte(`{"Statement": [{"Efect": "Allow", "Action": "*"}]}`))
	fmt.Println(err)
	// Output: readers:1:17: unknown element "Efect" (did you mean "Effect"?)
}

// Validate is for what someone has just written: it asks for everything that a
// kind of policy needs, by the rules that AWS applies.
func ExampleDocument_Validate() {
	doc, err := policy.Parse("shared", []byte(`{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Principal": {"AWS": "ann"}, "Action": "notes:Read", "Resource": "arn:aws:notes::111122223333:note/fred/*"},
    {"Effect": "Allow", "Action": "notes Read", "Resource": "*"}
  ]
}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(doc.Validate(policy.Resource))
	// Output:
	// shared:4:46: "ann" is no principal of type AWS (write an account id, the ARN of an account root, user, role or session, or *)
	// shared:5:5: the statement has no principal (add "Principal")
	// shared:5:35: the action "notes Read" names no service (write "service:Name", or "*")
}

// Compile refuses what has no certain meaning, whoever wrote it and whenever.
func ExampleCompile() {
	doc, err := policy.Parse("readers", []byte(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
  "Condition": {"NumericLessThan": {"s3:max-keys": "ten"}}}}`))
	if err != nil {
		log.Fatal(err)
	}
	_, err = policy.Compile(doc, policy.Identity)
	fmt.Println(err)
	// Output: readers:2:52: NumericLessThan value "ten": want a number
}

// Programs read the problems of an error rather than its text.
func ExampleProblems() {
	_, err := policy.Parse("", []byte(`{"Statement": [{"Efect": "Allow", "Action": "*"}]}`))
	for _, p := range policy.Problems(fmt.Errorf("notebook fred: %w", err)) {
		fmt.Println(p.Pos.Line, p.Pos.Column, p.Code, p.Code == policy.UnknownElement)
	}
	// Output: 1 17 unknown-element true
}

// A stored document that no longer compiles is not left out: what it forbade
// would be forgotten. Broken takes its place and denies.
func ExampleBroken() {
	compile := func(name, stored string) *policy.Policy {
		doc, err := policy.Parse(name, []byte(stored))
		if err != nil {
			return policy.Broken(name, err)
		}
		p, err := policy.Compile(doc, policy.Identity)
		if err != nil {
			return policy.Broken(name, err)
		}
		return p
	}
	set := &policy.Set{Identity: []*policy.Policy{
		compile("all", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`),
		compile("but-not-these", `{"Statement": {"Effect": "Deny", "Acti`),
	}}
	d := policy.Decide(&policy.Request{
		Principal: mustUser("arn:aws:iam::111122223333:user/fred"),
		Action:    "notes:Read", Resource: "arn:aws:notes::111122223333:note/fred/todo",
	}, set)
	var cause *policy.ParseError
	fmt.Println(d.Outcome, errors.As(d.Err, &cause))
	fmt.Println(d.Err)
	// Output:
	// explicit-deny true
	// but-not-these:1:34: the string is not closed (add the closing ")
}

// Explain tells the owner of the policies what each of them said.
func ExampleExplain() {
	own := mustCompile("own-notes", `{
  "Version": "2012-10-17",
  "Statement": {
    "Sid": "Own",
    "Effect": "Allow",
    "Action": "notes:*",
    "Resource": "arn:aws:notes::*:note/${aws:username}/*"
  }
}`, policy.Identity)
	trace := policy.Explain(
		&policy.Request{
			Principal: mustUser("arn:aws:iam::111122223333:user/fred"),
			Action:    "notes:Read",
			Resource:  "arn:aws:notes::111122223333:note/ann/diary",
			Context:   map[string]string{"aws:username": "fred"},
		},
		&policy.Set{Identity: []*policy.Policy{own}})
	if err := trace.Write(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// Denied: fred's policies do not allow notes:Read on arn:aws:notes::111122223333:note/ann/diary; the nearest, statement Own of own-notes (3:16), allows it only on arn:aws:notes::*:note/${aws:username}/*.
	//   ✗ identity-based policy: silent
	//       own-notes
	//         Allow Own (3:16) does not apply
	//           ✓ Action: notes:Read matches notes:*
	//           ✗ Resource: arn:aws:notes::111122223333:note/ann/diary does not match arn:aws:notes::*:note/${aws:username}/*
}

// A Decision is small enough for every line of a log.
func ExampleDecision() {
	own := mustCompile("own-notes", `{"Version": "2012-10-17", "Statement": [
  {"Sid": "All", "Effect": "Allow", "Action": "notes:*", "Resource": "*"},
  {"Sid": "NotTheDiary", "Effect": "Deny", "Action": "notes:*", "Resource": "arn:aws:notes::*:note/*/diary"}]}`, policy.Identity)
	d := policy.Decide(
		&policy.Request{
			Principal: mustUser("arn:aws:iam::111122223333:user/fred"),
			Action:    "notes:Read", Resource: "arn:aws:notes::111122223333:note/fred/diary",
		},
		&policy.Set{Identity: []*policy.Policy{own}})
	out, err := json.Marshal(d)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(out))
	// Output:
	// {"outcome":"explicit-deny","layer":"identity-based policy","statement":{"policy":"own-notes","sid":"NotTheDiary","index":1,"start":{"line":3,"column":3}}}
}

// What would a change of a policy mean for a request? Prepare the request once, and
// ask it of the policies before and after.
func ExampleLower() {
	compile := func(document string) *policy.Set {
		d, err := policy.Parse("notes", []byte(document))
		if err != nil {
			panic(err)
		}
		p, err := policy.Compile(d, policy.Identity)
		if err != nil {
			panic(err)
		}
		return &policy.Set{Identity: []*policy.Policy{p}}
	}
	before := compile(`{"Statement": {"Effect": "Allow", "Action": "notes:*", "Resource": "*"}}`)
	after := compile(`{"Statement": {"Effect": "Allow", "Action": "notes:Read", "Resource": "*"}}`)
	fred, err := policy.PrincipalOf("arn:aws:iam::111122223333:user/fred")
	if err != nil {
		panic(err)
	}
	request := policy.Lower(&policy.Request{Principal: fred, Action: "notes:Write", Resource: "arn:aws:notes::111122223333:note/fred/list"})
	fmt.Println("before:", request.Decide(before).Outcome)
	fmt.Println("after:", request.Decide(after).Outcome)
	// Output:
	// before: allow
	// after: implicit-deny
}
