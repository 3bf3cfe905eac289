// SPDX-License-Identifier: Apache-2.0

package buckets

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/catalog"
	"github.com/innkeeper-iam/innkeeper/internal/principal"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// MaxPolicy is the size of the largest bucket policy in bytes, without white space
// between its parts (S3 User Guide, "Bucket policies": 20 KB).
const MaxPolicy = 20 << 10

// A PolicyError says why a text is no policy for a bucket.
type PolicyError struct {
	Code    string // of S3: MalformedPolicy or PolicyTooLarge
	Message string // a sentence of S3, followed by what is wrong and where
}

func (e *PolicyError) Error() string { return "buckets: " + e.Message }

func malformed(sentence, detail string) error {
	return &PolicyError{"MalformedPolicy", sentence + " (" + detail + ")"}
}

// S3's sentences about policies.
const (
	badResource  = "Policy has invalid resource"
	badAction    = "Policy has invalid action"
	badKey       = "Policy has an invalid condition key"
	badPrincipal = "Invalid principal in policy"
	notJSON      = "Policies must be valid JSON and the first byte must be '{'"
	noResource   = "Missing required field Resource"
	inapplicable = "Action does not apply to any resource(s) in statement"
)

// sentences has what S3 says about the problems that every policy can have.
var sentences = map[policy.Code]string{
	policy.TooLarge:          notJSON,
	policy.InvalidUTF8:       notJSON,
	policy.InvalidJSON:       notJSON,
	policy.TooDeep:           notJSON,
	policy.InvalidVersion:    "The policy must contain a valid version string",
	policy.InvalidEffect:     "Invalid effect",
	policy.EffectLetterCase:  "Invalid effect",
	policy.NoStatements:      "Could not parse the policy: Statement is empty!",
	policy.MissingPrincipal:  "Missing required field Principal",
	policy.MissingAction:     "Missing required field Action",
	policy.MissingResource:   noResource,
	policy.InvalidPrincipal:  badPrincipal,
	policy.InvalidAction:     badAction,
	policy.InvalidResource:   badResource,
	policy.MalformedResource: badResource,
	policy.UnknownOperator:   "Invalid Condition type",
	policy.InvalidKey:        badKey,
}

// check returns a checked bucket policy whose principals are bound to the unique
// ids that they have now. The error is a *PolicyError, or of the store.
//
// quirk Q135: AWS does not document these rules; they are S3's as its answers show
// them, and where those show nothing, what has no certain meaning is refused.
func (r *Registry) check(ctx context.Context, bucket, text string) (*store.Document, error) {
	var small bytes.Buffer
	if json.Compact(&small, []byte(text)) == nil && small.Len() > MaxPolicy {
		return nil, &PolicyError{"PolicyTooLarge", "Policy exceeds the maximum allowed document size."}
	}
	d, err := policy.Parse(arnOf(bucket), []byte(text))
	if err == nil {
		err = d.Validate(policy.Resource)
	}
	if list := policy.Problems(err); len(list) > 0 {
		sentence, ok := sentences[list[0].Code]
		if !ok {
			sentence = "Syntax errors in policy"
		}
		return nil, malformed(sentence, list[0].String())
	}
	if err != nil {
		return nil, err
	}
	for i := range d.Statements {
		if err := checkStatement(&d.Statements[i], bucket); err != nil {
			return nil, err
		}
	}
	bound, err := principal.Bind(ctx, r.store, d)
	if unknown, ok := errors.AsType[*principal.UnknownError](err); ok {
		return nil, fault(badPrincipal, policy.Value{Text: unknown.Name, Pos: unknown.Pos}, "it does not exist")
	}
	if err != nil {
		return nil, err
	}
	return store.NewBound(arnOf(bucket), text, bound), nil
}

// fault is malformed for one value of a policy.
func fault(sentence string, v policy.Value, why string) error {
	return malformed(sentence, fmt.Sprintf("%d:%d: %q: %s", v.Pos.Line, v.Pos.Column, v.Text, why))
}

// A scope is which of a bucket's resources something is about.
type scope struct{ bucket, objects bool }

func (s scope) and(t scope) bool { return s.bucket && t.bucket || s.objects && t.objects }
func (s scope) or(t scope) scope { return scope{s.bucket || t.bucket, s.objects || t.objects} }

func checkStatement(st *policy.Statement, bucket string) error {
	if st.Principal != nil && len(st.Principal.Canonical) > 0 {
		return fault(badPrincipal, st.Principal.Canonical[0], "accounts have no canonical user ids; write the account id") // quirk Q135
	}
	if !st.HasResource || len(st.Resource) == 0 {
		return malformed(noResource, fmt.Sprintf("%d:%d", st.Start.Line, st.Start.Column))
	}
	var named scope
	for _, res := range st.Resource {
		s := resourceScope(res.Text, bucket)
		if s == (scope{}) {
			return fault(badResource, res, "a policy of this bucket is about "+arnOf(bucket)+" and "+arnOf(bucket)+"/…")
		}
		named = named.or(s)
	}
	for _, action := range st.Action {
		s := actionScope(action.Text)
		if s == (scope{}) {
			return fault(badAction, action, "no operation of S3 on a bucket or an object is called that")
		}
		if !st.NotAction && !st.NotResource && !s.and(named) {
			return fault(inapplicable, action, "it is about "+s.String())
		}
	}
	for _, c := range st.Condition {
		if !knownKey(c.Key) {
			return fault(badKey, policy.Value{Text: c.Key, Pos: c.KeyPos}, "nothing sets it")
		}
	}
	return nil
}

func (s scope) String() string {
	if s.bucket {
		return "the bucket"
	}
	return "objects"
}

// resourceScope returns what of the bucket an ARN pattern names; nothing if it is
// not of this bucket alone.
//
// quirk Q135: so "*" is refused.
func resourceScope(text, bucket string) scope {
	rest, ok := strings.CutPrefix(text, arnOf(bucket))
	switch {
	case !ok:
	case rest == "":
		return scope{bucket: true}
	case rest[0] == '/' && len(rest) > 1:
		return scope{objects: true}
	case rest[0] == '*':
		return scope{true, true}
	}
	return scope{}
}

// actionScope returns what the actions that a pattern names work on; nothing if it
// names none that works on a bucket or an object.
func actionScope(text string) (s scope) {
	if text == "*" {
		return scope{true, true}
	}
	prefix, pattern, _ := strings.Cut(strings.ToLower(text), ":")
	service, ok := catalog.Lookup(prefix)
	if prefix != "s3" || !ok {
		return s
	}
	for a := range service.Actions() {
		if !arn.Match(pattern, strings.ToLower(a.Name)) {
			continue
		}
		for _, use := range a.Resources {
			s = s.or(scope{use.Type == "bucket", use.Type == "object"})
		}
	}
	return s
}

// knownKey reports whether requests can have a condition key. Keys of identity
// providers are not in any list.
func knownKey(key string) bool {
	prefix, _, ok := strings.Cut(strings.ToLower(key), ":")
	if !ok {
		return false
	}
	if _, ok := catalog.GlobalKey(key); ok {
		return true
	}
	if service, ok := catalog.Lookup("s3"); ok && (prefix == "s3" || prefix == "aws") {
		_, ok := service.ConditionKey(key)
		return ok
	}
	return true
}
