// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"crypto/tls"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// A Need is a permission that a request needs.
type Need struct {
	Action      string // "s3:GetObject"
	Bucket, Key string // Key "" for the bucket itself; Bucket "" for what is in none
	VersionID   string // of the object; "" when the request names none
	Resource    string // ARN

	// Keys and Lists are the condition keys that the request gives. They are the caller's
	// to add to. Lists may be nil.
	Keys  map[string]string
	Lists map[string][]string

	// Existing says that the action has the condition keys s3:ExistingObjectTag/KEY, which only
	// the store knows.
	Existing bool

	// IfTagged says that the permission is needed only if the source of the copy has tags. Who
	// cannot find that out must ask for it.
	IfTagged bool
}

// Needs returns the permissions that the request needs, in the order in which they are decided: all of them
// must be given. sig is the verified signature, nil for an anonymous request; h are the headers that Parse
// was given; tlsVersion is that of the connection, 0 without TLS.
//
// It returns none, which is no permission at all, for a request whose body says what it needs, as
// long as SetDocument or Form was not called, and for DeleteObjects, whose keys are judged one by one with
// DeleteNeeds.
func (r *Request) Needs(sig *sigv4.Signature, h http.Header, now time.Time, tlsVersion uint16) []Need {
	switch {
	case r.Op.Body == Judged && r.doc == nil, r.Op.Body == Form, r.Op.Sub == "delete":
		return nil
	}
	c := circumstances{r, sig, h, now, tlsVersion}
	needs := make([]Need, 0, c.count())
	for i := range r.Op.needs {
		if p := &r.Op.needs[i]; c.holds(p.when) {
			needs = append(needs, c.need(p))
		}
	}
	return needs
}

// DeleteNeeds is Needs for one of the objects of a DeleteObjects request.
func (r *Request) DeleteNeeds(d *Deletion, sig *sigv4.Signature, h http.Header, now time.Time, tlsVersion uint16) []Need {
	one := *r
	one.Key, one.VersionID = d.Key, d.VersionID
	c := circumstances{&one, sig, h, now, tlsVersion}
	needs := make([]Need, 0, 2)
	for i := range r.Op.needs {
		p := &r.Op.needs[i]
		if !c.holds(p.when) {
			continue
		}
		n := c.need(p)
		if d.ETag != "" && n.Action == "s3:DeleteObject" {
			n.Keys["s3:if-match"] = d.ETag
		}
		needs = append(needs, n)
	}
	return needs
}

// circumstances are all that permissions depend on.
type circumstances struct {
	r   *Request
	sig *sigv4.Signature
	h   http.Header
	now time.Time
	tls uint16
}

// count returns how many permissions are needed.
func (c *circumstances) count() (n int) {
	for i := range c.r.Op.needs {
		if c.holds(c.r.Op.needs[i].when) {
			n++
		}
	}
	return n
}

// holds reports whether a permission is needed.
func (c *circumstances) holds(w when) bool {
	has := c.r.has
	switch w {
	case always:
		return true
	case ifACL:
		return has&(hasACL|hasGrant) != 0
	case ifTagging:
		return has&hasTagging != 0
	case ifRetention:
		return has&hasRetention != 0
	case ifLegalHold:
		return has&hasLegalHold != 0
	case ifBypass:
		return has&hasBypass != 0 && !strings.EqualFold(c.r.value(c.h, "X-Amz-Bypass-Governance-Retention"), "false")
	case ifSourceTags:
		return c.r.sourceTag != replaced
	case ifAnnotations:
		return has&hasAnnotationDirective != 0 && c.r.value(c.h, "X-Amz-Object-Annotation-Directive") != "EXCLUDE"
	case ifOwnership:
		return has&hasOwnership != 0
	case ifBucketLock:
		return has&hasBucketLock != 0 && !strings.EqualFold(c.r.value(c.h, "X-Amz-Bucket-Object-Lock-Enabled"), "false")
	case ifBucketTags:
		return c.r.doc != nil && len(c.r.doc.tags) > 0
	}
	return true
}

// need returns a permission as the request needs it.
func (c *circumstances) need(p *permission) Need {
	r := c.r
	n := Need{Action: p.action, Bucket: r.Bucket, Key: r.Key, VersionID: r.VersionID}
	n.IfTagged = p.when == ifSourceTags && r.sourceTag == copied
	act := p.act
	switch p.on {
	case theSource:
		n.Bucket, n.Key, n.VersionID = r.SourceBucket, r.SourceKey, r.SourceVersion
	case theRole:
		n.Bucket, n.Key, n.VersionID, n.Resource = "", "", "", r.doc.role
		n.Keys = map[string]string{"iam:PassedToService": "s3.amazonaws.com"}
		return n
	}
	if n.VersionID != "" {
		n.Action, act = p.version, p.actVersion
	}
	switch {
	case n.Key != "":
		n.Resource = "arn:aws:s3:::" + n.Bucket + "/" + n.Key
	case n.Bucket != "":
		n.Resource = "arn:aws:s3:::" + n.Bucket
	default:
		n.Resource = "arn:aws:s3:::*" // quirk Q112
	}
	n.Existing = act.facets&existing != 0
	n.Keys = make(map[string]string, 8)
	c.connection(n.Keys)
	if act.facets&versioned != 0 && n.VersionID != "" {
		n.Keys["s3:VersionId"] = n.VersionID
	}
	if act.facets&^(versioned|existing) != 0 {
		c.facets(&n, act.facets)
	}
	for i, has := 0, r.has&act.headers; has != 0; i, has = i+1, has>>1 {
		if has&1 != 0 && counted[i].key != "" {
			n.Keys[counted[i].key] = r.value(c.h, counted[i].header)
		}
	}
	if r.doc != nil && p == &r.Op.needs[0] {
		for key, value := range r.doc.keys {
			n.Keys[key] = value
		}
	}
	return n
}

// connection adds the condition keys that every action has (S3 API Reference, "Amazon S3 Signature
// Version 4 Authentication Specific Policy Keys").
func (c *circumstances) connection(keys map[string]string) {
	switch c.tls {
	case 0:
	case tls.VersionTLS12:
		keys["s3:TlsVersion"] = "1.2"
	case tls.VersionTLS13:
		keys["s3:TlsVersion"] = "1.3"
	case tls.VersionTLS11:
		keys["s3:TlsVersion"] = "1.1"
	default:
		keys["s3:TlsVersion"] = "1.0"
	}
	if c.sig == nil {
		return
	}
	keys["s3:signatureversion"] = "AWS4-HMAC-SHA256"
	switch {
	case c.r.form:
		keys["s3:authType"] = "POST"
		return
	case c.sig.Presigned:
		keys["s3:authType"] = "REST-QUERY-STRING" // and nothing else has an age: quirk Q114
		keys["s3:signatureAge"] = strconv.FormatInt(max(0, c.now.Sub(c.sig.Time).Milliseconds()), 10)
	default:
		keys["s3:authType"] = "REST-HEADER"
	}
	if c.sig.Payload != "" {
		keys["s3:x-amz-content-sha256"] = c.sig.Payload
	}
}

// facets adds the condition keys of an action's facets but s3:VersionId.
func (c *circumstances) facets(n *Need, f facet) {
	r := c.r
	if f&listed != 0 {
		c.params(n, "s3:", "prefix", "delimiter", "max-keys")
	}
	if f&annotations != 0 {
		c.params(n, "s3:", "annotation-prefix", "max-annotation-results")
	}
	if f&copySource != 0 && r.SourceKey != "" {
		n.Keys["s3:x-amz-copy-source"] = r.SourceBucket + "/" + r.SourceKey // quirk Q113
	}
	if f&creation != 0 {
		n.Keys["s3:ObjectCreationOperation"] = strconv.FormatBool(
			r.Op.Sub == "" || r.Op.Name == "CompleteMultipartUpload")
	}
	if f&retained != 0 {
		c.retention(n)
	}
	if f&tagged != 0 {
		c.objectTags(n)
	}
	if f&located != 0 && r.doc != nil {
		for _, t := range r.doc.tags {
			n.Keys["aws:RequestTag/"+t.name] = t.value
			n.addList("aws:TagKeys", t.name)
		}
	}
	if f&inventory != 0 && r.doc != nil {
		for _, field := range r.doc.fields {
			n.addList("s3:InventoryAccessibleOptionalFields", field)
		}
	}
}

func (n *Need) addList(key, value string) {
	if n.Lists == nil {
		n.Lists = map[string][]string{}
	}
	n.Lists[key] = append(n.Lists[key], value)
}

// params adds the parameters that are condition keys, where the request has them (quirk Q116).
func (c *circumstances) params(n *Need, prefix string, names ...string) {
	for _, name := range names {
		if v, ok := c.r.param(name); ok {
			n.Keys[prefix+name] = v
		}
	}
}

// retention adds the keys that are computed from the headers of an object lock or the
// document of PutObjectRetention.
func (c *circumstances) retention(n *Need) {
	until := c.r.value(c.h, "X-Amz-Object-Lock-Retain-Until-Date")
	days := c.r.value(c.h, "X-Amz-Object-Lock-Event-Hold-Duration-Days")
	years := c.r.value(c.h, "X-Amz-Object-Lock-Event-Hold-Duration-Years")
	if d := c.r.doc; d != nil {
		until, days, years = d.keys["s3:object-lock-retain-until-date"], d.days, d.years
	}
	if t, err := time.Parse(time.RFC3339, until); err == nil {
		const day = 24 * time.Hour
		left := max(0, t.Sub(c.now))
		n.Keys["s3:object-lock-remaining-retention-days"] = strconv.FormatInt(int64((left+day-1)/day), 10) // quirk Q115
	}
	if y, err := strconv.ParseUint(years, 10, 16); err == nil {
		days = strconv.FormatUint(365*y, 10)
	}
	if days != "" {
		n.Keys["s3:object-lock-event-hold-duration-days"] = days
	}
}

// objectTags adds the keys of the tags that the object gets.
func (c *circumstances) objectTags(n *Need) {
	tags := c.r.tags
	if c.r.doc != nil {
		tags = c.r.doc.tags
	}
	for _, t := range tags {
		n.Keys["s3:RequestObjectTag/"+t.name] = t.value
		n.addList("s3:RequestObjectTagKeys", t.name)
	}
}
