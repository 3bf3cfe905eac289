// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
)

// A form makes the ARN of a resource whose name a service takes in ways of its own. of is the resource type when the
// name in bindings.txt is not one.
type form struct {
	of   string
	make func(c *call, t *arnTemplate, values []string) (string, error)
}

// forms are by "service type", as bindings.txt has them.
var forms = map[string]form{
	"events buses":                    {of: "event-bus", make: single(busName)},
	"events rule-on-custom-event-bus": {make: ruleOnBus},
	"kinesis kmsKey":                  {make: single(keyName)},
	"kms alias":                       {make: single(aliasName)},
	"kms key":                         {make: single(keyName)},
	"lambda function":                 {make: single(functionName)},
	"lambda qualified":                {of: "function", make: single(qualifiedName)},
	"logs group":                      {of: "log-group", make: single(groupName)},
	"logs log-stream":                 {make: streamName},
	"secretsmanager Secret":           {make: single(secretName)},
	"sns topic":                       {make: single(topicName)},
	"sqs queue":                       {make: single(queueName)},
	"ssm instance":                    {make: single(instanceName)},
	"ssm parameter":                   {make: single(parameterName)},
}

func single(f func(*call, *arnTemplate, string) (string, error)) func(*call, *arnTemplate, []string) (string, error) {
	return func(c *call, t *arnTemplate, values []string) (string, error) { return f(c, t, values[0]) }
}

// queueName takes a queue's URL, ARN or name.
func queueName(c *call, t *arnTemplate, v string) (string, error) {
	if !strings.Contains(v, "://") {
		return t.resource(c, v)
	}
	_, path, ok := splitURL(v)
	if !ok {
		return "", fail(Malformed, "the queue's URL is %q", clip(v))
	}
	account, name, ok := queuePath(path)
	if !ok {
		return "", fail(Malformed, "the queue's URL is %q", clip(v))
	}
	if _, err := c.owner(account); err != nil {
		return "", err
	}
	return t.resource(c, name)
}

// splitURL cuts a URL that has nothing but a host and a path.
func splitURL(s string) (host, path string, ok bool) {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return "", "", false
		}
	}
	host, path, ok = strings.Cut(rest, "/")
	return host, "/" + path, ok && host != "" && !strings.ContainsAny(rest, "@?#%\\ ")
}

// queuePath takes the path of a queue's URL apart: /ACCOUNT/NAME.
func queuePath(path string) (account, name string, ok bool) {
	account, name, ok = strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return account, name, ok && arn.IsAccountID(account) && plainName(name)
}

// plainName reports whether s has nothing but letters, digits and "-_.", and is not a path's dots.
func plainName(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if (c < 'a' || c > 'z') && (s[i] < '0' || s[i] > '9') && !strings.Contains("-_.", s[i:i+1]) {
			return false
		}
	}
	return s != "" && s != "." && s != ".."
}

// keyName takes a key's ID or ARN. An alias stands for a key that only the service knows (quirk Q141).
func keyName(c *call, t *arnTemplate, v string) (string, error) {
	name := v
	if strings.HasPrefix(v, "arn:") {
		p, err := c.whole(v)
		if err != nil {
			return "", err
		}
		if p.Service == "kms" {
			name = p.Resource
		}
	}
	if alias, ok := strings.CutPrefix(name, "alias/"); ok {
		return t.arn(c, t.fill()), allowed("Alias", alias)
	}
	return t.resource(c, v)
}

// aliasName takes an alias's name, with its "alias/".
func aliasName(c *call, t *arnTemplate, v string) (string, error) {
	name, ok := strings.CutPrefix(v, "alias/")
	if !ok {
		return "", fail(Malformed, "AliasName %q does not begin with alias/", clip(v))
	}
	return t.resource(c, name)
}

// A secret's ARN ends in a hyphen and six characters that AWS makes up (Secrets Manager User Guide, "What's in a
// secret").
const (
	anySuffix  = "-??????"
	suffixSize = len(anySuffix)
)

// secretName takes a secret's name or ARN, with or without its suffix. Without, any suffix is meant (quirk Q141).
func secretName(c *call, t *arnTemplate, v string) (string, error) {
	a, err := t.resource(c, v)
	if err != nil {
		return "", err
	}
	if i := len(a) - suffixSize; strings.HasPrefix(v, "arn:") && a[i] == '-' && plainName(a[i+1:]) && !strings.ContainsAny(a[i+1:], "-_.") {
		return a, nil
	}
	return a + anySuffix, nil
}

// functionName takes a function's name, ARN or partial ARN. A version or alias is not part of the resource.
func functionName(c *call, t *arnTemplate, v string) (string, error) {
	name, _, err := c.function(v)
	if err != nil {
		return "", err
	}
	return t.arn(c, t.fill(name)), nil
}

// qualifiedName is functionName with the version or alias, which the request may name by itself.
func qualifiedName(c *call, t *arnTemplate, v string) (string, error) {
	name, qualifier, err := c.function(v)
	if err != nil {
		return "", err
	}
	n, err := c.member("Qualifier")
	if err != nil {
		return "", err
	}
	if n.text != "" {
		if qualifier != "" && qualifier != n.text || allowed("Qualifier", n.text) != nil {
			return "", fail(Malformed, "Qualifier is %q beside %q", clip(n.text), clip(v))
		}
		qualifier = n.text
	}
	if qualifier != "" {
		name += ":" + qualifier
	}
	return t.arn(c, t.fill(name)), nil
}

// function takes apart NAME, ACCOUNT:function:NAME or an ARN, each with a version or alias after another colon (Lambda
// API Reference, Invoke, FunctionName).
func (c *call) function(v string) (name, qualifier string, err error) {
	rest := v
	if strings.HasPrefix(v, "arn:") {
		p, err := c.whole(v)
		if err != nil {
			return "", "", err
		}
		if p.Service != "lambda" || p.Account == "" || p.Region == "" {
			return "", "", fail(Malformed, "%q is not the ARN of a function", clip(v))
		}
		rest = p.Account + ":" + p.Resource
	}
	if account, after, ok := strings.Cut(rest, ":function:"); ok {
		if _, err := c.owner(account); err != nil {
			return "", "", err
		}
		rest = after
	}
	name, qualifier, ok := strings.Cut(rest, ":")
	if !plainName(name) || ok && (allowed("Qualifier", qualifier) != nil || strings.Contains(rest, "function:")) {
		return "", "", fail(Malformed, "FunctionName is %q", clip(v))
	}
	return name, qualifier, nil
}

// groupName takes the name or ARN of a log group. What AWS judges has the streams' part after it, empty, which a
// policy meets with ":*" (quirk Q142).
func groupName(c *call, t *arnTemplate, v string) (string, error) {
	a, err := t.resource(c, strings.TrimSuffix(v, ":*"))
	return a + ":log-stream:", err
}

// streamName takes the name or ARN of a log group, and of a stream in it.
func streamName(c *call, t *arnTemplate, values []string) (string, error) {
	values[0] = strings.TrimSuffix(values[0], ":*")
	return t.resource(c, values...)
}

// topicName takes the name or ARN of a topic, or the ARN of a subscription to it.
func topicName(c *call, t *arnTemplate, v string) (string, error) {
	if strings.HasPrefix(v, "arn:") && strings.Count(v, ":") == 6 {
		v = v[:strings.LastIndexByte(v, ':')]
	}
	return t.resource(c, v)
}

// parameterName takes the name of a parameter, with the version or label that some operations take after a colon, or
// its ARN.
func parameterName(c *call, t *arnTemplate, v string) (string, error) {
	if strings.HasPrefix(v, "arn:") {
		if strings.Count(v, ":") == 6 {
			v = v[:strings.LastIndexByte(v, ':')]
		}
		return t.resource(c, v)
	}
	v, _, _ = strings.Cut(v, ":")
	if v == "/" {
		return t.arn(c, t.fill()), nil
	}
	return t.resource(c, strings.TrimSuffix(strings.TrimPrefix(v, "/"), "/"))
}

// instanceName takes the ID of an instance of EC2 or of a managed one.
func instanceName(c *call, t *arnTemplate, v string) (string, error) {
	if strings.HasPrefix(v, "mi-") {
		r, _ := c.service.ResourceType("managed-instance")
		managed := parseARN(r.ARNs[0])
		t = &managed
	}
	return t.resource(c, v)
}

// ruleOnBus takes the name or ARN of an event bus and the name of a rule, whose ARN leaves the default bus out.
func ruleOnBus(c *call, t *arnTemplate, values []string) (string, error) {
	bus, err := c.name("EventBusName", values[0])
	if err != nil {
		return "", err
	}
	if bus != defaultBus {
		return t.resource(c, bus, values[1])
	}
	r, _ := c.service.ResourceType("rule-on-default-event-bus")
	plain := parseARN(r.ARNs[0])
	return plain.resource(c, values[1])
}

const defaultBus = "default"

func busName(c *call, t *arnTemplate, v string) (string, error) { return t.resource(c, v) }
