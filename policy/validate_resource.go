// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

// resources checks Resource or NotResource.
func (v *validator) resources() {
	s := v.at
	element := not(s.NotResource) + "Resource"
	switch {
	case v.rules.resource == forbidden:
		if s.HasResource {
			v.report(s.ResourcePos, v.path(element), ProhibitedElement, "remove it: the role itself is the resource",
				"a trust policy cannot have "+element, "Has prohibited field "+element+".")
		}
		return
	case len(s.Resource) == 0:
		if v.rules.resource == required || s.HasResource {
			v.report(cmp.Or(s.ResourcePos, s.Start), v.path(element), MissingResource, `add "Resource"`, "the statement has no resources", "Policy statement must contain resources.")
		}
		return
	}
	for i, r := range s.Resource {
		if v.full() {
			return
		}
		path := func() string { return v.value(element, i, s.Resource) }
		if !v.rules.arns {
			if r.Text == "" {
				v.report(r.Pos, path(), InvalidResource, "", "the resource is empty", notARN(r.Text))
			}
		} else if code, fix, message, aws := resourceProblem(r.Text); code != "" {
			v.report(r.Pos, path(), code, fix, message, aws)
			continue
		}
		if _, err := parseTemplate(r.Text, true, v.variables); err != nil {
			v.report(r.Pos, path(), InvalidVariable, "", "in the resource "+jsontext.Quote(r.Text)+": "+err.Error(), legacyParsing)
		}
	}
}

func notARN(resource string) string {
	return "Resource " + resource + ` must be in ARN format or "*".`
}

// resourceProblem says what is wrong with a resource of an identity-like
// policy; the code is "" when nothing is. A resource is "*" or an ARN. ARNs
// shorter than six parts stand for all that they begin (M-3), unless they leave
// out a part between two colons. A wildcard in the partition is accepted,
// because AWS managed policies have it.
func resourceProblem(text string) (code Code, fix, message, aws string) {
	if text == "*" {
		return "", "", "", ""
	}
	refuse := func(fix, what, aws string) (Code, string, string, string) {
		return InvalidResource, fix, "the resource " + jsontext.Quote(text) + " " + what, aws
	}
	parts := strings.SplitN(text, ":", 6)
	switch {
	case len(parts) < 2:
		return refuse(`write an ARN or "*"`, "is neither an ARN nor *", notARN(text))
	case parts[1] != "aws" && !strings.ContainsAny(parts[1], "*?"):
		return refuse(`write "arn:aws:…"`, "is not in the partition aws", invalidPartition(parts[1:]))
	case parts[0] != "arn":
		return refuse(`write "arn:aws:…"`, "does not begin with arn:", notARN(text))
	case len(parts) < 3:
		return refuse("", "names no service", "Resource vendor must be fully qualified and cannot contain regexes.")
	case strings.ContainsAny(parts[2], "*?"):
		return refuse("name the service", "has a wildcard in its service", "Resource vendor must be fully qualified and cannot contain regexes.")
	case len(parts) > 4 && parts[2] == "iam" && parts[3] != "" && parts[3] != "*":
		return refuse("remove the region", "is of IAM, which has no regions", "IAM resource "+text+" cannot contain region information.")
	case len(parts) > 4 && parts[2] == "s3" && parts[3] != "" && parts[4] == "":
		return refuse("remove the region", "is of S3, whose buckets have no region in their ARN", "Resource "+text+" can not contain region information.")
	case parts[2] == "iam" && len(parts) == 6 && !isIAMResource(parts[5]):
		return refuse("", "is of no type that IAM has", iamResourcePath)
	case parts[2] == "", len(parts) < 6 && strings.Contains(text, "::"):
		return MalformedResource, "write arn:aws:service:region:account:resource", fmt.Sprintf("the resource %s has not all parts of an ARN", jsontext.Quote(text)), legacyParsing
	}
	return "", "", "", ""
}

// invalidPartition is AWS's text for an ARN, given without its first part, that
// is not of the partition aws. It fills in stars for parts that are missing.
func invalidPartition(parts []string) string {
	rest := parts[1:]
	for len(rest) < 4 {
		rest = append(rest[:len(rest):len(rest)], "*")
	}
	return fmt.Sprintf("Partition %q is not valid for resource \"arn:%s:%s\".", parts[0], parts[0], strings.Join(rest, ":"))
}

const iamResourcePath = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, ` +
	"server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/."

// isIAMResource reports whether the last part of an IAM ARN can name an entity.
// It judges a lone word only: types come and go.
func isIAMResource(resource string) bool {
	return resource == "root" || strings.ContainsAny(resource, "*?/$")
}
