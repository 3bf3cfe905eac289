// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ids"
)

var (
	issued  = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	expires = issued.Add(time.Hour)
)

// fixed returns a source of ids that gives the same ones each time.
func fixed() *ids.Source { return &ids.Source{Rand: rand.NewChaCha8([32]byte{1})} }

func testKey(n byte) []byte { return bytes.Repeat([]byte{n}, KeySize) }

func newRing(t testing.TB, keys ...[]byte) *Ring {
	t.Helper()
	r, err := NewRing(fixed(), keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// plainRole is an ordinary role session.
func plainRole() Claims {
	return Claims{
		Account: "123456789012", Kind: Role, Name: "deploy-1", PrincipalID: "AROAQGHTZVKA5EXAMPLE2",
		RoleName: "deployer", RolePath: "/", Issued: issued, Expires: expires,
	}
}

const statement = `{"Version":"2012-10-17","Statement":[{"Sid":"Stmt1","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::reports/*"}]}`

var claimsCases = []struct {
	name string
	c    Claims
	size int // at most so many characters of token
}{
	{"role", plainRole(), 300},
	{"role-with-everything", Claims{
		Account: "000000000001", Kind: Role, Name: "ann@example.com", PrincipalID: "AROAQGHTZVKA5EXAMPLE2",
		RoleName: "deployer", RolePath: "/teams/blue/", Provider: "arn:aws:iam::000000000001:oidc-provider/id.example.com",
		Policy: statement, PolicyARNs: []string{"arn:aws:iam::aws:policy/ReadOnlyAccess", "arn:aws:iam::000000000001:policy/x"},
		Tags:       []Tag{{"Team", "blue"}, {"CostCenter", ""}, {"größe", "æøå"}},
		Transitive: []string{"Team", "größe"}, SourceIdentity: "ann",
		MFA: issued.Add(-time.Minute), Issued: issued, Expires: expires, Chained: true,
	}, 700},
	{"user-with-a-second-factor", Claims{
		Account: "999999999999", Kind: User, Name: "Bob", PrincipalID: "AIDAQGHTZVKA5EXAMPLE2",
		MFA: issued, Issued: issued, Expires: issued.Add(36 * time.Hour),
	}, 200},
	{"federated", Claims{
		Account: "123456789012", Kind: Federated, Name: "carol", PrincipalID: "AIDAQGHTZVKA5EXAMPLE2",
		Policy: statement, Issued: issued, Expires: expires,
	}, 350},
	{"root", Claims{
		Account: "123456789012", Kind: Root, PrincipalID: "123456789012", Issued: issued, Expires: expires,
	}, 200},
	{"role-of-a-provider", Claims{
		Account: "000000000001", Kind: Role, Name: "ci", PrincipalID: "AROAQGHTZVKA5EXAMPLE2", RoleName: "ci", RolePath: "/",
		Provider:  "arn:aws:iam::000000000001:oidc-provider/id.example.com",
		Federated: []Tag{{"id.example.com:sub", "repo:acme/app"}, {"id.example.com:aud", ""}},
		Issued:    issued, Expires: expires, Tags: []Tag{{"a", "b"}},
	}, 400},
	{"delegate", Claims{
		Account: "123456789012", Kind: User, Name: "Bob", PrincipalID: "AIDAQGHTZVKA5EXAMPLE2", Policy: statement,
		Issued: issued, Expires: expires, Delegate: "000000000001",
	}, 350},
	{"task-of-root-that-is-over-at-once", Claims{
		Account: "123456789012", Kind: RootTask, PrincipalID: "123456789012", Issued: issued, Expires: issued,
		PolicyARNs: []string{"arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}, SourceIdentity: "ann",
	}, 250},
	{"tags-only", Claims{
		Account: "123456789012", Kind: Root, PrincipalID: "123456789012", Issued: issued, Expires: expires,
		Tags: []Tag{{"a", "b"}},
	}, 200},
}

func TestOpenReturnsWhatWasMinted(t *testing.T) {
	r := newRing(t, testKey(1))
	for _, test := range claimsCases {
		t.Run(test.name, func(t *testing.T) {
			cred, err := r.Mint(test.c)
			if err != nil {
				t.Fatal(err)
			}
			if len(cred.SessionToken) > test.size {
				t.Errorf("the token has %d characters, want at most %d", len(cred.SessionToken), test.size)
			}
			if account, ok := ids.Account(cred.AccessKeyID); !ok || account != test.c.Account {
				t.Errorf("the access key id %s carries account %q, want %q", cred.AccessKeyID, account, test.c.Account)
			}
			if !regexp.MustCompile(`^ASIA[A-Z2-7]{16}$`).MatchString(cred.AccessKeyID) {
				t.Errorf("access key id = %q", cred.AccessKeyID)
			}
			if !regexp.MustCompile(`^[A-Za-z0-9/+]{40}$`).MatchString(cred.SecretAccessKey) {
				t.Errorf("secret access key = %q", cred.SecretAccessKey)
			}
			if !cred.Expires.Equal(test.c.Expires) {
				t.Errorf("expires %v, want %v", cred.Expires, test.c.Expires)
			}
			got, secret, err := r.Open(cred.AccessKeyID, cred.SessionToken)
			if err != nil {
				t.Fatal(err)
			}
			if secret != cred.SecretAccessKey {
				t.Error("Open gives another secret than Mint")
			}
			if !reflect.DeepEqual(*got, test.c) {
				t.Errorf("Open = %+v, want %+v", *got, test.c)
			}
		})
	}
}

func TestTimesAreCutToSeconds(t *testing.T) {
	r := newRing(t, testKey(1))
	c := plainRole()
	zone := time.FixedZone("", 3600)
	c.Issued, c.Expires = issued.Add(999*time.Millisecond).In(zone), expires.Add(time.Millisecond).In(zone)
	cred, err := r.Mint(c)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := r.Open(cred.AccessKeyID, cred.SessionToken)
	if err != nil {
		t.Fatal(err)
	}
	if got.Issued != issued || got.Expires != expires || cred.Expires != expires {
		t.Errorf("issued %v, expires %v and %v; want %v and %v", got.Issued, got.Expires, cred.Expires, issued, expires)
	}
}

// TestOldTokensOpen keeps a token of version 1: it must open as long as nodes of
// that version may have issued tokens.
func TestOldTokensOpen(t *testing.T) {
	const (
		id     = "ASIAQAAAAAAAXXURW3VY"
		secret = "ucs7fKq7N3hQQelXEK5KxjFNDndXL33uq4OTtv3w"
		token  = "Afz0gwGF77wJpo000aau2hWxh_GGO69NKJccOnzc2rRsYfq3g9R4zip-s7t5wgmsO5B6uLZRxal3N5T3LEBvkpS9mmi1" +
			"ynSSefinZhbiqCK8Y9i__S6QD08ezK4oK5vzeCE4r9UN_TOzstWSeUQvdcinJblufKsPDBVmAVjZKCpOs1xto_WTNgHpbXLI" +
			"E0oC-C8Ly0YoV3UGEXtTR7E8wLDjTSKr1kvShVpGvcHxuO7XMZRV03wp2wYqjTzooJ_B4FJ_Nr_I7e_aBz360QLAExldEirc" +
			"4IAKVAAaeGu3jCnyWSOKzKd5TbYHwLFPhgw4coGiBA"
	)
	c, got, err := newRing(t, testKey(1)).Open(id, token)
	if err != nil {
		t.Fatal(err)
	}
	if got != secret {
		t.Errorf("the secret is %q, want %q", got, secret)
	}
	if want := claimsCases[1].c; !reflect.DeepEqual(*c, want) {
		t.Errorf("Open = %+v, want %+v", *c, want)
	}
}

func TestEachMintIsAnother(t *testing.T) {
	r := newRing(t, testKey(1))
	a, _ := r.Mint(plainRole())
	b, _ := r.Mint(plainRole())
	if a.AccessKeyID == b.AccessKeyID || a.SecretAccessKey == b.SecretAccessKey || a.SessionToken == b.SessionToken {
		t.Errorf("two sessions share something: %+v and %+v", a, b)
	}
	if _, _, err := r.Open(b.AccessKeyID, a.SessionToken); err != ErrInvalid {
		t.Errorf("Open(another access key id) = %v, want ErrInvalid", err)
	}
}

// TestSecretsDifferUnderOneID covers the chance that two sessions get the same
// access key id: neither must know the other's secret.
func TestSecretsDifferUnderOneID(t *testing.T) {
	a, _ := newRing(t, testKey(1)).Mint(plainRole())
	c := plainRole()
	c.Name = "deploy-2"
	b, _ := newRing(t, testKey(1)).Mint(c)
	if a.AccessKeyID != b.AccessKeyID {
		t.Fatal("the fixed source gives different ids")
	}
	if a.SecretAccessKey == b.SecretAccessKey {
		t.Error("two different sessions with one access key id have one secret")
	}
}

func TestRotation(t *testing.T) {
	k1, k2, k3 := testKey(1), testKey(2), testKey(3)
	old := newRing(t, k1)
	both := newRing(t, k1, k2)
	next := newRing(t, k2, k3)
	a, _ := old.Mint(plainRole())
	b, _ := both.Mint(plainRole())
	for _, test := range []struct {
		name string
		ring *Ring
		cred Credentials
		want error
	}{
		{"old-token-under-both-keys", both, a, nil},
		{"new-token-under-both-keys", both, b, nil},
		{"new-token-is-minted-by-the-newest-key", old, b, ErrInvalid},
		{"newest-key-of-then-opens-later", next, b, nil},
		{"removed-key-opens-no-more", next, a, ErrInvalid},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, _, err := test.ring.Open(test.cred.AccessKeyID, test.cred.SessionToken); err != test.want {
				t.Errorf("Open = %v, want %v", err, test.want)
			}
		})
	}
}

func TestNewRingRefuses(t *testing.T) {
	many := make([][]byte, maxKeys+1)
	for i := range many {
		many[i] = testKey(byte(i))
	}
	for _, test := range []struct {
		name string
		keys [][]byte
	}{
		{"no-key", nil},
		{"short-key", [][]byte{testKey(1)[1:]}},
		{"one-key-twice", [][]byte{testKey(1), testKey(2), testKey(1)}},
		{"too-many-keys", many},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := NewRing(fixed(), test.keys...); err == nil {
				t.Error("NewRing succeeded, want an error")
			}
		})
	}
	if _, err := NewRing(nil, testKey(1)); err == nil {
		t.Error("NewRing without a source succeeded, want an error")
	}
	if a, b := NewKey(), NewKey(); len(a) != KeySize || bytes.Equal(a, b) {
		t.Errorf("NewKey() = %x, then %x", a, b)
	}
}

func TestOpenRefuses(t *testing.T) {
	r := newRing(t, testKey(1))
	cred, _ := r.Mint(plainRole())
	id, token := cred.AccessKeyID, cred.SessionToken
	for _, test := range []struct{ name, id, token string }{
		{"empty", id, ""},
		{"not-base64", id, token[:20] + "*" + token[21:]},
		{"cut-short", id, token[:len(token)-4]},
		{"head-only", id, token[:headSize*4/3]},
		{"longer", id, token + "AAAA"},
		{"line-break-within", id, token[:40] + "\n" + token[40:]},
		{"line-break-after", id, token + "\r\n"},
		{"padded", id, token + "="},
		{"too-long", id, strings.Repeat("A", MaxToken+1)},
		{"no-access-key-id", "", token},
		{"long-lived-key", "AKIA" + id[4:], token},
		{"lower-case-id", strings.ToLower(id), token},
		{"a-message", id, r.SealMessage([]byte("{}"))},
	} {
		t.Run(test.name, func(t *testing.T) {
			if c, secret, err := r.Open(test.id, test.token); !errors.Is(err, ErrInvalid) || c != nil || secret != "" {
				t.Errorf("Open = %v, %q, %v; want ErrInvalid only", c, secret, err)
			}
		})
	}
}

func TestOpenRefusesEachChangedCharacter(t *testing.T) {
	r := newRing(t, testKey(1), testKey(2))
	cred, _ := r.Mint(plainRole())
	for i := range len(cred.SessionToken) {
		for _, by := range []byte("A9_-") {
			if cred.SessionToken[i] == by {
				continue
			}
			changed := cred.SessionToken[:i] + string(by) + cred.SessionToken[i+1:]
			if _, _, err := r.Open(cred.AccessKeyID, changed); err != ErrInvalid {
				t.Fatalf("Open with character %d changed to %q = %v, want ErrInvalid", i, by, err)
			}
		}
	}
}

// TestTokensHaveOneForm goes over every length of the last group of characters,
// where a decoder may be lenient.
func TestTokensHaveOneForm(t *testing.T) {
	r := newRing(t, testKey(1))
	for n := range 4 {
		c := plainRole()
		c.Name = strings.Repeat("x", n+1)
		cred, err := r.Mint(c)
		if err != nil {
			t.Fatal(err)
		}
		token := cred.SessionToken
		for _, other := range []string{token + "\n", token + "\r", "\n" + token, token + "=", token + "==", token + "A"} {
			if _, _, err := r.Open(cred.AccessKeyID, other); err != ErrInvalid {
				t.Errorf("Open(%q) = %v, want ErrInvalid", other, err)
			}
		}
		for last := range strings.SplitSeq("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", "") {
			other := token[:len(token)-1] + last
			if _, _, err := r.Open(cred.AccessKeyID, other); (err == nil) != (other == token) {
				t.Errorf("Open(%q) = %v; the token minted is %q", other, err, token)
			}
		}
	}
}

func TestMintRefuses(t *testing.T) {
	r := newRing(t, testKey(1))
	for _, test := range []struct {
		name   string
		change func(*Claims)
	}{
		{"no-account", func(c *Claims) { c.Account = "" }},
		{"account-of-letters", func(c *Claims) { c.Account = "12345678901x" }},
		{"no-kind", func(c *Claims) { c.Kind = 0 }},
		{"unknown-kind", func(c *Claims) { c.Kind = RootTask + 1 }},
		{"no-principal-id", func(c *Claims) { c.PrincipalID = "" }},
		{"no-time-of-issue", func(c *Claims) { c.Issued = time.Time{} }},
		{"expired-at-birth", func(c *Claims) { c.Expires = c.Issued }},
		{"task-of-root-without-its-policy", func(c *Claims) { c.Kind = RootTask }},
		{"task-of-root-that-ends-before-it-begins", func(c *Claims) {
			c.Kind, c.PolicyARNs, c.Expires = RootTask, []string{"arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy"}, c.Issued.Add(-time.Second)
		}},
		{"second-factor-in-the-future", func(c *Claims) { c.MFA = c.Issued.Add(time.Second) }},
		{"transitive-tag-without-tag", func(c *Claims) { c.Transitive = []string{"Team"} }},
		{"delegate-that-is-no-account", func(c *Claims) { c.Delegate, c.Policy = "vendor", statement }},
		{"delegate-without-a-session-policy", func(c *Claims) { c.Delegate = "000000000001" }},
		{"too-many-tags", func(c *Claims) { c.Tags = make([]Tag, maxList+1) }},
		{"too-many-arns", func(c *Claims) { c.PolicyARNs = make([]string, maxList+1) }},
		{"endless-name", func(c *Claims) { c.SourceIdentity = strings.Repeat("x", maxString+1) }},
		{"endless-policy", func(c *Claims) { c.Policy = strings.Repeat("x", maxPacked) }},
		{"token-too-long", func(c *Claims) { c.Name, c.RoleName = strings.Repeat("x", maxString), strings.Repeat("x", maxString) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := plainRole()
			test.change(&c)
			if cred, err := r.Mint(c); err == nil || cred != (Credentials{}) {
				t.Errorf("Mint(%+v) succeeded, want an error", c)
			}
		})
	}
}

func TestTransitiveKeysCompareWithoutCase(t *testing.T) {
	r := newRing(t, testKey(1))
	c := plainRole()
	c.Tags, c.Transitive = []Tag{{"Team", "blue"}, {"Site", "x"}}, []string{"sITE"}
	cred, err := r.Mint(c)
	if err != nil {
		t.Fatal(err)
	}
	got, _, err := r.Open(cred.AccessKeyID, cred.SessionToken)
	if err != nil || len(got.Transitive) != 1 || got.Transitive[0] != "Site" {
		t.Errorf("Open gives %v, %v; want Transitive [Site]", got, err)
	}
}

// TestParseClaimsRefuses holds for texts that only a holder of the key can make:
// another version of this program.
func TestParseClaimsRefuses(t *testing.T) {
	good, err := new(claimsCases[1].c).append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseClaims(good); err != nil {
		t.Fatalf("parseClaims(good) = %v", err)
	}
	change := func(at int, to byte) []byte {
		b := bytes.Clone(good)
		b[at] = to
		return b
	}
	for name, b := range map[string][]byte{
		"empty":            nil,
		"another-version":  change(0, claimsVersion+1),
		"no-kind":          change(1, 0),
		"unknown-kind":     change(1, 9),
		"unknown-flag":     change(2, good[2]|(flagsKnown+1)),
		"something-after":  append(bytes.Clone(good), 0),
		"packed-cut-short": good[:len(good)-1],
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := parseClaims(b); err == nil {
				t.Errorf("parseClaims = %+v, want an error", c)
			}
		})
	}
	plain := plainRole()
	unpacked, err := plain.append(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseClaims(append(unpacked, 0)); err == nil {
		t.Error("parseClaims(claims without a packed part, and a byte) succeeded, want an error")
	}
	for n := range good {
		if _, err := parseClaims(good[:n]); err == nil {
			t.Errorf("parseClaims(the first %d of %d bytes) succeeded, want an error", n, len(good))
		}
	}
}

func TestMessages(t *testing.T) {
	r := newRing(t, testKey(1))
	long := []byte(strings.Repeat(`{"decision":"deny"}`, 200))
	noise := make([]byte, MaxMessage)
	rand.NewChaCha8([32]byte{2}).Read(noise)
	for name, message := range map[string][]byte{"empty": {}, "short": []byte("{}"), "long": long, "as-long-as-may-be": noise} {
		t.Run(name, func(t *testing.T) {
			text := r.SealMessage(message)
			got, err := r.OpenMessage(text)
			if err != nil || !bytes.Equal(got, message) {
				t.Fatalf("OpenMessage gives %d bytes, %v; want %d", len(got), err, len(message))
			}
			if again := r.SealMessage(message); again != text {
				t.Error("SealMessage gives two texts for one message")
			}
			if _, err := newRing(t, testKey(2)).OpenMessage(text); err != ErrInvalid {
				t.Errorf("OpenMessage under another key = %v, want ErrInvalid", err)
			}
		})
	}
	if n := len(r.SealMessage(long)); n > 300 {
		t.Errorf("a repetitive message takes %d characters", n)
	}
	if got, err := r.OpenMessage(r.SealMessage(append(noise, 1))); err != nil || !bytes.Equal(got, noise) {
		t.Errorf("a message one byte too long gives %d bytes, %v", len(got), err)
	}
	cred, _ := r.Mint(plainRole())
	for name, text := range map[string]string{"empty": "", "a-token": cred.SessionToken, "endless": strings.Repeat("A", maxSealed+4)} {
		if _, err := r.OpenMessage(text); err != ErrInvalid {
			t.Errorf("OpenMessage(%s) = %v, want ErrInvalid", name, err)
		}
	}
}

func TestPackedSize(t *testing.T) {
	noise := func(n int) string {
		src := rand.New(rand.NewPCG(1, 2))
		b := make([]byte, n)
		for i := range b {
			b[i] = byte('!' + src.IntN(90))
		}
		return string(b)
	}
	for _, test := range []struct {
		name     string
		policy   string
		arns     []string
		tags     []Tag
		min, max int
	}{
		{"nothing", "", nil, nil, 0, 0},
		{"one-short-tag", "", nil, []Tag{{"a", "b"}}, 1, 1},
		{"usual-policy", statement, nil, nil, 3, 10},
		{"usual-policy-arn-and-tags", statement, []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}, []Tag{{"Team", "blue"}, {"Project", "x1"}}, 5, 15},
		{"noise-just-within", noise(1100), nil, nil, 85, 100},
		{"noise-beyond", noise(2048), nil, nil, 101, 200},
		{"repetition-fits", strings.Repeat("arn:aws:s3:::bucket/x", 97), nil, nil, 1, 10},
		{"more-than-a-token-may-carry", strings.Repeat("x", maxPacked+1), nil, nil, 101, 4000},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := PackedSize(test.policy, test.arns, test.tags)
			if got < test.min || got > test.max {
				t.Errorf("PackedSize = %d, want %d to %d", got, test.min, test.max)
			}
		})
	}
	if a, b := percent(PackedLimit), percent(PackedLimit+1); a != 100 || b != 101 {
		t.Errorf("percent at and beyond the limit = %d, %d, want 100, 101", a, b)
	}
}

func TestRingIsSafeForConcurrentUse(t *testing.T) {
	r := newRing(t, testKey(1))
	var all sync.WaitGroup
	for _, test := range claimsCases {
		all.Go(func() {
			for range 200 {
				cred, err := r.Mint(test.c)
				if err != nil {
					t.Error(err)
					return
				}
				got, _, err := r.Open(cred.AccessKeyID, cred.SessionToken)
				if err != nil || !reflect.DeepEqual(*got, test.c) {
					t.Errorf("Open = %+v, %v, want %+v", got, err, test.c)
					return
				}
			}
		})
	}
	all.Wait()
}
