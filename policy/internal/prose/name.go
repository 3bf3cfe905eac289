// SPDX-License-Identifier: Apache-2.0

package prose

import (
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
)

// Principal returns what people call a principal: the name in its ARN, an account
// by its number, else the text itself.
func Principal(text string) string {
	if arn.IsAccountID(text) {
		return "account " + text
	}
	e, ok := arn.SplitEntity(text)
	if !ok {
		return Value(text)
	}
	switch e.Kind {
	case arn.KindUser:
		return Value(e.Name)
	case arn.KindRole:
		return "role " + e.Name
	case arn.KindAssumedRole:
		return "role " + e.Name + " (session " + Value(e.Session) + ")"
	case arn.KindFederatedUser:
		return "federated user " + e.Name
	case arn.KindRoot:
		return "account " + e.Account
	}
	return Value(text)
}

// Resource returns what people call a resource: bucket and key for S3's ARNs,
// which name neither region nor account, else the text itself.
func Resource(text string) string {
	if rest, ok := strings.CutPrefix(text, "arn:aws:s3:::"); ok && rest != "" {
		return Value(rest)
	}
	return Value(text)
}

// Policy returns what people call a policy: the name in its ARN, else the text
// itself.
func Policy(name string) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 && strings.HasPrefix(name, "arn:") {
		return Value(name[i+1:])
	}
	return Value(name)
}

// Statement returns the name of a statement, as in "statement ReadOwn of readers
// (3:5)". Index counts from 0; a line of 0 means that its place is unknown.
func Statement(policy, sid string, index, line, column int) string {
	s := "statement " + Value(sid)
	if sid == "" {
		s = "statement " + strconv.Itoa(index+1)
	}
	if policy != "" {
		s += " of " + Policy(policy)
	}
	if line > 0 {
		s += " (" + strconv.Itoa(line) + ":" + strconv.Itoa(column) + ")"
	}
	return s
}
