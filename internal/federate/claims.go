// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/session"
)

// Claims with which an issuer asks for session tags and a source identity (IAM
// User Guide, "Pass session tags in AWS STS").
const (
	claimTags   = "https://aws.amazon.com/tags"
	claimTag    = claimTags + "/principal_tags/" // + the key: the flat form
	claimTrans  = claimTags + "/transitive_tag_keys"
	claimSource = "https://aws.amazon.com/source_identity"
)

// claims are the claims of a token.
type claims map[string]json.RawMessage

// text returns a claim that must be there and be a string other than "".
func (c claims) text(name string) (string, error) {
	raw, ok := c[name]
	if !ok {
		return "", refuse("Missing a required claim: %s", name)
	}
	var s string
	if err := json.Unmarshal(raw, &s); err != nil || s == "" {
		return "", refuse("The claim %s must be a string.", name)
	}
	return s, nil
}

// strings returns a claim that must be there and be a string or a list of them.
func (c claims) strings(name string) ([]string, error) {
	raw, ok := c[name]
	if !ok {
		return nil, refuse("Missing a required claim: %s", name)
	}
	if list, ok := texts(raw); ok {
		return list, nil
	}
	return nil, refuse("The claim %s must be a string or a list of strings.", name)
}

// texts reads a string, or a list of at least one.
func texts(raw json.RawMessage) ([]string, bool) {
	var one string
	if json.Unmarshal(raw, &one) == nil && !isNull(raw) {
		return []string{one}, true
	}
	var list []*string
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 || slices.Contains(list, nil) {
		return nil, false
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = *s
	}
	return out, true
}

func isNull(raw json.RawMessage) bool { return bytes.Equal(bytes.TrimSpace(raw), []byte("null")) }

// time returns a claim that must be there and be a number of seconds since 1970.
func (c claims) time(name string) (time.Time, error) {
	raw, ok := c[name]
	if !ok {
		return time.Time{}, refuse("Missing a required claim: %s", name)
	}
	var f float64
	if err := json.Unmarshal(raw, &f); err != nil || isNull(raw) || f < 0 || f > 1<<40 || math.IsNaN(f) {
		return time.Time{}, refuse("The claim %s must be a number of seconds.", name)
	}
	return time.Unix(int64(f), 0), nil
}

// session reads what the token asks for the session, in the nested or the flat
// form.
func (c claims) session(id *Identity) error {
	if raw, ok := c[claimTags]; ok {
		var asked struct {
			Tags       map[string]json.RawMessage `json:"principal_tags"`
			Transitive []string                   `json:"transitive_tag_keys"`
		}
		if err := json.Unmarshal(raw, &asked); err != nil {
			return refuse("The claim %s must be an object of principal_tags and transitive_tag_keys.", claimTags)
		}
		for _, key := range slices.Sorted(maps.Keys(asked.Tags)) {
			if err := id.tag(key, asked.Tags[key]); err != nil {
				return err
			}
		}
		id.Transitive = asked.Transitive
	}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if key, ok := strings.CutPrefix(name, claimTag); ok {
			if err := id.tag(key, c[name]); err != nil {
				return err
			}
		}
	}
	if _, ok := c[claimTrans]; ok {
		keys, err := c.strings(claimTrans)
		if err != nil {
			return err
		}
		id.Transitive = append(id.Transitive, keys...)
	}
	if _, ok := c[claimSource]; ok {
		source, err := c.text(claimSource)
		if err != nil {
			return err
		}
		if err := checkSourceIdentity(source); err != nil {
			return err
		}
		id.SourceIdentity = source
	}
	return checkTags(id.Tags, id.Transitive)
}

// tag adds a session tag, whose value is a string or a list of one.
func (id *Identity) tag(key string, raw json.RawMessage) error {
	values, ok := texts(raw)
	if !ok || len(values) != 1 {
		return refuse("The session tag %s must have one value.", clip(key))
	}
	id.Tags = append(id.Tags, session.Tag{Key: key, Value: values[0]})
	return nil
}

// keys adds the condition keys: every claim that is a string, a number, a
// boolean or a list of strings, after the provider's URL. aud is the audience
// that was accepted, oaud what aud says.
//
// quirk Q041: AWS has only some claims of some issuers as keys.
func (c claims) keys(id *Identity, url string) {
	id.Keys, id.Lists = make(map[string]string), make(map[string][]string)
	prefix := url + ":"
	id.Keys[prefix+"aud"], id.Keys[prefix+"sub"] = id.Audience, id.Subject
	id.Lasting = []string{prefix + "aud", prefix + "sub"}
	id.key(prefix+"oaud", c["aud"])
	// Keys compare without regard to letter case: no claim may pass for another.
	seen := map[string]bool{"aud": true, "sub": true, "oaud": true}
	for _, name := range slices.Sorted(maps.Keys(c)) {
		if low := strings.ToLower(name); !seen[low] && !strings.HasPrefix(low, "https://aws.amazon.com/") {
			seen[low] = true
			id.key(prefix+name, c[name])
		}
	}
}

// key adds a condition key unless its value is an object, null, or a list of
// something other than strings.
func (id *Identity) key(key string, raw json.RawMessage) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || isNull(raw) {
		return
	}
	switch raw[0] {
	case '{':
	case '[':
		if list, ok := texts(raw); ok {
			id.Lists[key] = list
		}
	case '"':
		if list, ok := texts(raw); ok {
			id.Keys[key] = list[0]
		}
	default:
		id.Keys[key] = string(raw)
	}
}
