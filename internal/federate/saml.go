// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// MaxAssertion is the most characters that a response may have, in base64 (API
// reference of AssumeRoleWithSAML, SAMLAssertion).
const MaxAssertion = 100_000

// issuance is how long after its issue an assertion can be used.
const issuance = 5 * time.Minute

const (
	statusSuccess = "urn:oasis:names:tc:SAML:2.0:status:Success"
	bearer        = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
	awsAudience   = "urn:amazon:webservices"
)

// A SAML verifies responses of SAML 2.0 identity providers. It is safe for
// concurrent use.
type SAML struct {
	now       func() time.Time
	endpoints []string
}

// NewSAML returns a SAML. endpoints are the URLs, besides AWS's own, that
// assertions may be addressed to.
func NewSAML(now func() time.Time, endpoints ...string) *SAML {
	return &SAML{now: now, endpoints: endpoints}
}

// A SAMLProvider is a SAML provider as it is registered.
type SAMLProvider struct {
	Account    string
	Name       string
	ARN        string
	Metadata   *Metadata
	ValidUntil time.Time
	Encrypted  bool // plain assertions are refused
	Keys       []*rsa.PrivateKey
}

// A Response is a SAML response that was read and not yet verified: nothing in
// it is true until Verify says so.
type Response struct{ root *etree.Element }

// ParseResponse reads a response in base64. The error is a *RefusedError.
func ParseResponse(text string) (*Response, error) {
	if len(text) > MaxAssertion {
		return nil, refuse("The SAML response is longer than %d characters.", MaxAssertion)
	}
	raw, err := decode64(text)
	if err != nil {
		return nil, &RefusedError{Text: "Invalid base64 SAMLResponse", Cause: err}
	}
	root, err := parseXML(string(raw), true)
	if err == nil && !is(root, nsProtocol, "Response") {
		err = errors.New("the document is no Response of SAML 2.0")
	}
	if err == nil {
		err = checkShape(root)
	}
	if err != nil {
		return nil, &RefusedError{Text: "Your request included an invalid SAML response", Cause: err}
	}
	return &Response{root}, nil
}

// Provider returns the ARN of the provider that the response pairs with a role,
// "" if none; unverified.
func (r *Response) Provider(role string) string {
	found := ""
	for _, a := range assertions(r.root) {
		for _, pair := range attributes(a)[attrRole] {
			if provider := partner(pair, role); provider != "" && found == "" {
				found = provider
			}
		}
	}
	return found
}

func assertions(root *etree.Element) []*etree.Element {
	return children(root, nsAssertion, "Assertion")
}

// Verify verifies a response for a provider and for the role that it is to be
// used for, and returns what it says. The error is a *RefusedError.
func (v *SAML) Verify(r *Response, p *SAMLProvider, role string) (*Identity, error) {
	var s steps
	id := v.verify(r, p, role, &s)
	return id, s.first
}

// Explain is Verify that makes every check, whatever the others found, and tells
// of each.
func (v *SAML) Explain(r *Response, p *SAMLProvider, role string) ([]Step, *Identity, error) {
	s := steps{all: true}
	id := v.verify(r, p, role, &s)
	return s.list, id, s.first
}

func (v *SAML) verify(r *Response, p *SAMLProvider, role string, s *steps) *Identity {
	now := v.now()
	var until error
	if !p.ValidUntil.IsZero() && !now.Before(p.ValidUntil) {
		until = refuse("The metadata of the provider expired at %s", show(p.ValidUntil))
	}
	if !s.check("metadata", until, fmt.Sprintf("The provider's metadata is valid until %s and has %d certificates.", show(p.ValidUntil), len(p.Metadata.Certificates))) {
		return nil
	}
	if !s.check("status", status(r.root), "The identity provider let its user in.") {
		return nil
	}
	a, signedBy, err := v.signed(r, p, now)
	if !s.check("signature", err, "The "+signedBy+" is signed by the provider.") || err != nil {
		return nil // nothing else of the response is to be believed
	}
	id := &Identity{Issuer: content(child(a, nsAssertion, "Issuer"))}
	var issuer error
	if id.Issuer == "" || id.Issuer != p.Metadata.EntityID {
		issuer = refuse("Issuer not present in specified provider (the response is of %s)", clip(id.Issuer))
	}
	if !s.check("issuer", issuer, "The issuer is "+clip(id.Issuer)+".") {
		return nil
	}
	if !v.conditions(a, now, s) || !v.subject(id, a, r.root, now, s) || !attributesOf(id, a, p, role, now, s) || s.first != nil {
		return nil
	}
	samlKeys(id, p, attributes(a))
	return id
}

// status refuses responses with which the provider reports a failure.
func status(root *etree.Element) error {
	code := ""
	if st := child(root, nsProtocol, "Status"); st != nil {
		code = attrOf(child(st, nsProtocol, "StatusCode"), "Value")
	}
	if code != statusSuccess {
		return &RefusedError{Fault: Rejected, Text: "The identity provider reported that authentication failed: " + clip(code)}
	}
	return nil
}

// signed returns the assertion, from what the provider signed: the response, the
// assertion, or both; and says which.
func (v *SAML) signed(r *Response, p *SAMLProvider, now time.Time) (*etree.Element, string, error) {
	const invalid = "Response signature invalid"
	root, err := verifyElement(r.root, p.Metadata.Certificates, now)
	whole := err == nil
	if errors.Is(err, errUnsigned) {
		root, err = r.root, nil
	}
	if err != nil {
		return nil, "", &RefusedError{Text: invalid, Cause: err}
	}
	plain, sealed := assertions(root), children(root, nsAssertion, "EncryptedAssertion")
	if len(plain)+len(sealed) != 1 {
		return nil, "", refuse("The SAML response must have one assertion, not %d", len(plain)+len(sealed))
	}
	if len(plain) == 1 && p.Encrypted {
		return nil, "", refuse("The provider takes encrypted assertions only")
	}
	var a *etree.Element
	if len(plain) == 1 {
		a = plain[0]
	} else if a, err = decrypt(sealed[0], p.Keys); err != nil {
		return nil, "", &RefusedError{Text: invalid, Cause: err}
	}
	own, err := verifyElement(a, p.Metadata.Certificates, now)
	switch {
	case err == nil && whole:
		return own, "response and its assertion", nil
	case err == nil:
		return own, "assertion", nil
	case whole && errors.Is(err, errUnsigned):
		return a, "response", nil
	}
	return nil, "", &RefusedError{Text: invalid, Cause: err}
}

// conditions checks when and for whom the assertion may be used (SAML 2.0 Core,
// section 2.5).
func (v *SAML) conditions(a *etree.Element, now time.Time, s *steps) bool {
	issued := moment(attr(a, "IssueInstant"))
	var err error
	switch {
	case issued.IsZero() || issued.After(now.Add(skew)):
		err = refuse("The SAML assertion is issued in the future or has no time of issue")
	case !now.Before(issued.Add(issuance)):
		err = expired("Token must be redeemed within 5 minutes of issuance")
	}
	if !s.check("issued", err, "The assertion was issued at "+show(issued)+".") {
		return false
	}
	c := child(a, nsAssertion, "Conditions")
	if c == nil {
		return s.check("audience", refuse("Response does not contain the required audience"), "")
	}
	err = nil
	from, until := moment(attr(c, "NotBefore")), moment(attr(c, "NotOnOrAfter"))
	switch {
	case attr(c, "NotBefore") != "" && (from.IsZero() || from.After(now.Add(skew))):
		err = refuse("The SAML assertion is not valid yet: not before %s", clip(attr(c, "NotBefore")))
	case attr(c, "NotOnOrAfter") != "" && !now.Before(until):
		err = expired("The SAML assertion expired at %s", clip(attr(c, "NotOnOrAfter")))
	}
	if !s.check("times", err, "The assertion is valid now.") {
		return false
	}
	return s.check("audience", v.audience(c), "The assertion is meant for this service.")
}

// audience checks every AudienceRestriction, of which there must be one.
func (v *SAML) audience(c *etree.Element) error {
	list := children(c, nsAssertion, "AudienceRestriction")
	var others []string
	met := len(list) > 0
	for _, r := range list {
		ok := false
		for _, a := range children(r, nsAssertion, "Audience") {
			if name := content(a); name == awsAudience || v.endpoint(name) {
				ok = true
			} else {
				others = append(others, name)
			}
		}
		met = met && ok
	}
	if !met {
		return refuse("Response does not contain the required audience (it is for %s)", clip(strings.Join(others, ", ")))
	}
	return nil
}

// endpoint reports whether a URL is one that assertions may be addressed to:
// AWS's sign-in, of any region and for any provider, or one of ours.
func (v *SAML) endpoint(at string) bool {
	if slices.Contains(v.endpoints, at) {
		return true
	}
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	const signin = "signin.aws.amazon.com"
	return (u.Host == signin || strings.HasSuffix(u.Host, "."+signin)) && (u.Path == "/saml" || strings.HasPrefix(u.Path, "/saml/"))
}

// subject checks who the assertion is about and that it was to be sent here
// (SAML 2.0 Profiles, section 4.1.4).
func (v *SAML) subject(id *Identity, a, root *etree.Element, now time.Time, s *steps) bool {
	var err error
	subject := child(a, nsAssertion, "Subject")
	var confirmations []*etree.Element
	if subject != nil {
		name := child(subject, nsAssertion, "NameID")
		id.Subject = content(name)
		id.SubjectType = subjectType(attrOf(name, "Format"))
		confirmations = children(subject, nsAssertion, "SubjectConfirmation")
	}
	if id.Subject == "" {
		err = refuse("The SAML assertion has no Subject with a NameID")
	}
	if !s.check("subject", err, "The subject is "+clip(id.Subject)+".") {
		return false
	}
	err = nil
	var data *etree.Element
	if len(confirmations) == 1 && attr(confirmations[0], "Method") == bearer {
		data = child(confirmations[0], nsAssertion, "SubjectConfirmationData")
	}
	id.Audience = attrOf(data, "Recipient")
	until, destination := moment(attrOf(data, "NotOnOrAfter")), attr(root, "Destination")
	switch {
	case data == nil:
		err = refuse("The SAML assertion must have one SubjectConfirmation, for a bearer, with its data")
	case !v.endpoint(id.Audience):
		err = refuse("The SAML assertion is addressed to another recipient: %s", clip(id.Audience))
	case destination != "" && !v.endpoint(destination):
		err = refuse("The SAML response has another destination: %s", clip(destination))
	case !now.Before(until):
		err = expired("The SAML assertion could be sent until %s", clip(attr(data, "NotOnOrAfter")))
	}
	return s.check("recipient", err, "The assertion is addressed to "+clip(id.Audience)+".")
}

// subjectType returns what saml:sub_type says of a format of names.
func subjectType(format string) string {
	const prefix = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
	if short := strings.TrimPrefix(format, prefix); short == "persistent" || short == "transient" {
		return short
	}
	return format
}

// qualifier returns the namespace of a provider's subjects (IAM User Guide,
// "Uniquely identifying users in SAML-based federation").
func qualifier(issuer string, p *SAMLProvider) string {
	sum := sha1.Sum([]byte(issuer + p.Account + "/" + p.Name))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Claimed returns what the response says for a provider, though nobody verified
// it: only for telling what it would be worth. It is nil for a response without
// one plain assertion.
func (r *Response) Claimed(p *SAMLProvider) *Identity {
	list := assertions(r.root)
	if len(list) != 1 {
		return nil
	}
	a, all := list[0], attributes(list[0])
	id := &Identity{Issuer: content(child(a, nsAssertion, "Issuer"))}
	if subject := child(a, nsAssertion, "Subject"); subject != nil {
		name := child(subject, nsAssertion, "NameID")
		id.Subject, id.SubjectType = content(name), subjectType(attrOf(name, "Format"))
		if c := child(subject, nsAssertion, "SubjectConfirmation"); c != nil {
			id.Audience = attrOf(child(c, nsAssertion, "SubjectConfirmationData"), "Recipient")
		}
	}
	if len(all[attrName]) > 0 {
		id.SessionName = all[attrName][0]
	}
	if samlTags(id, all) != nil {
		id.Tags, id.Transitive, id.SourceIdentity = nil, nil, ""
	}
	samlKeys(id, p, all)
	return id
}

// Encrypted reports whether the response has an encrypted assertion.
func (r *Response) Encrypted() bool {
	return len(children(r.root, nsAssertion, "EncryptedAssertion")) > 0
}
