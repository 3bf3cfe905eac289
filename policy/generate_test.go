// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"errors"
	"math/rand/v2"
	"strings"
)

// A generator makes policies and requests that have a fair chance to meet: all
// values come from small pools, and patterns from the values. Its choices come
// from data as long as it lasts, then from a random source.
type generator struct {
	data      []byte
	random    *rand.Rand
	variables bool // the document being made has them
}

func newGenerator(seed uint64, data []byte) *generator {
	return &generator{data: data, random: rand.New(rand.NewPCG(seed, 1))}
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
		"kms:Decrypt", "sts:GetCallerIdentity", "sts:GetSessionToken", "sts:SetSourceIdentity", "s3:DeleteBucketPolicy", "sqs:SetQueueAttributes", "ec2:Run", "nocolon",
	}
	genActionPatterns = []string{
		"*", "s3:*", "s3:Get*", "S3:GETOBJECT", "s3:?etObject", "s3:*Object", "sts:*", "sts:AssumeRole", "sts:AssumeRole*", "kms:*", "kms:Decrypt",
		"s3:GetObject", "s3:PutObject", "ec2:*", "*:Get*", "s3:Get", "s3:GetObject ", "s3:GetObject,s3:PutObject", "sts:TagSession", "**", "s3:DeleteBucketPolicy", "", "s3*",
	}
	genResources = []string{
		"arn:aws:s3:::bucket/key", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/a/b:c/é", "arn:aws:s3:::bucket/*", "arn:aws:s3:::home/alice/x",
		"arn:aws:iam::" + accountA + ":role/target", "arn:aws:iam::" + accountB + ":role/p/target", "arn:aws:iam::aws:policy/P", "arn:aws:kms:us-east-1:" + accountA + ":key/1",
		"arn:aws:sqs:us-east-1:" + accountB + ":queue", "arn:aws:dynamodb:us-east-1:" + accountA + ":table/prod:x", "*", "short", "arn:aws:s3", "",
		"arn:aws:s3:::bucket/", "arn:aws:s3:::", "arn:aws:s3:::bucket/a/",
	}
	genKeys = []string{
		"aws:username", "aws:SourceIp", "aws:CurrentTime", "s3:prefix", "aws:PrincipalTag/Team", "aws:TagKeys", "s3:max-keys", "aws:SecureTransport", "aws:SourceArn", "x:blob",
	}
	genTexts = []string{
		"alice", "Alice", "bob", "", "a*", "*", "?", "home/alice", "10", "10.0", "10abc", "-1", "true", "FALSE", "10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1",
		"2026-06-01T00:00:00Z", "1780272000", "QmluYXJ5", "Binary", "arn:aws:sns:us-east-1:" + accountA + ":alice-topic", "arn:aws:sns:a:b:c:d", "not:an:arn", "é", "${aws:username}", "red",
	}
	genLiterals = map[valueClass][]string{
		numericClass: {"10", "10.0", "-1", "9.99", "1e1", "0"},
		dateClass:    {"2026-06-01T00:00:00Z", "1780272000", "2026-01-01", "2026", "2026-06-01T02:00:00+02:00"},
		boolClass:    {"true", "false", "True", "FALSE"},
		nullClass:    {"true", "false"},
		ipClass:      {"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "::/0"},
		binaryClass:  {"QmluYXJ5", "AAAA", ""},
	}
	genVariables = []string{"${aws:username}", "${aws:USERNAME}", "${aws:PrincipalTag/Team, 'red'}", "${aws:TagKeys}", "${x:none}", "${x:none,''}", "${*}", "${?}", "${$}"}
	genUsers     = []string{"user/alice", "user/team/bob", "user/Alice"}
	genRoles     = []string{"role/app", "role/team/app", "role/other"}
	genSessions  = []string{"assumed-role/app/s1", "assumed-role/app/s2", "assumed-role/other/s1"}
	genServices  = []string{"ec2.amazonaws.com", "s3.amazonaws.com"}
	genProviders = []string{"arn:aws:iam::" + accountA + ":oidc-provider/idp", "accounts.google.com"}
	genIDs       = []string{"", "AIDA1", "AROA1", "AROA2"}
)

// pattern makes a pattern that may match one of the texts.
func (g *generator) pattern(texts []string) string {
	text := g.of(texts)
	for range g.n(4) {
		at := g.n(len(text) + 1)
		end := min(at+g.n(6), len(text))
		with := "*"
		switch g.n(5) {
		case 0:
			with, end = "?", min(at+1, len(text))
		case 1:
			with = g.of(genVariables)
		case 2:
			with = strings.Replace(text[at:end], "alice", "${aws:username}", 1)
		}
		text = strings.ToValidUTF8(text[:at]+with+text[end:], "")
	}
	switch g.n(12) {
	case 0:
		parts := strings.Split(text, ":")
		text = strings.Join(parts[:1+g.n(len(parts))], ":")
	case 1:
		text = "*"
	}
	if _, err := parseTemplate(text, true, true); err != nil {
		return g.of(texts[:5])
	}
	return text
}

func (g *generator) values(most int, one func() string) []Value {
	var values []Value
	for range g.n(most + 1) {
		values = append(values, Value{Text: one()})
	}
	return values
}

func (g *generator) document(kind Kind) *Document {
	d := &Document{Name: kind.String(), Version: g.of([]string{"2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17", ""})}
	g.variables = d.Version == "2012-10-17"
	for i := range 1 + g.n(4) {
		d.Statements = append(d.Statements, g.statement(kind, i))
	}
	return d
}

func (g *generator) statement(kind Kind, i int) Statement {
	s := Statement{Index: i, Effect: Allow, NotAction: g.oneIn(8), NotResource: g.oneIn(8), HasResource: true}
	if g.oneIn(4) {
		s.Effect = Deny
	}
	s.Action = g.values(3, func() string { return g.of(genActionPatterns) })
	if kind == Resource || kind == Trust || kind == Key {
		s.HasResource = !g.oneIn(3)
	}
	if s.HasResource {
		s.Resource = g.values(3, func() string { return g.pattern(genResources) })
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
		for range g.n(3) {
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
	b.AWS = g.values(5, func() string {
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
			return g.of([]string{"*", "AIDA1", "AROA1", "arn:aws:iam::" + a + ":user/*", "arn:aws:iam::" + a + ":group/g"})
		}
		return "arn:aws:iam::" + a + ":" + g.of(genUsers)
	})
	b.Service = g.values(1, func() string { return g.of(genServices) })
	b.Federated = g.values(1, func() string { return g.of(genProviders) })
	b.Canonical = g.values(1, func() string { return "c1" })
	return b
}

func (g *generator) condition() Condition {
	info := baseOperators[g.n(len(baseOperators))]
	operator := []string{"", "", "", forAllPrefix, forAnyPrefix}[g.n(5)] + info.base
	if info.class != nullClass && g.oneIn(4) {
		operator += ifExistsSuffix
	}
	most := 3
	if g.oneIn(10) {
		most = 12
	}
	return Condition{Operator: operator, Key: g.key(), Values: g.values(most, func() string {
		switch {
		case info.class == boolClass && g.variables && g.oneIn(6):
			return g.of(genVariables[:6])
		case genLiterals[info.class] != nil:
			return g.of(genLiterals[info.class])
		case info.class == arnClass && g.oneIn(2):
			return g.pattern(genTexts[len(genTexts)-6 : len(genTexts)-4])
		}
		return g.pattern(genTexts)
	})}
}

func (g *generator) key() string {
	key := g.of(genKeys)
	switch g.n(6) {
	case 0:
		return strings.ToLower(key)
	case 1:
		return strings.ToUpper(key)
	}
	return key
}

func (g *generator) principal() Principal {
	a := g.of(genAccounts)
	p := Principal{Account: a, ID: g.of(genIDs)}
	switch g.n(9) {
	case 0, 1, 2:
		p.Type, p.ARN = User, "arn:aws:iam::"+a+":"+g.of(genUsers)
	case 3, 4:
		p.Type, p.ARN = RoleSession, "arn:aws:sts::"+a+":"+g.of(genSessions)
		if g.oneIn(2) {
			p.Role = "arn:aws:iam::" + a + ":" + g.of(genRoles)
		}
	case 5:
		p.Type, p.ARN = FederatedUser, "arn:aws:sts::"+a+":federated-user/alice"
		if g.oneIn(2) {
			p.User = "arn:aws:iam::" + a + ":" + g.of(genUsers)
		}
	case 6:
		p.Type, p.ARN = Root, "arn:aws:iam::"+a+":root"
	case 7:
		p = Principal{Type: Service, ARN: g.of(genServices)}
	case 8:
		p = Principal{}
		if g.oneIn(2) {
			p = Principal{Type: WebIdentity, ARN: g.of(genProviders)}
		}
	}
	if g.oneIn(10) {
		p.CanonicalID = "c1"
	}
	return p
}

func (g *generator) request() *Request {
	r := &Request{Principal: g.principal(), Action: g.of(genActions), Resource: g.of(genResources),
		Context: make(map[string]string), Lists: make(map[string][]string)}
	if g.oneIn(3) {
		r.ResourceAccount = g.of(genAccounts)
	}
	for range g.n(8) {
		r.Context[g.key()] = g.of(genTexts)
	}
	for range g.n(3) {
		list := []string{}
		for range g.n(4) {
			list = append(list, g.of(genTexts))
		}
		r.Lists[g.key()] = list
	}
	return r
}

// policy compiles a random document; now and then it returns one that cannot speak.
func (g *generator) policy(kind Kind) (*Policy, error) {
	if g.oneIn(200) {
		return [...]*Policy{nil, Broken("broken", errors.New("unreadable"))}[g.n(2)], nil
	}
	if g.oneIn(200) {
		kind = Identity + Kind(g.n(int(Endpoint)))
	}
	ids := map[string]string{}
	for range g.n(3) {
		ids["arn:aws:iam::"+accountA+":"+g.of([]string{"user/alice", "role/app", "user/team/bob"})] = g.of(genIDs)
	}
	return CompileBound(g.document(kind), kind, ids)
}

func (g *generator) policies(most int, kind Kind) (list []*Policy, err error) {
	for range g.n(most + 1) {
		p, err := g.policy(kind)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

func (g *generator) levels(kind Kind) (levels [][]*Policy, err error) {
	if !g.oneIn(4) {
		return nil, nil
	}
	everything := &Document{Name: "full", Statements: []Statement{{Effect: Allow, HasResource: true,
		Principal: &PrincipalBlock{Everyone: true}, Action: []Value{{Text: "*"}}, Resource: []Value{{Text: "*"}}}}}
	if kind == SCP {
		everything.Statements[0].Principal = nil
	}
	for range 1 + g.n(3) {
		level, err := g.policies(2, kind)
		if err != nil {
			return nil, err
		}
		if !g.oneIn(4) {
			full, err := Compile(everything, kind)
			if err != nil {
				return nil, err
			}
			level = append(level, full)
		}
		levels = append(levels, level)
	}
	return levels, nil
}

func (g *generator) set() (*Set, error) {
	s := &Set{HasBoundary: g.oneIn(20), HasSession: g.oneIn(20)}
	var errs [6]error
	s.Identity, errs[0] = g.policies(3, Identity)
	if g.oneIn(3) {
		s.Boundary, errs[1] = g.policy(Boundary)
	}
	if g.oneIn(3) {
		s.Session, errs[2] = g.policies(2, Session)
	}
	s.SCPs, errs[3] = g.levels(SCP)
	s.RCPs, errs[4] = g.levels(RCP)
	if !g.oneIn(3) {
		s.Resource, errs[5] = g.policy([]Kind{Resource, Resource, Trust, Key}[g.n(4)])
	}
	err := errors.Join(errs[:]...)
	if err == nil && g.oneIn(6) {
		s.Endpoint, err = g.policy(Endpoint)
	}
	return s, err
}
