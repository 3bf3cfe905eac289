// SPDX-License-Identifier: Apache-2.0

package prose

import (
	"fmt"
	"slices"
	"strings"
)

// A Case is what every sentence about one request needs to know.
type Case struct {
	Who      string // the caller's ARN or name, "" for nobody
	Provider bool   // Who is a provider that vouches for the caller
	Account  string // the caller's
	Owner    string // the account of the resource, if it is another one
	Action   string
	Resource string
}

// A Kind is what a layer's policies are.
type Kind uint8

// The kinds of layer. The first are numbered as policy.Layer.
const (
	Identity Kind = iota + 1
	Boundary
	Session
	SCP
	RCP
	ResourcePolicy
	Endpoint
	Trust
	Key
)

// ofResource reports whether the kind is that of a policy on a resource.
func (k Kind) ofResource() bool { return k == ResourcePolicy || k == Trust || k == Key }

// A Layer is a policy layer.
type Layer struct {
	Kind     Kind
	Level    int      // of SCP and RCP, from 1
	Policies []string // their names
}

// A Stated is a statement that says something about the request.
type Stated struct {
	Name     string // see Statement
	Elements []Element
}

// who is the caller as the subject of a sentence.
func (c *Case) who() string {
	switch {
	case c.Who == "":
		return "an anonymous caller"
	case c.Provider:
		return "a caller from " + Principal(c.Who)
	case c.root():
		return "the root user of account " + c.Account
	}
	return Principal(c.Who)
}

func (c *Case) root() bool { return strings.HasSuffix(c.Who, ":root") }

// on is an action with its resource.
func on(action, resource string) string {
	if resource == "*" {
		return Value(action)
	}
	return Value(action) + " on " + Resource(resource)
}

// asked is what the caller asked for.
func (c *Case) asked() string { return on(c.Action, c.Resource) }

// granted is what a statement says about the request: the action asked for on
// the resources that the statement names it by.
func (c *Case) granted(s *Stated) string {
	for i := range s.Elements {
		e := &s.Elements[i]
		switch {
		case e.Name == "Resource" && e.By == "*" && c.Resource != "*":
			return Value(c.Action) + " on everything"
		case e.Name == "Resource" && e.By != "":
			return on(c.Action, e.By)
		case e.Name == "NotResource":
			return c.asked() + " (all resources but " + spoken(e.Wants, Resource) + ")"
		}
	}
	return c.asked()
}

// spoken joins values as people call them with "or".
func spoken(values []string, name func(string) string) string {
	if len(values) == 0 {
		return "nothing"
	}
	called := make([]string, len(values))
	for i, v := range values {
		called[i] = name(v)
	}
	if len(called) > maxValues {
		called = append(called[:maxValues-1], fmt.Sprint(len(values)-maxValues+1, " more"))
	}
	return join(called, "or")
}

// own is the first word of what belongs to the caller.
func (c *Case) own() string {
	if who := c.who(); !strings.HasSuffix(who, ")") && !strings.HasSuffix(who, "s") {
		return who + "'s "
	} else if strings.HasSuffix(who, "s") {
		return who + "' "
	}
	return "the " // of a session
}

// noun is a layer as a subject, and whether it is more than one thing.
func (c *Case) noun(l Layer) (noun string, plural bool) {
	one := ""
	if len(l.Policies) == 1 && l.Policies[0] != "" {
		one = " " + Policy(l.Policies[0])
	}
	switch l.Kind {
	case Identity:
		if own := c.own(); own != "the " {
			return own + "policies", true
		}
		return "the policies of " + c.who(), true
	case Boundary:
		return "the boundary" + one, false
	case Session:
		if len(l.Policies) > 1 {
			return "the session policies", true
		}
		return strings.TrimSuffix("the session policy"+one, " session policy"), false
	case SCP, RCP:
		name := "service control polic"
		if l.Kind == RCP {
			name = "resource control polic"
		}
		if one != "" {
			return fmt.Sprintf("the %sy%s of level %d", name, one, l.Level), false
		}
		return fmt.Sprintf("the %sies of level %d", name, l.Level), true
	case Trust:
		return "the trust policy of " + Principal(c.Resource), false
	case Key:
		return "the key policy" + one, false
	case Endpoint:
		return "the VPC endpoint policy" + one, false
	}
	return "the resource policy" + one, false
}

// among says what a statement's policy is, after the statement's name.
func (c *Case) among(l Layer) string {
	switch l.Kind {
	case Identity:
		if own := c.own(); own != "the " {
			return "one of " + own + "policies"
		}
		return "a policy of " + c.who()
	case Boundary:
		return "the permissions boundary"
	case Session:
		return "a session policy"
	case SCP:
		return fmt.Sprintf("a service control policy of level %d", l.Level)
	case RCP:
		return fmt.Sprintf("a resource control policy of level %d", l.Level)
	case ResourcePolicy:
		return "the resource policy"
	case Key:
		return "the key policy"
	case Endpoint:
		return "the VPC endpoint policy"
	}
	noun, _ := c.noun(l)
	return noun
}

// none says that a layer in force holds no policy.
func (c *Case) none(l Layer) string {
	switch l.Kind {
	case Identity:
		return c.who() + " has no policies"
	case Boundary:
		return "the boundary in force has no policy and allows nothing"
	case Session:
		if strings.Contains(c.Who, ":federated-user/") {
			return c.who() + " has no session policy and so no permissions of its own"
		}
		return "the session is limited to nothing: it has no session policy"
	case SCP:
		return fmt.Sprintf("level %d has no service control policy and allows nothing", l.Level)
	case RCP:
		return fmt.Sprintf("level %d has no resource control policy and allows nothing", l.Level)
	case Trust:
		return "no trust policy of " + Principal(c.Resource) + " allows " + c.who() + " " + Value(c.Action)
	}
	return Resource(c.Resource) + " has no resource policy"
}

// Exempt is the sentence for a request that needs no statement.
func (c *Case) Exempt(why string) string { return "Allowed: " + why + "." }

// Failed is the sentence for a policy of a layer that cannot be evaluated.
func (c *Case) Failed(l Layer, name, why string) string {
	if name == "" {
		name = "a policy"
	}
	return "Denied: " + Policy(name) + ", " + c.among(l) + ", cannot be evaluated and so denies everything: " + why + "."
}

// Decided is the sentence for what one statement allows or denies.
func (c *Case) Decided(allowed bool, l Layer, s *Stated) string {
	var b strings.Builder
	b.WriteString("Denied: " + s.Name + ", " + c.among(l) + ", denies ")
	if allowed {
		b.Reset()
		b.WriteString("Allowed: " + s.Name + ", " + c.among(l) + ", allows ")
	}
	for i := range s.Elements {
		switch e := &s.Elements[i]; {
		case e.Name == "Principal" && e.By == "*":
			b.WriteString("everyone ")
		case e.Name == "Principal":
			b.WriteString(c.named(e.By) + " ")
		case e.Name == "NotPrincipal":
			b.WriteString("everyone but " + spoken(e.Wants, Principal) + " ")
		}
	}
	if l.Kind == Trust {
		b.WriteString(Value(c.Action))
	} else {
		b.WriteString(c.granted(s))
	}
	word := " because "
	for i := range s.Elements {
		e := &s.Elements[i]
		switch {
		case e.Name == "NotAction":
			b.WriteString(" (all actions but " + OneOf(e.Wants) + ")")
		case e.Name == "Condition" && !allowed:
			b.WriteString(word + e.reason())
			word = " and "
		}
	}
	if allowed && c.Owner != "" {
		b.WriteString("; the resource belongs to account " + c.Owner)
		if noun, _ := c.noun(Layer{Kind: Identity}); !c.root() {
			b.WriteString(", and " + noun + " allow it too")
		}
	}
	return b.String() + "."
}

// named is a value of a Principal element, as people call it.
func (c *Case) named(by string) string {
	if by == "*" {
		return "everyone"
	}
	if _, text, ok := strings.Cut(by, ":"); ok && !strings.HasPrefix(by, "arn:") {
		return Value(text)
	}
	return Principal(by)
}

// Silent is the sentence for a request that some layers would have to allow and
// do not, in the order of reporting. Grant is a layer that does allow, by the
// statement given, nil if there is none; near is the statement of the first
// silent layer that comes nearest to allowing, if any.
func (c *Case) Silent(silent []Layer, grant *Layer, by, near *Stated) string {
	first := silent[0]
	var b strings.Builder
	b.WriteString("Denied: ")
	if grant != nil {
		noun, plural := c.noun(*grant)
		what := c.granted(by)
		if grant.Kind == Trust {
			what = Value(c.Action)
		}
		b.WriteString(noun + verb(plural, " allow ", " allows ") + what + ", but ")
	}
	switch noun, plural := c.noun(first); {
	case len(first.Policies) == 0 && grant == nil && first.Kind != Trust:
		b.WriteString("nothing allows " + c.asked() + ": " + c.none(first))
	case len(first.Policies) == 0:
		b.WriteString(c.none(first))
	case first.Kind.ofResource():
		b.WriteString(noun + " does not allow " + c.who() + " " + c.briefly(first.Kind == Trust || grant != nil && !near.met("Action")))
	default:
		b.WriteString(noun + verb(plural, " do", " does") + " not allow " + c.briefly(grant != nil && !near.met("Action")))
	}
	c.others(&b, silent[1:])
	if c.Owner != "" && (first.Kind == Identity || first.Kind.ofResource()) {
		if c.root() {
			b.WriteString("; it belongs to account " + c.Owner + ", which must allow it")
		} else {
			fmt.Fprintf(&b, "; %s is of account %s and the resource of account %s, so both sides must allow it", c.who(), c.Account, c.Owner)
		}
	}
	if near != nil {
		b.WriteString("; the nearest, " + near.Name + ", " + c.only(near))
	}
	return b.String() + "."
}

// Nearest returns the statement of a list that comes nearest to allowing an
// action: all but its conditions are met, or all but the resource, the principal
// or the name of the action. It is nil if none is near.
func Nearest(list []*Stated, action string) *Stated {
	var best *Stated
	least := 1000
	for _, s := range list {
		far := 0
		for i := range s.Elements {
			switch e := &s.Elements[i]; {
			case e.Matched:
			case e.Name == "Condition":
				far++
			case e.Name == "Action" && !e.ofService(action):
				far += 1000
			default:
				far += 600 // two of these are too many
			}
		}
		if far < least {
			best, least = s, far
		}
	}
	return best
}

// ofService reports whether a value names an action of the same service.
func (e *Element) ofService(action string) bool {
	service, _, _ := strings.Cut(action, ":")
	return slices.ContainsFunc(e.Wants, func(want string) bool {
		of, _, ok := strings.Cut(want, ":")
		return ok && strings.EqualFold(of, service)
	})
}

// briefly is what the caller asked for, without the resource if that is clear.
func (c *Case) briefly(clear bool) string {
	if clear {
		return Value(c.Action)
	}
	return c.asked()
}

func verb(plural bool, many, one string) string {
	if plural {
		return many
	}
	return one
}

// others adds the layers that are silent too.
func (c *Case) others(b *strings.Builder, layers []Layer) {
	var nouns []string
	many := false
	for _, l := range layers {
		if len(l.Policies) == 0 {
			b.WriteString(", and " + c.none(l))
			continue
		}
		noun, plural := c.noun(l)
		nouns, many = append(nouns, noun), many || plural
	}
	if len(nouns) > 0 {
		b.WriteString(", nor " + verb(many || len(nouns) > 1, "do ", "does ") + join(nouns, "and") + verb(len(nouns) < len(layers), " allow it", ""))
	}
}

// met reports whether the request meets every element of a kind; not if s is nil.
func (s *Stated) met(element string) bool {
	if s == nil {
		return false
	}
	for i := range s.Elements {
		if s.Elements[i].Is(element) && !s.Elements[i].Matched {
			return false
		}
	}
	return true
}

// only says what a statement allows instead of what was asked for.
func (c *Case) only(s *Stated) string {
	var conditions, lacks []string
	for i := range s.Elements {
		e := &s.Elements[i]
		if e.Matched {
			continue
		}
		switch e.Name {
		case "Principal":
			if slices.Contains(e.Wants, "*") {
				return "allows it only to authenticated callers" // quirk Q009
			}
			return "allows it only to " + spoken(e.Wants, c.named)
		case "NotPrincipal":
			return "allows it to everyone but " + spoken(e.Wants, c.named)
		case "Action":
			return "allows only " + OneOf(e.Wants)
		case "NotAction":
			return "allows everything but " + OneOf(e.Wants)
		case "Resource":
			return "allows it only on " + spoken(e.Wants, Resource)
		case "NotResource":
			return "allows it on everything but " + spoken(e.Wants, Resource)
		}
		conditions = append(conditions, e.Wanted())
		lacks = append(lacks, e.lacks())
	}
	if len(conditions) == 1 {
		return "allows it only when " + conditions[0] + "; " + lacks[0]
	}
	return "allows it only when " + join(conditions, "and")
}
