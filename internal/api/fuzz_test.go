// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// request is what net/http makes of a request, however malformed.
func request(method, target, contentType, body string) *http.Request {
	r := post(body)
	path, query, _ := strings.Cut(target, "?")
	r.Method, r.RequestURI, r.URL.Path, r.URL.RawQuery = method, target, path, query
	r.Header.Set("Content-Type", contentType)
	return r
}

// FuzzServe: nobody gets anything without a signature, whatever is sent; every
// answer is well-formed and every request leaves one record.
func FuzzServe(f *testing.F) {
	form := call("MakeThing", "Name=one")
	f.Add("POST", "/", "application/x-www-form-urlencoded", "", form)
	f.Add("GET", "/?"+form, "", "AWS4-HMAC-SHA256 Credential=KEY/20260102/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0", "")
	f.Add("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=KEY%2F20260102%2Fus-east-1%2Fiam%2Faws4_request"+
		"&X-Amz-Date=20260102T030405Z&X-Amz-SignedHeaders=host&X-Amz-Signature=0&"+form, "", "", "")
	f.Add("PUT", "/%zz", "\x00", "AWS a:b", "\xff<>&")
	s := open(f)
	s.Log = nil
	f.Fuzz(func(t *testing.T, method, target, contentType, authorization, body string) {
		target, authorization = strings.ReplaceAll(target, "KEY", s.key.AccessKeyID), strings.ReplaceAll(authorization, "KEY", s.key.AccessKeyID)
		r := request(method, target, contentType, body)
		r.Header.Set("X-Amz-Date", now.Format("20060102T150405Z"))
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		w, records := s.do(t, r)
		if w.Code < 400 {
			t.Errorf("answer = %d %s", w.Code, w.Body)
		}
		if a := parse(t, w); a.XMLName.Local != "ErrorResponse" || a.Code == "" || a.RequestID == "" || a.Code == "ServiceFailure" {
			t.Errorf("answer = %+v", a)
		}
		if len(records) != 1 || records[0].ErrorCode == "" {
			t.Errorf("records = %+v, want one of a failure", records)
		}
		if got := s.stages(); len(got) > 0 {
			t.Errorf("stages = %q, want none", got)
		}
	})
}

// FuzzTamper: a signature is good for what was signed and nothing else. Whatever
// is sent with a signature of ann's, an operation runs only as she signed it.
func FuzzTamper(f *testing.F) {
	const form = "application/x-www-form-urlencoded"
	signed := call("ReadThing", "Name=one")
	f.Add(uint8(0), "POST", "/", form, signed)
	f.Add(uint8(0), "POST", "/./", form, signed)
	f.Add(uint8(0), "POST", "/?Action=MakeThing", form, signed)
	f.Add(uint8(0), "POST", "/", form, call("MakeThing", "Name=one"))
	f.Add(uint8(1), "GET", "/?"+signed, "", "")
	f.Add(uint8(1), "GET", "/?Version="+version+"&Name=%6fne&Action=ReadThing&", "", "")
	f.Add(uint8(1), "GET", "/?"+signed, form, call("MakeThing", "Name=one"))
	f.Add(uint8(2), "GET", "/?"+signed, form, call("MakeThing", "Name=one"))
	f.Add(uint8(2), "GET", "/?"+signed+"&Name=two", "", "")
	s := open(f)
	s.Log = nil
	inBody := s.sign(f, post(signed), signed).Header
	get := httptest.NewRequest(http.MethodGet, "http://inn.test/?"+signed, nil)
	must(f, s.key.Sign(get, sigv4.EmptyPayload))
	presigned, err := s.key.Presign(httptest.NewRequest(http.MethodGet, "http://inn.test/?"+signed, nil), time.Hour, "")
	must(f, err)
	_, presigned, _ = strings.Cut(presigned, "X-Amz-Algorithm")
	f.Fuzz(func(t *testing.T, kind uint8, method, target, contentType, body string) {
		var r *http.Request
		switch kind % 3 {
		case 0:
			r = request(method, target, contentType, body)
			copyHeaders(r, inBody)
		case 1:
			r = request(method, target, contentType, body)
			copyHeaders(r, get.Header)
		case 2:
			r = request(method, target+"&X-Amz-Algorithm"+presigned, contentType, body)
		}
		w, records := s.do(t, r)
		if len(records) != 1 {
			t.Fatalf("%d records, want 1", len(records))
		}
		rec := records[0]
		if rec.Identity.Type == "Unknown" && w.Code >= 400 {
			return
		}
		if rec.EventName != "ReadThing" || string(rec.RequestParameters) != `{"name":"one"}` || w.Code != http.StatusOK {
			t.Errorf("%s %s with %s %q did %s(%s): %d", method, target, contentType, body, rec.EventName, rec.RequestParameters, w.Code)
		}
	})
}

// copyHeaders gives r what a signature came with.
func copyHeaders(r *http.Request, from http.Header) {
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		if v, ok := from[name]; ok {
			r.Header[name] = v
		}
	}
}
