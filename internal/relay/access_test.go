// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/relaykv"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// raw returns a client that shows a certificate, nil for none, and looks at no
// server's.
func raw(cert *tls.Certificate) *http.Client {
	c := &tls.Config{InsecureSkipVerify: true}
	if cert != nil {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: c, DisableKeepAlives: true}}
}

// TestWhoMayConnect: nobody gets an answer without a good certificate.
func TestWhoMayConnect(t *testing.T) {
	x := newSite(t)
	x.listen()
	identityOf := func(name string, ttl time.Duration) *tls.Certificate {
		id, err := readIdentity(x.enroll(name, ttl))
		if err != nil {
			t.Fatal(err)
		}
		return &id.cert
	}
	good, revoked, expired := identityOf("good", 0), identityOf("revoked", 0), identityOf("expired", MinTTL)
	if err := x.server.Revoke(t.Context(), "revoked"); err != nil {
		t.Fatalf("Revoke() = %v", err)
	}
	replaced := identityOf("replaced", 0)
	if err := x.server.Revoke(t.Context(), "replaced"); err != nil {
		t.Fatalf("Revoke() = %v", err)
	}
	identityOf("replaced", 0)
	other := newSite(t)
	text, err := other.server.Enroll(t.Context(), "good", 0)
	if err != nil {
		t.Fatal(err)
	}
	certs, key, _ := parsePEM(text)
	foreign := &tls.Certificate{Certificate: [][]byte{certs[0].Raw, certs[1].Raw}, PrivateKey: key}
	a, err := x.server.authority(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	serverKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c, err := a.certify(serverKey.Public(), "good", x509.ExtKeyUsageServerAuth, x.clock(), x.clock().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	asServer := &tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: serverKey}

	x.move(2 * MinTTL)
	for _, test := range []struct {
		name string
		cert *tls.Certificate
		want int // status; 0: no connection
	}{
		{"an-enrolled-gateway", good, http.StatusOK},
		{"no-certificate", nil, 0},
		{"of-another-store", foreign, 0},
		{"expired", expired, 0},
		{"for-servers", asServer, 0},
		{"revoked", revoked, http.StatusForbidden},
		{"of-a-namesake-that-was-revoked", replaced, http.StatusForbidden},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, to := range []string{pathKey, pathRenew, "/range", "/watch", "/commit", "/"} {
				body := strings.NewReader(`{}`)
				resp, err := raw(test.cert).Post("https://"+x.addr+path+to, "application/json", body)
				if test.want == 0 {
					if err == nil {
						t.Errorf("POST %s = %d, want no connection", to, resp.StatusCode)
					}
					continue
				}
				if err != nil {
					t.Fatalf("POST %s = %v, want status %d", to, err, test.want)
				}
				resp.Body.Close()
				if test.want == http.StatusForbidden && resp.StatusCode != test.want || to == pathKey && resp.StatusCode != test.want {
					t.Errorf("POST %s = %d, want %d", to, resp.StatusCode, test.want)
				}
			}
		})
	}
	log := x.log()
	for _, want := range []string{`"EnrollGateway"`, `"RevokeGateway"`, `"Connect"`, `gateway/revoked`} {
		if !strings.Contains(log, want) {
			t.Errorf("the audit log has no %s:\n%s", want, log)
		}
	}
	if n := strings.Count(log, "gateway/revoked"); n != 1 {
		t.Errorf("the audit log has %d records of the refused gateway, want 1 a minute", n)
	}
}

// log returns the audit log.
func (x *site) log() string {
	files, _ := filepath.Glob(filepath.Join(x.audit, "*"))
	var all strings.Builder
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			x.t.Fatal(err)
		}
		all.Write(b)
	}
	return all.String()
}

// TestGatewaysKnowTheirServer: a gateway talks to no server but one of its store.
func TestGatewaysKnowTheirServer(t *testing.T) {
	x, other := newSite(t), newSite(t)
	x.listen()
	other.listen()
	c, err := Dial(Options{Server: httpsPrefix + other.addr, Identity: x.enroll("gw", 0)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.OpenStore(t.Context(), store.Options{})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("OpenStore() at another server = %v, want that its certificate is not right", err)
	}
	// Nor to a gateway that plays the server.
	id, err := readIdentity(x.enroll("evil", 0))
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{id.cert}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go http.Serve(l, http.NotFoundHandler())
	d, err := Dial(Options{Server: httpsPrefix + l.Addr().String(), Identity: x.enroll("gw2", 0)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err = d.OpenStore(t.Context(), store.Options{}); err == nil || !hopeless(err) {
		t.Errorf("OpenStore() at a gateway = %v, want that its certificate is not right", err)
	}
}

// TestRevokingIsEffectiveAtOnce: a gateway that runs is turned away, and decides
// no more.
func TestRevokingIsEffectiveAtOnce(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), time.Hour)
	if _, err := g.longTerm(t.Context(), x.scope("s3")); err != nil {
		t.Fatalf("LongTerm() = %v, want a key", err)
	}
	if err := x.server.Revoke(t.Context(), "gw"); err != nil {
		t.Fatalf("Revoke() = %v", err)
	}
	if err := x.server.Revoke(t.Context(), "gw"); !errors.Is(err, ErrNoSuch) {
		t.Errorf("Revoke() again = %v, want ErrNoSuch", err)
	}
	took := eventually(t, "the store is not ready", func() bool { return errors.Is(g.store.Ready(), store.ErrStale) })
	if took > time.Second {
		t.Errorf("turned away after %v, want at once", took)
	}
	if _, err := g.longTerm(t.Context(), x.scope("s3")); !errors.Is(err, store.ErrStale) {
		t.Errorf("LongTerm() after that = %v, want ErrStale", err)
	}
}

// TestRenewing: a gateway renews its certificate, goes on, and starts with it
// again; the one before the last is good no more.
func TestRenewing(t *testing.T) {
	x := newSite(t)
	x.listen()
	file := x.enroll("gw", 30*24*time.Hour)
	first, err := readIdentity(file)
	if err != nil {
		t.Fatal(err)
	}
	g := x.gateway(file, time.Hour)
	for i := range 3 {
		was := g.client.identity.Load()
		if i == 0 && was.due(x.clock()) {
			t.Error("a new certificate is to be renewed")
		}
		x.move(21 * 24 * time.Hour)
		if !was.due(x.clock()) {
			t.Error("after two thirds of its time, a certificate is not to be renewed")
		}
		// A connection that was in use when the last certificate came goes back to the
		// idle ones with the one before, which is good no more: here the weeks take no time.
		eventually(t, "it does not renew", func() bool {
			g.client.http.CloseIdleConnections()
			return g.client.renew(t.Context(), was, file) == nil
		})
		now, err := readIdentity(file)
		if err != nil {
			t.Fatalf("the file after renewing: %v", err)
		}
		if now.cert.Leaf.SerialNumber.Cmp(was.cert.Leaf.SerialNumber) == 0 || now.due(x.clock()) {
			t.Error("the file has the certificate that it had")
		}
	}
	if resp, err := raw(&first.cert).Post("https://"+x.addr+path+pathKey, "", strings.NewReader("{}")); err == nil {
		t.Errorf("the first certificate = %d, want no connection: it has expired", resp.StatusCode)
	}
	eventually(t, "the store is not ready after renewing", func() bool { return g.store.Ready() == nil })
	list, err := x.server.Gateways(t.Context())
	if err != nil || len(list) != 1 || len(list[0].Certificates) != 2 {
		t.Errorf("Gateways() = %+v, %v, want one with two certificates", list, err)
	}
	if _, err := x.gateway(file, time.Hour).longTerm(t.Context(), x.scope("s3")); err != nil {
		t.Errorf("LongTerm() with the renewed file = %v", err)
	}
}

func TestEnrolling(t *testing.T) {
	x := newSite(t)
	for name, ttl := range map[string]time.Duration{"": 0, "a/b": 0, "-a": 0, "..": 0, strings.Repeat("n", 65): 0, "short": time.Second, "long": 10 * MaxTTL} {
		if _, err := x.server.Enroll(t.Context(), name, ttl); err == nil {
			t.Errorf("Enroll(%.20q, %v) = nil, want an error", name, ttl)
		}
	}
	x.enroll("edge-1.example", 0)
	if _, err := x.server.Enroll(t.Context(), "edge-1.example", 0); !errors.Is(err, ErrEnrolled) {
		t.Errorf("Enroll() again = %v, want ErrEnrolled", err)
	}
	file := x.enroll("gw", 0)
	if err := os.Chmod(file, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(Options{Server: "https://127.0.0.1:1", Identity: file}); err == nil {
		t.Error("Dial() with an identity that others can read = nil, want an error")
	}
}

// TestNoSecretLeaves: of everything that a store holds, nothing secret is in the
// bytes that a gateway is sent, nor what is sealed.
func TestNoSecretLeaves(t *testing.T) {
	x := newSite(t)
	secrets := []string{x.secret, base64.StdEncoding.EncodeToString(x.key.Sealed), string(x.key.Sealed)}
	device, seed := x.store.NewDevice(account, "", "phone")
	secrets = append(secrets, string(seed), base64.StdEncoding.EncodeToString(device.Sealed))
	saml := x.store.NewSAMLKey(account, []byte("PRIVATE-SAML-KEY"))
	secrets = append(secrets, "PRIVATE-SAML-KEY", base64.StdEncoding.EncodeToString(saml.Sealed))
	service := x.store.NewServiceCredential(account, "codecommit.amazonaws.com")
	service.SetSecret("the-secret-of-a-service")
	secrets = append(secrets, "the-secret-of-a-service", base64.StdEncoding.EncodeToString(service.Digest))
	ring := []byte("0123456789-the-session-ring-of-32")
	if _, err := x.store.PutSystem(t.Context(), "session-ring", ring); err != nil {
		t.Fatal(err)
	}
	secrets = append(secrets, string(ring), "$argon2id$of-ann", "$argon2id$before", "$argon2id$of-root", "ROOT-CERT", "ANNS-CERT", "ssh-ed25519 ANN",
		"root@example.com", "REPORT-ROW", "ISSUER-ROW", "DELEGATION-ROW", "sys/sealed", "sys/gateway", "PRIVATE KEY")

	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	wire := &recorder{Listener: l}
	server := &http.Server{Handler: x.server.Local()}
	go server.Serve(wire)
	defer server.Close()
	c, err := Dial(Options{Server: unixPrefix + l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	s, err := c.OpenStore(t.Context(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.View(t.Context(), account); err != nil { // loaded: the rest comes by the watch
		t.Fatal(err)
	}
	change := func(tx *store.Tx) error {
		u, err := tx.User("ann")
		if err != nil {
			return err
		}
		u.Login = &store.LoginProfile{Hash: "$argon2id$of-ann", Created: time.Now(), Past: []string{"$argon2id$before"}}
		u.Services = []store.ServiceCredential{service}
		u.SSHKeys = []store.SSHKey{x.store.NewSSHKey(account, "ssh-ed25519 ANN", "aa:bb")}
		u.Certs = []store.SigningCert{x.store.NewSigningCert("ANNS-CERT", []byte("digest"))}
		a := tx.Account()
		a.Login = &store.LoginProfile{Hash: "$argon2id$of-root", Created: time.Now()}
		a.Certs = []store.SigningCert{x.store.NewSigningCert("ROOT-CERT", []byte("digest"))}
		tx.PutAnnexed(store.AnnexReport, "row", []byte(`"REPORT-ROW"`))
		tx.PutAnnexed(store.AnnexIssuer, "row", []byte(`"ISSUER-ROW"`))
		tx.PutAnnexed(store.AnnexDelegation, "row", []byte(`"DELEGATION-ROW"`))
		return errors.Join(tx.PutUser(u), tx.PutAccount(a), tx.CreateDevice(device),
			tx.CreateSAMLProvider(&store.SAMLProvider{Name: "adfs", Metadata: "<x/>", Keys: []store.SAMLKey{saml}}),
			tx.CreateUser(&store.User{Name: "marker"}))
	}
	x.update(change)
	if _, err := x.store.CreateAccount(t.Context(), store.Account{ID: "444455556666", Name: "other", Email: "root@example.com"}); err != nil {
		t.Fatal(err)
	}
	x.enroll("gw", 0)
	eventually(t, "the gateway knows the new user", func() bool {
		v, err := s.View(t.Context(), account)
		if err != nil {
			return false
		}
		_, err = v.User("marker")
		return err == nil
	})
	again, err := c.OpenStore(t.Context(), store.Options{}) // all of it once more, by reading
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if _, err := again.View(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"sys/", "a/" + account + "/device/", "a/" + account + "/", "mail/", ""} {
		start, end := kv.Prefix(key)
		if _, err := c.db.Range(t.Context(), start, end, 0, 0); err != nil {
			t.Fatal(err)
		}
	}
	sent := wire.bytes()
	if !bytes.Contains(sent, []byte("marker")) || !bytes.Contains(sent, []byte(x.key.ID)) {
		t.Fatal("the recorded bytes are not what was sent")
	}
	for _, secret := range secrets {
		if bytes.Contains(sent, []byte(secret)) {
			t.Errorf("%.40q was sent", secret)
		}
	}
}

// A recorder keeps what is written to its connections.
type recorder struct {
	net.Listener
	mu  sync.Mutex
	all []byte
}

func (r *recorder) Accept() (net.Conn, error) {
	c, err := r.Listener.Accept()
	return &recorded{c, r}, err
}

func (r *recorder) bytes() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return bytes.Clone(r.all)
}

type recorded struct {
	net.Conn
	r *recorder
}

func (c *recorded) Write(b []byte) (int, error) {
	c.r.mu.Lock()
	c.r.all = append(c.r.all, b...)
	c.r.mu.Unlock()
	return c.Conn.Write(b)
}

// TestWhatAGatewayMayCommit: nothing but what it has to.
func TestWhatAGatewayMayCommit(t *testing.T) {
	x := newSite(t)
	x.listen()
	g := x.gateway(x.enroll("gw", 0), 0)
	for key, want := range map[string]error{
		"a/" + account + "/used/" + x.key.ID:   nil,
		"a/" + account + "/bucket/logs":        nil,
		"bucket/logs":                          nil,
		"a/" + account + "/user/ann":           relaykv.ErrRefused,
		"a/" + account + "/learn/all":          relaykv.ErrRefused,
		"a/" + account + "/org/member/1":       relaykv.ErrRefused,
		"acct/" + account:                      relaykv.ErrRefused,
		"sys/sealed/session-ring":              relaykv.ErrRefused,
		"sys/format":                           relaykv.ErrRefused,
		"sys/gateway/evil":                     relaykv.ErrRefused,
		"a/" + account + "/bucket/../user/ann": nil, // a bucket of a strange name
	} {
		_, err := g.client.db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: key, Value: []byte(`1{}`)}}})
		if !errors.Is(err, want) {
			t.Errorf("Commit(%s) = %v, want %v", key, err, want)
		}
	}
	_, err := g.client.db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "bucket/x"}, {Key: "a/" + account + "/user/ann", Delete: true}}})
	if !errors.Is(err, relaykv.ErrRefused) {
		t.Errorf("Commit(a bucket, and a user's end) = %v, want ErrRefused", err)
	}
	_, err = g.client.db.Commit(t.Context(), kv.Txn{If: []kv.Compare{{Key: "sys/sealed/x"}}, Then: []kv.Op{{Key: "bucket/x"}}})
	if !errors.Is(err, relaykv.ErrRefused) {
		t.Errorf("Commit(if a sealed value) = %v, want ErrRefused", err)
	}
	if _, err := x.store.View(t.Context(), account); err != nil {
		t.Errorf("View() at the server = %v", err)
	}
	if log := x.log(); !strings.Contains(log, `"Commit"`) || !strings.Contains(log, "gateway/gw") {
		t.Errorf("the audit log has no record of the refusal:\n%s", log)
	}

	// Through the store: last uses reach the server.
	g.store.Touch(account, x.key.ID, store.Use{Time: time.Now(), Region: "eu-west-1", Service: "s3"})
	eventually(t, "the server knows the last use", func() bool { return x.store.LastUse(account, x.key.ID).Service == "s3" })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	err = g.store.Update(ctx, account, func(tx *store.Tx) error { return tx.CreateUser(&store.User{Name: "eve"}) })
	if !errors.Is(err, relaykv.ErrRefused) {
		t.Errorf("Update(create a user) = %v, want ErrRefused", err)
	}
}
