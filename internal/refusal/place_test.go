// SPDX-License-Identifier: Apache-2.0

package refusal_test

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/mfa"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// A place is a node with a clock that stands still, and credentials that are good
// for nothing.
type place struct {
	*iamtest.Server
	t     testing.TB
	clock *iamtest.Clock
	http  *http.Client
	count atomic.Int64 // of requests

	accounts atomic.Int64
	expired  *iamtest.Client // a session that was
	inactive *iamtest.Client
	made     map[string]string // certificates and keys, by variable
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{t: t, clock: iamtest.NewClock(), made: make(map[string]string)}
	p.Server = iamtest.Options{Clock: p.clock}.Start(t)
	transport := &http.Transport{MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	p.http = &http.Client{Transport: transport, Timeout: 20 * time.Second}
	admin := p.Admin()
	p.expired = admin.Session("GetSessionToken", "DurationSeconds=900")
	p.clock.Advance(time.Hour)
	p.inactive = p.User("gone", "")
	admin.OK("UpdateAccessKey", "UserName=gone", "AccessKeyId="+p.inactive.Key, "Status=Inactive")
	p.issue()
	return p
}

// issue makes what requests need that cannot be written down.
func (p *place) issue() {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		p.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "site"},
		NotBefore: p.clock.Now().Add(-time.Hour), NotAfter: p.clock.Now().Add(1e5 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		p.t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		p.t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	p.made["cert"] = block("CERTIFICATE", der)
	p.made["key"] = block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(private))
	p.made["ssh"] = block("PUBLIC KEY", public)
	p.made["metadata"] = fmt.Sprintf(`<EntityDescriptor xmlns=%q entityID=%q><IDPSSODescriptor protocolSupportEnumeration=%q><KeyDescriptor><KeyInfo xmlns=%q><X509Data><X509Certificate>%s</X509Certificate></X509Data></KeyInfo></KeyDescriptor></IDPSSODescriptor><!--%s--></EntityDescriptor>`,
		"urn:oasis:names:tc:SAML:2.0:metadata", "https://idp.example.com/", "urn:oasis:names:tc:SAML:2.0:protocol", "http://www.w3.org/2000/09/xmldsig#",
		base64.StdEncoding.EncodeToString(der), strings.Repeat(" ", 1000))
}

// A sandbox is an account of its own for one operation, with the user ann, the
// group crew, the role app, the instance profile vm, the policy reader, and the
// user nobody, who may do nothing.
type sandbox struct {
	*place
	t       *testing.T
	account string
	admin   *iamtest.Client
	nobody  *iamtest.Client
	guest   *sandbox // another account, for operations between two; else nil
	vars    map[string]string
}

const (
	allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	trustAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"%s"},"Action":"sts:AssumeRole"}}`
)

func (p *place) sandbox(t *testing.T) *sandbox {
	t.Helper()
	n := p.accounts.Add(1)
	s := &sandbox{place: p, t: t, account: fmt.Sprintf("3%011d", n), vars: make(map[string]string)}
	for name, v := range p.made {
		s.vars[name] = v
	}
	s.admin = p.AddAccount(s.account)
	key, secret := p.Store().NewKey(s.account)
	annKey, annSecret := p.Store().NewKey(s.account)
	unused, _ := p.Store().NewKey(s.account)
	trust := fmt.Sprintf(trustAll, s.account)
	err := p.Store().Update(t.Context(), s.account, func(tx *store.Tx) error {
		ann := &store.User{Name: "ann", Keys: []store.AccessKey{annKey}}
		ann.Inline = []store.Inline{{Name: "all", Document: store.NewDocument("all", allowAll)}}
		for _, err := range []error{
			tx.CreateUser(&store.User{Name: "nobody", Keys: []store.AccessKey{key}}),
			tx.CreateUser(ann),
			tx.CreateUser(&store.User{Name: "ben"}),
			tx.CreateGroup(&store.Group{Name: "crew"}),
			tx.CreateRole(&store.Role{Name: "app", Trust: store.NewTrust(trust, nil), MaxSession: 3600}),
			tx.CreateProfile(&store.InstanceProfile{Name: "vm"}),
			tx.CreatePolicy(&store.Policy{Name: "reader"}, store.NewDocument("", allowAll)),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s.nobody = p.Client(key.ID, secret, "")
	s.vars["account"], s.vars["policy"], s.vars["trust"] = s.account, allowAll, trust
	s.vars["deny"], s.vars["quotedDeny"] = denyIAM, quoted(denyIAM)
	s.vars["resource"] = fmt.Sprintf(readable, s.account)
	s.vars["quotedResource"] = quoted(s.vars["resource"])
	s.vars["annKey"], s.vars["annSecret"], s.vars["unusedKey"] = annKey.ID, annSecret, unused.ID
	return s
}

// quoted returns a text as it is inside a string of JSON.
func quoted(text string) string { return strings.ReplaceAll(text, `"`, `\"`) }

// revision returns the revision of the sandbox's account.
func (s *sandbox) revision() kv.Revision {
	s.t.Helper()
	v, err := s.Store().View(s.t.Context(), s.account)
	if err != nil {
		s.t.Fatal(err)
	}
	return v.Revision()
}

// step makes one call that prepares an operation: its name, its parameters, and
// after ">" the elements of the answer to remember as variables, "Element" or
// "Element=variable". "org:Name" is an operation of Organizations, whose
// parameters are in JSON. "guest:" before it all: the other account's administrator.
func (s *sandbox) step(ops map[string]*operation, text string) {
	s.t.Helper()
	call, keep, _ := strings.Cut(text, " > ")
	who := s.admin
	if guest, ok := strings.CutPrefix(call, "guest:"); ok {
		call, who = guest, s.guest.admin
	}
	o, body := s.call(ops, call)
	a := s.send(s.t, o, s.build(o, sender{Client: who}, body))
	if a.status != http.StatusOK {
		s.t.Fatalf("%s: %d\n%s", text, a.status, a.body)
	}
	for _, k := range strings.Fields(keep) {
		element, variable, ok := strings.Cut(k, "=")
		if !ok {
			variable = element
		}
		value := iamtest.Element(a.body, element)
		if o.json() {
			value = iamtest.Member(a.body, element)
		}
		if value == "" {
			s.t.Fatalf("%s: no %s in %s", text, element, a.body)
		}
		s.vars[variable] = value
	}
}

// call reads the operation and the parameters of a step.
func (s *sandbox) call(ops map[string]*operation, text string) (o *operation, body string) {
	s.t.Helper()
	name, rest, _ := strings.Cut(text, " ")
	if plain, ok := strings.CutPrefix(name, "org:"); ok {
		return ops["organizations:"+plain], s.expand(rest)
	}
	o = ops["iam:"+name]
	if o == nil {
		s.t.Fatalf("%s: no such operation", text)
	}
	in := make(object)
	for _, param := range strings.Fields(rest) {
		name, value, _ := strings.Cut(param, "=")
		in[name] = s.expand(value)
	}
	return o, o.encode(in)
}

// expand replaces variables: $name. $first, $second, $earlier and $code are what
// the device shows, one period after the other; $code1 is of the one with $seed1.
func (s *sandbox) expand(text string) string {
	return os.Expand(text, func(name string) string {
		shows := strings.TrimRight(name, "0123456789")
		if ago := slices.Index([]string{"code", "earlier", "second", "first"}, shows); ago >= 0 {
			seed := cmp.Or(s.vars["seed"+name[len(shows):]], s.vars["Base32StringSeed"])
			return s.Code(seed, -time.Duration(ago)*mfa.Period)
		}
		v, ok := s.vars[name]
		if !ok {
			s.t.Fatalf("%s: nothing is called %s", text, name)
		}
		return v
	})
}

// fill replaces the variables in a request.
func (s *sandbox) fill(v any) any {
	switch v := v.(type) {
	case string:
		return s.expand(v)
	case list:
		out := make(list, len(v))
		for i := range v {
			out[i] = s.fill(v[i])
		}
		return out
	case object:
		out := make(object, len(v))
		for name := range v {
			out[name] = s.fill(v[name])
		}
		return out
	}
	return v
}

// client returns who makes an operation's requests.
func (s *sandbox) client(as string) *iamtest.Client {
	switch as {
	case "":
		return s.admin
	case "ann":
		return s.Client(s.vars["annKey"], s.vars["annSecret"], "")
	case "root":
		return s.Root(s.account)
	}
	s.t.Fatalf("nobody is called %q", as)
	return nil
}
