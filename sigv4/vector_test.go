// SPDX-License-Identifier: Apache-2.0

package sigv4

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The credentials of AWS's published examples.
const (
	suiteID     = "AKIDEXAMPLE"
	suiteSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	s3ID        = "AKIAIOSFODNN7EXAMPLE"
	s3Secret    = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// request reads a request as a server does, except that the target may have
// bytes that a server refuses. headers are separated by newlines.
func request(t testing.TB, method, target, headers, body string) *http.Request {
	t.Helper()
	text := method + " / HTTP/1.1\r\n" + strings.ReplaceAll(headers, "\n", "\r\n") + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
	if err != nil {
		t.Fatalf("ReadRequest(%q): %v", text, err)
	}
	r.RequestURI = target
	r.Body = io.NopCloser(strings.NewReader(body))
	return r
}

func at(stamp string) func() time.Time {
	t, _ := parseTime(stamp)
	return func() time.Time { return t }
}

// canonicalHash returns the hash of the canonical request.
func canonicalHash(t *testing.T, r *http.Request, s *Signature, payload string) string {
	t.Helper()
	path, query, err := splitTarget(r)
	if err != nil {
		t.Fatal(err)
	}
	sc := new(scratch)
	m := message{r: r, path: path, query: query, s3: s.S3(), signedHeaders: s.SignedHeaders, payload: []byte(payload)}
	if err := sc.canonicalise(&m); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(sc.buf)
	return hex.EncodeToString(sum[:])
}

// TestSuite has the cases of AWS's Signature Version 4 test suite: 30 August
// 2015, us-east-1, service "service".
func TestSuite(t *testing.T) {
	const common = "Host:example.amazonaws.com\nX-Amz-Date:20150830T123600Z"
	tests := []struct {
		name, method, target, headers, body string
		signed, signature                   string
	}{
		{"nothing-but-a-host", "GET", "/", "", "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"post", "POST", "/", "", "", "host;x-amz-date",
			"5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"query-sorted-by-name", "GET", "/?Param2=value2&Param1=value1", "", "", "host;x-amz-date",
			"b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"query-unreserved-characters", "GET",
			"/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
			"", "", "host;x-amz-date", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		{"query-in-utf8", "GET", "/?ሴ=bar", "", "", "host;x-amz-date",
			"2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{"path-unreserved-characters", "GET",
			"/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "", "", "host;x-amz-date",
			"07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{"path-in-utf8", "GET", "/ሴ", "", "", "host;x-amz-date",
			"8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		{"path-with-a-space", "GET", "/example space/", "", "", "host;x-amz-date",
			"652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
		{"path-relative", "GET", "/example/..", "", "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"path-relative-twice", "GET", "/example1/example2/../..", "", "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"path-slash-dot-slash", "GET", "/./", "", "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"path-two-slashes", "GET", "//", "", "", "host;x-amz-date",
			"5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"path-pointless-dot", "GET", "/./example", "", "", "host;x-amz-date",
			"ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
		{"path-many-slashes", "GET", "//example//", "", "", "host;x-amz-date",
			"9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
		{"header-repeated", "GET", "/", "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1", "", "host;my-header1;x-amz-date",
			"c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		{"header-values-keep-their-order", "GET", "/", "My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2", "", "host;my-header1;x-amz-date",
			"08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
		{"header-values-are-trimmed", "GET", "/", "My-Header1: value1\nMy-Header2: \"a   b   c\"", "", "host;my-header1;my-header2;x-amz-date",
			"acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		{"header-on-several-lines", "GET", "/", "My-Header1:value1\n  value2\n     value3", "", "host;my-header1;x-amz-date",
			"cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd"},
		{"post-header-signed", "POST", "/", "My-Header1:value1", "", "host;my-header1;x-amz-date",
			"c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
		{"post-form", "POST", "/", "Content-Type:application/x-www-form-urlencoded", "Param1=value1", "content-type;host;x-amz-date",
			"ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
		{"post-form-with-charset", "POST", "/", "Content-Type:application/x-www-form-urlencoded; charset=utf8", "Param1=value1", "content-type;host;x-amz-date",
			"1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			headers := strings.TrimSuffix(common+"\n"+test.headers, "\n")
			r := request(t, test.method, test.target, headers, "")
			r.Header.Set("Authorization", algorithm+" Credential="+suiteID+"/20150830/us-east-1/service/aws4_request, SignedHeaders="+
				test.signed+", Signature="+test.signature)
			s, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			v := Verifier{Now: at("20150830T123600Z"), Services: []string{"service"}, Regions: []string{"us-east-1"}}
			if err := v.Verify(r, s, suiteSecret, []byte(test.body)); err != nil {
				t.Errorf("Verify = %v, want nil", err)
			}
		})
	}
}

// TestUserGuide has the worked example of the IAM User Guide, "Create a signed
// AWS API request", with its intermediate results.
func TestUserGuide(t *testing.T) {
	const want = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	r := request(t, "GET", "/?Action=ListUsers&Version=2010-05-08", "Host: iam.amazonaws.com\n"+
		"Content-Type: application/x-www-form-urlencoded; charset=utf-8\nX-Amz-Date: 20150830T123600Z", "")
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "+
		"SignedHeaders=content-type;host;x-amz-date, Signature="+want)
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := canonicalHash(t, r, s, EmptyPayload), "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"; got != want {
		t.Errorf("canonical request hash = %s, want %s", got, want)
	}
	key := DeriveKey(suiteSecret, "20150830", "us-east-1", "iam")
	if got, want := hex.EncodeToString(key[:]), "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"; got != want {
		t.Errorf("DeriveKey = %s, want %s", got, want)
	}
	v := Verifier{Now: at("20150830T124059Z")}
	if err := v.VerifyKey(r, s, key, nil); err != nil {
		t.Errorf("VerifyKey = %v, want nil", err)
	}
}

// TestS3Examples has the examples of the S3 API Reference, "Signature
// Calculations for the Authorization Header" and "Using Query Parameters":
// 24 May 2013, us-east-1, bucket examplebucket.
func TestS3Examples(t *testing.T) {
	const common = "Host:examplebucket.s3.amazonaws.com\nx-amz-date:20130524T000000Z\nx-amz-content-sha256:"
	const scope = s3ID + "/20130524/us-east-1/s3/aws4_request"
	tests := []struct {
		name, method, target, headers, signed, canonical, signature string
	}{
		{"get-object-with-range", "GET", "/test.txt", common + EmptyPayload + "\nRange: bytes=0-9",
			"host;range;x-amz-content-sha256;x-amz-date",
			"7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
			"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
		{"put-object-with-date-header-and-odd-key", "PUT", "/test%24file.text",
			common + "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072" +
				"\nDate: Fri, 24 May 2013 00:00:00 GMT\nx-amz-storage-class: REDUCED_REDUNDANCY",
			"date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
			"9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
			"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
		{"get-bucket-lifecycle-parameter-without-value", "GET", "/?lifecycle", common + EmptyPayload,
			"host;x-amz-content-sha256;x-amz-date",
			"9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
			"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
		{"list-objects", "GET", "/?max-keys=2&prefix=J", common + EmptyPayload,
			"host;x-amz-content-sha256;x-amz-date",
			"df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
			"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	}
	v := Verifier{Now: at("20130524T000000Z"), Services: []string{"s3"}}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := request(t, test.method, test.target, test.headers, "")
			r.Header.Set("Authorization", algorithm+" Credential="+scope+",SignedHeaders="+test.signed+",Signature="+test.signature)
			s, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := canonicalHash(t, r, s, s.Payload); got != test.canonical {
				t.Errorf("canonical request hash = %s, want %s", got, test.canonical)
			}
			if err := v.Verify(r, s, s3Secret, nil); err != nil {
				t.Errorf("Verify = %v, want nil", err)
			}
		})
	}
	t.Run("presigned-get-object", func(t *testing.T) {
		r := request(t, "GET", "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"+
			"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"+
			"&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404", "Host:examplebucket.s3.amazonaws.com", "")
		s, err := Parse(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := canonicalHash(t, r, s, s.Payload), "3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04"; got != want {
			t.Errorf("canonical request hash = %s, want %s", got, want)
		}
		v := Verifier{Now: at("20130525T000000Z")}
		if err := v.Verify(r, s, s3Secret, nil); err != nil {
			t.Errorf("Verify = %v, want nil", err)
		}
		v.Now = at("20130525T000001Z")
		if err, ok := errors.AsType[*ExpiredError](v.Verify(r, s, s3Secret, nil)); !ok {
			t.Errorf("Verify a second too late = %v, want an *ExpiredError", err)
		}
	})
}

// TestS3ChunkedExamples has the examples of the S3 API Reference, "Transferring
// Payload in Multiple Chunks", without and with a trailer: 66,560 times "a".
func TestS3ChunkedExamples(t *testing.T) {
	const headers = "Host:s3.amazonaws.com\nx-amz-date:20130524T000000Z\nx-amz-storage-class:REDUCED_REDUNDANCY\n" +
		"Content-Encoding:aws-chunked\nx-amz-decoded-content-length:66560\nx-amz-content-sha256:"
	data := strings.Repeat("a", 66560)
	body := func(first, second, last, end string) string {
		return "10000;chunk-signature=" + first + "\r\n" + data[:65536] + "\r\n" +
			"400;chunk-signature=" + second + "\r\n" + data[65536:] + "\r\n" +
			"0;chunk-signature=" + last + "\r\n" + end + "\r\n"
	}
	tests := []struct{ name, headers, signed, signature, body string }{
		{"signed-chunks", headers + StreamingSigned + "\nContent-Length:66824",
			"content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
			"4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
			body("ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
				"0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
				"b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9", "")},
		{"signed-chunks-and-trailer", headers + StreamingSignedTrailer + "\nx-amz-trailer:x-amz-checksum-crc32c",
			"content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
			"106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
			body("b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
				"1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
				"2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
				"x-amz-checksum-crc32c:sOO8/Q==\n\r\nx-amz-trailer-signature:"+
					"d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := request(t, "PUT", "/examplebucket/chunkObject.txt", test.headers, test.body)
			r.Header.Set("Authorization", algorithm+" Credential="+s3ID+"/20130524/us-east-1/s3/aws4_request,SignedHeaders="+
				test.signed+",Signature="+test.signature)
			s, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			v := Verifier{Now: at("20130524T000000Z")}
			if err := v.Verify(r, s, s3Secret, nil); err != nil {
				t.Fatalf("Verify = %v, want nil", err)
			}
			b, err := s.Body(r)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(b); err != nil || string(got) != data {
				t.Errorf("Body: %d bytes, %v, want %d, nil", len(got), err, len(data))
			}
			if test.name == "signed-chunks-and-trailer" && b.Trailer.Get("x-amz-checksum-crc32c") != "sOO8/Q==" {
				t.Errorf("Trailer = %v", b.Trailer)
			}
		})
	}
}
