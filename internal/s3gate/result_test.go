// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestResult(t *testing.T) {
	const place = "<Location>http://gate/b/k</Location>"
	for _, tt := range []struct{ name, text, want, fault string }{
		{"a-result", "<?xml?>\n<R><Location>http://store/b/k</Location><Bucket>b</Bucket></R>", "<?xml?>\n<R>" + place + "<Bucket>b</Bucket></R>", ""},
		{"white-space-before", "    \n  <R><Location>x</Location></R>", "    \n  <R>" + place + "</R>", ""},
		{"none", "<R><ETag>&quot;1&quot;</ETag></R>", "<R><ETag>&quot;1&quot;</ETag></R>", ""},
		{"what-only-begins-like-it", "<R><Loc>1</Loc><Location</R>", "<R><Loc>1</Loc><Location</R>", ""},
		{"an-empty-one", "<R><Location></Location></R>", "<R>" + place + "</R>", ""},
		{"one-that-does-not-end", "<R><Location>http://store", "<R>" + place, ""},
		{"an-error", " <Error><Code>SlowDown</Code><Message>later</Message></Error>", " <Error><Code>SlowDown</Code><Message>later</Message></Error>", "SlowDown"},
		{"nothing", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(tt.text), iotest.OneByteReader(strings.NewReader(tt.text))} {
				r := &result{src: io.NopCloser(in), place: place}
				got, err := io.ReadAll(r)
				if string(got) != tt.want || err != nil {
					t.Errorf("read %q, %v, want %q", got, err, tt.want)
				}
				if got := r.fault(); got != tt.fault {
					t.Errorf("fault() = %q, want %q", got, tt.fault)
				}
			}
		})
	}
}
