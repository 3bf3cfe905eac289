// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

const namespace = "https://iam.amazonaws.com/doc/2010-05-08/"

type output string

func (o output) AppendResult(b []byte) []byte {
	return AppendEnd(AppendString(AppendStart(b, "PingResult"), "Text", string(o)), "PingResult")
}
func (o output) AppendJSON(b []byte) []byte { return b }

func TestAppendResponse(t *testing.T) {
	tests := []struct {
		name string
		out  Output
		want string
	}{
		{"with-a-result", output("a<b"), `<PingResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><PingResult><Text>a&lt;b</Text></PingResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PingResponse>`},
		{"without", nil, `<PingResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PingResponse>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendResponse(nil, "Ping", namespace, "r-1", tt.out)); got != tt.want {
				t.Errorf("AppendResponse = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestAppendError(t *testing.T) {
	e := awserr.NoSuchEntity.Msg("The user <%s> cannot be found.", "ann & bob").Because(errors.New("secret")).With("Detail", `"x"`)
	want := `<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity</Code>` +
		`<Message>The user &lt;ann &amp; bob&gt; cannot be found.</Message><Detail>&quot;x&quot;</Detail></Error><RequestId>r-1</RequestId></ErrorResponse>`
	if got := string(AppendError(nil, namespace, e, "r-1")); got != want {
		t.Errorf("AppendError = %s, want %s", got, want)
	}
}

func TestAppendTime(t *testing.T) {
	at := time.Date(2015, 6, 17, 21, 11, 50, 999_999_999, time.FixedZone("", 2*3600))
	if got, want := string(AppendTime(nil, "T", at)), "<T>2015-06-17T19:11:50Z</T>"; got != want {
		t.Errorf("AppendTime = %s, want %s", got, want)
	}
	if got, want := string(AppendJSONTime([]byte("{"), "t", at)), `{"t":"Jun 17, 2015, 7:11:50 PM"`; got != want {
		t.Errorf("AppendJSONTime = %s, want %s", got, want)
	}
	if got := string(AppendTime(nil, "T", time.Time{})) + string(AppendJSONTime(nil, "t", time.Time{})); got != "" {
		t.Errorf("the zero time = %s, want nothing", got)
	}
}

func TestAppendDocument(t *testing.T) {
	const in = "{\"a\": \"%3A é~-._\"}\n"
	got := string(AppendDocument(nil, "D", in))
	if want := "<D>%7B%22a%22%3A%20%22%253A%20%C3%A9~-._%22%7D%0A</D>"; got != want {
		t.Errorf("AppendDocument = %s, want %s", got, want)
	}
	if back, err := url.PathUnescape(got[3 : len(got)-4]); err != nil || back != in {
		t.Errorf("decoded %q, %v, want %q", back, err, in)
	}
}

func TestAppendEscaped(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"markup", `<a href="x">&'</a>`, `&lt;a href=&quot;x&quot;&gt;&amp;'&lt;/a&gt;`},
		{"end-of-cdata", "]]>", "]]&gt;"},
		{"white-space", "a\t\n\rb", "a\t\n&#xD;b"},
		{"what-xml-cannot-carry", "a\x00\x08\x0b\x1fb\uFFFE\uFFFFc", "a\uFFFD\uFFFD\uFFFD\uFFFDb\uFFFD\uFFFDc"},
		{"not-utf-8", "a\xffb\xed\xa0\x80", "a\uFFFDb\uFFFD\uFFFD\uFFFD"},
		{"other-scripts", "é€\U0001F511\uFFFD", "é€\U0001F511\uFFFD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(AppendEscaped(nil, tt.in)); got != tt.want {
				t.Errorf("AppendEscaped(%q) = %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

// FuzzEscapes has encoding/xml and encoding/json read back what was written.
func FuzzEscapes(f *testing.F) {
	f.Add("<&>\"'\r\n\t\x00\ufffe!#$%()*+,-./:;=?@[]^_`{|}~")
	f.Add("\xff\xed\xa0\x80é\U0001F511\\u0041\u2028\x1f\x7f")
	f.Fuzz(func(t *testing.T, s string) {
		doc := AppendString(nil, "S", s)
		var got string
		if err := xml.Unmarshal(doc, &got); err != nil {
			t.Fatalf("AppendString(%q) = %q: %v", s, doc, err)
		}
		want := strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				return utf8.RuneError
			}
			return r
		}, s)
		if got != want {
			t.Errorf("through XML %q became %q, want %q", s, got, want)
		}

		object := append(AppendJSONString([]byte("{"), s, s), '}')
		var m map[string]string
		if err := json.Unmarshal(object, &m); err != nil {
			t.Fatalf("AppendJSONString(%q) = %q: %v", s, object, err)
		}
		clean := strings.Map(func(r rune) rune { return r }, s)
		if len(m) != 1 || m[clean] != clean {
			t.Errorf("through JSON %q became %q", s, m)
		}

		if got, want := string(AppendPercent(nil, s)), strings.ReplaceAll(url.QueryEscape(s), "+", "%20"); got != want {
			t.Errorf("AppendPercent(%q) = %s, want %s", s, got, want)
		}
	})
}
