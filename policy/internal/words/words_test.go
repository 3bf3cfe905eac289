// SPDX-License-Identifier: Apache-2.0

package words

import (
	"strings"
	"testing"
)

// lowered returns s with its ASCII letters in lower case, byte by byte.
func lowered(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + ('a' - 'A')
		}
	}
	return string(b)
}

// wordAt is At, byte by byte.
func wordAt(s string, i int) (w uint64) {
	for j := 0; j < 8 && i+j < len(s); j++ {
		w |= uint64(s[i+j]) << (8 * j)
	}
	return w
}

func mixOf(w uint64) uint64 {
	w *= prime
	return w ^ w>>32
}

// hashOf is the hash of a text by its definition: each word is added, then the bits
// are turned by 29 places and multiplied.
func hashOf(s string) uint64 {
	h := uint64(seed)
	for i := 0; i < len(s); i += 8 {
		h ^= wordAt(s, i)
		h = (h<<29 | h>>35) * prime
	}
	return h
}

// foldOf is Fold by its definition.
func foldOf(s string) (h uint64) {
	for i, n := 0, uint64(0); i < len(s); i, n = i+8, n+1 {
		h += mixOf((wordAt(s, i) | blanks) ^ (seed + n*prime))
	}
	return h
}

// actionOf is an Action by its definition.
func actionOf(s string) (a Action, ok bool) {
	w := func(i int) uint64 { return wordAt(s, i) | blanks }
	h, service := uint64(0), uint64(0)
	if len(s) < 8 {
		h = mixOf(w(0) ^ seed)
	} else {
		h = mixOf(w(0) ^ w(len(s)/2-4)*middlePrime ^ w(len(s)-8)*endPrime ^ seed ^ uint64(len(s)))
	}
	switch colon := strings.IndexByte(s, ':'); {
	case colon < 0:
		return a, false
	case colon >= 8:
		service = foldOf(s[:colon+1])
	default:
		service = mixOf(w(0)&(^uint64(0)>>(56-8*colon)) ^ seed)
	}
	a.Hash, a.Service = uint32(h), uint32(service)
	a.Mask = 1<<(uint64(a.Hash)*20>>32) | 1<<(20+uint64(a.Service)*12>>32)
	return a, true
}

// endingOf is Ending by its definition.
func endingOf(s string) uint64 {
	k := uint64(seed)
	if len(s) >= 8 {
		k += prime * uint64(len(s))
	}
	return mixOf(wordAt(s, max(len(s)-8, 0)) ^ k)
}

// checkText compares everything that reads one text with the naive versions.
func checkText(t *testing.T, s string) {
	t.Helper()
	for i := range len(s) + 1 {
		if got, want := At(s, i), wordAt(s, i); got != want {
			t.Errorf("At(%q, %d) = %#x, want %#x", s, i, got, want)
		}
	}
	if got, want := Ending(s), endingOf(s); got != want {
		t.Errorf("Ending(%q) = %#x, want %#x", s, got, want)
	}
	if got, want := Fold(s), foldOf(s); got != want {
		t.Errorf("Fold(%q) = %#x, want %#x", s, got, want)
	}
	checkAction(t, s)
	checkResource(t, s)
}

func checkAction(t *testing.T, s string) {
	t.Helper()
	var a, small Action
	want, colon := actionOf(s)
	if got := a.Read(s); got != colon || a != want {
		t.Errorf("Read(%q) = %+v, %v, want %+v, %v", s, a, got, want, colon)
	}
	if small.Read(lowered(s)); small != want {
		t.Errorf("Read(%q) = %+v, which differs in small letters: %+v", s, want, small)
	}
}

func checkResource(t *testing.T, s string) {
	t.Helper()
	var r Resource
	r.Read(s)
	steps := min(len(s)/8, Steps)
	if want := uint32(2)<<steps - 1; r.Have != want {
		t.Errorf("Read(%q) has %b, want %b", s, r.Have, want)
	}
	for n := 1; n <= steps; n++ {
		prefix := s[:8*n]
		var alone Resource
		alone.Read(prefix)
		if r.Hash[n] != alone.Hash[n] || r.Hash[n] != hashOf(prefix) {
			t.Errorf("step %d of %q is %#x, that of %q alone %#x, want %#x", n, s, r.Hash[n], prefix, alone.Hash[n], hashOf(prefix))
		}
	}
	for n := steps + 1; n <= None; n++ {
		if r.Hash[n] != 0 {
			t.Errorf("step %d of %q is %#x, want none", n, s, r.Hash[n])
		}
	}
	if r.Hash[Whole] != ^hashOf(s) {
		t.Errorf("the whole of %q is %#x, want %#x", s, r.Hash[Whole], ^hashOf(s))
	}
}

// checkPair compares what reads two texts with the naive versions.
func checkPair(t *testing.T, a, b string) {
	t.Helper()
	if got, want := Equal(a, b), a == b; got != want {
		t.Errorf("Equal(%q, %q) = %v, want %v", a, b, got, want)
	}
	if got, want := EqualFold(a, b), lowered(a) == lowered(b); got != want {
		t.Errorf("EqualFold(%q, %q) = %v, want %v", a, b, got, want)
	}
	if got, want := HasPrefixFold(a, b), strings.HasPrefix(lowered(a), lowered(b)); got != want {
		t.Errorf("HasPrefixFold(%q, %q) = %v, want %v", a, b, got, want)
	}
}

// longText has every byte, letters of both cases and several colons.
func longText() string {
	b := []byte("arn:aws:S3:::Bucket/Home/[Alice]@Example`{Z}/~")
	for c := range 256 {
		b = append(b, byte(c))
	}
	return string(b)
}

func TestTextsOfEveryLengthAndOffset(t *testing.T) {
	long := longText()
	for from := range len(long) - 40 {
		for n := range 41 {
			checkText(t, long[from:from+n])
		}
	}
	checkText(t, strings.Repeat("arn:aws:", Steps+3)+"x")
	checkText(t, long)
}

func TestFoldingOfEveryPairOfBytes(t *testing.T) {
	for c := range 256 {
		for d := range 256 {
			for _, before := range []string{"", "1234567", "12345678"} {
				checkPair(t, before+string([]byte{byte(c)}), before+string([]byte{byte(d)}))
			}
		}
	}
}

func TestPrefixesOfEveryLength(t *testing.T) {
	for _, tc := range []struct{ name, text, other string }{
		{"the-same", "s3:GetObjectVersionTaggingAndMuchMoreOfIt", "s3:GetObjectVersionTaggingAndMuchMoreOfIt"},
		{"another-letter-case", "s3:GetObjectVersionTaggingAndMuchMoreOfIt", "S3:getobjectversiontaggingANDMUCHMOREOFIT"},
		{"the-last-byte-differs", "s3:GetObjectVersionTaggingAndMuchMoreOfIt", "s3:GetObjectVersionTaggingAndMuchMoreOfIT!"},
		{"bytes-next-to-letters", "@[`{@[`{@[`{@[`{", "`{@[`{@[`{@[`{@["},
		{"letters-that-merely-fold-to-ascii", "\u212as\u017fS\u212as\u017fS", "kssskSsS"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for i := range len(tc.text) + 1 {
				for j := range len(tc.other) + 1 {
					checkPair(t, tc.text[:i], tc.other[:j])
				}
			}
		})
	}
}

func TestAction(t *testing.T) {
	for _, tc := range []struct {
		name    string
		a, b    string
		hash    bool // the same
		service bool
	}{
		{"letter-case-does-not-count", "s3:GetObject", "S3:getobject", true, true},
		{"actions-of-a-service", "s3:GetObject", "s3:PutObject", false, true},
		{"services-with-an-action-of-one-name", "ecr:GetLifecyclePolicy", "dlm:GetLifecyclePolicy", false, false},
		{"services-of-more-than-a-word", "elasticloadbalancing:SetSubnets", "elasticloadbalancin:SetSubnets", false, false},
		{"a-service-that-ends-with-its-word", "organiz:List", "Organiz:Move", false, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var a, b Action
			a.Read(tc.a)
			b.Read(tc.b)
			if (a.Hash == b.Hash) != tc.hash || (a.Service == b.Service) != tc.service {
				t.Errorf("%q is %+v and %q is %+v, want the same hash: %v, the same service: %v", tc.a, a, tc.b, b, tc.hash, tc.service)
			}
		})
	}
}

// A text that is a step of a longer one must not be found under its hash as a whole.
func TestWholeIsNoStep(t *testing.T) {
	const text = "arn:aws:s3:::abcarn:aws:s3:::abc"
	var r Resource
	r.Read(text)
	for n := 1; n <= len(text)/8; n++ {
		if r.Hash[n] == r.Hash[Whole] {
			t.Errorf("step %d and the whole of %q have one hash", n, text)
		}
	}
}

func TestFirst(t *testing.T) {
	for n := range uint8(9) {
		want := uint64(0)
		for i := range n {
			want |= 0xff << (8 * i)
		}
		if got := First(n); got != want {
			t.Errorf("First(%d) = %#x, want %#x", n, got, want)
		}
	}
}

func TestWordsDoNotAllocate(t *testing.T) {
	const a, b = "elasticloadbalancing:SetSubnets", "ElasticLoadBalancing:setsubnets"
	same := true
	if n := testing.AllocsPerRun(100, func() {
		var r Resource
		r.Read(a)
		var x, y Action
		same = same && x.Read(a) && y.Read(b) && x == y && EqualFold(a, b) && Ending(a) != Ending(a[1:]) && Fold(a) == Fold(b)
	}); n != 0 || !same {
		t.Errorf("reading allocates %v times, want 0; letter case is no matter: %v", n, same)
	}
}

func FuzzWords(f *testing.F) {
	for _, s := range []string{"", "s3:GetObject", "arn:aws:s3:::bucket/home/alice/x", "S3:GETOBJECT", "\x00\x7f\x80\xff:::::::", longText()} {
		f.Add(s, strings.ToUpper(s), uint8(3), uint8(17))
	}
	f.Fuzz(func(t *testing.T, a, b string, from, n uint8) {
		checkText(t, a)
		checkPair(t, a, b)
		checkPair(t, b, a)
		start := min(int(from), len(a))
		part := a[start:min(start+int(n)%41, len(a))] // off the text's own words
		checkText(t, part)
		checkPair(t, a[start:], part)
		checkPair(t, part, strings.ToUpper(part))
		checkPair(t, part, strings.ToLower(part))
	})
}
