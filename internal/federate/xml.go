// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Namespaces.
const (
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
	nsEncrypted = "http://www.w3.org/2001/04/xmlenc#"
)

// maxDepth is the deepest nesting of elements that is read.
const maxDepth = 64

// parseXML reads a document of plain elements, attributes and text. It refuses
// whatever two readers may understand in two ways: document types, processing
// instructions, attributes that occur twice, and, if strict, comments.
func parseXML(text string, strict bool) (*etree.Element, error) {
	if !utf8.ValidString(text) || strings.HasPrefix(text, "\ufeff") {
		return nil, errors.New("not UTF-8 without a byte order mark")
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{ValidateInput: true, PreserveDuplicateAttrs: true, MaxDepth: maxDepth}
	// etree takes the line end that ends most files for a second document.
	if err := doc.ReadFromString(strings.TrimRight(text, " \t\r\n")); err != nil {
		return nil, err
	}
	root := doc.Root()
	if root == nil {
		return nil, errors.New("no element")
	}
	for i, token := range doc.Child {
		if p, ok := token.(*etree.ProcInst); ok && i == 0 && p.Target == "xml" {
			continue
		}
		if err := plain(token, strict); err != nil {
			return nil, err
		}
	}
	return root, nil
}

func plain(token etree.Token, strict bool) error {
	switch token := token.(type) {
	case *etree.CharData:
		return nil
	case *etree.Comment:
		if strict {
			return errors.New("a comment")
		}
		return nil
	case *etree.Element:
		seen := make(map[string]bool, len(token.Attr))
		for _, a := range token.Attr {
			if seen[a.FullKey()] {
				return fmt.Errorf("attribute %s twice", a.FullKey())
			}
			seen[a.FullKey()] = true
		}
		for _, child := range token.Child {
			if err := plain(child, strict); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("a document type or a processing instruction")
}

// is reports whether e is the element of that name.
func is(e *etree.Element, ns, tag string) bool {
	return e != nil && e.Tag == tag && e.NamespaceURI() == ns
}

// children returns the child elements of that name.
func children(e *etree.Element, ns, tag string) []*etree.Element {
	var list []*etree.Element
	for _, c := range e.ChildElements() {
		if is(c, ns, tag) {
			list = append(list, c)
		}
	}
	return list
}

// child returns the only child element of that name; nil if there is none or
// more than one.
func child(e *etree.Element, ns, tag string) *etree.Element {
	if list := children(e, ns, tag); len(list) == 1 {
		return list[0]
	}
	return nil
}

// attr returns the value of an attribute without a prefix, "" if there is none.
func attr(e *etree.Element, name string) string {
	for _, a := range e.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value
		}
	}
	return ""
}

// content returns all the text of an element that holds nothing else, without
// the white space around it; "" for nil and for others.
func content(e *etree.Element) string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	for _, c := range e.Child {
		text, ok := c.(*etree.CharData)
		if !ok {
			return ""
		}
		b.WriteString(text.Data)
	}
	return strings.TrimSpace(b.String())
}

// moment reads a time; the zero time for "" and for what is none.
func moment(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}
	}
	return t
}

// decode64 decodes base64 that may be broken into lines.
func decode64(s string) ([]byte, error) {
	return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(s), ""))
}

// walk calls fn for an element and all below it, until fn returns an error.
func walk(e *etree.Element, fn func(*etree.Element) error) error {
	if err := fn(e); err != nil {
		return err
	}
	for _, c := range e.ChildElements() {
		if err := walk(c, fn); err != nil {
			return err
		}
	}
	return nil
}
