// SPDX-License-Identifier: Apache-2.0

package form

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// Principal says what is wrong with a principal of a type (M-7), in a trust policy
// or another one. None may have a partial wildcard.
func Principal(typ, text string, trust bool) Fault {
	fix := ""
	switch {
	case typ == "AWS" && text == "*":
	case typ == "CanonicalUser" && trust:
		fix = "use AWS, Service or Federated"
	case strings.Contains(text, "${"):
		fix = "write it out: principals cannot have variables"
	case strings.ContainsAny(text, "*?"):
		fix = "write it out, or match aws:PrincipalArn in a condition: principals cannot have wildcards"
	case text == "" || strings.ContainsAny(text, " \t\r\n") && typ != "AWS":
		fix = "write one principal"
	case typ == "Service" && !strings.Contains(text, "."):
		fix = `write a name such as "ec2.amazonaws.com"`
	case typ == "AWS" && !isAWSPrincipal(text):
		fix = "write an account id, the ARN of an account root, user, role or session, or *"
	}
	if fix == "" {
		return Fault{}
	}
	return Fault{Message: jsontext.Quote(text) + " is no principal of type " + typ, Fix: fix,
		AWS: fmt.Sprintf(`Invalid principal in policy: "%s":"%s"`, typ, text)}
}

// isAWSPrincipal reports whether text, which has no wildcards, names an account,
// user, role or session; or is the unique id that the ARN of a deleted user or
// role becomes (M-11). The account "cloudfront" owns the origin access
// identities of CloudFront.
func isAWSPrincipal(text string) bool {
	if arn.IsAccountID(text) || isUniqueID(text) {
		return true
	}
	e, ok := arn.SplitEntity(text)
	if !ok || e.Partition == "" || !arn.IsAccountID(e.Account) && e.Account != "cloudfront" {
		return false
	}
	switch e.Kind {
	case arn.KindRoot, arn.KindUser, arn.KindRole, arn.KindAssumedRole, arn.KindFederatedUser:
		return true
	}
	return false
}

// isUniqueID reports whether text has the form of the unique id of a user or role.
func isUniqueID(text string) bool {
	if len(text) < 16 || len(text) > 128 || !strings.HasPrefix(text, "AIDA") && !strings.HasPrefix(text, "AROA") {
		return false
	}
	for _, c := range []byte(text) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
