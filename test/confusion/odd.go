// SPDX-License-Identifier: Apache-2.0

package confusion

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// The request of a client who may only act on objects open/eve/*.
const (
	own    = "/open/eve/mine"
	others = "/open/bob/theirs"
	secret = "/vault/secret"
)

// pick returns one of the values.
func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }

// odd returns a request that is strange in one to three ways, before it is signed,
// and what must be done to it afterwards.
func odd(r *rand.Rand, host string) (m *message, after []func(*message)) {
	m = &message{method: pick(r, "GET", "GET", "GET", "PUT", "DELETE", "HEAD", "POST"), target: own, version: "HTTP/1.1"}
	m.add("Host", host)
	if m.method == "PUT" || m.method == "POST" {
		m.body = "eve was here"
	}
	for range 1 + r.IntN(3) {
		if f := pick(r, oddities...)(r, m); f != nil {
			after = append(after, f)
		}
	}
	if m.body != "" {
		m.fields = append(m.fields, field{"Content-Length:", " " + strconv.Itoa(len(m.body))})
	}
	return m, after
}

// An oddity makes a request strange; what it returns, if anything, is done after
// signing.
type oddity func(*rand.Rand, *message) func(*message)

var oddities = []oddity{oddPath, oddPath, oddPath, oddPath, oddQuery, oddQuery, oddQuery, oddHeader, oddHeader, oddLength, oddSignature, oddLine, oddCopy, oddBody}

// oddPath writes the path so that it may mean another one.
func oddPath(r *rand.Rand, m *message) func(*message) {
	up := pick(r, "..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "%c0%ae%c0%ae", ". .", "...", "..;", "..%20", "%ff..")
	slash := pick(r, "/", "/", "%2f", "%2F", "%5c", "\\", "//", "/./", "%252f", "/%2e/", ";/", "/%00/", "%e2%88%95")
	where := pick(r, "vault/secret", "open/bob/theirs", "bob/theirs", "mine", "")
	m.target = pick(r,
		own+slash+up+slash+up+slash+where,
		"/open/eve"+slash+up+slash+where,
		"/open"+slash+up+slash+"vault/secret",
		slash+strings.TrimPrefix(own, "/"),
		"/"+slash+"vault/secret",
		"/open"+slash+"eve"+slash+"mine",
		own+slash,
		own+pick(r, "%00", "%0a", "%0d%0aX-Amz-Copy-Source:%20/vault/secret", "%", "%zz", "%2", "+", "%20", "#frag", "?", "*", "\t", "é", "%c3%28"),
		"http://"+pick(r, "vault.s3.test", "127.0.0.1", "x")+pick(r, own, secret),
		pick(r, "", "*", "vault/secret", "open/eve/mine", ":80/vault/secret", "//vault/secret"),
		"/open/eve/"+strings.Repeat("a/", r.IntN(400))+"z",
		"/OPEN/eve/mine", "/open/EVE/mine", "/open/eve", "/open/", "/", "/vault", secret, others,
		"/%6fpen/%65ve/mine", "/open%2feve%2fmine", "/open/eve/%6d%69%6e%65",
	)
	return nil
}

// oddQuery adds parameters that a store may take for others, or for an operation.
func oddQuery(r *rand.Rand, m *message) func(*message) {
	part := func() string {
		name := pick(r, "acl", "policy", "tagging", "uploads", "uploadId", "versionId", "versions", "delete", "list-type", "prefix", "partNumber",
			"location", "torrent", "restore", "select", "attributes", "legal-hold", "retention", "website", "cors", "x-id", "response-content-type", "X-Amz-Expires", "nothing")
		switch r.IntN(6) {
		case 0:
			name = strings.ToUpper(name)
		case 1:
			name = "%" + fmt.Sprintf("%02x", name[0]) + name[1:]
		case 2:
			name += pick(r, "%00", "%20", "[]", "+", ".", ";acl")
		}
		return name + pick(r, "", "=", "=1", "=eve/", "=vault", "=..%2f..%2fvault", "=a=b", "=%00", "=%zz", "=+")
	}
	q := part()
	for range r.IntN(3) {
		q += pick(r, "&", "&", "&", ";", "&&", "?", "&amp;") + part()
	}
	path, _, _ := strings.Cut(m.target, "?")
	m.target = path + "?" + q
	return nil
}

// oddHeader adds headers that change what a request means, before or after it is
// signed.
func oddHeader(r *rand.Rand, m *message) func(*message) {
	f := pick(r,
		field{"X-HTTP-Method-Override:", " DELETE"}, field{"X-Method-Override:", " PUT"}, field{"X-Original-URL:", " " + secret},
		field{"X-Rewrite-URL:", " " + secret}, field{"X-Forwarded-Host:", " vault.s3.test"}, field{"X-Forwarded-Prefix:", " /vault"},
		field{"Host:", " vault.s3.test"}, field{"host:", " vault"}, field{"Host :", " vault"}, field{"Connection:", " Authorization, X-Amz-Date"},
		field{"Connection:", " close, X-Amz-Content-Sha256"}, field{"Upgrade:", " h2c"}, field{"TE:", " trailers"}, field{"Expect:", " 100-continue"},
		field{"Expect:", " 200-maybe"}, field{"Range:", " bytes=0-0,1-1"}, field{"X-Amz-Acl:", " public-read"}, field{"X-Amz-Copy-Source-Range:", " bytes=0-3"},
		field{"x-amz-tagging-directive:", " COPY"}, field{"X-Amz-Mfa:", " 1 000000"}, field{"X-Amz-Security-Token:", " x"},
		field{"X_Amz_Copy_Source:", " " + secret}, field{"X-Amz-Copy-Source :", " " + secret}, field{" X-Amz-Copy-Source:", " " + secret},
		field{"X-Amz-Website-Redirect-Location:", " /vault/secret"}, field{"X-Amz-Bypass-Governance-Retention:", " true"},
		field{"Content-Encoding:", " aws-chunked"}, field{"X-Amz-Decoded-Content-Length:", " 3"}, field{"X-Amz-Trailer:", " x-amz-checksum-crc32"},
		field{"X-Amz-Date:", " 20200101T000000Z"}, field{"X-Amz-Meta-A\x00:", " b"}, field{"X-Amz-Meta-A:", " b\x00c"}, field{"X-Amz-Meta-A:", " a\r\n b"},
		field{"X-Amz-Meta-A:", " b\nX-Amz-Copy-Source: /vault/secret"}, field{"Cookie:", " a=b"}, field{"X-Amz-Object-Lock-Mode:", " GOVERNANCE"},
	)
	if r.IntN(2) == 0 {
		m.fields = append(m.fields, f)
		return nil
	}
	return func(m *message) { m.fields = append(m.fields, f) }
}

// oddLength says in two ways how long the body is, or smuggles a second request.
func oddLength(r *rand.Rand, m *message) func(*message) {
	smuggled := "GET " + secret + " HTTP/1.1\r\nHost: x\r\n\r\n"
	switch r.IntN(6) {
	case 0:
		return func(m *message) {
			m.fields = append(m.fields, field{"Transfer-Encoding:", pick(r, " chunked", " Chunked", "\tchunked", " chunked, identity", " xchunked", " identity")})
			m.body = "0\r\n\r\n" + smuggled
		}
	case 1:
		return func(m *message) {
			m.fields = append(m.fields, field{"Content-Length:", pick(r, " 0", " 5", " +5", " 5, 5", " 5, 6", " -1", " 0x5", " 99999999999999999999")})
			m.body += smuggled
		}
	case 2:
		return func(m *message) {
			m.fields = append(m.fields, field{pick(r, "Transfer-Encoding :", " Transfer-Encoding:", "Transfer_Encoding:", "Transfer-Encoding\x0b:"), " chunked"})
			m.body = "0\r\n\r\n" + smuggled
		}
	case 3:
		m.body = ""
		return func(m *message) {
			m.fields = append(m.fields, field{"Transfer-Encoding:", " chunked"})
			m.body = pick(r, "c\r\neve was here\r\n0\r\n\r\n", "0c;x=\ny\r\neve was here\r\n0\r\n\r\n", "C\neve was here\n0\n\n", "-c\r\neve was here\r\n0\r\n\r\n",
				"c\r\neve was here\r\n0\r\nX-Amz-Copy-Source: "+secret+"\r\n\r\n", "fffffffffffffffff\r\n")
		}
	case 4:
		return func(m *message) { m.body += smuggled }
	}
	return func(m *message) { m.body = m.body[:len(m.body)/2] }
}

// oddSignature adds a second signature, or breaks the first.
func oddSignature(r *rand.Rand, m *message) func(*message) {
	return pick(r,
		func(m *message) {
			m.add("Authorization", "AWS4-HMAC-SHA256 Credential=x, SignedHeaders=host, Signature=0")
		},
		func(m *message) { m.add("Authorization", "Bearer x") },
		func(m *message) {
			m.target += pick(r, "?", "&") + "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=x&X-Amz-Date=20200101T000000Z&X-Amz-Expires=1&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
		},
		func(m *message) { m.target += pick(r, "?", "&") + "AWSAccessKeyId=x&Signature=y&Expires=9999999999" },
		func(m *message) { m.fields = m.fields[:len(m.fields)-1] }, // nobody signed
		func(m *message) { m.fields[len(m.fields)-1].value += "0" },
		func(m *message) { m.target = strings.Replace(m.target, "mine", "other", 1) },
		func(m *message) { m.method = pick(r, "DELETE", "PUT", "POST") },
		func(m *message) { m.fields[0].value = " vault.s3.test" },
	)
}

// oddLine writes the request line in another way.
func oddLine(r *rand.Rand, m *message) func(*message) {
	m.method = pick(r, "get", "TRACE", "CONNECT", "OPTIONS", "PATCH", "PROPFIND", "G\x00ET", "DELETE", "PUT", "POST", "HEAD", "")
	if r.IntN(3) == 0 {
		m.version = pick(r, "HTTP/1.0", "HTTP/2.0", "HTTP/1.1 ", "http/1.1", "HTTP/1.2", "")
	}
	return nil
}

// oddCopy asks for a copy of something else.
func oddCopy(r *rand.Rand, m *message) func(*message) {
	m.method = "PUT"
	source := pick(r, secret, "vault/secret", "/vault%2fsecret", "open/eve/../../vault/secret", "open/eve/%2e%2e/%2e%2e/vault/secret", "open/eve/mine?versionId=../../vault",
		"/open/eve/mine, /vault/secret", "arn:aws:s3:::vault/secret", "open%2Feve%2Fmine", "http://x/vault/secret", "", "/", "open/eve/mine", "open//vault/secret", "vault/secret%00", others)
	m.add(pick(r, "X-Amz-Copy-Source", "x-amz-copy-source", "X-AMZ-Copy-Source"), source)
	if r.IntN(4) == 0 {
		m.add("X-Amz-Copy-Source", "open/eve/mine")
	}
	return nil
}

// oddBody sends a document that deletes, or a form.
func oddBody(r *rand.Rand, m *message) func(*message) {
	m.method = "POST"
	switch r.IntN(3) {
	case 0:
		m.target = "/open?delete"
		key := pick(r, "bob/theirs", "eve/mine", "eve/../bob/theirs", "eve/&#x2e;&#x2e;/bob/theirs", "<![CDATA[bob/theirs]]>", "&x;", "eve/mine</Key><Key>bob/theirs", " bob/theirs", "/bob/theirs", "../vault/secret")
		m.body = pick(r, "", "<!DOCTYPE x [<!ENTITY x 'bob/theirs'>]>", `<?xml version="1.0" encoding="utf-7"?>`) +
			"<Delete><Object><Key>eve/mine</Key></Object><Object><Key>" + key + "</Key></Object></Delete>"
		if r.IntN(2) == 0 {
			m.body += "<Delete><Object><Key>bob/theirs</Key></Object></Delete>"
		}
	case 1:
		m.target = pick(r, "/open", "/vault", "/open/eve/mine")
		m.add("Content-Type", pick(r, "multipart/form-data; boundary=x", "multipart/form-data; boundary=x; boundary=y", "multipart/form-data"))
		m.body = "--x\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\n" + pick(r, "eve/../bob/theirs", "bob/theirs", "eve/mine") +
			"\r\n--x\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\neve was here\r\n--x--\r\n"
	default:
		m.method, m.target = "PUT", own
		m.body = strings.Repeat("eve was here ", r.IntN(1000))
	}
	return nil
}
