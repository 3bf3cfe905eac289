// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"bytes"
	"encoding/xml"
)

// maxDeletes is how many objects one DeleteObjects request may name (S3 API
// Reference, DeleteObjects).
const maxDeletes = 1000

// A Deletion is one object of a DeleteObjects request.
type Deletion struct {
	Key       string
	VersionID string // "" when none is named

	// What the object must be to be deleted; "" where nothing is said.
	ETag, LastModifiedTime, Size string
}

// A Deletes is the body of a DeleteObjects request.
type Deletes struct {
	Quiet   bool // the answer names failures only
	Objects []Deletion
}

// ParseDelete reads the body of a DeleteObjects request. Its keys are such that CheckKey takes
// them. The error is an *Error.
func ParseDelete(body []byte) (*Deletes, error) {
	if len(body) > MaxDocument {
		return nil, malformedXML()
	}
	root, err := parseXML(body)
	if err != nil || root.name != "Delete" || !root.only("Quiet", "Object*") {
		return nil, malformedXML()
	}
	d := &Deletes{}
	for _, e := range root.children {
		if e.name == "Quiet" {
			switch e.text {
			case "true":
				d.Quiet = true
			case "false":
			default:
				return nil, malformedXML()
			}
			continue
		}
		if len(d.Objects) == maxDeletes || !e.only("Key", "VersionId", "ETag", "LastModifiedTime", "Size") || !e.leaf() {
			return nil, malformedXML()
		}
		o := Deletion{e.value("Key"), e.value("VersionId"), e.value("ETag"), e.value("LastModifiedTime"), e.value("Size")}
		if err := CheckKey(o.Key); err != nil {
			return nil, err
		}
		if e.child("VersionId") != nil && (!token(o.VersionID) || !plain(o.VersionID)) {
			return nil, fail("InvalidArgument", "Invalid version id specified")
		}
		d.Objects = append(d.Objects, o)
	}
	if len(d.Objects) == 0 {
		return nil, malformedXML()
	}
	return d, nil
}

// XML returns d as a body that ParseDelete reads back as d, for the upstream.
func (d *Deletes) XML() []byte {
	var b bytes.Buffer
	b.WriteString(xml.Header + `<Delete xmlns="` + space + `">`)
	if d.Quiet {
		b.WriteString("<Quiet>true</Quiet>")
	}
	for i := range d.Objects {
		o := &d.Objects[i]
		b.WriteString("<Object>")
		for _, f := range []struct{ name, value string }{
			{"Key", o.Key}, {"VersionId", o.VersionID}, {"ETag", o.ETag}, {"LastModifiedTime", o.LastModifiedTime}, {"Size", o.Size},
		} {
			if f.value != "" {
				b.WriteString("<" + f.name + ">")
				xml.EscapeText(&b, []byte(f.value)) // a Buffer's Write cannot fail
				b.WriteString("</" + f.name + ">")
			}
		}
		b.WriteString("</Object>")
	}
	b.WriteString("</Delete>")
	return b.Bytes()
}
