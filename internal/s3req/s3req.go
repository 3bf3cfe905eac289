// SPDX-License-Identifier: Apache-2.0

// Package s3req says what a raw HTTP request asks of S3: which operation, on which
// bucket and key, and which permissions that needs, with which condition keys.
//
// It reads the request target as it came and nothing else does: what it could
// not read in one way only it refuses, and what it read it writes anew, in the
// one form that SigV4 has for paths and queries. That form is what an upstream
// gets, so that no upstream can read the request differently from us.
//
// The operations are one table (table.go), as are headers (headers.go) and
// actions (actions.go). Nothing here does I/O or keeps state.
package s3req

import (
	"net/http"
	"strings"
	"unicode/utf8"
)

// Limits on what is read.
const (
	MaxDocument = 4 << 20  // bytes of a body of kind Document: 10,000 parts with their checksums
	maxTarget   = 16 << 10 // bytes of the request target
	maxParams   = 40       // query parameters, those of a signature aside
	maxKey      = 1024     // bytes of a key (S3 User Guide, "Naming Amazon S3 objects")
)

// Options say where the gateway is reached.
type Options struct {
	// Domains are the hosts below which a bucket's name may stand, in lower case
	// and without port: with "s3.example.com" a request to b.s3.example.com is one
	// for bucket b. Hosts that are not below one of them are path-style.
	Domains []string
}

// An Error is a refusal in S3's terms.
type Error struct {
	Code    string // S3's: "InvalidURI"
	Message string // repeats nothing that the client sent but names of parameters and headers
	Status  int    // of HTTP
	Op      string // the operation, where it was known; "" otherwise
}

func (e *Error) Error() string { return "s3req: " + e.Code + ": " + e.Message }

// A Request is what an HTTP request asks of S3.
type Request struct {
	Op        *Op
	Bucket    string // "" for operations on no bucket
	Key       string // decoded; "" for operations on no object
	VersionID string // the versionId parameter; "" without one
	Virtual   bool   // the bucket stood in the host

	// Path and Query are what an upstream shall get: path-style, each byte encoded as
	// SigV4 does, parameters sorted, without those of a signature and without x-id.
	Path, Query string

	// The source of a copy, decoded; "" where there is none. CopySource is the header
	// x-amz-copy-source as an upstream shall get it.
	SourceBucket, SourceKey, SourceVersion string
	CopySource                             string

	// Hoisted holds the headers that a presigned URL carries as parameters. They count as
	// headers in every respect; Header gives them to the upstream. Nil without any.
	Hoisted http.Header

	// SignedOnly says that S3 answers the request to nobody who is anonymous, whatever policies
	// say: it asks for other response headers (code InvalidRequest).
	SignedOnly bool

	params    []param     // all parameters but those of the signature and x-id, sorted by name
	sub       string      // the name of the parameter that selects the operation; "" without one
	xid       string      // x-id, the SDKs' name of the operation
	presigned bool        // has X-Amz-Algorithm
	form      bool        // came as a POST form
	has       mask        // headers that count, by their bit
	tags      []param     // of x-amz-tagging
	doc       *document   // of SetDocument
	sourceTag directiveOf // what becomes of the source's tags
}

// A param is a decoded query parameter.
type param struct{ name, value string }

// Parse returns what a request asks. method, host and target (RequestURI) are as they
// came; h are the request's headers under their canonical names. A nil o is a zero one.
// The error is an *Error.
func Parse(method, host, target string, h http.Header, o *Options) (*Request, error) {
	if !knownMethod(method) {
		if method == http.MethodOptions {
			return nil, fail("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.")
		}
		return nil, fail("MethodNotAllowed", "The specified method is not allowed against this resource.")
	}
	if len(target) > maxTarget {
		return nil, fail("InvalidURI", "The request target is too long.")
	}
	path, query, _ := strings.Cut(target, "?")
	r := new(Request)
	if err := r.readQuery(query); err != nil {
		return nil, err
	}
	if method == http.MethodPost && path == "/WriteGetObjectResponse" {
		return nil, unsupported("WriteGetObjectResponse")
	}
	if err := r.readAddress(host, path, o); err != nil {
		return nil, err
	}
	if err := r.classify(method, h); err != nil {
		if e, ok := err.(*Error); ok && r.Op != nil && e.Op == "" {
			e.Op = r.Op.Name
		}
		return nil, err
	}
	return r, nil
}

// classify finds the operation, and judges parameters and headers by it.
func (r *Request) classify(method string, h http.Header) error {
	if err := r.selectOp(method, h); err != nil {
		return err
	}
	if r.Op.Unsupported != "" {
		return unsupported(r.Op.Name)
	}
	if err := r.checkParams(); err != nil {
		return err
	}
	if err := r.readHeaders(h); err != nil {
		return err
	}
	if r.has&hasCopySource != 0 {
		if err := r.readCopySource(r.value(h, "X-Amz-Copy-Source")); err != nil {
			return err
		}
		r.sourceTag = directive(r.value(h, "X-Amz-Tagging-Directive"))
	}
	if r.has&hasTagging != 0 {
		var err error
		if r.tags, err = readTagging(r.value(h, "X-Amz-Tagging")); err != nil {
			return err
		}
	}
	r.writeQuery()
	return nil
}

// level is what the request is about.
func (r *Request) level() Level {
	switch {
	case r.Key != "":
		return AtObject
	case r.Bucket != "":
		return AtBucket
	}
	return AtService
}

// selectOp sets r.Op.
func (r *Request) selectOp(method string, h http.Header) error {
	at := place{method, r.level(), r.sub}
	twins := index[at]
	if twins == nil {
		return r.nothing(at)
	}
	for _, op := range twins {
		if op.Tell == "" || r.tells(op.Tell, h) {
			r.Op = op
			return nil
		}
	}
	return fail("InvalidArgument", "The request lacks a parameter that this operation requires.")
}

// tells reports whether the parameter or header that tells an operation from its
// twins is there.
func (r *Request) tells(name string, h http.Header) bool {
	if strings.HasPrefix(name, "X-Amz-") {
		_, hoisted := r.Hoisted[name]
		return hoisted || len(h[name]) > 0
	}
	_, ok := r.param(name)
	return ok
}

// nothing is the error for a place where there is no operation.
func (r *Request) nothing(at place) error {
	for _, m := range methods {
		if index[place{m, at.level, at.sub}] != nil {
			return fail("MethodNotAllowed", "The specified method is not allowed against this resource.")
		}
	}
	return fail("NotImplemented", "S3 has no operation with the parameter "+quote(at.sub)+" on this kind of resource.")
}

// param returns the value of a parameter.
func (r *Request) param(name string) (string, bool) {
	for i := range r.params {
		if r.params[i].name == name {
			return r.params[i].value, true
		}
	}
	return "", false
}

// value returns a header's value, from the headers or from the query of a presigned
// URL; "" without it.
func (r *Request) value(h http.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return strings.Trim(v[0], " \t")
	}
	if v := r.Hoisted[name]; len(v) > 0 {
		return strings.Trim(v[0], " \t")
	}
	return ""
}

// Verbatim reports whether every store takes the key, the source's key and the prefix
// of a list for what they are: none has an empty segment, "." or "..". Stores that
// keep objects as files take such keys for others. A slash at the end of a key is
// fine; it is how folders are marked.
func (r *Request) Verbatim() bool {
	if !Verbatim(r.Key) || !Verbatim(r.SourceKey) {
		return false
	}
	for i := range r.params {
		switch r.params[i].name {
		case "prefix", "marker", "key-marker", "start-after":
			if !Verbatim(r.params[i].value) {
				return false
			}
		}
	}
	return true
}

// Verbatim reports whether every store takes key for what it is; see
// Request.Verbatim. A backslash counts as a slash would before and after dots.
func Verbatim(key string) bool {
	start := 0
	for i := 0; i <= len(key); i++ {
		if i < len(key) && key[i] != '/' && key[i] != '\\' {
			continue
		}
		switch key[start:i] {
		case "":
			if i < len(key) || key == "/" {
				return false
			}
		case ".", "..":
			return false
		}
		start = i + 1
	}
	return true
}

// readKey decodes and checks a key.
func readKey(raw string) (string, error) {
	key, ok := decode(raw, false)
	switch {
	case !ok:
		return "", fail("InvalidURI", "Couldn't parse the specified URI.")
	case len(key) > maxKey:
		return "", fail("KeyTooLongError", "Your key is too long.")
	case !plain(key):
		return "", fail("InvalidURI", "A key must be UTF-8 without control characters.")
	}
	return key, nil
}

// CheckKey reports whether Parse would take key, which came in a body. The error is an
// *Error.
func CheckKey(key string) error {
	switch {
	case key == "":
		return fail("InvalidArgument", "A key must not be empty.")
	case len(key) > maxKey:
		return fail("KeyTooLongError", "Your key is too long.")
	case !plain(key):
		return fail("InvalidArgument", "A key must be UTF-8 without control characters.")
	}
	return nil
}

// plain reports whether s is UTF-8 without control characters of ASCII.
func plain(s string) bool {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f:
			return false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return ascii || utf8.ValidString(s)
}

// fail returns the error with the status that S3 gives to code.
func fail(code, message string) error {
	return &Error{Code: code, Message: message, Status: statuses[code]}
}

// statuses has S3's status of every code in use here (S3 API Reference, "Error
// responses").
var statuses = map[string]int{
	"AccessForbidden":         http.StatusForbidden,
	"EntityTooLarge":          http.StatusBadRequest,
	"InvalidArgument":         http.StatusBadRequest,
	"InvalidBucketName":       http.StatusBadRequest,
	"InvalidRequest":          http.StatusBadRequest,
	"InvalidURI":              http.StatusBadRequest,
	"InvalidTag":              http.StatusBadRequest,
	"KeyTooLongError":         http.StatusBadRequest,
	"MalformedXML":            http.StatusBadRequest,
	"MethodNotAllowed":        http.StatusMethodNotAllowed,
	"NotImplemented":          http.StatusNotImplemented,
	"MissingRequestBodyError": http.StatusBadRequest,
}

func unsupported(op string) error {
	return &Error{Code: "NotImplemented", Status: http.StatusNotImplemented, Op: op,
		Message: "The gateway does not support the operation " + op + "."}
}

// quote makes a name from a request fit for a message.
func quote(s string) string {
	return "'" + strings.Map(func(c rune) rune {
		if c <= ' ' || c > '~' || c == '\'' {
			return '?'
		}
		return c
	}, s[:min(len(s), 64)]) + "'"
}
