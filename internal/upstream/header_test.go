// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestForwardable(t *testing.T) {
	client := http.Header{
		// What goes on.
		"Accept": {"*/*"}, "Accept-Encoding": {"identity"}, "Cache-Control": {"no-cache"}, "Content-Type": {"text/plain"},
		"Content-Md5": {"x"}, "If-None-Match": {"*"}, "Range": {"bytes=0-1"}, "User-Agent": {"aws-cli"}, "Origin": {"https://a.example"},
		"X-Amz-Meta-A": {"1", "2"}, "X-Amz-Acl": {"private"}, "X-Amz-Copy-Source": {"/b/k"}, "X-Amz-Checksum-Crc32": {"AAAAAA=="},
		"X-Amz-Target": {"T.Op"}, "X-Amzn-Query-Mode": {"true"}, "Amz-Sdk-Request": {"attempt=1"}, "Smithy-Protocol": {"rpc-v2-cbor"},
		"Content-Encoding": {"aws-chunked, gzip"},
		// What does not.
		"Authorization": {"AWS4-HMAC-SHA256 x"}, "X-Amz-Date": {"x"}, "Date": {"x"}, "X-Amz-Security-Token": {"x"}, "X-Amz-Content-Sha256": {"x"},
		"X-Amz-Decoded-Content-Length": {"1"}, "X-Amz-Trailer": {"x"}, "Content-Length": {"1"}, "Host": {"x"},
		"Connection": {"close, X-Amz-Request-Payer"}, "X-Amz-Request-Payer": {"requester"}, "Keep-Alive": {"x"}, "Te": {"trailers"}, "Trailer": {"x"},
		"Transfer-Encoding": {"chunked"}, "Upgrade": {"h2c"}, "Proxy-Authorization": {"x"}, "Proxy-Connection": {"x"}, "Expect": {"100-continue"},
		"Cookie": {"a=b"}, "X-Forwarded-For": {"1.2.3.4"}, "X-Forwarded-Host": {"x"}, "Forwarded": {"for=x"}, "X-Real-Ip": {"1.2.3.4"},
		"X-Http-Method-Override": {"DELETE"}, "X-Original-Url": {"/other"}, "X-Rewrite-Url": {"/other"}, "Idempotency-Key": {"x"},
		"X-Minio-Force-Delete": {"true"}, "X-Minio-Extract": {"true"}, "X-Amz-Meta-Snowball-Auto-Extract": {"true"}, "X-Rgw-Admin": {"x"},
		"x-amz-acl": {"public-read"}, // no spelling that a server makes
	}
	before := maps.Clone(client)
	got := slices.Sorted(maps.Keys(Forwardable(client)))
	want := []string{"Accept", "Accept-Encoding", "Amz-Sdk-Request", "Cache-Control", "Content-Encoding", "Content-Md5", "Content-Type", "If-None-Match",
		"Origin", "Range", "Smithy-Protocol", "User-Agent", "X-Amz-Acl", "X-Amz-Checksum-Crc32", "X-Amz-Copy-Source", "X-Amz-Meta-A", "X-Amz-Target",
		"X-Amzn-Query-Mode"}
	if !slices.Equal(got, want) {
		t.Errorf("Forwardable = %q, want %q", got, want)
	}
	if !reflect.DeepEqual(client, before) {
		t.Error("Forwardable changed the client's headers")
	}
}

func TestContentEncoding(t *testing.T) {
	for _, test := range []struct{ in, want []string }{
		{nil, nil},
		{[]string{"gzip"}, []string{"gzip"}},
		{[]string{"gzip, br"}, []string{"gzip, br"}},
		{[]string{"aws-chunked"}, nil},
		{[]string{"AWS-Chunked"}, nil},
		{[]string{"aws-chunked,gzip"}, []string{"gzip"}},
		{[]string{"gzip , aws-chunked", "br"}, []string{"gzip,br"}},
		{[]string{"aws-chunked,,aws-chunked"}, nil},
	} {
		h := http.Header{}
		if test.in != nil {
			h["Content-Encoding"] = test.in
		}
		if got := Forwardable(h)["Content-Encoding"]; !slices.Equal(got, test.want) {
			t.Errorf("Forwardable(Content-Encoding %q) = %q, want %q", test.in, got, test.want)
		}
	}
}

// FuzzForwardable: whatever a client sends, nothing between two hops and
// nothing of its own signature goes on, and nothing is made up.
func FuzzForwardable(f *testing.F) {
	f.Add("Connection", "close, X-Amz-Acl", "X-Amz-Acl", "private")
	f.Add("connection", " x-amz-meta-a ,", "X-Amz-Meta-A", "1")
	f.Add("Content-Encoding", "aws-chunked,gzip", "Transfer-Encoding", "chunked")
	f.Add("X-Amz-Security-Token", "t", "Authorization", "AWS4-HMAC-SHA256")
	never := []string{"Authorization", "Connection", "Cookie", "Expect", "Host", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Te",
		"Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "X-Amz-Security-Token", "X-Amz-Date", "X-Amz-Content-Sha256",
		"X-Amz-Decoded-Content-Length", "X-Amz-Trailer", "X-Forwarded-For", "X-Http-Method-Override"}
	f.Fuzz(func(t *testing.T, name1, value1, name2, value2 string) {
		in := http.Header{}
		in.Add(name1, value1)
		in.Add(name2, value2)
		in.Add("X-Amz-Security-Token", "secret")
		out := Forwardable(in)
		for name, values := range out {
			for _, n := range never {
				if strings.EqualFold(name, n) {
					t.Errorf("%s goes on", name)
				}
			}
			for _, list := range in["Connection"] {
				for hop := range strings.SplitSeq(list, ",") {
					if strings.EqualFold(strings.Trim(hop, " \t"), name) && visible(name) && visible(strings.Trim(hop, " \t")) {
						t.Errorf("%s, which Connection names, goes on", name)
					}
				}
			}
			if name == "Content-Encoding" {
				if strings.Contains(strings.ToLower(strings.Join(values, ",")), ",aws-chunked,") {
					t.Errorf("Content-Encoding %q goes on", values)
				}
			} else if !slices.Equal(values, in[name]) {
				t.Errorf("%s goes on as %q, want %q", name, values, in[name])
			}
		}
	})
}
