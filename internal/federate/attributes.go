// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/beevik/etree"

	"github.com/innkeeper-iam/innkeeper/internal/session"
)

// Attributes of assertions (IAM User Guide, "Configure SAML assertions for the
// authentication response").
const (
	attrPrefix   = "https://aws.amazon.com/SAML/Attributes/"
	attrRole     = attrPrefix + "Role"
	attrName     = attrPrefix + "RoleSessionName"
	attrDuration = attrPrefix + "SessionDuration"
	attrSource   = attrPrefix + "SourceIdentity"
	attrTag      = attrPrefix + "PrincipalTag:"
	attrTrans    = attrPrefix + "TransitiveTagKeys"
)

// The durations that SessionDuration may ask for, in seconds.
const (
	minDuration = 900
	maxDuration = 43_200
)

// An samlKey is what an attribute is called in trust policies.
type samlKey struct {
	key  string
	list bool
}

// samlNames maps the names of attributes to condition keys (the same page).
var samlNames = map[string]samlKey{
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.1":  {"saml:eduPersonAffiliation", true},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.2":  {"saml:eduPersonNickname", true},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.3":  {"saml:eduPersonOrgDN", false},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.4":  {"saml:eduPersonOrgUnitDN", true},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.5":  {"saml:eduPersonPrimaryAffiliation", false},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.6":  {"saml:eduPersonPrincipalName", false},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.7":  {"saml:eduPersonEntitlement", true},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.8":  {"saml:eduPersonPrimaryOrgUnitDN", false},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.9":  {"saml:eduPersonScopedAffiliation", true},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.10": {"saml:eduPersonTargetedID", true},
	"urn:oid:1.3.6.1.4.1.5923.1.1.1.11": {"saml:eduPersonAssurance", true},
	"urn:oid:1.3.6.1.4.1.5923.1.2.1.2":  {"saml:eduOrgHomePageURI", true},
	"urn:oid:1.3.6.1.4.1.5923.1.2.1.3":  {"saml:eduOrgIdentityAuthNPolicyURI", true},
	"urn:oid:1.3.6.1.4.1.5923.1.2.1.4":  {"saml:eduOrgLegalName", true},
	"urn:oid:1.3.6.1.4.1.5923.1.2.1.5":  {"saml:eduOrgSuperiorURI", true},
	"urn:oid:1.3.6.1.4.1.5923.1.2.1.6":  {"saml:eduOrgWhitePagesURI", true},
	"urn:oid:2.5.4.3":                   {"saml:cn", true},

	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name":              {"saml:name", false},
	"http://schemas.xmlsoap.org/claims/CommonName":                            {"saml:commonName", false},
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname":         {"saml:givenName", false},
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname":           {"saml:surname", false},
	"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress":      {"saml:mail", false},
	"http://schemas.microsoft.com/ws/2008/06/identity/claims/primarygroupsid": {"saml:uid", false},

	"2.5.4.3":                    {"saml:commonName", false},
	"2.5.4.4":                    {"saml:surname", false},
	"2.5.4.42":                   {"saml:givenName", false},
	"2.5.4.45":                   {"saml:x500UniqueIdentifier", false},
	"0.9.2342.19200300.100.1.1":  {"saml:uid", false},
	"0.9.2342.19200300.100.1.3":  {"saml:mail", false},
	"0.9.2342.19200300.100.1.45": {"saml:organizationStatus", false},
}

// attributes returns the values of an assertion's attributes by name.
func attributes(a *etree.Element) map[string][]string {
	all := make(map[string][]string)
	for _, st := range children(a, nsAssertion, "AttributeStatement") {
		for _, at := range children(st, nsAssertion, "Attribute") {
			name := attr(at, "Name")
			for _, v := range children(at, nsAssertion, "AttributeValue") {
				all[name] = append(all[name], content(v))
			}
		}
	}
	return all
}

// partner returns the other ARN of a pair, "role,provider" or "provider,role",
// that has the role; "" if it has not.
func partner(pair, role string) string {
	one, two, ok := strings.Cut(pair, ",")
	one, two = strings.TrimSpace(one), strings.TrimSpace(two)
	switch {
	case !ok:
		return ""
	case one == role:
		return two
	case two == role:
		return one
	}
	return ""
}

// attributesOf reads the attributes that are for AWS.
func attributesOf(id *Identity, a *etree.Element, p *SAMLProvider, role string, now time.Time, s *steps) bool {
	all := attributes(a)
	var err error
	if !slices.ContainsFunc(all[attrRole], func(pair string) bool { return partner(pair, role) == p.ARN }) {
		err = refuse("The Role attribute of the SAML assertion does not name the role together with the provider (it has %s)", clip(strings.Join(all[attrRole], " ")))
	}
	if !s.check("role", err, "The identity provider grants the role.") {
		return false
	}
	err = nil
	names := all[attrName]
	switch {
	case len(names) != 1 || names[0] == "":
		err = refuse("RoleSessionName is required in AuthnResponse")
	case !isName(names[0]):
		err = refuse("RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}")
	default:
		id.SessionName = names[0]
	}
	if !s.check("session name", err, "The name of the session is "+id.SessionName+".") {
		return false
	}
	err = duration(id, all[attrDuration], a, now)
	if !s.check("session duration", err, fmt.Sprintf("The session may last %d seconds, 0 meaning as long as the role allows.", id.MaxSeconds)) {
		return false
	}
	return s.check("session tags", samlTags(id, all), describeTags(id))
}

// duration reads how long the session may last: SessionDuration, and what the
// provider says of its own session, whichever is shorter.
func duration(id *Identity, values []string, a *etree.Element, now time.Time) error {
	if len(values) > 0 {
		n, err := strconv.Atoi(values[0])
		if err != nil || len(values) > 1 || n < minDuration || n > maxDuration {
			return refuse("SessionDuration in AuthnResponse must be a number from %d to %d", minDuration, maxDuration)
		}
		id.MaxSeconds = n
	}
	for _, st := range children(a, nsAssertion, "AuthnStatement") {
		text := attr(st, "SessionNotOnOrAfter")
		if text == "" {
			continue
		}
		left := int(moment(text).Sub(now) / time.Second)
		if left <= 0 {
			return expired("The session at the identity provider ended at %s", clip(text))
		}
		if id.MaxSeconds == 0 || left < id.MaxSeconds {
			id.MaxSeconds = left
		}
	}
	return nil
}

// samlTags reads the session tags and the source identity.
func samlTags(id *Identity, all map[string][]string) error {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		key, ok := strings.CutPrefix(name, attrTag)
		if !ok {
			continue
		}
		if len(all[name]) != 1 {
			return refuse("The session tag %s must have one value.", clip(key))
		}
		id.Tags = append(id.Tags, session.Tag{Key: key, Value: all[name][0]})
	}
	id.Transitive = all[attrTrans]
	if values := all[attrSource]; len(values) > 0 {
		if len(values) > 1 || values[0] == "" {
			return checkSourceIdentity(" ")
		}
		id.SourceIdentity = values[0]
	}
	if err := checkSourceIdentity(id.SourceIdentity); err != nil {
		return err
	}
	return checkTags(id.Tags, id.Transitive)
}

// samlKeys adds the condition keys (IAM User Guide, "Available keys for
// SAML-based AWS STS federation").
func samlKeys(id *Identity, p *SAMLProvider, all map[string][]string) {
	id.Qualifier = qualifier(id.Issuer, p)
	id.Keys = map[string]string{
		"saml:aud": id.Audience, "saml:iss": id.Issuer, "saml:sub": id.Subject, "saml:namequalifier": id.Qualifier,
		"saml:doc": p.Account + "/" + p.Name,
	}
	id.Lasting = []string{"saml:namequalifier", "saml:sub"}
	if id.SubjectType != "" {
		id.Keys["saml:sub_type"] = id.SubjectType
		id.Lasting = append(id.Lasting, "saml:sub_type")
	}
	id.Lists = make(map[string][]string)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		k, ok := samlNames[name]
		switch {
		case !ok:
		case k.list:
			id.Lists[k.key] = all[name]
		case id.Keys[k.key] == "":
			id.Keys[k.key] = all[name][0]
		}
	}
}
