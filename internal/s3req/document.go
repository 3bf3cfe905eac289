// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
)

// Limits on a document.
const (
	maxDepth    = 12
	maxElements = 8192
)

// An element is one of a document: with text or with other elements.
type element struct {
	name     string
	text     string
	children []*element
}

// space is the namespace of S3's documents, which clients may leave out.
const space = "http://s3.amazonaws.com/doc/2006-03-01/"

var errXML = errors.New("malformed")

// parseXML reads a document in the plain form that every parser reads alike: elements without prefixes, in S3's
// namespace or none, with text or elements but not both; no document type, no processing instruction, no
// comment.
func parseXML(body []byte) (*element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	top := &element{}
	open := []*element{top}
	for n := 0; ; {
		t, err := d.RawToken()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, errXML
		}
		last := open[len(open)-1]
		switch t := t.(type) {
		case xml.StartElement:
			n++
			if n > maxElements || len(open) > maxDepth || t.Name.Space != "" || !plainAttributes(t.Attr) || strings.TrimSpace(last.text) != "" {
				return nil, errXML
			}
			e := &element{name: t.Name.Local}
			last.children = append(last.children, e)
			open = append(open, e)
		case xml.EndElement:
			if t.Name.Space != "" || t.Name.Local != last.name || last == top {
				return nil, errXML
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if len(last.children) > 0 || last == top {
				if len(bytes.TrimSpace(t)) > 0 {
					return nil, errXML
				}
				continue
			}
			last.text += string(t)
		case xml.ProcInst:
			if t.Target != "xml" || n > 0 {
				return nil, errXML
			}
		default:
			return nil, errXML
		}
	}
	if len(open) != 1 || len(top.children) != 1 {
		return nil, errXML
	}
	return top.children[0], nil
}

// plainAttributes reports whether an element has only declarations of namespaces, and of the default one
// only S3's.
func plainAttributes(attrs []xml.Attr) bool {
	for _, a := range attrs {
		switch {
		case a.Name.Space == "" && a.Name.Local == "xmlns" && (a.Value == space || a.Value == ""):
		case a.Name.Space == "xmlns" && a.Name.Local == "xsi", a.Name.Space == "xsi":
		default:
			return false
		}
	}
	return true
}

// only reports whether e has no children but those named, each at most once unless the name ends
// in "*".
func (e *element) only(names ...string) bool {
	seen := 0
	for _, c := range e.children {
		i := slices.IndexFunc(names, func(n string) bool { return strings.TrimSuffix(n, "*") == c.name })
		if i < 0 || seen&(1<<i) != 0 && !strings.HasSuffix(names[i], "*") {
			return false
		}
		seen |= 1 << i
	}
	return len(e.children) == 0 || strings.TrimSpace(e.text) == ""
}

// child returns the child of that name, or nil. Methods of a nil element do nothing.
func (e *element) child(name string) *element {
	if e != nil {
		for _, c := range e.children {
			if c.name == name {
				return c
			}
		}
	}
	return nil
}

// value returns the text of the child of that name, "" without one.
func (e *element) value(name string) string {
	if c := e.child(name); c != nil {
		return c.text
	}
	return ""
}

// leaf reports whether none of e's children has children.
func (e *element) leaf() bool {
	return !slices.ContainsFunc(e.children, func(c *element) bool { return len(c.children) > 0 })
}

// trimmed reports whether no value in e begins or ends with white space, which a store might
// drop where a policy's condition did not.
func (e *element) trimmed() bool {
	if len(e.children) == 0 {
		return strings.TrimSpace(e.text) == e.text
	}
	return !slices.ContainsFunc(e.children, func(c *element) bool { return !c.trimmed() })
}

// A document is what permissions need of a body.
type document struct {
	keys        map[string]string // condition keys with a value of the document's
	tags        []param
	fields      []string // of an inventory
	days, years string   // of an event hold
	role        string   // of a replication
}

// readers read the documents of the operations whose body is Judged.
var readers = map[string]func(*element) (*document, error){
	"CreateBucket":                    readCreateBucket,
	"PutBucketInventoryConfiguration": readInventory,
	"PutBucketReplication":            readReplication,
	"PutObjectLegalHold":              readLegalHold,
	"PutObjectRetention":              readRetention,
	"PutObjectTagging":                readObjectTagging,
	"RestoreObject":                   readRestore,
	"UpdateObjectEncryption":          readEncryption,
}

// SetDocument gives r the whole body of a request whose Op.Body is Judged, so that Needs can tell what it
// needs. A document that is not exactly as S3 describes it is refused, because a store might read it
// otherwise. DeleteObjects has ParseDelete instead. The error is an *Error.
func (r *Request) SetDocument(body []byte) error {
	read := readers[r.Op.Name]
	switch {
	case read == nil:
		return fail("InvalidRequest", "The operation "+r.Op.Name+" has no such document.")
	case len(body) > MaxDocument:
		return fail("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size.")
	}
	if len(body) == 0 {
		if r.Op.Name != "CreateBucket" && r.Op.Name != "RestoreObject" {
			return fail("MissingRequestBodyError", "Request Body is empty")
		}
		r.doc = &document{}
		return nil
	}
	root, err := parseXML(body)
	if err != nil || !root.trimmed() {
		return malformedXML()
	}
	doc, err := read(root)
	if err != nil {
		return err
	}
	r.doc = doc
	return nil
}

func malformedXML() error {
	return fail("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
}

// withKeys returns a document with the condition keys whose values are not empty: key, value, …
func withKeys(pairs ...string) *document {
	d := &document{keys: map[string]string{}}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			d.keys[pairs[i]] = pairs[i+1]
		}
	}
	return d
}

func readCreateBucket(e *element) (*document, error) {
	if e.child("Location") != nil || e.child("Bucket") != nil {
		return nil, fail("NotImplemented", "The gateway does not support directory buckets.")
	}
	if e.name != "CreateBucketConfiguration" || !e.only("LocationConstraint", "Tags") {
		return nil, malformedXML()
	}
	d := withKeys("s3:locationconstraint", e.value("LocationConstraint"))
	var err error
	if tags := e.child("Tags"); tags != nil {
		d.tags, err = readTags(tags)
	}
	return d, err
}

func readObjectTagging(e *element) (*document, error) {
	if e.name != "Tagging" || !e.only("TagSet") || e.child("TagSet") == nil {
		return nil, malformedXML()
	}
	tags, err := readTags(e.child("TagSet"))
	return &document{tags: tags}, err
}

// readTags reads elements Tag with Key and Value.
func readTags(e *element) ([]param, error) {
	if !e.only("Tag*") || len(e.children) > 50 {
		return nil, malformedXML()
	}
	var tags []param
	for _, c := range e.children {
		if !c.only("Key", "Value") || !c.leaf() || c.child("Value") == nil || c.value("Key") == "" {
			return nil, malformedXML()
		}
		tags = append(tags, param{c.value("Key"), c.value("Value")})
	}
	return tags, distinct(tags)
}

// distinct returns an error if two tags have one name.
func distinct(tags []param) error {
	for i, t := range tags {
		if slices.ContainsFunc(tags[:i], func(u param) bool { return u.name == t.name }) {
			return fail("InvalidTag", "Cannot provide multiple Tags with the same key")
		}
	}
	return nil
}

// readTagging reads the header x-amz-tagging.
func readTagging(v string) ([]param, error) {
	bad := fail("InvalidArgument", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded "+
		"URL query parameters without tag name duplicates.")
	if v == "" {
		return nil, nil
	}
	var tags []param
	for pair := range strings.SplitSeq(v, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, ok := decode(name, true)
		value, ok2 := decode(value, true)
		if !ok || !ok2 || name == "" || !plain(name) || !plain(value) || len(tags) == 50 || strings.Contains(pair, ";") {
			return nil, bad
		}
		tags = append(tags, param{name, value})
	}
	if distinct(tags) != nil {
		return nil, bad
	}
	return tags, nil
}

func readRetention(e *element) (*document, error) {
	hold := e.child("EventHoldDuration")
	if e.name != "Retention" || !e.only("Mode", "RetainUntilDate", "EventHold", "EventHoldDuration") ||
		hold != nil && (!hold.only("Days", "Years") || !hold.leaf()) {
		return nil, malformedXML()
	}
	d := withKeys("s3:object-lock-mode", e.value("Mode"), "s3:object-lock-retain-until-date", e.value("RetainUntilDate"),
		"s3:object-lock-event-hold", e.value("EventHold"))
	d.days, d.years = hold.value("Days"), hold.value("Years")
	return d, nil
}

func readLegalHold(e *element) (*document, error) {
	if e.name != "LegalHold" || !e.only("Status") || !e.leaf() {
		return nil, malformedXML()
	}
	return withKeys("s3:object-lock-legal-hold", e.value("Status")), nil
}

func readEncryption(e *element) (*document, error) {
	kms := e.child("SSE-KMS")
	if e.name != "ObjectEncryption" || !e.only("SSE-KMS") || kms == nil || !kms.only("KMSKeyArn", "BucketKeyEnabled") || !kms.leaf() {
		return nil, malformedXML()
	}
	return withKeys("s3:x-amz-server-side-encryption", "aws:kms",
		"s3:x-amz-server-side-encryption-aws-kms-key-id", kms.value("KMSKeyArn")), nil
}

// readRestore refuses to restore to another place, which writes objects that
// nobody has been asked about.
func readRestore(e *element) (*document, error) {
	for _, name := range []string{"Type", "SelectParameters", "OutputLocation"} {
		if e.child(name) != nil {
			return nil, fail("NotImplemented", "The gateway does not support restoring the result of a query.")
		}
	}
	if e.name != "RestoreRequest" || !e.only("Days", "Description", "GlacierJobParameters", "Tier") {
		return nil, malformedXML()
	}
	return &document{}, nil
}

// readReplication finds the role that the store is to act as.
func readReplication(e *element) (*document, error) {
	role := e.child("Role")
	if e.name != "ReplicationConfiguration" || !e.only("Role", "Rule*") || role == nil || len(role.children) > 0 ||
		!strings.HasPrefix(role.text, "arn:") || !strings.Contains(role.text, ":role/") {
		return nil, malformedXML()
	}
	return &document{role: role.text}, nil
}

func readInventory(e *element) (*document, error) {
	if e.name != "InventoryConfiguration" ||
		!e.only("Destination", "Filter", "Id", "IncludedObjectVersions", "IsEnabled", "OptionalFields", "Schedule") {
		return nil, malformedXML()
	}
	d := &document{}
	if fields := e.child("OptionalFields"); fields != nil {
		if !fields.only("Field*") || !fields.leaf() {
			return nil, malformedXML()
		}
		for _, f := range fields.children {
			d.fields = append(d.fields, f.text)
		}
	}
	return d, nil
}
