// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"
	"os"

	"github.com/innkeeper-iam/innkeeper/policy"
)

const readersJSON = `{
  "Version": "2012-10-17",
  "Statement": {
    "Sid": "ReadOwn",
    "Effect": "Allow",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::b/home/${aws:username}/*"
  }
}`

// Parse a document once, compile it once, decide as often as there are requests.
func Example() {
	d, err := policy.Parse("readers", []byte(readersJSON))
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := policy.Compile(d, policy.Identity)
	if err != nil {
		fmt.Println(err)
		return
	}
	fred, err := policy.PrincipalOf("arn:aws:iam::111122223333:user/fred")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &policy.Request{
		Principal: fred,
		Action:    "s3:GetObject",
		Resource:  "arn:aws:s3:::b/home/fred/x",
		Context:   map[string]string{"aws:username": "fred"},
	}
	decision := policy.Decide(r, &policy.Set{Identity: []*policy.Policy{p}})
	fmt.Println(decision.Outcome, "by", decision.Statement)
	// Output: allow by statement ReadOwn of readers (3:16)
}

func ExampleParse() {
	_, err := policy.Parse("readers", []byte(`{"Statement": [{"Efect": "Allow", "Action": "*"}]}`))
	fmt.Println(err)
	// Output: readers:1:17: unknown element "Efect" (did you mean "Effect"?)
}

func ExampleCompile() {
	d, err := policy.Parse("readers", []byte(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
  "Condition": {"NumericLessThan": {"s3:max-keys": "ten"}}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = policy.Compile(d, policy.Identity)
	fmt.Println(err)
	// Output: readers:2:52: NumericLessThan value "ten": want a number
}

func ExampleDecide() {
	d, err := policy.Parse("bucket", []byte(`{"Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*",
  "Principal": {"AWS": "arn:aws:iam::444455556666:root"}}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	bucket, err := policy.Compile(d, policy.Resource)
	if err != nil {
		fmt.Println(err)
		return
	}
	ann, err := policy.PrincipalOf("arn:aws:iam::444455556666:user/ann")
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &policy.Request{Principal: ann, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/x", ResourceAccount: "111122223333"}
	decision := policy.Decide(r, &policy.Set{Resource: bucket})
	fmt.Println(decision.Outcome, "by", decision.Layer)
	// Output: implicit-deny by identity-based policy
}

func ExampleExplain() {
	d, err := policy.Parse("readers", []byte(readersJSON))
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := policy.Compile(d, policy.Identity)
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &policy.Request{
		Principal: policy.Principal{Type: policy.User, Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/fred"},
		Action:    "s3:GetObject",
		Resource:  "arn:aws:s3:::b/home/ann/x",
		Context:   map[string]string{"aws:username": "fred"},
	}
	trace := policy.Explain(r, &policy.Set{Identity: []*policy.Policy{p}})
	if err := trace.Write(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Denied: no identity-based policy allows s3:GetObject on arn:aws:s3:::b/home/ann/x.
	//   identity-based policy: silent
	//     readers
	//       Allow ReadOwn (3:16) does not apply: Resource wants "arn:aws:s3:::b/home/${aws:username}/*", request has arn:aws:s3:::b/home/ann/x
}
