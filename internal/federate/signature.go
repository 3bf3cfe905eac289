// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/russellhaering/goxmldsig/etreeutils"
)

// errUnsigned says that an element has no signature of its own.
var errUnsigned = errors.New("there is no signature")

// What a signature may be made with. SHA-1 is not: collisions of it are for sale.
var (
	signatureMethods = []string{
		dsig.RSASHA256SignatureMethod, dsig.RSASHA384SignatureMethod, dsig.RSASHA512SignatureMethod,
		dsig.ECDSASHA256SignatureMethod, dsig.ECDSASHA384SignatureMethod, dsig.ECDSASHA512SignatureMethod,
	}
	digestMethods = []string{
		"http://www.w3.org/2001/04/xmlenc#sha256", "http://www.w3.org/2001/04/xmldsig-more#sha384", "http://www.w3.org/2001/04/xmlenc#sha512",
	}
	canonical = []string{string(dsig.CanonicalXML10ExclusiveAlgorithmId)}
	enveloped = string(dsig.EnvelopedSignatureAltorithmId)
)

// checkShape refuses a document in which a signature could be taken for that of
// another element (signature wrapping): every signature is a child of the element
// that it signs, signs it alone and as a whole, and no two elements share an ID.
func checkShape(root *etree.Element) error {
	ids := make(map[string]bool)
	return walk(root, func(e *etree.Element) error {
		for _, a := range e.Attr {
			if a.Key != "ID" {
				continue
			}
			if a.Space != "" || a.Value == "" || ids[a.Value] {
				return fmt.Errorf("the ID %q is not of one element", clip(a.Value))
			}
			ids[a.Value] = true
		}
		if is(e, nsSignature, "Signature") {
			return checkSignature(e)
		}
		return nil
	})
}

func checkSignature(sig *etree.Element) error {
	parent := sig.Parent()
	if !is(parent, nsProtocol, "Response") && !is(parent, nsAssertion, "Assertion") || child(parent, nsSignature, "Signature") != sig {
		return errors.New("a signature is out of place")
	}
	info := child(sig, nsSignature, "SignedInfo")
	if info == nil || child(sig, nsSignature, "SignatureValue") == nil || len(children(sig, nsSignature, "Object")) > 0 {
		return errors.New("a signature must have one SignedInfo, one SignatureValue and no Object")
	}
	ref := child(info, nsSignature, "Reference")
	if ref == nil {
		return errors.New("a signature must have one Reference")
	}
	if id := attr(parent, "ID"); id == "" || attr(ref, "URI") != "#"+id {
		return errors.New("a signature must refer to the element that it is in")
	}
	if err := algorithm(info, "CanonicalizationMethod", canonical); err != nil {
		return err
	}
	if err := algorithm(info, "SignatureMethod", signatureMethods); err != nil {
		return err
	}
	if err := algorithm(ref, "DigestMethod", digestMethods); err != nil {
		return err
	}
	return checkTransforms(ref)
}

func algorithm(e *etree.Element, tag string, allowed []string) error {
	m := child(e, nsSignature, tag)
	if m == nil {
		return fmt.Errorf("a signature must have one %s", tag)
	}
	if a := attr(m, "Algorithm"); !slices.Contains(allowed, a) {
		return fmt.Errorf("the %s %s is not accepted", tag, clip(a))
	}
	return nil
}

// checkTransforms accepts the two transforms that SAML has (SAML 2.0 Core,
// section 5.4.4).
func checkTransforms(ref *etree.Element) error {
	list := child(ref, nsSignature, "Transforms")
	if list == nil {
		return errors.New("a signature must have Transforms")
	}
	var found []string
	for _, t := range list.ChildElements() {
		a := attr(t, "Algorithm")
		if !is(t, nsSignature, "Transform") || slices.Contains(found, a) || a != enveloped && !slices.Contains(canonical, a) {
			return fmt.Errorf("the Transform %s is not accepted", clip(a))
		}
		found = append(found, a)
	}
	if !slices.Contains(found, enveloped) {
		return errors.New("a signature must be enveloped")
	}
	return nil
}

// verifyElement verifies the signature of an element, in a document that passed
// checkShape, and returns the element anew as it was signed. Nothing else of the
// document is to be believed. It returns errUnsigned when there is none.
func verifyElement(e *etree.Element, certs []*x509.Certificate, now time.Time) (*etree.Element, error) {
	if child(e, nsSignature, "Signature") == nil {
		return nil, errUnsigned
	}
	ctx, err := etreeutils.NSBuildParentContext(e)
	if err != nil {
		return nil, err
	}
	alone, err := etreeutils.NSDetatch(ctx, e)
	if err != nil {
		return nil, err
	}
	// Which key signed is for the metadata to say, not for the signature.
	sig := child(alone, nsSignature, "Signature")
	for _, info := range children(sig, nsSignature, "KeyInfo") {
		sig.RemoveChild(info)
	}
	for _, cert := range certs {
		v := dsig.NewDefaultValidationContext(&dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{cert}})
		v.Clock = dsig.NewFakeClockAt(now)
		signed, failure := v.Validate(alone)
		if failure != nil {
			err = errors.Join(err, failure)
			continue
		}
		if !is(signed, e.NamespaceURI(), e.Tag) || attr(signed, "ID") != attr(e, "ID") {
			return nil, errors.New("what is signed is another element")
		}
		return signed, nil
	}
	return nil, err
}
