// SPDX-License-Identifier: Apache-2.0

package stsapi_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const audience = "https://api.example.com"

// A outbound is a world served with TLS whose account issues tokens. Its clock
// stands still.
type outbound struct {
	*world
	issuer string
}

func newOutbound(t *testing.T) *outbound {
	t.Helper()
	w := &world{t: t, clock: iamtest.NewClock()}
	w.Server = iamtest.Options{Clock: w.clock, TLS: true}.Start(t)
	w.carl = w.User("carl", allowAll)
	return &outbound{w, iamtest.Element(w.Admin().OK("EnableOutboundWebIdentityFederation"), "IssuerIdentifier")}
}

func asks(params ...string) []string {
	return append([]string{"Audience.member.1=" + audience, "SigningAlgorithm=ES384"}, params...)
}

func (o *outbound) get(url string, into any) {
	o.t.Helper()
	resp, err := o.HTTP().Get(url)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || json.Unmarshal(body, into) != nil {
		o.t.Fatalf("GET %s = %s %s, %v", url, resp.Status, body, err)
	}
}

// verify verifies a token as any relying party does that knows nothing but the
// issuer and its own audience, and returns its claims.
func (o *outbound) verify(answer, audience string) map[string]any {
	o.t.Helper()
	var discovery struct {
		Issuer     string   `json:"issuer"`
		Keys       string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	o.get(o.issuer+"/.well-known/openid-configuration", &discovery)
	if discovery.Issuer != o.issuer {
		o.t.Fatalf("the discovery document is of %s, want %s", discovery.Issuer, o.issuer)
	}
	var set jose.JSONWebKeySet
	o.get(discovery.Keys, &set)
	var algorithms []jose.SignatureAlgorithm
	for _, a := range discovery.Algorithms {
		algorithms = append(algorithms, jose.SignatureAlgorithm(a))
	}
	token, err := jwt.ParseSigned(iamtest.Element(answer, "WebIdentityToken"), algorithms)
	if err != nil {
		o.t.Fatal(err)
	}
	var standard jwt.Claims
	var all map[string]any
	if err := token.Claims(set, &standard, &all); err != nil {
		o.t.Fatalf("the token's signature: %v", err)
	}
	expect := jwt.Expected{Issuer: o.issuer, AnyAudience: jwt.Audience{audience}, Time: o.clock.Now()}
	if err := standard.ValidateWithLeeway(expect, 0); err != nil {
		o.t.Fatalf("the token's claims %+v: %v", standard, err)
	}
	if typ := token.Headers[0].ExtraHeaders["typ"]; typ != "JWT" {
		o.t.Errorf("typ = %v, want JWT", typ)
	}
	if got := iamtest.Element(answer, "Expiration"); got != standard.Expiry.Time().UTC().Format(time.RFC3339) {
		o.t.Errorf("Expiration = %s, but exp is %v", got, standard.Expiry.Time().UTC())
	}
	return all
}

// aws returns the claims in AWS's namespace.
func aws(t *testing.T, claims map[string]any) map[string]any {
	t.Helper()
	m, ok := claims["https://sts.amazonaws.com/"].(map[string]any)
	if !ok {
		t.Fatalf("the claims %v have no namespace of AWS", claims)
	}
	return m
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// TestWebIdentityToken: a relying party verifies it with nothing but the issuer's
// URL. quirk Q084: the claims are those that AWS sends.
func TestWebIdentityToken(t *testing.T) {
	o := newOutbound(t)
	o.Admin().OK("TagUser", "UserName=carl", "Tags.member.1.Key=Team", "Tags.member.1.Value=blue")
	for _, algorithm := range []string{"RS256", "ES384"} {
		claims := o.verify(o.carl.OK("GetWebIdentityToken", "Audience.member.1="+audience, "SigningAlgorithm="+algorithm), audience)
		now := float64(o.clock.Now().Unix())
		same(t, "iss", claims["iss"], o.issuer)
		same(t, "aud", claims["aud"], audience)
		same(t, "sub", claims["sub"], prefix+"user/carl")
		same(t, "iat", claims["iat"], now)
		same(t, "exp", claims["exp"], now+300)
		if jti, _ := claims["jti"].(string); len(jti) != 36 {
			t.Errorf("jti = %q, want a UUID", jti)
		}
		same(t, "https://sts.amazonaws.com/", aws(t, claims), map[string]any{
			"aws_account": iamtest.Account, "source_region": "us-east-1", "principal_id": prefix + "user/carl",
			"principal_tags": map[string]any{"Team": "blue"},
		})
	}
	one := o.verify(o.carl.OK("GetWebIdentityToken", asks()...), audience)["jti"]
	if other := o.verify(o.carl.OK("GetWebIdentityToken", asks()...), audience)["jti"]; one == other {
		t.Errorf("two tokens have the jti %v", one)
	}
}

func TestWebIdentityTokenOfARole(t *testing.T) {
	o := newOutbound(t)
	arn := o.role("app", trusts(prefix+"user/carl"))
	o.change(func(tx *store.Tx) error {
		r, err := tx.Role("app")
		if err != nil {
			return err
		}
		r.Tags = []store.Tag{{Key: "Team", Value: "role"}, {Key: "kept", Value: "yes"}}
		return tx.PutRole(r)
	})
	session := o.carl.Assume(arn, "visit", "SourceIdentity=carl", "DurationSeconds=900", "Tags.member.1.Key=team", "Tags.member.1.Value=session")
	claims := o.verify(session.OK("GetWebIdentityToken", asks("Audience.member.2=second", "Audience.member.3=second", "DurationSeconds=60",
		"Tags.member.1.Key=job", "Tags.member.1.Value=1/2", "Tags.member.2.Key=aws:x", "Tags.member.2.Value=")...), "second")
	same(t, "aud", claims["aud"], []any{audience, "second", "second"})
	same(t, "sub", claims["sub"], arn)
	same(t, "life", claims["exp"].(float64)-claims["iat"].(float64), 60.0)
	same(t, "https://sts.amazonaws.com/", aws(t, claims), map[string]any{
		"aws_account": iamtest.Account, "source_region": "us-east-1", "principal_id": arn,
		"principal_tags":       map[string]any{"team": "session", "kept": "yes"},
		"request_tags":         map[string]any{"job": "1/2", "aws:x": ""},
		"original_session_exp": o.clock.Now().Add(900 * time.Second).Format(time.RFC3339),
		"source_identity":      "carl",
	})
}

func TestWebIdentityTokenInAnOrganization(t *testing.T) {
	o := newOutbound(t)
	id := iamtest.Member(o.Admin().Org("CreateOrganization", ""), "Id")
	root := iamtest.Member(o.Admin().Org("ListRoots", ""), "Id")
	got := aws(t, o.verify(o.carl.OK("GetWebIdentityToken", asks()...), audience))
	same(t, "org_id", got["org_id"], id)
	same(t, "ou_path", got["ou_path"], []any{id + "/" + root + "/"})
}

// TestOutboundTokensComeIn: another account takes the tokens of this one, like
// those of any issuer. quirk Q080
func TestOutboundTokensComeIn(t *testing.T) {
	o := newOutbound(t)
	bob := o.AddAccount(other)
	provider := iamtest.Element(bob.OK("CreateOpenIDConnectProvider", "Url="+o.issuer, "ClientIDList.member.1="+audience, "ThumbprintList.member.1="+o.Thumbprint()), "OpenIDConnectProviderArn")
	host := strings.TrimPrefix(o.issuer, "https://")
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Federated":"` + provider + `"},"Action":"sts:AssumeRoleWithWebIdentity",
		"Condition":{"StringEquals":{"` + host + `:aud":"` + audience + `","` + host + `:sub":"` + prefix + `user/carl"}}}}`
	bob.OK("CreateRole", "RoleName=guest", "AssumeRolePolicyDocument="+trust)
	role := "arn:aws:iam::" + other + ":role/guest"
	for _, algorithm := range []string{"RS256", "ES384"} {
		token := iamtest.Element(o.carl.OK("GetWebIdentityToken", "Audience.member.1="+audience, "SigningAlgorithm="+algorithm), "WebIdentityToken")
		body := bob.OK("AssumeRoleWithWebIdentity", assume(role, "WebIdentityToken="+token)...)
		same(t, "SubjectFromWebIdentityToken", iamtest.Element(body, "SubjectFromWebIdentityToken"), prefix+"user/carl")
		guest := o.Client(iamtest.Element(body, "AccessKeyId"), iamtest.Element(body, "SecretAccessKey"), iamtest.Element(body, "SessionToken"))
		same(t, "Arn", iamtest.Element(guest.OK("GetCallerIdentity"), "Arn"), "arn:aws:sts::"+other+":assumed-role/guest/visit")
	}
	// Not for another audience, not of another subject, not for long.
	token := func(by *iamtest.Client, params ...string) string {
		return "WebIdentityToken=" + iamtest.Element(by.OK("GetWebIdentityToken", append([]string{"SigningAlgorithm=RS256"}, params...)...), "WebIdentityToken")
	}
	bob.Fail("InvalidIdentityToken", "AssumeRoleWithWebIdentity", assume(role, token(o.carl, "Audience.member.1=elsewhere"))...)
	bob.Fail("AccessDenied", "AssumeRoleWithWebIdentity", assume(role, token(o.Admin(), "Audience.member.1="+audience))...)
	old := token(o.carl, "Audience.member.1="+audience)
	o.clock.Advance(301 * time.Second)
	bob.Fail("ExpiredTokenException", "AssumeRoleWithWebIdentity", assume(role, old)...)
	// What was issued before outbound federation is switched off stays good.
	old = token(o.carl, "Audience.member.1="+audience)
	o.Admin().OK("DisableOutboundWebIdentityFederation")
	bob.OK("AssumeRoleWithWebIdentity", assume(role, old)...)
}

// TestWhoGetsAToken: users and roles, also in sessions, with the permission.
// quirk Q082: not the root user.
func TestWhoGetsAToken(t *testing.T) {
	o := newOutbound(t)
	o.carl.OK("GetWebIdentityToken", asks()...)
	o.carl.Session("GetSessionToken").OK("GetWebIdentityToken", asks()...)
	msg := o.carl.Session("GetFederationToken", "Name=guest", "Policy="+allowAll).Fail("AccessDenied", "GetWebIdentityToken", asks()...)
	same(t, "message", msg, "GetWebIdentityToken does not support federated user sessions")
	root := o.Root(iamtest.Account)
	for _, by := range []*iamtest.Client{root, root.Session("GetSessionToken")} {
		same(t, "message", by.Fail("AccessDenied", "GetWebIdentityToken", asks()...), "GetWebIdentityToken does not support root users")
	}
	msg = o.User("ann", "").Fail("AccessDenied", "GetWebIdentityToken", asks()...)
	if want := "User: " + prefix + "user/ann is not authorized to perform: sts:GetWebIdentityToken on resource: arn:aws:sts::" + iamtest.Account +
		":self because no identity-based policy allows the sts:GetWebIdentityToken action"; !strings.HasPrefix(msg, want) {
		t.Errorf("message = %s, want %s", msg, want)
	}
}

func TestWebIdentityTokenConditions(t *testing.T) {
	o := newOutbound(t)
	allow := func(action, resource, condition string) string {
		return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q,"Condition":%s}`, action, resource, condition)
	}
	self := "arn:aws:sts::" + iamtest.Account + ":self"
	by := o.User("ann", `{"Version":"2012-10-17","Statement":[`+
		allow("sts:GetWebIdentityToken", self, `{"ForAllValues:StringEquals":{"sts:IdentityTokenAudience":["`+audience+`","two"]},"Null":{"sts:IdentityTokenAudience":"false"},`+
			`"StringEquals":{"sts:SigningAlgorithm":"ES384"},"NumericLessThanEquals":{"sts:DurationSeconds":"300"}}`)+","+
		allow("sts:TagGetWebIdentityToken", self, `{"StringEquals":{"aws:RequestTag/team":"test"},"ForAllValues:StringEquals":{"aws:TagKeys":["team"]}}`)+`]}`)
	tag := func(key, value string) []string {
		return []string{"Tags.member.1.Key=" + key, "Tags.member.1.Value=" + value}
	}
	for _, tc := range []struct {
		name   string
		params []string
		denied string // the action; "" if it is allowed
	}{
		{"as-allowed-by-default", asks(), ""}, // quirk Q083: 300 seconds count as asked for
		{"as-allowed", asks("DurationSeconds=300"), ""},
		{"both-audiences", asks("Audience.member.2=two"), ""},
		{"too-long", asks("DurationSeconds=301"), "sts:GetWebIdentityToken"},
		{"one-audience-too-many", asks("Audience.member.2=three"), "sts:GetWebIdentityToken"},
		{"another-algorithm", []string{"Audience.member.1=" + audience, "SigningAlgorithm=RS256"}, "sts:GetWebIdentityToken"},
		{"tag-as-allowed", asks(tag("team", "test")...), ""},
		{"another-value", asks(tag("team", "other")...), "sts:TagGetWebIdentityToken"},
		{"another-tag", asks(tag("extra", "test")...), "sts:TagGetWebIdentityToken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.denied == "" {
				by.OK("GetWebIdentityToken", tc.params...)
			} else if msg := by.Fail("AccessDenied", "GetWebIdentityToken", tc.params...); !strings.Contains(msg, "perform: "+tc.denied+" on resource: "+self+" because") {
				t.Errorf("message = %s, want a refusal of %s", msg, tc.denied)
			}
		})
	}
}

func TestWebIdentityTokenRefusals(t *testing.T) {
	o := newOutbound(t)
	session := o.carl.Assume(o.role("app", trusts(prefix+"user/carl")), "visit", "DurationSeconds=900")
	tags := []string{"Tags.member.1.Key=team", "Tags.member.1.Value=a", "Tags.member.2.Key=Team", "Tags.member.2.Value=b"}
	for _, tc := range []struct {
		name       string
		by         *iamtest.Client
		params     []string
		code, text string
	}{
		{"an-algorithm-that-is-not-supported", o.carl, []string{"Audience.member.1=a", "SigningAlgorithm=ES256"}, "ValidationError",
			"Requested SigningAlgorithm is not supported. See the GetWebIdentityToken documentation for supported algorithms"},
		{"no-audience", o.carl, []string{"SigningAlgorithm=RS256"}, "ValidationError",
			"1 validation error detected: Value null at 'audience' failed to satisfy constraint: Member must not be null"},
		{"not-even-a-minute", o.carl, asks("DurationSeconds=59"), "ValidationError",
			"1 validation error detected: Value '59' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 60"},
		{"more-than-an-hour", o.carl, asks("DurationSeconds=3601"), "ValidationError",
			"1 validation error detected: Value '3601' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 3600"},
		{"a-tag-twice", o.carl, asks(tags...), "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."},
		{"longer-than-the-session", session, asks("DurationSeconds=901"), "SessionDurationEscalationException",
			"Requested token expiry time must be before the original session's expiry time."},
		{"as-long-as-the-session", session, asks("DurationSeconds=900"), "SessionDurationEscalationException",
			"Requested token expiry time must be before the original session's expiry time."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			same(t, "message", tc.by.Fail(tc.code, "GetWebIdentityToken", tc.params...), tc.text)
		})
	}
	session.OK("GetWebIdentityToken", asks("DurationSeconds=899")...)
	o.Admin().OK("DisableOutboundWebIdentityFederation")
	same(t, "message", o.carl.Fail("OutboundWebIdentityFederationDisabledException", "GetWebIdentityToken", asks()...), "OutboundWebIdentityFederation is disabled.")
}

// TestPayloadSize: AWS signs 14,984 bytes of claims.
func TestPayloadSize(t *testing.T) {
	o := newOutbound(t)
	params := func(last int) []string {
		p := []string{"SigningAlgorithm=ES384"}
		for i := range 9 {
			p = append(p, fmt.Sprintf("Audience.member.%d=%s", i+1, strings.Repeat("a", 1000)))
		}
		p = append(p, "Audience.member.10="+strings.Repeat("a", last))
		for i := range 24 {
			n := strconv.Itoa(i + 1)
			p = append(p, "Tags.member."+n+".Key=k"+n, "Tags.member."+n+".Value="+strings.Repeat("é", 100))
		}
		return p
	}
	low, high := 1, 1000 // the first fits, the second does not
	o.carl.OK("GetWebIdentityToken", params(low)...)
	msg := o.carl.Fail("JWTPayloadSizeExceededException", "GetWebIdentityToken", params(high)...)
	if !strings.HasPrefix(msg, "The requested token payload size exceeds the maximum allowed size.") {
		t.Errorf("message = %s", msg)
	}
	for high-low > 1 {
		mid := (low + high) / 2
		if status, _ := o.carl.Call("GetWebIdentityToken", params(mid)...); status == http.StatusOK {
			low = mid
		} else {
			high = mid
		}
	}
	token, err := jose.ParseSignedCompact(iamtest.Element(o.carl.OK("GetWebIdentityToken", params(low)...), "WebIdentityToken"), []jose.SignatureAlgorithm{jose.ES384})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(token.UnsafePayloadWithoutVerification()); got != 14984 {
		t.Errorf("the largest payload has %d bytes, want 14984", got)
	}
}

// TestWebIdentityTokenRecord: the record says who asked for which audience, and
// not the token.
func TestWebIdentityTokenRecord(t *testing.T) {
	o := newOutbound(t)
	token := iamtest.Element(o.carl.OK("GetWebIdentityToken", asks()...), "WebIdentityToken")
	rec := o.LastRecord()
	if rec.EventName != "GetWebIdentityToken" || rec.Identity.UserName != "carl" || !strings.Contains(string(rec.RequestParameters), audience) {
		t.Errorf("record = %+v", rec)
	}
	if strings.Contains(string(rec.ResponseElements), token) || !strings.Contains(string(rec.ResponseElements), "expiration") {
		t.Errorf("ResponseElements = %s, want the expiration without the token", rec.ResponseElements)
	}
}
