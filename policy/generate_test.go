// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode/utf8"

	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
	"github.com/innkeeper-iam/innkeeper/policy/internal/template"
)

// A generator makes policies and requests that have a fair chance to meet. It
// first chooses a small world of callers, resources, actions, keys and texts;
// requests are made of that, and policies of patterns of it. Its choices come
// from data as long as it lasts, then from a random source.
type generator struct {
	data      []byte
	random    *rand.Rand
	variables bool // the document being made has them

	callers    []Principal
	resources  []string
	actions    []string
	keys       []string
	classes    []operator.Class // of the values of each key
	texts      [][]string       // values of each key
	made       []*genPolicy     // of earlier layers
	huge       bool             // the next resource is of more than 64 KiB
	statements int              // that the set has so far
}

func newGenerator(seed uint64, data []byte) *generator {
	g := &generator{data: data, random: rand.New(rand.NewPCG(seed, 1))}
	g.huge = g.oneIn(1000)
	for range 1 + g.n(3) {
		g.callers = append(g.callers, g.caller())
	}
	for range 1 + g.n(4) {
		g.resources = append(g.resources, g.resource())
	}
	for range 1 + g.n(3) {
		g.actions = append(g.actions, g.action())
	}
	for i := range 2 + g.n(4) {
		g.keys = append(g.keys, g.of(genKeys))
		g.classes = append(g.classes, operator.Base[g.n(len(operator.Base))].Class)
		g.texts = append(g.texts, nil)
		for range 1 + g.n(3) {
			g.texts[i] = append(g.texts[i], g.text(g.classes[i]))
		}
	}
	return g
}

// n returns a choice from 0 to limit-1.
func (g *generator) n(limit int) int {
	if len(g.data) > 0 {
		c := int(g.data[0]) % limit
		g.data = g.data[1:]
		return c
	}
	return g.random.IntN(limit)
}

func (g *generator) oneIn(n int) bool { return g.n(n) == 0 }

func (g *generator) of(pool []string) string { return pool[g.n(len(pool))] }

const (
	accountA = "111122223333"
	accountB = "444455556666"
)

var (
	genAccounts = []string{accountA, accountA, accountA, accountB}
	genActions  = []string{
		"s3:GetObject", "S3:getobject", "s3:PutObject", "s3:ListBucket", "sts:AssumeRole", "sts:TagSession", "sts:AssumeRoleWithWebIdentity",
		"kms:Decrypt", "sts:GetCallerIdentity", "sts:GetSessionToken", "sts:SetSourceIdentity", "s3:DeleteBucketPolicy", "sqs:SetQueueAttributes", "ec2:Run",
		"nocolon", "a:b:c", ":", "s3:", "S3:GETOBJECT", "\u212ams:Decrypt", "s3:\xff", "",
	}
	genActionPatterns = []string{
		"*", "s3:*", "s3:Get*", "S3:GETOBJECT", "s3:?etObject", "s3:*Object", "sts:*", "sts:AssumeRole", "sts:AssumeRole*", "kms:*", "kms:Decrypt",
		"s3:GetObject", "s3:PutObject", "ec2:*", "*:Get*", "s3:Get", "s3:GetObject ", "s3:GetObject,s3:PutObject", "sts:TagSession", "**", "s3:DeleteBucketPolicy", "", "s3*",
		"*:*", "s?:*", "s3:*t*", "s3:*?", "\u212ams:*", "a:b:*", ":", "nocolon:", "s3:",
	}
	genResources = []string{
		"arn:aws:s3:::bucket/key", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/a/b:c/é", "arn:aws:s3:::bucket/*", "arn:aws:s3:::home/alice/x",
		"arn:aws:iam::" + accountA + ":role/target", "arn:aws:iam::" + accountB + ":role/p/target", "arn:aws:iam::aws:policy/P", "arn:aws:kms:us-east-1:" + accountA + ":key/1",
		"arn:aws:sqs:us-east-1:" + accountB + ":queue", "arn:aws:dynamodb:us-east-1:" + accountA + ":table/prod:x", "*", "short", "arn:aws:s3", "",
		"arn:aws:s3:::bucket/", "arn:aws:s3:::", "arn:aws:s3:::bucket/a/", "arn:aws:s3:::büchet/é/日本", "arn:aws-cn:s3:::bucket/key", ":::::", "arn:aws:s3:::b\xff/\xc3",
	}
	genSegments = []string{"a", "b", "bucket", "home", "alice", "é", "日本", "", ".", "key.gz", "A", "2026", "*", "a-long-name-of-a-segment", "${aws:username}", "ab"}
	genKeys     = []string{
		"aws:username", "aws:SourceIp", "aws:CurrentTime", "s3:prefix", "aws:PrincipalTag/Team", "aws:TagKeys", "s3:max-keys", "aws:SecureTransport", "aws:SourceArn", "x:blob",
		"aws:PrincipalTag/é", "aws:RequestTag/Team", "x:[", "x:none",
	}
	genVariables = []string{
		"${aws:username}", "${aws:USERNAME}", "${aws:PrincipalTag/Team, 'red'}", "${aws:TagKeys}", "${x:none}", "${x:none,''}", "${*}", "${?}", "${$}",
		"${s3:prefix}", "${x:none, 'alice'}", "${aws:SourceArn}", "${x:none, '*'}",
	}
	genUsers     = []string{"user/alice", "user/team/bob", "user/Alice"}
	genRoles     = []string{"role/app", "role/team/app", "role/other"}
	genSessions  = []string{"assumed-role/app/s1", "assumed-role/app/s2", "assumed-role/other/s1"}
	genServices  = []string{"ec2.amazonaws.com", "s3.amazonaws.com"}
	genProviders = []string{"arn:aws:iam::" + accountA + ":oidc-provider/idp", "accounts.google.com"}
	genIDs       = []string{"", "AIDA1", "AROA1", "AROA2"}
)

// resource makes the resource of a request, at times next to an earlier one.
func (g *generator) resource() string {
	switch {
	case len(g.resources) > 0 && g.oneIn(2):
		return g.near(g.of(g.resources))
	case g.oneIn(3):
		return g.of(genResources)
	}
	segments, separator := 1+g.n(4), "/"
	if g.oneIn(40) {
		segments = 66 + g.n(20)
	}
	if g.oneIn(4) {
		separator = ":"
	}
	parts := make([]string, segments)
	for i := range parts {
		parts[i] = g.of(genSegments)
	}
	switch at := g.n(segments); {
	case g.huge:
		parts[at], g.huge = strings.Repeat(g.of([]string{"a", "a/", "ab:", "é"}), 40_000), false
	case g.oneIn(40):
		parts[at] = strings.Repeat(g.of([]string{"a", "xyz", "é", "a/"}), 301)
	}
	return "arn:aws:" + g.of([]string{"s3", "s3", "iam", "sqs"}) + ":" + g.of([]string{"", "", "us-east-1"}) + ":" +
		g.of([]string{"", "", accountA, accountB, "aws"}) + ":" + strings.Join(parts, separator)
}

// near makes a text that differs from another one in a place.
func (g *generator) near(text string) string {
	at := g.n(len(text) + 1)
	switch g.n(6) {
	case 0:
		return text + g.of([]string{"/", ":", "x", "é", "/x"})
	case 1:
		return text[:strings.LastIndexAny(text, ":/")+1]
	case 2:
		return strings.TrimRight(text, ":/")
	case 3:
		return text[:at] + g.of([]string{"/", ":", "a", "?"}) + text[at:]
	case 4:
		return g.recase(text)
	}
	return text[:at] + text[min(at+1, len(text)):]
}

// recase changes the case of some letters.
func (g *generator) recase(text string) string {
	switch g.n(4) {
	case 0:
		return strings.ToLower(text)
	case 1:
		return strings.ToUpper(text)
	}
	at := g.n(len(text) + 1)
	return strings.ToUpper(text[:at]) + text[at:]
}

func (g *generator) action() string {
	if len(g.actions) > 0 && g.oneIn(3) {
		return g.recase(g.of(g.actions))
	}
	if g.oneIn(100) {
		return "s3:" + strings.Repeat("Get", 50+g.n(50))
	}
	return g.of(genActions)
}

// actionPattern makes a value of an Action element.
func (g *generator) actionPattern() string {
	text := g.of(g.actions)
	at := g.n(len(text) + 1)
	switch g.n(8) {
	case 0, 1:
		return g.of(genActionPatterns)
	case 2:
		return strings.ToValidUTF8(g.recase(text), "")
	case 3:
		return strings.ToValidUTF8(text[:at]+"*"+text[min(at+g.n(3), len(text)):], "")
	case 4:
		return strings.ToValidUTF8(text[:at]+"?"+text[min(at+1, len(text)):], "")
	case 5:
		service, _, _ := strings.Cut(text, ":")
		return strings.ToValidUTF8(g.recase(service)+":*", "")
	}
	return strings.ToValidUTF8(text, "")
}

// actionList makes an Action element, at times a long one.
func (g *generator) actionList() []Value {
	long := g.size(3, 12, 70)
	if long <= 3 {
		return g.values(long, g.actionPattern)
	}
	return g.crowd(long, g.actionPattern, func() string {
		service := g.of([]string{"s3", "S3", "kms", "sts", "ec2"})
		if g.oneIn(10) {
			return fmt.Sprintf("%s:Do%d*", service, g.n(100))
		}
		return fmt.Sprintf("%s:DoThing%d", service, g.n(100))
	})
}

// crowd returns many values, of which a few have a chance to match.
func (g *generator) crowd(n int, one, stranger func() string) []Value {
	values := g.values(n, stranger)
	for range g.n(3) {
		values[g.random.IntN(n)] = Value{Text: one()}
	}
	return values
}

// size returns up to few, now and then up to more, rarely some more than many.
func (g *generator) size(few, more, many int) int {
	switch g.n(40) {
	case 0, 1, 2, 3:
		return g.n(more + 1)
	case 4:
		return many + g.n(many)
	}
	return g.n(few + 1)
}

func (g *generator) values(n int, one func() string) []Value {
	var values []Value
	for range n {
		values = append(values, Value{Text: one()})
	}
	return values
}

// pattern makes a pattern that may match one of the texts.
func (g *generator) pattern(texts []string) string {
	text := g.of(texts)
	switch { // Explain takes the product of both lengths
	case len(text) > 2000:
		text = text[:g.n(100)] + "*" + text[len(text)-g.n(20):]
	case len(text) > 200 && g.oneIn(3):
		text = g.holes(text)
	case len(text) > 200 && g.oneIn(2):
		text = g.cut(text)
	case len(text) > 200 && !g.oneIn(8):
		text = text[:g.random.IntN(len(text))] + "*" + text[len(text)-g.n(20):]
	}
	switch g.n(8) {
	case 0, 1, 2:
		text = g.edit(text)
	case 3, 4:
		text = g.cut(text)
	case 5:
		text = g.parts(text)
	case 6:
		text = g.of([]string{"*", "*", text, text + "*", text + "?"})
	case 7:
		if g.oneIn(2) {
			text = g.holes(text)
		}
	}
	text = strings.ToValidUTF8(text, "")
	if _, err := template.Parse(text, true, true); err != nil {
		return "*"
	}
	return text
}

// edit replaces a few runs of a text by wildcards and variables.
func (g *generator) edit(text string) string {
	for range g.n(4) {
		at := g.n(len(text) + 1)
		end := min(at+g.n(6), len(text))
		with := "*"
		switch g.n(5) {
		case 0:
			with = "?"
			_, size := utf8.DecodeRuneInString(text[at:])
			end = at + size
		case 1:
			with = g.of(genVariables)
		case 2:
			with = strings.Replace(text[at:end], "alice", "${aws:username}", 1)
		}
		text = text[:at] + with + text[end:]
	}
	if g.oneIn(10) {
		parts := strings.Split(text, ":")
		text = strings.Join(parts[:1+g.n(len(parts))], ":")
	}
	return text
}

// holes replaces characters here and there, of which there are many, by wildcards
// and variables, with a star on one side or both.
func (g *generator) holes(text string) string {
	from := g.random.IntN(len(text) + 1)
	to := from + g.random.IntN(len(text)-from+1)
	var b strings.Builder
	for _, c := range text[from:to] {
		switch g.n(4) {
		case 0:
			b.WriteByte('?')
		case 1:
			if g.oneIn(40) {
				b.WriteString(g.of(genVariables))
				continue
			}
			fallthrough
		default:
			b.WriteRune(c)
		}
	}
	return text[:from] + g.of([]string{"*", "*", ""}) + b.String() + g.of([]string{"*", "*", text[to:]})
}

// cut ends the literal beginning of a text at, before or after a separator.
func (g *generator) cut(text string) string {
	var separators []int
	for i := range len(text) {
		if text[i] == '/' || text[i] == ':' {
			separators = append(separators, i)
		}
	}
	if len(separators) == 0 {
		return text
	}
	at := min(max(separators[g.n(len(separators))]-1+g.n(4), 0), len(text))
	rest := text[at:]
	_, size := utf8.DecodeRuneInString(rest)
	switch g.n(5) {
	case 0:
		return text[:at] + "*" + rest[g.n(len(rest)+1):]
	case 1:
		return text[:at] + "?" + rest[size:]
	case 2:
		return text[:at] + g.of(genVariables) + rest[g.n(len(rest)+1):]
	case 3:
		return text[:at] + "*/" + text[strings.LastIndexByte(text, '/')+1:]
	}
	return text[:at] + "*"
}

// parts puts wildcards into the parts of an ARN.
func (g *generator) parts(text string) string {
	parts := strings.SplitN(text, ":", 6)
	for range 1 + g.n(3) {
		i := g.n(len(parts))
		at := g.n(len(parts[i]) + 1)
		switch g.n(4) {
		case 0:
			parts[i] = "*"
		case 1:
			parts[i] = parts[i][:at] + "*"
		case 2:
			parts[i] = parts[i][:at] + "?" + parts[i][min(at+1, len(parts[i])):]
		case 3:
			parts[i] = "*" + parts[i][at:]
		}
	}
	return strings.Join(parts, ":")
}

func (g *generator) document(kind Kind) *Document {
	d := &Document{Name: fmt.Sprintf("%v-%d", kind, len(g.made)), Version: g.of([]string{"2012-10-17", "2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", ""})}
	g.variables = d.Version == "2012-10-17"
	n := 1 + g.n(4)
	many := g.statements < 80 && g.oneIn(150)
	if many {
		n = 65 + g.n(20)
	}
	g.statements += n
	for i := range n {
		s := g.statement(kind)
		switch {
		case i == 0 && many && s.HasResource && g.oneIn(2): // over 256 patterns in all
			s.Resource = g.crowd(4, func() string { return g.pattern(g.resources) }, func() string { return g.pattern(g.resources) })
		case i == 0:
		case many && !g.oneIn(8): // the same anchors
			s.Resource, s.NotResource, s.HasResource = d.Statements[0].Resource, d.Statements[0].NotResource, d.Statements[0].HasResource
		case g.oneIn(8):
			s = g.alike(d.Statements[g.n(i)], s)
		}
		s.Index = i
		d.Statements = append(d.Statements, s)
	}
	return d
}

// alike returns a statement that differs from s in an element, which other has.
func (g *generator) alike(s, other Statement) Statement {
	switch g.n(5) {
	case 0:
		s.Effect = other.Effect
	case 1:
		s.Action, s.NotAction = other.Action, other.NotAction
	case 2:
		s.Principal = other.Principal
	case 3:
		s.Condition = other.Condition
	}
	return s
}

func (g *generator) statement(kind Kind) Statement {
	s := Statement{Effect: Allow, NotAction: g.oneIn(8), NotResource: g.oneIn(8), HasResource: true}
	if g.oneIn(4) {
		s.Effect = Deny
	}
	s.Action = g.actionList()
	if kind == Resource || kind == Trust || kind == Key {
		s.HasResource = !g.oneIn(3)
	}
	if s.HasResource {
		one := func() string {
			if g.oneIn(10) {
				return g.pattern(genResources)
			}
			return g.pattern(g.resources)
		}
		if n := g.size(3, 10, 66); n > 3 {
			s.Resource = g.crowd(n, one, func() string {
				return fmt.Sprintf("arn:aws:s3:::bucket/other-%d%s", g.n(100), g.of([]string{"", "*", "/*"}))
			})
		} else {
			s.Resource = g.values(n, one)
		}
	} else {
		s.NotResource = false
	}
	switch kind {
	case Resource, Trust, Key, RCP, Endpoint:
		if kind == RCP || kind == Endpoint || !g.oneIn(20) {
			s.Principal = g.principalBlock()
		}
	}
	if !g.oneIn(2) {
		for range 1 + g.n(2) {
			s.Condition = append(s.Condition, g.condition())
		}
	}
	return s
}

func (g *generator) principalBlock() *PrincipalBlock {
	b := &PrincipalBlock{Not: g.oneIn(6)}
	if !b.Not && g.oneIn(4) {
		b.Everyone = true
		return b
	}
	for range 1 + g.n(3) {
		g.name(b, &g.callers[g.n(len(g.callers))])
	}
	if b.Not && g.oneIn(2) { // which spares a caller only if it lists every form of it
		for range 8 {
			g.name(b, &g.callers[0])
		}
	}
	b.AWS = append(b.AWS, g.values(g.size(1, 12, 70), g.stranger)...)
	g.random.Shuffle(len(b.AWS), func(i, j int) { b.AWS[i], b.AWS[j] = b.AWS[j], b.AWS[i] })
	if g.oneIn(8) {
		b.Service = append(b.Service, g.values(1+g.n(2), func() string { return g.of(genServices) })...)
		b.Federated = append(b.Federated, g.values(1+g.n(2), func() string { return g.of(genProviders) })...)
		b.Canonical = append(b.Canonical, Value{Text: "c1"})
	}
	return b
}

// name adds a name of a caller to a Principal element.
func (g *generator) name(b *PrincipalBlock, p *Principal) {
	add := func(text string) {
		if text != "" {
			b.AWS = append(b.AWS, Value{Text: text})
		}
	}
	switch p.Type {
	case Service:
		b.Service = append(b.Service, Value{Text: p.ARN})
		return
	case WebIdentity:
		b.Federated = append(b.Federated, Value{Text: p.ARN})
		return
	case Anonymous:
		add(g.of([]string{"*", accountA}))
		return
	}
	switch g.n(8) {
	case 0, 1:
		add(p.ARN)
	case 2:
		add(p.Role)
		add(p.User)
	case 3:
		add(p.Account)
	case 4:
		add("arn:aws:iam::" + p.Account + ":root")
	case 5:
		add(p.ID)
	case 6:
		if role := sessionRole(p.ARN); role != "" {
			add("arn:aws:iam::" + p.Account + ":role/" + role)
		}
		if p.CanonicalID != "" {
			b.Canonical = append(b.Canonical, Value{Text: p.CanonicalID})
		}
	case 7:
		add(g.of([]string{"*", "arn:aws:iam::" + p.Account + ":user/*", strings.ToUpper(p.ARN)}))
	}
}

// stranger returns a value of the AWS member, likely of nobody who calls.
func (g *generator) stranger() string {
	a := g.of(genAccounts)
	switch g.n(8) {
	case 0:
		return a
	case 1:
		return "arn:aws:iam::" + a + ":root"
	case 2:
		return "arn:aws:iam::" + a + ":" + g.of(genRoles)
	case 3:
		return "arn:aws:sts::" + a + ":" + g.of(genSessions)
	case 4:
		return "arn:aws:sts::" + a + ":federated-user/alice"
	case 5:
		return g.of([]string{"AIDA1", "AROA1", "arn:aws:iam::" + a + ":group/g", "arn:aws-cn:iam::" + a + ":role/app"})
	case 6:
		return "arn:aws:iam::" + a + ":" + g.of(genUsers)
	}
	return fmt.Sprintf("arn:aws:iam::%s:user/u%d", a, g.n(100))
}

// condition makes a condition, most of the class of values that its key has.
func (g *generator) condition() Condition {
	key := g.n(len(g.keys))
	info := operator.Base[g.n(len(operator.Base))]
	if !g.oneIn(5) {
		var fit []operator.Operator
		for _, op := range operator.Base {
			if op.Class == g.classes[key] {
				fit = append(fit, op)
			}
		}
		info = fit[g.n(len(fit))]
	}
	name := []string{"", "", operator.ForAllPrefix, operator.ForAnyPrefix}[g.n(4)] + info.Base
	if info.Class != operator.Null && g.oneIn(4) {
		name += operator.IfExistsSuffix
	}
	c := Condition{Operator: name, Key: g.spell(key)}
	one := func() string { return g.operand(info, key) }
	if n := g.size(3, 14, 66); n > 3 {
		wild := g.oneIn(3)
		c.Values = g.crowd(n, one, func() string { return g.outsider(info, wild) })
	} else {
		c.Values = g.values(n, one)
	}
	return c
}

// spell returns the name of a key, at times in other letters, and now and then
// that of another one.
func (g *generator) spell(i int) string {
	key := g.keys[i]
	if g.oneIn(12) {
		key = g.of(genKeys)
	}
	switch g.n(8) {
	case 0:
		return strings.ToLower(key)
	case 1:
		return strings.ToUpper(key)
	case 2:
		return strings.ReplaceAll(key, "a", "A")
	}
	return key
}
