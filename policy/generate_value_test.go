// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
)

// What request values and policy values of a class look like. Requests also have
// what no operator can read; a policy has only what compiles.
var (
	genTexts = []string{
		"alice", "Alice", "ALICE", "bob", "", "a*", "*", "?", "home/alice", "é", "É", "${aws:username}", "red", "a\xff", "stra\u00dfe", "ſ", "S", "s", "\u212aelvin", "Kelvin", "kelvin",
		"日本/語", strings.Repeat("alice/", 60), "\ufffd", "a\xe6\x97", "abababab-abababab-abab",
	}
	genTextsOf = map[operator.Class][]string{
		operator.Numeric: {"10", "10.0", "10abc", "-1", "9.99", "1e1", "0", "-0", "+10", " 10", "10 ", "99999999999999999999", "0.10e2", "1e1000", "0x10"},
		operator.Date:    {"2026-06-01T00:00:00Z", "1780272000", "2026-06-01", "2026", "2026-06-01T02:00:00+02:00", "2026-06-01T00:00:00.000000001Z", "yesterday", "-1"},
		operator.Bool:    {"true", "FALSE", "True", "false", "1", "yes", ""},
		operator.Null:    {"", "alice"},
		operator.IP:      {"10.1.2.3", "::ffff:10.1.2.3", "2001:db8::1", "10.1.2.3/32", "10.1.2", "fe80::1%eth0", "192.168.0.1", "255.255.255.255", "::"},
		operator.Binary:  {"QmluYXJ5", "Binary", "AAAA", "\x00\x00\x00", "", "QmluYXJ5="},
		operator.ARN: {
			"arn:aws:sns:us-east-1:" + accountA + ":alice-topic", "arn:aws:sns:a:b:c:d", "not:an:arn", "arn:aws:sns:us-east-1:" + accountA + ":a:b/c", "ARN:aws:sns:a:b:c",
			"arn:aws:iam::" + accountA + ":role/app", "arn:::::", "arn:aws:sns:us-east-1:" + accountA,
		},
	}
	genOperands = map[operator.Class][]string{
		operator.Numeric: {"10", "10.0", "-1", "9.99", "1e1", "0", "-0", "+10", "1e1000"},
		operator.Date:    {"2026-06-01T00:00:00Z", "1780272000", "2026-01-01", "2026", "2026-06", "2026-06-01T02:00:00+02:00", "2026-06-01T00:00:00.000000001Z"},
		operator.Bool:    {"true", "false", "True", "FALSE"},
		operator.Null:    {"true", "false", "TRUE"},
		operator.IP:      {"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/32", "::/0", "10.1.2.3/9", "::ffff:10.1.2.3", "10.1.2.2/31"},
		operator.Binary:  {"QmluYXJ5", "AAAA", ""},
	}
)

// text makes a request value, most of a class.
func (g *generator) text(class operator.Class) string {
	if pool := genTextsOf[class]; pool != nil && !g.oneIn(8) {
		return g.of(pool)
	}
	return g.of(genTexts)
}

// operand makes a policy value of an operator, for the values of a key.
func (g *generator) operand(op operator.Operator, key int) string {
	if op.Class == operator.Bool && g.variables && g.oneIn(6) {
		return g.of(genVariables[:6])
	}
	if pool := genOperands[op.Class]; pool != nil {
		if !g.oneIn(3) {
			return g.of(pool)
		}
		return g.literal(op.Class)
	}
	switch text := strings.ToValidUTF8(g.of(g.texts[key]), ""); {
	case g.oneIn(6):
		return g.of(genVariables)
	case g.oneIn(8):
		return fmt.Sprintf("value-%d", g.n(100))
	case op.Class == operator.ARN && !g.oneIn(4):
		if g.oneIn(2) || !strings.HasPrefix(text, "arn:") {
			text = g.of(genTextsOf[operator.ARN])
		}
		return g.of([]string{text, g.parts(text), g.parts(text), "arn:*:*:*:*:*"})
	case op.IgnoreCase && g.oneIn(2) && !strings.Contains(text, "${"):
		return g.recase(text)
	case strings.Contains(text, "${") || g.oneIn(3):
		return g.pattern(genTexts)
	case g.oneIn(2):
		return text
	}
	return g.pattern(g.texts[key])
}

// outsider makes one of many policy values that no request has, or hardly.
func (g *generator) outsider(op operator.Operator, wild bool) string {
	n := g.n(200)
	star := ""
	if wild && op.Like && g.oneIn(2) {
		star = "*"
	}
	switch op.Class {
	case operator.Numeric:
		return fmt.Sprintf("%d.5", 1000+n)
	case operator.Date:
		return fmt.Sprintf("19%02d-%02d", n%100, 1+n%12)
	case operator.IP:
		return g.of([]string{fmt.Sprintf("172.%d.%d.0/%d", n, g.n(9), 9+g.n(24)), fmt.Sprintf("2001:db9:%x::/%d", n, 33+g.n(96))})
	case operator.Binary:
		return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "Other%d", n))
	case operator.ARN:
		return fmt.Sprintf("arn:aws:sns:us-east-1:%s:other-%d%s", accountA, n, star)
	case operator.String:
		return fmt.Sprintf("%sother-%d%s", g.of([]string{"", "", star}), n, star)
	}
	return g.of(genOperands[op.Class])
}

// literal makes one of many policy values of a class.
func (g *generator) literal(class operator.Class) string {
	switch class {
	case operator.Numeric:
		return fmt.Sprintf("%d.%d", g.n(30)-10, g.n(10))
	case operator.Date:
		return fmt.Sprintf("2026-%02d-%02dT%02d:00Z", 1+g.n(12), 1+g.n(28), g.n(24))
	case operator.IP:
		if g.oneIn(4) {
			return fmt.Sprintf("2001:db8:%x::/%d", g.n(16), 16+g.n(113))
		}
		return fmt.Sprintf("10.%d.%d.%d/%d", g.n(4), g.n(4), g.n(8), 6+g.n(27))
	case operator.Binary:
		return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "Binary%d", g.n(9)))
	}
	return g.of(genOperands[class])
}

// caller makes the caller of a request.
func (g *generator) caller() Principal {
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
	r := &Request{Principal: g.callers[g.n(len(g.callers))], Action: g.of(g.actions), Resource: g.of(g.resources),
		Context: make(map[string]string), Lists: make(map[string][]string)}
	if g.oneIn(8) {
		r.Principal = g.caller()
	}
	if g.oneIn(8) {
		r.Resource = g.near(r.Resource)
	}
	if g.oneIn(8) {
		r.Action = g.action()
	}
	if g.oneIn(3) {
		r.ResourceAccount = g.of(append(slices.Clone(genAccounts), r.Principal.Account, "bucket-owner"))
	}
	for range g.n(8) {
		key := g.n(len(g.keys))
		r.Context[g.spell(key)] = g.value(key)
	}
	for range g.n(4) {
		key, list := g.n(len(g.keys)), []string{}
		for range g.size(4, 12, 66) {
			list = append(list, g.value(key))
		}
		r.Lists[g.spell(key)] = list
	}
	if g.oneIn(50) {
		for i := range 70 + g.n(200) {
			r.Context[fmt.Sprintf("x:other%d", i)] = "alice"
		}
	}
	if len(r.Context) == 0 && g.oneIn(2) {
		r.Context, r.Lists = nil, nil
	}
	return r
}

// value makes a value of a key.
func (g *generator) value(key int) string {
	switch g.n(8) {
	case 0:
		return g.text(g.classes[key])
	case 1:
		return g.of(g.texts[g.n(len(g.texts))])
	}
	return g.of(g.texts[key])
}
