// SPDX-License-Identifier: Apache-2.0

package etcdkv

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	defaultPrefix  = "innkeeper"
	defaultPort    = "2379"
	defaultTimeout = 5 * time.Second
	maxPrefix      = 128 // bytes; every key of a transaction carries it
)

// target is what a URL says.
type target struct {
	endpoints      []string
	prefix         string // of every key, ends in a slash
	user, password string
	tls            *tls.Config // nil: no TLS
	timeout        time.Duration
}

var parameters = []string{"ca", "cert", "insecure", "key", "password-file", "timeout"}

// parseURL reads a URL as Open describes it. Its errors do not contain the password.
func parseURL(raw string) (target, error) {
	scheme, rest, ok := strings.Cut(raw, "://")
	if !ok || scheme != "etcd" && scheme != "etcds" {
		return target{}, errors.New("must begin with etcd:// or etcds://")
	}
	split := strings.IndexAny(rest, "/?#")
	if split < 0 {
		split = len(rest)
	}
	authority, rest := rest[:split], rest[split:]
	login, hosts := "", authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		login, hosts = authority[:at+1], authority[at+1:]
	}
	// A list of hosts is not a valid host: one stands for all.
	u, err := url.Parse(scheme + "://" + login + "host" + rest)
	if err != nil {
		return target{}, errors.New("is not a valid URL") // err contains it
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return target{}, errors.New("has a query that cannot be read")
	}
	for name, values := range query {
		if !slices.Contains(parameters, name) || len(values) != 1 {
			return target{}, fmt.Errorf("parameter %q must be one of %s, once", name, strings.Join(parameters, ", "))
		}
	}
	if u.Fragment != "" {
		return target{}, errors.New("must not have a fragment")
	}
	t := target{timeout: defaultTimeout}
	t.prefix = cmp.Or(strings.Trim(u.Path, "/"), defaultPrefix) + "/"
	if len(t.prefix) > maxPrefix {
		return target{}, fmt.Errorf("has a prefix of %d bytes, at most %d", len(t.prefix), maxPrefix)
	}
	if t.endpoints, err = endpoints(hosts); err != nil {
		return target{}, err
	}
	if v := query.Get("timeout"); v != "" {
		if t.timeout, err = time.ParseDuration(v); err != nil || t.timeout <= 0 {
			return target{}, fmt.Errorf("timeout %q is not a positive duration such as 5s", v)
		}
	}
	if err := t.setLogin(u.User, query.Get("password-file")); err != nil {
		return target{}, err
	}
	if scheme == "etcds" {
		t.tls, err = tlsConfig(query)
	} else {
		err = t.checkPlain(query)
	}
	return t, err
}

// endpoints returns the members of a list as host:port.
func endpoints(hosts string) ([]string, error) {
	var out []string
	for h := range strings.SplitSeq(hosts, ",") {
		host, port, err := net.SplitHostPort(h)
		if err != nil {
			host, port = strings.Trim(h, "[]"), defaultPort
		}
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || host == "" {
			return nil, fmt.Errorf("%q is not a host with a port", h)
		}
		out = append(out, net.JoinHostPort(host, port))
	}
	return out, nil
}

func (t *target) setLogin(login *url.Userinfo, file string) error {
	if login == nil {
		if file != "" {
			return errors.New("has a password-file, but no user")
		}
		return nil
	}
	t.user = login.Username()
	password, given := login.Password()
	if file != "" {
		if given {
			return errors.New("has a password and a password-file")
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("password-file: %w", err)
		}
		password = strings.TrimRight(string(b), "\r\n")
	}
	if t.password = password; t.user == "" || password == "" {
		return errors.New("has a user without a password, or a password without a user")
	}
	return nil
}

// checkPlain refuses to speak without TLS to other machines, unless that is asked for.
func (t *target) checkPlain(query url.Values) error {
	for _, name := range []string{"ca", "cert", "key"} {
		if query.Has(name) {
			return fmt.Errorf("has the parameter %s, which needs etcds://", name)
		}
	}
	if query.Get("insecure") == "true" {
		return nil
	}
	for _, e := range t.endpoints {
		host, _, _ := net.SplitHostPort(e)
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			return fmt.Errorf("has no TLS, but %s is another machine: use etcds://, or insecure=true on a trusted network", host)
		}
	}
	return nil
}

func tlsConfig(query url.Values) (*tls.Config, error) {
	if query.Has("insecure") {
		return nil, errors.New("has the parameter insecure, which needs etcd://")
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if file := query.Get("ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca: %s has no certificate", file)
		}
	}
	cert, key := query.Get("cert"), query.Get("key")
	if (cert == "") != (key == "") {
		return nil, errors.New("has only one of cert and key")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("cert and key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}
