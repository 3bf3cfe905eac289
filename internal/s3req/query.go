// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
)

// signatureParams are the parameters of a presigned URL, which the upstream does not get. Their
// values are package sigv4's affair.
var signatureParams = []string{
	"X-Amz-Algorithm", "X-Amz-Content-Sha256", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
	"X-Amz-Security-Token", "X-Amz-Signature", "X-Amz-SignedHeaders",
}

// readQuery reads the raw query. A plus sign is a space, as in every form parser; the upstream
// gets %20 (quirk Q110).
func (r *Request) readQuery(raw string) error {
	if raw == "" {
		return nil
	}
	if !cleanTarget(raw) {
		return fail("InvalidURI", "Couldn't parse the specified URI.")
	}
	most := min(maxParams, 1+strings.Count(raw, "&"))
	var signature mask
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, ok := decode(name, true)
		value, ok2 := decode(value, true)
		if !ok || !ok2 || name == "" || !plain(name) || !plain(value) {
			return fail("InvalidURI", "A query parameter is malformed.")
		}
		if err := r.addParam(name, value, most, &signature); err != nil {
			return err
		}
	}
	if r.Hoisted != nil && !r.presigned {
		return fail("NotImplemented", "Only a presigned URL may carry x-amz-* headers as parameters.")
	}
	slices.SortFunc(r.params, func(x, y param) int { return cmp.Compare(x.name, y.name) })
	return nil
}

// addParam puts one parameter where it belongs, or refuses it where S3 would
// take no notice (quirk Q118). There are at most so many parameters; signature remembers
// which of signatureParams have come.
func (r *Request) addParam(name, value string, most int, signature *mask) error {
	if len(name) > 6 && strings.EqualFold(name[:6], "x-amz-") {
		return r.addAmzParam(name, value, signature)
	}
	if name == "x-id" {
		if r.xid != "" || value == "" {
			return fail("InvalidArgument", "The parameter 'x-id' must come once and name an operation.")
		}
		r.xid = value
		return nil
	}
	kind, known := paramKinds[name]
	if !known {
		return unknownParam(name)
	}
	for i := range r.params {
		if r.params[i].name == name {
			return fail("InvalidArgument", "The parameter "+quote(name)+" must come once.")
		}
	}
	if len(r.params) == maxParams {
		return fail("InvalidArgument", "The request has too many parameters.")
	}
	switch kind {
	case flag:
		if value != "" {
			return fail("InvalidArgument", "The parameter "+quote(name)+" has no value.")
		}
		fallthrough
	case selector:
		if r.sub != "" {
			return fail("InvalidArgument", "Conflicting query string parameters: "+r.sub+", "+name)
		}
		r.sub = name
	}
	if r.params == nil {
		r.params = make([]param, 0, most)
	}
	r.params = append(r.params, param{name, value})
	return nil
}

// addAmzParam takes a parameter of a signature, or a header that a presigned URL carries as a
// parameter: SDKs move headers there that no browser could send.
func (r *Request) addAmzParam(name, value string, signature *mask) error {
	for i, s := range signatureParams {
		if s == name {
			if *signature&(1<<i) != 0 {
				return fail("InvalidArgument", "The parameter "+quote(name)+" must come once.")
			}
			*signature |= 1 << i
			r.presigned = r.presigned || i == 0
			return nil
		}
		if strings.EqualFold(s, name) {
			return fail("InvalidArgument", "The parameter "+quote(name)+" must be written "+s+".")
		}
	}
	name = http.CanonicalHeaderKey(name)
	if _, ok := r.Hoisted[name]; ok {
		return fail("InvalidArgument", "The parameter "+quote(name)+" must come once.")
	}
	if len(r.Hoisted) == maxParams {
		return fail("InvalidArgument", "The request has too many parameters.")
	}
	if r.Hoisted == nil {
		r.Hoisted = http.Header{}
	}
	r.Hoisted[name] = []string{value}
	return nil
}

// unknownParam is the error for a parameter that no operation has.
func unknownParam(name string) error {
	switch name {
	case "AWSAccessKeyId", "Signature", "Expires":
		return fail("InvalidRequest", "The authorization mechanism you have provided is not supported. "+
			"Please use AWS4-HMAC-SHA256 (with the AWS CLI or boto3, set signature_version = s3v4).")
	}
	for known := range paramKinds {
		if strings.EqualFold(known, name) {
			return fail("InvalidArgument", "The parameter "+quote(name)+" must be written "+known+".")
		}
	}
	return fail("NotImplemented", "A query parameter you provided implies functionality that is not implemented: "+quote(name))
}

// checkParams judges the parameters by the operation.
func (r *Request) checkParams() error {
	op := r.Op
	if r.xid != "" && r.xid != op.Name {
		if notSupported[r.xid] != "" {
			return unsupported(r.xid) // ListDirectoryBuckets looks like ListBuckets
		}
		return fail("InvalidArgument", "The parameter 'x-id' does not name the operation that the request is.")
	}
	for i := range r.params {
		p := &r.params[i]
		if p.name != r.sub && !slices.Contains(op.params, p.name) {
			return fail("NotImplemented", "The operation "+op.Name+" has no parameter "+quote(p.name)+".")
		}
		if err := r.checkValue(p); err != nil {
			return err
		}
	}
	for _, name := range op.required {
		if _, ok := r.param(name); !ok {
			return fail("InvalidArgument", "The operation "+op.Name+" requires the parameter "+quote(name)+".")
		}
	}
	return nil
}

// checkValue refuses values that stores may take for something else: none where
// one is needed, numbers in odd forms, and ids that could be paths.
func (r *Request) checkValue(p *param) error {
	ok := true
	switch p.name {
	case "versionId":
		if p.value == "" {
			return fail("InvalidArgument", "Version id cannot be the empty string")
		}
		ok = token(p.value)
		r.VersionID = p.value
	case "uploadId", "id", "annotationName":
		ok = token(p.value)
	case "list-type", "select-type":
		ok = p.value == "2"
	case "partNumber":
		ok = number(p.value, 5)
	case "max-keys", "max-uploads", "max-parts", "part-number-marker", "max-buckets", "max-annotation-results":
		ok = number(p.value, 10)
	case "response-cache-control", "response-content-disposition", "response-content-encoding",
		"response-content-language", "response-content-type", "response-expires":
		r.SignedOnly = true
	}
	if !ok {
		return fail("InvalidArgument", "The value of the parameter "+quote(p.name)+" is not valid.")
	}
	return nil
}

// token reports whether s can be an id that is one name to every store.
func token(s string) bool {
	return s != "" && len(s) <= 1024 && s != "." && s != ".." && !strings.ContainsAny(s, "/\\")
}

// number reports whether s is at most so many digits.
func number(s string, digits int) bool {
	if s == "" || len(s) > digits {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// writeQuery sets the canonical query.
func (r *Request) writeQuery() {
	if len(r.params) == 0 {
		return
	}
	n := 0
	for i := range r.params {
		p := &r.params[i]
		n += len(p.name) + len(p.value) + 2*reservedBytes(p.value, false) + 2
	}
	var b strings.Builder
	b.Grow(n)
	for i := range r.params {
		if i > 0 {
			b.WriteByte('&')
		}
		writeEncoded(&b, r.params[i].name, false)
		b.WriteByte('=')
		writeEncoded(&b, r.params[i].value, false)
	}
	r.Query = b.String()
}
