// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
)

// A formPolicy is what its signer allows a POST form to be (S3 API Reference,
// "POST Policy").
type formPolicy struct {
	Expiration string            `json:"expiration"`
	Conditions []json.RawMessage `json:"conditions"`
}

// A formCondition is one condition of a formPolicy.
type formCondition struct {
	op       string // "eq", "starts-with" or "content-length-range"
	field    string // in lower case, without "$"
	value    string
	min, max int64
}

// parseFormPolicy reads the policy field of a form.
func parseFormPolicy(text string) (*formPolicy, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, invalidPolicyDocument.Msg("Invalid Policy: Base64 decoding failed.").Because(err)
	}
	p := new(formPolicy)
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(p); err != nil {
		return nil, invalidPolicyDocument.Because(err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, invalidPolicyDocument
	}
	return p, nil
}

// uncovered are fields that no condition needs to allow.
var uncovered = map[string]bool{"x-amz-signature": true, "file": true, "policy": true}

// check reports whether a form for bucket is one that the policy allows, now, and
// sets how long its file may be.
func (p *formPolicy) check(f *form, bucket string, now time.Time) error {
	end, err := time.Parse(time.RFC3339, p.Expiration)
	if err != nil {
		return invalidPolicyDocument.Msg("Invalid Policy: Invalid 'expiration' value: '%.64s'", p.Expiration)
	}
	if !now.Before(end) {
		return accessDenied.Msg("Invalid according to Policy: Policy expired.")
	}
	covered := make(map[string]bool)
	for _, raw := range p.Conditions {
		list, err := readConditions(raw)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.op == "content-length-range" {
				f.min, f.max = max(f.min, x.min), min(f.max, x.max)
				continue
			}
			covered[x.field] = true
			if !x.holds(f, bucket) {
				return accessDenied.Msg("Invalid according to Policy: Policy Condition failed: [\"%s\", \"$%s\", \"%s\"]", x.op, x.field, x.value)
			}
		}
	}
	if !covered["bucket"] {
		return accessDenied.Msg("Invalid according to Policy: Extra input fields: bucket")
	}
	var extra []string
	for name := range f.fields {
		if !covered[name] && !uncovered[name] && !strings.HasPrefix(name, "x-ignore-") {
			extra = append(extra, name)
		}
	}
	if len(extra) > 0 {
		return accessDenied.Msg("Invalid according to Policy: Extra input fields: %s", slices.Min(extra))
	}
	return nil
}

// readConditions reads one entry of the conditions: an object of exact matches,
// or a list.
func readConditions(raw json.RawMessage) ([]formCondition, error) {
	if len(raw) > 0 && raw[0] == '{' {
		var exact map[string]string
		if err := json.Unmarshal(raw, &exact); err != nil {
			return nil, invalidPolicyDocument.Msg("Invalid Policy: Invalid Simple-Condition: value must be a string.").Because(err)
		}
		list := make([]formCondition, 0, len(exact))
		for name, value := range exact {
			list = append(list, formCondition{op: "eq", field: strings.ToLower(name), value: value})
		}
		return list, nil
	}
	var parts []json.RawMessage
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) != 3 {
		return nil, invalidPolicyDocument.Msg("Invalid Policy: Invalid Condition: a condition is a list of three.")
	}
	var x formCondition
	if json.Unmarshal(parts[0], &x.op) != nil {
		return nil, invalidPolicyDocument
	}
	switch x.op = strings.ToLower(x.op); x.op {
	case "eq", "starts-with":
		if json.Unmarshal(parts[1], &x.field) != nil || json.Unmarshal(parts[2], &x.value) != nil || !strings.HasPrefix(x.field, "$") {
			return nil, invalidPolicyDocument
		}
		x.field = strings.ToLower(x.field[1:])
	case "content-length-range":
		var err1, err2 error
		x.min, err1 = size(parts[1])
		x.max, err2 = size(parts[2])
		if err1 != nil || err2 != nil {
			return nil, invalidPolicyDocument.Msg("Invalid Policy: Invalid content-length-range.")
		}
	default:
		return nil, invalidPolicyDocument.Msg("Invalid Policy: Invalid Condition: unknown operation '%.32s'.", x.op)
	}
	return []formCondition{x}, nil
}

// size reads a number of bytes, which may stand in quotes.
func size(raw json.RawMessage) (int64, error) {
	n, err := json.Number(strings.Trim(string(raw), `"`)).Int64()
	if err != nil || n < 0 || n == math.MaxInt64 {
		return 0, fmt.Errorf("s3gate: %.32q is no size", raw)
	}
	return n, nil
}

// holds reports whether the form meets the condition. A field that the form does
// not have is empty.
func (x *formCondition) holds(f *form, bucket string) bool {
	value := f.fields[x.field]
	if x.field == "bucket" {
		if v, ok := f.fields["bucket"]; ok && v != bucket {
			return false
		}
		value = bucket
	}
	if x.op == "eq" {
		return value == x.value
	}
	if x.field != "content-type" {
		return strings.HasPrefix(value, x.value)
	}
	for kind := range strings.SplitSeq(value, ",") { // each of a list of types
		if !strings.HasPrefix(strings.TrimSpace(kind), x.value) {
			return false
		}
	}
	return true
}
