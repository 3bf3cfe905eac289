// SPDX-License-Identifier: Apache-2.0

package form

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// NotARN is the text of AWS for a resource that is no ARN.
func NotARN(resource string) string {
	return "Resource " + resource + ` must be in ARN format or "*".`
}

// Resource says what is wrong with a resource of an identity-like policy. A
// resource is "*" or an ARN. ARNs shorter than six parts stand for all that they
// begin (M-3), unless they leave out a part between two colons: such a resource
// is malformed. A wildcard in the partition is accepted, because AWS managed
// policies have it.
func Resource(text string) (f Fault, malformed bool) {
	if text == "*" {
		return Fault{}, false
	}
	fault := func(fix, what, aws string) (Fault, bool) {
		return Fault{Message: "the resource " + jsontext.Quote(text) + " " + what, Fix: fix, AWS: aws}, false
	}
	parts := strings.SplitN(text, ":", 6)
	switch {
	case len(parts) < 2:
		return fault(`write an ARN or "*"`, "is neither an ARN nor *", NotARN(text))
	case parts[1] != "aws" && !strings.ContainsAny(parts[1], "*?"):
		return fault(`write "arn:aws:…"`, "is not in the partition aws", invalidPartition(parts[1:]))
	case parts[0] != "arn":
		return fault(`write "arn:aws:…"`, "does not begin with arn:", NotARN(text))
	case len(parts) < 3:
		return fault("", "names no service", unqualified)
	case strings.ContainsAny(parts[2], "*?"):
		return fault("name the service", "has a wildcard in its service", unqualified)
	case len(parts) > 4 && parts[2] == "iam" && parts[3] != "" && parts[3] != "*":
		return fault("remove the region", "is of IAM, which has no regions", "IAM resource "+text+" cannot contain region information.")
	case len(parts) > 4 && parts[2] == "s3" && parts[3] != "" && parts[4] == "":
		return fault("remove the region", "is of S3, whose buckets have no region in their ARN", "Resource "+text+" can not contain region information.")
	case parts[2] == "iam" && len(parts) == 6 && !isIAMResource(parts[5]):
		return fault("", "is of no type that IAM has", IAMResourcePath)
	case parts[2] == "", len(parts) < 6 && strings.Contains(text, "::"):
		f, _ := fault("write arn:aws:service:region:account:resource", "has not all parts of an ARN", LegacyParsing)
		return f, true
	}
	return Fault{}, false
}

const unqualified = "Resource vendor must be fully qualified and cannot contain regexes."

// invalidPartition is AWS's text for an ARN, given without its first part, that
// is not of the partition aws. It fills in stars for parts that are missing.
func invalidPartition(parts []string) string {
	rest := parts[1:]
	for len(rest) < 4 {
		rest = append(rest[:len(rest):len(rest)], "*")
	}
	return fmt.Sprintf("Partition %q is not valid for resource \"arn:%s:%s\".", parts[0], parts[0], strings.Join(rest, ":"))
}

// IAMResourcePath is the text of AWS for an ARN of IAM that names no entity.
const IAMResourcePath = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, ` +
	"server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."

// isIAMResource reports whether the last part of an IAM ARN can name an entity.
// It judges a lone word only: types come and go.
func isIAMResource(resource string) bool {
	return resource == "root" || strings.ContainsAny(resource, "*?/$")
}
