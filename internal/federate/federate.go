// SPDX-License-Identifier: Apache-2.0

// Package federate verifies the proofs of identity that other providers issue: OpenID Connect tokens and SAML assertions.
package federate

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/session"
)

// An Identity is what a verified proof says about its subject.
type Identity struct {
	Issuer      string // the iss of a token; the Issuer of an assertion
	Subject     string // the sub of a token; the NameID of an assertion
	SubjectType string // SAML: "persistent", "transient" or the format's URI
	Audience    string // the audience that was accepted; SAML: the recipient
	Qualifier   string // SAML: the namespace of Subject, saml:namequalifier

	// Keys and Lists are the condition keys for trust policies, with their
	// prefix: "oidc.example.com:sub", "saml:sub". Lasting are those of Keys that
	// the session keeps.
	Keys    map[string]string
	Lists   map[string][]string
	Lasting []string

	Tags           []session.Tag
	Transitive     []string // keys of Tags
	SourceIdentity string

	SessionName string // SAML
	MaxSeconds  int    // SAML: how long the session may last, 0 for no limit
}

// A Fault says which kind of mistake a refusal is about.
type Fault uint8

// The faults.
const (
	Invalid     Fault = iota // the proof, or the provider as it is registered
	Expired                  // the proof is too old
	Unreachable              // the provider does not answer now: another try may help
	Rejected                 // the provider itself did not let its user in
)

// A RefusedError says why a proof is not accepted. Text is AWS's sentence where
// one is known, followed by what was found in the proof; it is for whoever sent
// the proof. Cause is for logs and the operator: it may tell about the network.
type RefusedError struct {
	Fault Fault
	Text  string
	Cause error // may be nil
}

func (e *RefusedError) Error() string {
	if e.Cause != nil {
		return e.Text + ": " + e.Cause.Error()
	}
	return e.Text
}

func (e *RefusedError) Unwrap() error { return e.Cause }

func refuse(format string, args ...any) error {
	return &RefusedError{Fault: Invalid, Text: fmt.Sprintf(format, args...)}
}

func expired(format string, args ...any) error {
	return &RefusedError{Fault: Expired, Text: fmt.Sprintf(format, args...)}
}

// A Step is one check of a proof, as Explain tells it.
type Step struct {
	Check  string `json:"check"`
	Passed bool   `json:"passed"`
	Detail string `json:"detail"` // a sentence: what was found, and when it failed what would pass
}

// steps is the outcome of the checks of one proof. The zero steps stops at the
// first check that fails; one with all set goes on, to tell everything.
type steps struct {
	all   bool
	list  []Step
	first error // of the first check that failed
}

// check notes a check that passes if err is nil. It reports whether to go on
// with checks that do not need what this one found.
func (s *steps) check(name string, err error, passed string) bool {
	if err != nil && s.first == nil {
		s.first = err
	}
	if s.all {
		detail := passed
		if err != nil {
			detail = err.Error()
		}
		s.list = append(s.list, Step{Check: name, Passed: err == nil, Detail: detail})
	}
	return err == nil || s.all
}

// Limits of session tags and names (API reference of AssumeRole).
const (
	maxTags  = 50
	maxKey   = 128
	maxValue = 256
	minName  = 2
	maxName  = 64
)

// checkTags checks the session tags that a proof asks for.
func checkTags(tags []session.Tag, transitive []string) error {
	if len(tags) > maxTags {
		return refuse("The token asks for %d session tags: at most %d.", len(tags), maxTags)
	}
	for i, t := range tags {
		if n := utf8.RuneCountInString(t.Key); n < 1 || n > maxKey || strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return refuse("The session tag key %s is not valid.", clip(t.Key))
		}
		if utf8.RuneCountInString(t.Value) > maxValue {
			return refuse("The value of the session tag %s is longer than %d characters.", clip(t.Key), maxValue)
		}
		for _, u := range tags[:i] {
			if strings.EqualFold(u.Key, t.Key) {
				return refuse("The token has the session tag %s twice.", clip(t.Key))
			}
		}
	}
	for _, key := range transitive {
		if !hasTag(tags, key) {
			return refuse("The transitive tag key %s is not among the session tags of the token.", clip(key))
		}
	}
	return nil
}

func hasTag(tags []session.Tag, key string) bool {
	for _, t := range tags {
		if strings.EqualFold(t.Key, key) {
			return true
		}
	}
	return false
}

// isName reports whether s may be the name of a session or a source identity:
// [\w+=,.@-]{2,64}.
func isName(s string) bool {
	if len(s) < minName || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("_+=,.@-", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// checkSourceIdentity checks a source identity; "" means none.
func checkSourceIdentity(s string) error {
	if s != "" && (!isName(s) || strings.HasPrefix(strings.ToLower(s), "aws:")) {
		return refuse(`Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"`)
	}
	return nil
}

// clip makes what a proof says short enough to be repeated in a message.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
