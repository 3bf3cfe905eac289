// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"net/http"
	"strings"
)

// A mask is a set of headers that permissions or condition keys depend on.
type mask uint64

// Those headers. The order is that of counted.
const (
	hasACL mask = 1 << iota
	hasGrantFull
	hasGrantRead
	hasGrantReadACP
	hasGrantWrite
	hasGrantWriteACP
	hasCopySource
	hasMetadataDirective
	hasAnnotationDirective
	hasSSE
	hasSSEKey
	hasSSEC
	hasStorageClass
	hasWebsite
	hasOwnership
	hasNamespace
	hasLockMode
	hasLockUntil
	hasLegalHold
	hasEventHold
	hasEventDays
	hasEventYears
	hasObjectIfMatch
	hasIfMatch
	hasIfNoneMatch
	hasTagging
	hasTaggingDirective
	hasBucketLock
	hasBypass

	hasGrant     = hasGrantFull | hasGrantRead | hasGrantReadACP | hasGrantWrite | hasGrantWriteACP
	hasRetention = hasLockMode | hasLockUntil | hasEventHold | hasEventDays | hasEventYears
)

// counted are the headers of the masks, in order, with the condition key that has the
// header's value; "" for headers that no key has as they are.
var counted = []struct{ header, key string }{
	{"X-Amz-Acl", "s3:x-amz-acl"},
	{"X-Amz-Grant-Full-Control", "s3:x-amz-grant-full-control"},
	{"X-Amz-Grant-Read", "s3:x-amz-grant-read"},
	{"X-Amz-Grant-Read-Acp", "s3:x-amz-grant-read-acp"},
	{"X-Amz-Grant-Write", "s3:x-amz-grant-write"},
	{"X-Amz-Grant-Write-Acp", "s3:x-amz-grant-write-acp"},
	{"X-Amz-Copy-Source", ""},
	{"X-Amz-Metadata-Directive", "s3:x-amz-metadata-directive"},
	{"X-Amz-Object-Annotation-Directive", "s3:x-amz-object-annotation-directive"},
	{"X-Amz-Server-Side-Encryption", "s3:x-amz-server-side-encryption"},
	{"X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id", "s3:x-amz-server-side-encryption-aws-kms-key-id"},
	{"X-Amz-Server-Side-Encryption-Customer-Algorithm", "s3:x-amz-server-side-encryption-customer-algorithm"},
	{"X-Amz-Storage-Class", "s3:x-amz-storage-class"},
	{"X-Amz-Website-Redirect-Location", "s3:x-amz-website-redirect-location"},
	{"X-Amz-Object-Ownership", "s3:x-amz-object-ownership"},
	{"X-Amz-Bucket-Namespace", "s3:x-amz-bucket-namespace"},
	{"X-Amz-Object-Lock-Mode", "s3:object-lock-mode"},
	{"X-Amz-Object-Lock-Retain-Until-Date", "s3:object-lock-retain-until-date"},
	{"X-Amz-Object-Lock-Legal-Hold", "s3:object-lock-legal-hold"},
	{"X-Amz-Object-Lock-Event-Hold", "s3:object-lock-event-hold"},
	{"X-Amz-Object-Lock-Event-Hold-Duration-Days", ""},
	{"X-Amz-Object-Lock-Event-Hold-Duration-Years", ""},
	{"X-Amz-Object-If-Match", "s3:x-amz-object-if-match"},
	{"If-Match", "s3:if-match"},
	{"If-None-Match", "s3:if-none-match"},
	{"X-Amz-Tagging", ""},
	{"X-Amz-Tagging-Directive", ""},
	{"X-Amz-Bucket-Object-Lock-Enabled", ""},
	{"X-Amz-Bypass-Governance-Retention", ""},
}

// A headerGroup is a set of headers that some operations take and others do not.
type headerGroup uint32

const (
	aboutSignature headerGroup = 1 << iota // every operation; the upstream does not get them
	everywhere                             // every operation
	framing                                // of a body; the upstream has its own
	checksums                              // of a body
	acls
	metadata
	encryption  // what the store encrypts with
	customerKey // the key that the client encrypts with
	copying     // of a source
	copyRange   // of a source
	directives  // what of a source is copied
	storing     // how an object is stored
	tagging     // of a new object
	locking     // of a new object
	multipart   // of an upload as a whole
	attributes
	listing
	mfa
	bypass
	deleteIf
	abortIf
	bucketNew
	lockToken
	removeSelf
	skipDestination
	minimumSize
	annotationIf

	sums      = framing | checksums
	newObject = acls | metadata | encryption | customerKey | storing | tagging | locking
)

// groups say which headers of S3 there are. The names of metadata begin with
// X-Amz-Meta-.
var groups = map[headerGroup]string{
	aboutSignature: "Date Content-Sha256 Security-Token",
	everywhere:     "User-Agent Expected-Bucket-Owner Request-Payer Sdk-Checksum-Algorithm Checksum-Algorithm Checksum-Mode",
	framing:        "Trailer Decoded-Content-Length",
	checksums: "Checksum-Crc32 Checksum-Crc32c Checksum-Crc64nvme Checksum-Sha1 " +
		"Checksum-Sha256 Checksum-Sha512 Checksum-Md5 Checksum-Xxhash64 Checksum-Xxhash3 Checksum-Xxhash128",
	acls: "Acl Grant-Full-Control Grant-Read Grant-Read-Acp Grant-Write Grant-Write-Acp",
	encryption: "Server-Side-Encryption Server-Side-Encryption-Aws-Kms-Key-Id Server-Side-Encryption-Context " +
		"Server-Side-Encryption-Bucket-Key-Enabled",
	customerKey: "Server-Side-Encryption-Customer-Algorithm Server-Side-Encryption-Customer-Key Server-Side-Encryption-Customer-Key-Md5",
	copying: "Copy-Source Copy-Source-If-Match Copy-Source-If-None-Match Copy-Source-If-Modified-Since Copy-Source-If-Unmodified-Since " +
		"Copy-Source-Server-Side-Encryption-Customer-Algorithm Copy-Source-Server-Side-Encryption-Customer-Key " +
		"Copy-Source-Server-Side-Encryption-Customer-Key-Md5 Source-Expected-Bucket-Owner",
	copyRange:  "Copy-Source-Range",
	directives: "Metadata-Directive Tagging-Directive Object-Annotation-Directive",
	storing:    "Storage-Class Website-Redirect-Location",
	tagging:    "Tagging",
	locking: "Object-Lock-Mode Object-Lock-Retain-Until-Date Object-Lock-Legal-Hold Object-Lock-Event-Hold " +
		"Object-Lock-Event-Hold-Duration-Days Object-Lock-Event-Hold-Duration-Years",
	multipart:       "Checksum-Type Mp-Object-Size",
	attributes:      "Object-Attributes Max-Parts Part-Number-Marker",
	listing:         "Optional-Object-Attributes",
	mfa:             "Mfa",
	bypass:          "Bypass-Governance-Retention",
	deleteIf:        "If-Match-Last-Modified-Time If-Match-Size",
	abortIf:         "If-Match-Initiated-Time",
	bucketNew:       "Bucket-Object-Lock-Enabled Object-Ownership Bucket-Namespace",
	lockToken:       "Bucket-Object-Lock-Token",
	removeSelf:      "Confirm-Remove-Self-Bucket-Access",
	skipDestination: "Skip-Destination-Validation",
	minimumSize:     "Transition-Default-Minimum-Object-Size",
	annotationIf:    "Object-If-Match",
}

// A headerInfo is what is known of a header.
type headerInfo struct {
	group headerGroup // 0: HTTP's own, which go with any operation
	bit   mask
	send  bool // an upstream may get it
	many  bool // it may come more than once
}

// known has every header that matters, under its canonical name.
var known = func() map[string]headerInfo {
	t := map[string]headerInfo{}
	for g, names := range groups {
		for name := range strings.FieldsSeq(names) {
			t["X-Amz-"+name] = headerInfo{group: g, send: g != aboutSignature && g != framing}
		}
	}
	for name := range strings.FieldsSeq("Content-Disposition Content-Length Content-Md5 Content-Type Expires " +
		"If-Match If-Modified-Since If-None-Match If-Range If-Unmodified-Since Origin Range User-Agent") {
		t[name] = headerInfo{send: true}
	}
	for name := range strings.FieldsSeq("Accept Accept-Encoding Accept-Language Cache-Control Content-Encoding Content-Language") {
		t[name] = headerInfo{send: true, many: true}
	}
	for name := range strings.FieldsSeq("Authorization Date Expect Host Transfer-Encoding") {
		t[name] = headerInfo{}
	}
	for i, c := range counted {
		info := t[c.header]
		info.bit = 1 << i
		t[c.header] = info
	}
	return t
}()

const metaPrefix = "X-Amz-Meta-"

// readHeaders judges the headers by the operation, and remembers those that count.
func (r *Request) readHeaders(h http.Header) error {
	for name, values := range h {
		if err := r.readHeader(name, len(values)); err != nil {
			return err
		}
	}
	for name := range r.Hoisted {
		if len(h[name]) > 0 {
			return fail("InvalidArgument", "The header "+quote(name)+" must come once.")
		}
		if err := r.readHeader(name, 1); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) readHeader(name string, n int) error {
	info, ok := known[name]
	switch {
	case ok:
	case strings.HasPrefix(name, metaPrefix) && !strings.HasPrefix(name, metaPrefix+"Snowball-"):
		info.group = metadata
	case alias(name): // also Snowball's, which make a store unpack an archive into many objects
		return fail("NotImplemented", "A header you provided implies functionality that is not implemented: "+quote(name))
	default:
		return nil // Header does not send it
	}
	switch {
	case n > 1 && !info.many:
		return fail("InvalidArgument", "The header "+quote(name)+" must come once.")
	case info.group != 0 && info.group&(r.Op.headers|everywhere|aboutSignature) == 0:
		return fail("NotImplemented", "The operation "+r.Op.Name+" has no header "+quote(name)+".")
	}
	r.has |= info.bit
	return nil
}

// alias reports whether some server could take a header that we do not know for one that
// S3 knows: because it begins like them, or would if underscores were hyphens, as servers
// behind CGI and WSGI read them.
func alias(name string) bool {
	if strings.IndexByte(name, '_') >= 0 {
		name = http.CanonicalHeaderKey(strings.ReplaceAll(name, "_", "-"))
		if _, ok := known[name]; ok {
			return true
		}
	}
	return len(name) >= 6 && strings.EqualFold(name[:6], "x-amz-")
}

// MustSign reports whether S3 takes the header, given under its canonical name, only from
// a signed request that signs it.
func MustSign(name string) bool { return strings.HasPrefix(name, "X-Amz-") }

// Header returns the headers of the request that an upstream may get: those that mean something to S3, with
// the hoisted ones and the canonical source of a copy. Others, which a store may give a meaning that
// we do not know, are left out, and so are signatures, framing and hop-by-hop headers. The values are
// shared with h.
func (r *Request) Header(h http.Header) http.Header {
	out := make(http.Header, len(h)+len(r.Hoisted))
	for name, values := range h {
		if known[name].send || strings.HasPrefix(name, metaPrefix) {
			out[name] = values
		}
	}
	for name, values := range r.Hoisted {
		if known[name].send || strings.HasPrefix(name, metaPrefix) {
			out[name] = values
		}
	}
	if r.CopySource != "" {
		out["X-Amz-Copy-Source"] = []string{r.CopySource}
	}
	return out
}

// A directiveOf says what becomes of a part of a copy's source.
type directiveOf uint8

const (
	copied directiveOf = iota // unless something else is asked for
	asked                     // copied because the request says so
	replaced
)

// directive reads x-amz-tagging-directive. What is neither COPY nor REPLACE counts as
// asking for a copy, which needs more (quirk Q119).
func directive(value string) directiveOf {
	switch value {
	case "":
		return copied
	case "REPLACE":
		return replaced
	}
	return asked
}

// readCopySource reads x-amz-copy-source: bucket/key with or without a slash before it, percent-encoded,
// then perhaps ?versionId=. A plus sign is a plus sign (quirk Q110).
func (r *Request) readCopySource(v string) error {
	bad := fail("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	if strings.HasPrefix(v, "arn:") || strings.HasPrefix(v, "/arn:") {
		return fail("NotImplemented", "A copy source that is the ARN of an access point is not implemented.")
	}
	v, query, hasQuery := strings.Cut(strings.TrimPrefix(v, "/"), "?")
	bucket, rawKey, _ := strings.Cut(v, "/")
	if rawKey == "" {
		return bad
	}
	if !ValidBucket(bucket) {
		return fail("InvalidBucketName", "The bucket of the copy source is not valid.")
	}
	key, err := readKey(rawKey)
	if err != nil {
		return err
	}
	version := ""
	if hasQuery {
		raw, named := strings.CutPrefix(query, "versionId=")
		var ok bool
		if version, ok = decode(raw, false); !named || !ok || !token(version) || !plain(version) || strings.ContainsAny(raw, "&;?#") {
			return fail("InvalidArgument", "The copy source has a malformed version id.")
		}
	}
	r.SourceBucket, r.SourceKey, r.SourceVersion = bucket, key, version
	var b strings.Builder
	b.WriteString(objectPath(bucket, key)[1:])
	if version != "" {
		b.WriteString("?versionId=")
		writeEncoded(&b, version, false)
	}
	r.CopySource = b.String()
	return nil
}
