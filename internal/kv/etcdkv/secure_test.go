// SPDX-License-Identifier: Apache-2.0

package etcdkv_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/etcdkv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/etcdtest"
)

// authority is a certificate and key in PEM files, and what signs others.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir()}
	a.issue(t, "ca", nil)
	return a
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// issue writes name.crt and name.key, signed by the authority, or by itself if it is the first.
func (a *authority) issue(t *testing.T, name string, addresses []net.IP) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: addresses,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	parent, signer := a.cert, a.key
	if parent == nil {
		template.IsCA, template.BasicConstraintsValid, template.KeyUsage = true, true, x509.KeyUsageCertSign
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	if a.cert == nil {
		if a.cert, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		a.key = key
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for suffix, block := range map[string]*pem.Block{
		".crt": {Type: "CERTIFICATE", Bytes: der},
		".key": {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(a.path(name+suffix), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	ca.issue(t, "server", []net.IP{net.IPv4(127, 0, 0, 1)})
	ca.issue(t, "client", nil)
	other.issue(t, "client", nil)
	cluster := etcdtest.Start(t, etcdtest.Options{TLS: true, Args: []string{
		"--cert-file", ca.path("server.crt"), "--key-file", ca.path("server.key"),
		"--trusted-ca-file", ca.path("ca.crt"), "--client-cert-auth",
	}})
	url := func(scheme string, ca, client *authority) string {
		return fmt.Sprintf("%s://%s/tls?timeout=2s&ca=%s&cert=%s&key=%s",
			scheme, cluster.Endpoints(), ca.path("ca.crt"), client.path("client.crt"), client.path("client.key"))
	}
	db := dial(t, url("etcds", ca, ca))
	if _, err := db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "a"}}}); err != nil {
		t.Errorf("Commit() over TLS = %v, want nil", err)
	}
	for b, err := range db.Watch(t.Context(), "", "", 0) {
		if err != nil || len(b.Events) == 1 {
			if err != nil {
				t.Errorf("Watch() over TLS = %v, want nil", err)
			}
			break
		}
	}
	for _, test := range []struct{ name, url, want string }{
		{"a-server-of-another-authority", url("etcds", other, ca), "unknown authority"},
		{"a-client-of-another-authority", url("etcds", ca, other), "no answer"},
		{"no-client-certificate", fmt.Sprintf("etcds://%s?timeout=2s&ca=%s", cluster.Endpoints(), ca.path("ca.crt")), "no answer"},
		{"a-server-with-another-name", strings.Replace(url("etcds", ca, ca), "127.0.0.1", "localhost", 1), "localhost"},
		{"no-tls", fmt.Sprintf("etcd://%s?timeout=2s", cluster.Endpoints()), "connection"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			db, err := etcdkv.Open(t.Context(), test.url)
			if err == nil {
				_ = db.Close()
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("Open(%s) = %v, want an error with %q", test.url, err, test.want)
			}
		})
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	cluster := etcdtest.Start(t, etcdtest.Options{Args: []string{"--auth-token-ttl", "1"}})
	admin, err := clientv3.New(clientv3.Config{Endpoints: []string{cluster.Endpoints()}, Logger: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	_, end := kv.Prefix("mine/")
	for _, step := range []func() error{
		func() error { _, err := admin.RoleAdd(t.Context(), "root"); return err },
		func() error { _, err := admin.UserAdd(t.Context(), "root", "topsecret"); return err },
		func() error { _, err := admin.UserGrantRole(t.Context(), "root", "root"); return err },
		func() error { _, err := admin.RoleAdd(t.Context(), "keeper"); return err },
		func() error {
			_, err := admin.RoleGrantPermission(t.Context(), "keeper", "mine/", end, clientv3.PermissionType(clientv3.PermReadWrite))
			return err
		},
		func() error { _, err := admin.RoleAdd(t.Context(), "reader"); return err },
		func() error {
			_, err := admin.RoleGrantPermission(t.Context(), "reader", "mine/", end, clientv3.PermissionType(clientv3.PermRead))
			return err
		},
		func() error { _, err := admin.UserAdd(t.Context(), "eve", "hunter3"); return err },
		func() error { _, err := admin.UserGrantRole(t.Context(), "eve", "reader"); return err },
		func() error { _, err := admin.UserAdd(t.Context(), "inn", "hunter2"); return err },
		func() error { _, err := admin.UserGrantRole(t.Context(), "inn", "keeper"); return err },
		func() error { _, err := admin.AuthEnable(t.Context()); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	at := func(login, prefix string) string {
		return fmt.Sprintf("etcd://%s%s/%s?timeout=2s", login, cluster.Endpoints(), prefix)
	}
	for name, url := range map[string]string{
		"a-wrong-password": at("inn:hunter22@", "mine"),
		"no-login":         at("", "mine"),
		"another-prefix":   at("inn:hunter2@", "yours"),
	} {
		t.Run(name, func(t *testing.T) {
			db, err := etcdkv.Open(t.Context(), url)
			if err == nil {
				_ = db.Close()
				t.Fatalf("Open(%s) = nil, want an error", url)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("Open(%s) = %v, which has the password", url, err)
			}
		})
	}
	start := time.Now()
	_, err = dial(t, at("eve:hunter3@", "mine")).Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "a"}}})
	if err == nil || errors.Is(err, kv.ErrUnknown) || time.Since(start) > time.Second {
		t.Errorf("Commit() without permission to write = %v after %v, want a certain failure at once", err, time.Since(start))
	}
	db := dial(t, at("inn:hunter2@", "mine"))
	var last kv.Revision
	for round := range 2 {
		if last, err = db.Commit(t.Context(), kv.Txn{Then: []kv.Op{{Key: "a", Value: []byte{byte(round)}}}}); err != nil {
			t.Fatalf("Commit() in round %d = %v, want nil", round, err)
		}
		if round == 0 {
			time.Sleep(2500 * time.Millisecond) // the token has expired
		}
	}
	for b, err := range db.Watch(t.Context(), "", "", last-1) {
		if err != nil {
			t.Fatalf("Watch() = %v, want nil", err)
		}
		if len(b.Events) == 0 { // progress: the login is enough for it
			break
		}
	}
}
