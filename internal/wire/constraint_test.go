// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
)

func TestValidationMessages(t *testing.T) {
	name := &Text{Min: 1, Max: 8, Pattern: `[\w+=,.@-]+`}
	session := &Text{Min: 2, Max: 64, Pattern: `[\w+=,.@-]*`}
	status := &Text{Enum: []string{"Active", "Inactive"}}
	secret := &Text{Min: 8, Secret: true}
	key := &Text{Min: 1, Max: 4, Pattern: `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`}
	duration := &Range{Min: 900, Max: 43200}
	two := &Size{Min: 1, Max: 2}
	tags := func(f *Form) { OptionalList(f, "Tags", two, func(f *Form) string { return f.Required("Key", key) }) }

	tests := []struct {
		name, body string
		read       func(*Form)
		want       string // "": nothing wrong
	}{
		{"pattern", "RoleSessionName=Session1:2", func(f *Form) { f.Required("RoleSessionName", session) },
			`1 validation error detected: Value 'Session1:2' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]*`},
		{"too-long", "UserName=123456789", func(f *Form) { f.Required("UserName", name) },
			`1 validation error detected: Value '123456789' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 8`},
		{"empty-is-too-short-and-breaks-the-pattern", "UserName=", func(f *Form) { f.Optional("UserName", name) },
			`2 validation errors detected: Value '' at 'userName' failed to satisfy constraint: Member must have length greater than or equal to 1; Value '' at 'userName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+=,.@-]+`},
		{"null", "", func(f *Form) { f.Required("UserName", name) },
			`1 validation error detected: Value null at 'userName' failed to satisfy constraint: Member must not be null`},
		{"null-number", "", func(f *Form) { f.RequiredInt("DurationSeconds", duration) },
			`1 validation error detected: Value null at 'durationSeconds' failed to satisfy constraint: Member must not be null`},
		{"null-lists", "", func(f *Form) { f.RequiredStrings("TagKeys", nil, nil); RequiredList(f, "Tags", nil, decodeTag) },
			`2 validation errors detected: Value null at 'tagKeys' failed to satisfy constraint: Member must not be null; Value null at 'tags' failed to satisfy constraint: Member must not be null`},
		{"optional-is-no-error", "", func(f *Form) { f.Optional("UserName", name); f.OptionalInt("N", duration); tags(f) }, ""},
		{"enum", "Status=active", func(f *Form) { f.Required("Status", status) },
			`1 validation error detected: Value 'active' at 'status' failed to satisfy constraint: Member must satisfy enum value set: [Active, Inactive]`},
		{"secret-left-out", "Password=hunter2", func(f *Form) { f.Required("Password", secret) },
			`1 validation error detected: Value at 'password' failed to satisfy constraint: Member must have length greater than or equal to 8`},
		{"number-too-small", "DurationSeconds=899", func(f *Form) { f.OptionalInt("DurationSeconds", duration) },
			`1 validation error detected: Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900`},
		{"number-too-large", "DurationSeconds=43201", func(f *Form) { f.OptionalInt("DurationSeconds", duration) },
			`1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200`},
		{"bounds-are-allowed", "A=900&B=43200", func(f *Form) { f.OptionalInt("A", duration); f.OptionalInt("B", duration) }, ""},
		{"within-a-list-by-place-not-number", "Tags.member.9.Key=%21&Tags.member.4.Key=a", tags,
			`1 validation error detected: Value '!' at 'tags.2.member.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
		{"null-within-a-list", "Tags.member.1.Value=a", tags,
			`1 validation error detected: Value null at 'tags.1.member.key' failed to satisfy constraint: Member must not be null`},
		{"within-a-structure", "TaskPolicyArn.Key=%21", func(f *Form) {
			RequiredStruct(f, "TaskPolicyArn", func(f *Form) string { return f.Required("Key", key) })
		},
			`1 validation error detected: Value '!' at 'taskPolicyArn.key' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+`},
		{"null-structure", "", func(f *Form) { RequiredStruct(f, "TaskPolicyArn", decodeTag) },
			`1 validation error detected: Value null at 'taskPolicyArn' failed to satisfy constraint: Member must not be null`},
		{"too-many-elements", "Tags.member.1.Key=a&Tags.member.2.Key=b&Tags.member.3.Key=c", tags,
			`1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to 2`},
		{"too-few-elements", "Tags=", tags,
			`1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"a-bad-string-fails-its-list", "TagKeys.member.1=ok&TagKeys.member.2=%21%21", func(f *Form) { f.RequiredStrings("TagKeys", nil, key) },
			`1 validation error detected: Value '[ok, !!]' at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 4, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]+]`},
		{"a-bad-enum-fails-its-list", "Filter.member.1=Nobody", func(f *Form) { f.OptionalStrings("Filter", nil, status) },
			`1 validation error detected: Value '[Nobody]' at 'filter' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [Active, Inactive]]`},
		{"only-the-first-letter-is-lowered", "SAMLProviderArn=", func(f *Form) { f.Required("SAMLProviderArn", &Text{Min: 20}) },
			`1 validation error detected: Value '' at 'sAMLProviderArn' failed to satisfy constraint: Member must have length greater than or equal to 20`},
		{"lengths-are-in-characters", "A=éééééééé&B=%F0%9F%94%91", func(f *Form) { f.Required("A", &Text{Max: 8}); f.Required("B", &Text{Max: 1}) }, ""},
		{"also-in-lists", "L.member.1=éééé", func(f *Form) { f.RequiredStrings("L", nil, &Text{Max: 4}) }, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := parse(t, tt.body)
			tt.read(f)
			err := f.Err()
			if tt.want == "" {
				if err != nil {
					t.Errorf("Err() = %v, want nil", err)
				}
				return
			}
			e := awserr.From(err)
			if e == nil || e.Code != "ValidationError" || e.Status != 400 || e.Message != tt.want {
				t.Errorf("Err() = %v\nwant ValidationError: %s", err, tt.want)
			}
		})
	}
}

func TestMalformedInputComesFirst(t *testing.T) {
	f := parse(t, "MaxItems=x")
	f.Required("UserName", nil)
	f.OptionalInt("MaxItems", nil)
	e := awserr.From(f.Err())
	if want := "The parameter at 'maxItems' is not an integer."; e.Code != "MalformedInput" || e.Message != want {
		t.Errorf("Err() = %v, want MalformedInput: %s", e, want)
	}
}

func TestMessagesAreBounded(t *testing.T) {
	f := parse(t, "Document="+strings.Repeat("€", 100_000))
	f.Required("Document", &Text{Max: 10})
	e := awserr.From(f.Err())
	if n := len(e.Message); n > maxEcho+300 || !utf8.ValidString(e.Message) {
		t.Errorf("the message has %d bytes, valid UTF-8 %v, want at most %d and true", n, utf8.ValidString(e.Message), maxEcho+300)
	}

	var body strings.Builder
	for i := range 500 {
		body.WriteString("&Tags.member." + strconv.Itoa(i+1) + ".Other=x")
	}
	f = parse(t, body.String()[1:])
	OptionalList(f, "Tags", nil, func(f *Form) string { return f.Required("Key", nil) })
	e = awserr.From(f.Err())
	if !strings.HasPrefix(e.Message, "500 validation errors detected: ") || strings.Count(e.Message, "null") > 2*maxFailures {
		t.Errorf("Err() = %.200s…, want a count of 500 and at most %d of them named", e.Message, maxFailures)
	}
}

func TestPatterns(t *testing.T) {
	const (
		alias    = `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`
		document = `[\u0009\u000A\u000D\u0020-\u00FF]+`
		arn      = `[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+`
		orgPath  = `^o-[0-9a-z]{10,32}\/r-[0-9a-z]{4,32}[0-9a-z-\/]*`
		path     = `(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`
		prefix   = `\u002F[\u0021-\u007F]*`
	)
	tests := []struct {
		pattern, in string
		want        bool
	}{
		{alias, "abc", true}, {alias, "a-b", true}, {alias, "a-b-c9", true},
		{alias, "ab", false}, {alias, "a--b", false}, {alias, "-ab", false}, {alias, "ab-", false}, {alias, "aBc", false}, {alias, "", false},
		{alias, strings.Repeat("a", 63), true}, {alias, strings.Repeat("a", 64), false},
		{document, "{\r\n\t\"é\": 1}", true}, {document, "", false}, {document, "€", false}, {document, "\x00", false}, {document, "\x7f\u0080", true},
		{arn, "arn:aws:iam::123456789012:role/x\U0001F511", true}, {arn, "\u0084", false}, {arn, "\x0b", false},
		{orgPath, "o-a1b2c3d4e5/r-f6g7", true}, {orgPath, "o-a1b2c3d4e5/r-f6g7/ou-1/", true}, {orgPath, "o-a1b2c3d4e5/r-f6g7/OU", false},
		{path, "/", true}, {path, "/a/", true}, {path, "//", false}, {path, "///", true}, {path, "/a", false}, {path, "a/", false}, {path, "/a b/", false}, {path, "/\x7f/", false},
		{prefix, "/", true}, {prefix, "/a", true}, {prefix, "/\x7f", true}, {prefix, "", false}, {prefix, "a", false}, {prefix, "/é", false},
		{`[\w+=,.@-]+`, "Ann_9+=,.@-", true}, {`[\w+=,.@-]+`, "a b", false}, {`[\w+=,.@-]+`, "é", false}, {`[\w+=,.@-]+`, "a\n", false}, {`[\w+=,.@-]*`, "", true},
		{`[\d]+`, "123456", true}, {`[\d]+`, "12a", false}, {`[\d]+`, "\u0661", false},
		{`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, "Größe 10\u00a0=x", true}, {`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, "a&b", false}, {`[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, "a\tb", false},
		{`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`, "v12", true}, {`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`, "v0", false}, {`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`, "xv1", false},
		{`((/[A-Za-z0-9\.,\+@=_-]+)*)/`, "/", true}, {`((/[A-Za-z0-9\.,\+@=_-]+)*)/`, "/a/b/", true}, {`((/[A-Za-z0-9\.,\+@=_-]+)*)/`, "/a//", false},
	}
	for _, tt := range tests {
		if got := compilePattern(tt.pattern)(tt.in); got != tt.want {
			t.Errorf("pattern %s on %q = %v, want %v", tt.pattern, tt.in, got, tt.want)
		}
	}
}

// FuzzPattern compares the fast matchers with Go's regexp, and the alias with its pattern written without
// look-ahead.
func FuzzPattern(f *testing.F) {
	for _, s := range []string{"", "/", "//", "/a/", "a-b", "a--b", "ab-", "Größe", "\xff", "a\nb", "/\x7f", strings.Repeat("a", 63)} {
		f.Add(s)
	}
	type pair struct {
		java         string
		fast, oracle func(string) bool
	}
	var pairs []pair
	for _, java := range []string{
		`[\w+=,.@-]+`, `[\w+=,.@-]*`, `[\d]+`, `[\u0009\u000A\u000D\u0020-\u00FF]+`, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`,
		`(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`, `\u002F[\u0021-\u007F]*`,
	} {
		pairs = append(pairs, pair{java, compilePattern(java), regexp.MustCompile(`^(?:` + goPattern(java) + `)$`).MatchString})
	}
	alias := regexp.MustCompile(`^[a-z0-9](?:-?[a-z0-9])+$`)
	pairs = append(pairs, pair{"alias", isAccountAlias, func(s string) bool { return len(s) >= 3 && len(s) <= 63 && alias.MatchString(s) }})
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) {
			return // ParseForm lets none through
		}
		for _, p := range pairs {
			if got, want := p.fast(s), p.oracle(s); got != want {
				t.Errorf("pattern %s on %q = %v, want %v", p.java, s, got, want)
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	document := `{"Version":"2012-10-17","Statement":[` + strings.Repeat(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"},`, 20) + `]}`
	for _, bm := range []struct {
		name, in string
		c        *Text
	}{
		{"kind=name", "a-user-of-some-length", &Text{Min: 1, Max: 64, Pattern: `[\w+=,.@-]+`}},
		{"kind=path", "/division/team/", &Text{Min: 1, Max: 512, Pattern: `(\u002F)|(\u002F[\u0021-\u007E]+\u002F)`}},
		{"kind=document", document, &Text{Min: 1, Max: 131072, Pattern: `[\u0009\u000A\u000D\u0020-\u00FF]+`}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bm.in)))
			for b.Loop() {
				if !bm.c.allows(bm.in) {
					b.Fatal("refused")
				}
			}
		})
	}
}
