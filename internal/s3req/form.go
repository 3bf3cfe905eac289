// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"net/http"
	"net/url"
	"strings"
)

// formOnly are the fields of a POST form that say nothing about the object: who signed it, and
// what is answered. All of lower case.
var formOnly = map[string]bool{
	"key": true, "file": true, "policy": true, "bucket": true,
	"redirect": true, "success_action_redirect": true, "success_action_status": true,
	"x-amz-algorithm": true, "x-amz-credential": true, "x-amz-date": true, "x-amz-signature": true, "x-amz-security-token": true,
}

// formHeaders are the fields that are headers under the same name, beside those of x-amz-*.
var formHeaders = map[string]bool{
	"cache-control": true, "content-type": true, "content-disposition": true, "content-encoding": true, "content-language": true,
	"expires": true, "content-md5": true,
}

// Form returns the PutObject request that a POST form amounts to, and its headers, with which
// Needs and Header want to be called: r is the PostObject request, key that of the
// object with ${filename} already replaced, and fields are the form's fields, under their names in any
// letter case (S3 API Reference, "POST Object"). An unknown field is refused, and one that comes
// twice. The error is an *Error.
func (r *Request) Form(key string, fields map[string][]string) (*Request, http.Header, error) {
	if err := CheckKey(key); err != nil {
		return nil, nil, err
	}
	h := http.Header{}
	for name, values := range fields {
		lower, value := strings.ToLower(name), ""
		if len(values) == 1 {
			value = values[0]
		}
		switch {
		case len(values) > 1:
			return nil, nil, fail("InvalidArgument", "POST requires exactly one field "+quote(name)+" per request.")
		case formOnly[lower], strings.HasPrefix(lower, "x-ignore-"):
			continue
		case lower == "acl":
			lower = "x-amz-acl"
		case lower == "tagging":
			tags, err := formTagging(value)
			if err != nil {
				return nil, nil, err
			}
			lower, value = "x-amz-tagging", tags
		case strings.HasPrefix(lower, "x-amz-"), formHeaders[lower]:
		default:
			return nil, nil, fail("InvalidArgument", "The form has a field that POST Object does not have: "+quote(name))
		}
		if !plain(value) {
			return nil, nil, fail("InvalidArgument", "The value of the form's field "+quote(name)+" is not valid.")
		}
		h[http.CanonicalHeaderKey(lower)] = append(h[http.CanonicalHeaderKey(lower)], value)
	}
	obj := &Request{Bucket: r.Bucket, Key: key, Virtual: r.Virtual, form: true}
	obj.Path = objectPath(r.Bucket, key)
	if h.Get("X-Amz-Copy-Source") != "" {
		return nil, nil, fail("InvalidArgument", "A form cannot copy an object.")
	}
	if err := obj.classify(put, h); err != nil {
		return nil, nil, err
	}
	return obj, h, nil
}

// formTagging returns the tags of a form's field, which are XML, as the header has them.
func formTagging(value string) (string, error) {
	root, err := parseXML([]byte(value))
	if err != nil {
		return "", malformedXML()
	}
	doc, err := readObjectTagging(root)
	if err != nil {
		return "", err
	}
	var pairs []string
	for _, t := range doc.tags {
		pairs = append(pairs, url.QueryEscape(t.name)+"="+url.QueryEscape(t.value))
	}
	return strings.Join(pairs, "&"), nil
}
