// SPDX-License-Identifier: Apache-2.0

package delegation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/policy"
)

// MaxSummary is how many characters a summary may have.
const MaxSummary = 10_000

// Restrictions lists the permissions boundaries that the policy asks of roles that
// it allows to be created or bounded anew: the values of the condition key
// iam:PermissionsBoundary, each once, in order.
func Restrictions(d *policy.Document) []string {
	list := []string{}
	for i := range d.Statements {
		s := &d.Statements[i]
		if s.Effect != policy.Allow || !makesRoles(s) {
			continue
		}
		for _, c := range s.Condition {
			if !strings.EqualFold(c.Key, "iam:PermissionsBoundary") {
				continue
			}
			for _, v := range c.Values {
				if !slices.Contains(list, v.Text) {
					list = append(list, v.Text)
				}
			}
		}
	}
	slices.Sort(list)
	return list
}

func makesRoles(s *policy.Statement) bool {
	return relation(s.Action, s.NotAction, "iam:createrole", true) != CoverDenied ||
		relation(s.Action, s.NotAction, "iam:putrolepermissionsboundary", true) != CoverDenied
}

// Summary says in English what the request asks for, statement by statement: every
// statement of the policy is there, in its order, with all that its elements say,
// unless the text would be longer than MaxSummary; then it says that it was cut.
//
// quirk Q097: it is written from the policy, by rules.
func Summary(r *Request, d *policy.Document) string {
	var b strings.Builder
	account := r.Account
	if account == "" {
		account = "the account that takes up the request"
	} else {
		account = "account " + account
	}
	fmt.Fprintf(&b, "%s asks to act in %s for %s, with the permissions below as far as whoever approves has them too.\n",
		requestor(r), account, duration(r.Session()))
	for i := range d.Statements {
		b.WriteString("\n- " + sentence(&d.Statements[i]))
	}
	b.WriteString("\n\nEverything else is refused.")
	if boundaries := Restrictions(d); len(boundaries) > 0 {
		b.WriteString(" What it creates stays: roles within the permissions boundary " + strings.Join(boundaries, " or ") + ".")
	}
	text := []rune(b.String())
	if len(text) <= MaxSummary {
		return string(text)
	}
	const cut = "…\n\nThis summary is cut: read the policy of the request."
	return string(text[:MaxSummary-len([]rune(cut))]) + cut
}

func requestor(r *Request) string {
	if r.RequestorName == "" || r.RequestorName == r.Requestor {
		return "Account " + r.Requestor
	}
	return fmt.Sprintf("%s (account %s)", r.RequestorName, r.Requestor)
}

// duration returns a length of time in words: "1 hour and 30 minutes".
func duration(d time.Duration) string {
	var words []string
	for _, u := range []struct {
		name string
		unit time.Duration
	}{{"hour", time.Hour}, {"minute", time.Minute}, {"second", time.Second}} {
		n := int(d / u.unit)
		d -= time.Duration(n) * u.unit
		switch n {
		case 0:
		case 1:
			words = append(words, "1 "+u.name)
		default:
			words = append(words, fmt.Sprintf("%d %ss", n, u.name))
		}
	}
	return join(words, "and")
}

// sentence returns what a statement says.
func sentence(s *policy.Statement) string {
	b := new(strings.Builder)
	if s.Effect == policy.Allow {
		b.WriteString("It may use ")
	} else {
		b.WriteString("It may never use ")
	}
	b.WriteString(actions(s) + " on " + resources(s))
	for i, c := range s.Condition {
		b.WriteString(map[bool]string{true: ", if ", false: " and "}[i == 0])
		b.WriteString(condition(&c))
	}
	b.WriteString(".")
	if s.Sid != "" {
		b.WriteString(" (" + s.Sid + ")")
	}
	return b.String()
}

func actions(s *policy.Statement) string {
	list := texts(s.Action)
	switch {
	case s.NotAction:
		return "every action except " + join(list, "and")
	case len(list) == 1 && (list[0] == "*" || list[0] == "*:*"):
		return "every action of every service"
	}
	for i, a := range list {
		if service, ok := strings.CutSuffix(a, ":*"); ok && !strings.ContainsAny(service, "*?") {
			list[i] = "every action of " + service
		}
	}
	return join(list, "and")
}

func resources(s *policy.Statement) string {
	list := texts(s.Resource)
	switch {
	case s.NotResource:
		return "every resource except " + join(list, "and")
	case slices.Contains(list, "*"):
		return "every resource"
	}
	return join(list, "and")
}

func condition(c *policy.Condition) string {
	values := texts(c.Values)
	for i, v := range values {
		values[i] = fmt.Sprintf("%q", v)
	}
	return fmt.Sprintf("%s %s %s", c.Key, c.Operator, join(values, "or"))
}

func texts(list []policy.Value) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = v.Text
	}
	return out
}

// join joins words with commas, and the last two with a word.
func join(words []string, last string) string {
	n := len(words) - 1
	if n <= 0 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:n], ", ") + " " + last + " " + words[n]
}
