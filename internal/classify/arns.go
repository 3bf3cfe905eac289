// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/catalog"
)

// An arnTemplate is the form of the ARNs of a resource type.
type arnTemplate struct {
	service         string
	region, account bool     // the ARNs have them
	literals        []string // of the resource, before each variable and after the last
	variables       []string
}

func parseARN(text string) arnTemplate {
	p, _ := arn.Split(text)
	t := arnTemplate{service: p.Service, region: p.Region != "", account: p.Account != ""}
	rest := p.Resource
	for {
		before, after, ok := strings.Cut(rest, "${")
		t.literals = append(t.literals, before)
		if !ok {
			return t
		}
		var name string
		name, rest, _ = strings.Cut(after, "}")
		t.variables = append(t.variables, name)
	}
}

// stem is what the only variable names, without "Name" or "Id", in the form of plain.
func (t *arnTemplate) stem() string {
	if len(t.variables) != 1 {
		return ""
	}
	s := plain(t.variables[0])
	for _, suffix := range []string{"identifier", "name", "id"} {
		if cut, ok := strings.CutSuffix(s, suffix); ok && cut != "" {
			return cut
		}
	}
	return s
}

// fill returns the resource part with the values in the place of the variables, and "*" for those that are missing.
func (t *arnTemplate) fill(values ...string) string {
	var b strings.Builder
	for i, l := range t.literals {
		b.WriteString(l)
		switch {
		case i < len(values):
			b.WriteString(values[i])
		case i < len(t.variables):
			b.WriteByte('*')
		}
	}
	return b.String()
}

// arn returns the ARN with a resource part.
func (t *arnTemplate) arn(c *call, resource string) string {
	p := arn.Parts{Partition: arn.Partition, Service: t.service, Resource: resource}
	if t.region {
		p.Region = c.Region
	}
	if t.account {
		p.Account = c.Account
	}
	return p.String()
}

// match returns the values of the variables in a resource part.
func (t *arnTemplate) match(resource string) ([]string, bool) {
	rest, ok := strings.CutPrefix(resource, t.literals[0])
	if !ok {
		return nil, false
	}
	var values []string
	for i, v := range t.variables {
		value := rest
		if next := t.literals[i+1]; next != "" {
			if value, rest, ok = strings.Cut(rest, next); !ok {
				return nil, false
			}
		} else {
			rest = ""
		}
		if allowed(v, value) != nil {
			return nil, false
		}
		values = append(values, value)
	}
	return values, rest == ""
}

// punctuation has the variables whose values may hold more than letters, digits and what names usually have: a slash,
// a colon or a space. With any other they could spell the ARN of another resource.
var punctuation = map[string]string{
	"Alias": "/", "AlarmName": "/: ", "BackupName": "", "EventSourceName": "/", "InsightRuleName": "/: ", "LogGroupName": "/", "LogStreamName": "/ ",
	"ParameterNameWithoutLeadingSlash": "/", "RepositoryName": "/", "RoleNameWithPath": "/", "SecretId": "/", "TopicName": "/", "ResourceId": "/",
}

// allowed refuses a value that a variable cannot have: wildcards, control characters, spaces at either end, and
// punctuation that is not the variable's.
func allowed(variable, value string) error {
	more := punctuation[variable]
	if value == "" || len(value) > 1024 || strings.TrimSpace(value) != value {
		return fail(Malformed, "%s is %q", variable, clip(value))
	}
	for _, r := range value {
		switch {
		case r < ' ' || r == 0x7f || strings.ContainsRune("*?\\", r):
		case strings.ContainsRune("/: ", r) && !strings.ContainsRune(more, r):
		default:
			continue
		}
		return fail(Malformed, "%s is %q", variable, clip(value))
	}
	return nil
}

// whole takes an ARN apart that a request names. It must be of the region and account that are behind the service, and
// then is of the owner's account.
func (c *call) whole(value string) (arn.Parts, error) {
	a, err := arn.Parse(value)
	if err != nil || a.Parts().Partition != arn.Partition {
		return arn.Parts{}, fail(Malformed, "%q is not an ARN", clip(value))
	}
	p := a.Parts()
	if p.Region != "" && p.Region != c.Region {
		return p, fail(Foreign, "%q is in another region than %s", clip(value), c.Region)
	}
	if p.Account != "" {
		p.Account, err = c.owner(p.Account)
	}
	return p, err
}

// owner returns the account for what a request calls it.
func (c *call) owner(account string) (string, error) {
	if account != c.Account && !slices.Contains(c.Aliases, account) {
		return "", fail(Foreign, "account %q is not the one that owns what is behind this service, %s", clip(account), c.Account)
	}
	return c.Account, nil
}

// resource returns the ARN of a resource that the request calls value, by ARN or by name.
func (t *arnTemplate) resource(c *call, values ...string) (string, error) {
	if len(values) == 1 && strings.HasPrefix(values[0], "arn:") {
		p, err := c.whole(values[0])
		if err != nil {
			return "", err
		}
		if _, ok := t.match(p.Resource); !ok || p.Service != t.service || (p.Region != "") != t.region || (p.Account != "") != t.account {
			return "", fail(Malformed, "%q is not the ARN of a %s", clip(values[0]), t.literals[0]+strings.Join(t.variables, ""))
		}
		return p.String(), nil
	}
	if len(values) == 1 && len(t.variables) > 1 {
		return "", fail(Malformed, "%q is not an ARN", clip(values[0]))
	}
	for i, v := range values {
		name, err := c.name(t.variables[i], v)
		if err != nil {
			return "", err
		}
		values[i] = name
	}
	return t.arn(c, t.fill(values...)), nil
}

// name returns the value of a variable, which may be given as the ARN of the resource that it names.
func (c *call) name(variable, value string) (string, error) {
	if !strings.HasPrefix(value, "arn:") {
		return value, allowed(variable, value)
	}
	p, err := c.whole(value)
	if err != nil {
		return "", err
	}
	for r := range c.service.ResourceTypes() {
		t := parseARN(r.ARNs[0])
		if len(t.variables) != 1 || t.variables[0] != variable || t.service != p.Service {
			continue
		}
		if values, ok := t.match(p.Resource); ok {
			return values[0], nil
		}
	}
	return "", fail(Malformed, "%q is not the ARN of what %s names", clip(value), variable)
}

// anyType returns an ARN of one of the types that an action works on.
func (c *call) anyType(s *catalog.Service, a *catalog.Action, value string) (string, error) {
	p, err := c.whole(value)
	if err != nil {
		return "", err
	}
	for _, use := range a.Resources {
		r, _ := s.ResourceType(use.Type)
		for _, text := range r.ARNs {
			t := parseARN(text)
			if _, ok := t.match(p.Resource); ok && t.service == p.Service && (p.Region != "") == t.region && (p.Account != "") == t.account {
				return p.String(), nil
			}
		}
	}
	return "", fail(Malformed, "%q is not the ARN of what %s works on", clip(value), a.Name)
}
