// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// oracleCanonical is a second, slow and obvious implementation of the
// canonical request. ok is false for a target that nothing may sign.
func oracleCanonical(r *http.Request, service, signed, payload string) (canonical string, ok bool) {
	raw, query, _ := strings.Cut(r.RequestURI, "?")
	uri := raw
	if service == "s3" {
		segments := strings.Split(raw, "/")
		for i, s := range segments {
			plain, err := url.PathUnescape(s)
			if err != nil {
				return "", false
			}
			segments[i] = oracleEncode(plain)
		}
		uri = strings.Join(segments, "/")
	} else {
		uri = path.Clean(raw)
		if strings.HasSuffix(raw, "/") && uri != "/" {
			uri += "/"
		}
		uri = strings.ReplaceAll(oracleEncode(uri), "%2F", "/")
	}
	type pair struct{ name, value string }
	var pairs []pair
	for p := range strings.SplitSeq(query, "&") {
		if strings.Contains(p, ";") {
			return "", false
		}
		if p == "" {
			continue
		}
		name, value, _ := strings.Cut(p, "=")
		name, err1 := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil {
			return "", false
		}
		pairs = append(pairs, pair{oracleEncode(name), oracleEncode(value)})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return strings.Compare(a.value, b.value)
	})
	var params []string
	for _, p := range pairs {
		params = append(params, p.name+"="+p.value)
	}
	lines := []string{r.Method, uri, strings.Join(params, "&")}
	for name := range strings.SplitSeq(signed, ";") {
		values := slices.Clone(r.Header.Values(name))
		if name == "host" {
			values = []string{r.Host}
		}
		for i := range values {
			values[i] = regexp.MustCompile(" +").ReplaceAllString(strings.Trim(values[i], " \t"), " ")
		}
		lines = append(lines, name+":"+strings.Join(values, ","))
	}
	return strings.Join(append(lines, "", signed, payload), "\n"), true
}

func oracleEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

// oracleSignature signs a canonical request.
func oracleSignature(canonical, secret, stamp string, c Credential) string {
	mac := func(key, msg string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(msg))
		return string(h.Sum(nil))
	}
	key := mac(mac(mac(mac("AWS4"+secret, c.Date), c.Region), c.Service), "aws4_request")
	sum := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString([]byte(mac(key, "AWS4-HMAC-SHA256\n"+stamp+"\n"+c.Scope()+"\n"+hex.EncodeToString(sum[:]))))
}

func TestHMAC(t *testing.T) {
	for _, size := range []int{0, 1, 32, 63, 64, 65, 200, 1000} {
		key, msg := strings.Repeat("k", size), strings.Repeat("m", 1000-size)
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(msg))
		if got := hmacSHA256([]byte(key), []byte(msg)); !hmac.Equal(got[:], h.Sum(nil)) {
			t.Errorf("hmacSHA256(%d bytes, %d bytes) = %x, want %x", size, len(msg), got, h.Sum(nil))
		}
	}
}

// FuzzVerify signs a request with the oracle and then changes one byte of it.
// The request verifies unchanged, and changed exactly when the oracle sees no
// difference.
func FuzzVerify(f *testing.F) {
	f.Add("GET", "/a/../b", "x=1&y=%20", "v  w", []byte("body"), byte(0), 3, byte('c'))
	f.Add("PUT", "/bucket/a%2Fb/../ü", "acl&a=+b;", " v", []byte{}, byte(1), 9, byte('%'))
	f.Add("POST", "//x/./%7e%41", "b=2&b=1&&=", "", []byte("Action=ListUsers"), byte(2), 0, byte('/'))
	f.Add("POST", "/", "%zz", "\tq", []byte("x"), byte(7), 1, byte(' '))
	f.Fuzz(func(t *testing.T, method, target, query, header string, body []byte, what byte, pos int, to byte) {
		if method == "" || strings.ContainsAny(header+method, "\r\n") || strings.ContainsAny(target, "?\n") {
			t.Skip()
		}
		service := [...]string{"iam", "s3"}[what&1]
		c := Credential{s3ID, "20261122", "us-east-1", service}
		const stamp = "20261122T081500Z"
		const signed = "host;x-amz-content-sha256;x-amz-date;x-amz-meta-a"
		payload := HashPayload(body)
		r := &http.Request{Method: method, RequestURI: "/" + target + "?" + query, Host: "inn.example", Header: http.Header{
			"X-Amz-Date": {stamp}, "X-Amz-Meta-A": {header, "second"}, "X-Amz-Content-Sha256": {payload},
		}}
		v := Verifier{Now: at(stamp)}
		verify := func() error {
			s, err := Parse(r)
			if err != nil {
				return err
			}
			return v.Verify(r, s, s3Secret, append([]byte{}, body...))
		}
		want, ok := oracleCanonical(r, service, signed, payload)
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+c.String()+", SignedHeaders="+signed+
			", Signature="+oracleSignature(want, s3Secret, stamp, c))
		err := verify()
		if !ok {
			if err == nil {
				t.Fatalf("%s %q verifies", method, r.RequestURI)
			}
			return
		}
		if err == ErrTwoForms {
			t.Skip()
		}
		if err != nil {
			t.Fatalf("%s %q: %v, oracle\n%s", method, r.RequestURI, err, want)
		}

		change := func(s string) string {
			if s == "" {
				return string(to)
			}
			i := int(uint(pos) % uint(len(s)))
			return s[:i] + string(to) + s[i+1:]
		}
		switch what >> 1 % 4 {
		case 0:
			r.Method = change(r.Method)
		case 1:
			r.RequestURI = "/" + change(r.RequestURI[1:])
		case 2:
			r.Header["X-Amz-Meta-A"][0] = change(header)
		case 3:
			body = []byte(change(string(body)))
			payload = HashPayload(body)
		}
		got, ok := oracleCanonical(r, service, signed, payload)
		err = verify()
		if err == ErrTwoForms || r.Method == "" || strings.ContainsAny(r.Header["X-Amz-Meta-A"][0]+r.Method, "\r\n") {
			t.Skip()
		}
		if same := ok && got == want; same != (err == nil) {
			t.Fatalf("after the change, Verify = %v, and the oracle says the same = %t\n%s", err, same, got)
		}
	})
}
