// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// formDays is how long ago the date of a form may lie. Forms name their own
// end in their policy, which may be years away; the key that signs them is
// good for seven days (S3 API Reference, "POST Policy": x-amz-date).
//
// quirk Q120: a form whose date is older is refused, whatever its policy says.
const formDays = 7

// The fields of a signed form, by index in formNames.
const (
	fAlgorithm = iota
	fCredential
	fDate
	fSignature
	fToken
	fPolicy
	fKeyV2
	fSignatureV2
)

var formNames = [...]string{
	fAlgorithm:   "x-amz-algorithm",
	fCredential:  "x-amz-credential",
	fDate:        "x-amz-date",
	fSignature:   "x-amz-signature",
	fToken:       "x-amz-security-token",
	fPolicy:      "policy",
	fKeyV2:       "AWSAccessKeyId",
	fSignatureV2: "signature",
}

// ParseForm returns the signature of an S3 POST policy form (S3 API Reference,
// "Browser-Based Uploads Using POST"). fields are the form's fields, under
// their names in any letter case. VerifyPolicy says whether it is right; the
// error is ErrMissing for a form without any signature, ErrSigV2, ErrTwoForms,
// a *ScopeError or an *IncompleteError, whose Part is the field's name.
func ParseForm(fields map[string][]string) (*Signature, error) {
	var values [len(formNames)]string
	var present [len(formNames)]bool
	for name, list := range fields {
		i := slices.IndexFunc(formNames[:], func(n string) bool { return strings.EqualFold(n, name) })
		if i < 0 || len(list) == 0 {
			continue
		}
		if len(list) > 1 || present[i] {
			return nil, incomplete(formNames[i], "The form field '%s' must come once.", formNames[i])
		}
		values[i], present[i] = list[0], true
	}
	v4 := present[fAlgorithm] || present[fCredential] || present[fSignature]
	v2 := present[fKeyV2] || present[fSignatureV2]
	switch {
	case v2 && v4:
		return nil, ErrTwoForms
	case v2:
		return nil, ErrSigV2
	case !v4:
		return nil, ErrMissing
	}
	for _, i := range []int{fPolicy, fAlgorithm, fCredential, fDate, fSignature} {
		if values[i] == "" {
			return nil, incomplete(formNames[i], "Bucket POST must contain a field named '%s'.  "+
				"If it is specified, please check the order of the fields.", formNames[i])
		}
	}
	if a := values[fAlgorithm]; a != algorithm {
		return nil, incomplete(formNames[fAlgorithm], "Unsupported AWS 'algorithm': '%s'.", clip(a))
	}
	if len(values[fToken]) > maxToken {
		return nil, incomplete(formNames[fToken], "The security token is longer than %d bytes.", maxToken)
	}
	s := &Signature{Form: true, SessionToken: values[fToken], signature: values[fSignature]}
	if err := s.setCredential(values[fCredential]); err != nil {
		return nil, err
	}
	if err := s.setDate(formNames[fDate], values[fDate]); err != nil {
		return nil, err
	}
	return s, nil
}

// VerifyPolicy checks that the policy of a form, in base64 as it came, was
// signed with secret. s comes from ParseForm of the same form. It does not read
// the policy: that it has not expired, and covers the form's fields, is for the
// caller to check.
//
// The error is a *MismatchError, *SkewError, *ExpiredError or *ScopeError; any
// other means that there is no secret.
func (v *Verifier) VerifyPolicy(s *Signature, secret, policy string) error {
	if err := v.checkForm(s); err != nil {
		return err
	}
	if secret == "" {
		return errNoKey
	}
	fp := v.Keys.fingerprint(secret)
	key, hit := v.Keys.get(s.Credential, &fp)
	if !hit {
		key = deriveKey(secret, s.Credential)
	}
	if err := s.matchPolicy(&key, policy); err != nil {
		return err
	}
	if !hit {
		v.Keys.put(s.Credential, &fp, &key)
	}
	return nil
}

// VerifyPolicyKey is VerifyPolicy with the signing key of s.Credential instead
// of its secret. It does not use v.Keys.
func (v *Verifier) VerifyPolicyKey(s *Signature, key Key, policy string) error {
	if err := v.checkForm(s); err != nil {
		return err
	}
	if key == (Key{}) {
		return errNoKey
	}
	return s.matchPolicy(&key, policy)
}

// checkForm tests all that needs no key.
func (v *Verifier) checkForm(s *Signature) error {
	if !s.Form || len(s.date) != len(timeLayout) {
		return ErrMissing // no Signature that ParseForm returned
	}
	if err := v.checkScope(s); err != nil {
		return err
	}
	now, skew := v.clock()
	if s.Time.After(now.Add(skew)) {
		return &SkewError{Signed: s.Time, Now: now, Skew: skew}
	}
	if end := s.Time.Add(formDays * 24 * time.Hour); now.After(end) {
		return &ExpiredError{Expires: end, Now: now}
	}
	return nil
}

// matchPolicy compares the signature with the one that key gives, in constant
// time. What a form signs is its policy in base64, and nothing else.
func (s *Signature) matchPolicy(key *Key, policy string) error {
	if policy == "" || !equalHex(hmacSHA256(key[:], []byte(policy)), s.signature) {
		return &MismatchError{StringToSign: policy}
	}
	return nil
}

// SignPolicy returns the fields that sign a form with the given policy, in
// base64, except the policy itself.
func (s *Signer) SignPolicy(policy string) (map[string]string, error) {
	c, date, err := s.begin()
	if err != nil {
		return nil, err
	}
	key := s.key(c)
	mac := hmacSHA256(key[:], []byte(policy))
	fields := map[string]string{
		formNames[fAlgorithm]:  algorithm,
		formNames[fCredential]: c.String(),
		formNames[fDate]:       date,
		formNames[fSignature]:  hex.EncodeToString(mac[:]),
	}
	if s.SessionToken != "" {
		fields[formNames[fToken]] = s.SessionToken
	}
	return fields, nil
}
