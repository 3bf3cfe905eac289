// SPDX-License-Identifier: Apache-2.0

// Package config is what an operator can set about a node.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// A Config is everything that can be set. Its zero value, completed by
// Defaults, runs a node on loopback with the embedded store in ./data.
type Config struct {
	Data      string // directory of the node's files; "" means "data"
	Listen    string // address of the API; "" means 127.0.0.1:4280
	Store     string // "etcd://HOST:PORT[,…]/PREFIX" or the path of a file; "" means innkeeper.db in Data
	MasterKey string // file of the master key; "" means master.key in Data
	Region    string // region named in audit records and in admin.credentials; "" means us-east-1

	TLSCert string // file of a PEM certificate chain; "" means no TLS, allowed on loopback only
	TLSKey  string // file of its private key

	PublicURL      string   // where others reach the API, "https://inn.example.com"; "" means at Listen. SAML assertions are addressed to it, and accounts issue tokens under it
	IssuerNetworks []string // networks besides the public internet where OpenID Connect issuers may be, "10.0.0.0/8" or "private"; nil means loopback if Listen is on loopback, else none

	AccountID   string        // of the account made on an empty store; "" means a random one
	AccountName string        // its name; "" means "main"
	Drain       time.Duration // how long requests may take to finish on shutdown; 0 means 15 s
	AuditMax    int64         // size in bytes at which the audit log is rotated; 0 means 100 MiB
	LogJSON     bool          // log lines are JSON instead of text
	LogLevel    string        // debug, info, warn or error; "" means info

	Gateways string  // address where gateways that run apart follow this node, over mutual TLS; "" means only on this machine
	Envoy    string  // address where Envoy asks for authorization, over gRPC; "" means nowhere
	Gateway  Gateway // in front of object stores and other services
	Audit    Audit   // what becomes of the audit log
}

// Defaults returns c with every zero field that has a default set to it.
func (c Config) Defaults() Config {
	c.Data = cmp.Or(c.Data, "data")
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:4280")
	c.Store = cmp.Or(c.Store, filepath.Join(c.Data, "innkeeper.db"))
	c.MasterKey = cmp.Or(c.MasterKey, filepath.Join(c.Data, "master.key"))
	c.Region = cmp.Or(c.Region, "us-east-1")
	c.AccountName = cmp.Or(c.AccountName, "main")
	c.Drain = cmp.Or(c.Drain, 15*time.Second)
	c.AuditMax = cmp.Or(c.AuditMax, 100<<20)
	c.LogLevel = cmp.Or(c.LogLevel, "info")
	c.Gateway = c.Gateway.defaults()
	return c
}

// Validate reports every problem of a completed Config in one error.
func (c Config) Validate() error {
	host, _, err := net.SplitHostPort(c.Listen)
	_, badNetwork := networks(c.IssuerNetworks)
	var errs []error
	for _, check := range []struct {
		bad bool
		msg string
	}{
		{err != nil, fmt.Sprintf("--listen %q must be HOST:PORT, such as 127.0.0.1:4280", c.Listen)},
		{err == nil && !loopback(host) && c.TLSCert == "", fmt.Sprintf("--listen %s is reachable from other machines: give --tls-cert and --tls-key, or listen on 127.0.0.1", c.Listen)},
		{(c.TLSCert == "") != (c.TLSKey == ""), "--tls-cert and --tls-key go together"},
		{c.PublicURL != "" && !isOrigin(c.PublicURL), fmt.Sprintf("--public-url %q must be a URL such as https://inn.example.com, without a path", c.PublicURL)},
		{isOrigin(c.PublicURL) && !isPrivate(c.PublicURL), fmt.Sprintf("--public-url %s must begin with https: it is reachable from other machines, which verify signatures with what they fetch there", c.PublicURL)},
		{badNetwork != nil, fmt.Sprintf("--issuer-networks: %v", badNetwork)},
		{c.Gateways != "" && !isAddress(c.Gateways), fmt.Sprintf("--gateways-listen %q must be HOST:PORT, such as 0.0.0.0:4283", c.Gateways)},
		{c.Envoy != "" && !(isAddress(c.Envoy) && (c.TLSCert != "" || onLoopback(c.Envoy))), fmt.Sprintf("--authz-listen %q must be HOST:PORT, on loopback unless --tls-cert and --tls-key are given", c.Envoy)},
		{c.AccountID != "" && !account(c.AccountID), fmt.Sprintf("--account-id %q must be twelve digits", c.AccountID)},
		{c.Drain < 0, "--drain must not be negative"},
		{c.AuditMax < 4096, "--audit-max must be at least 4096 bytes"},
		{!strings.Contains(" debug info warn error ", " "+c.LogLevel+" "), fmt.Sprintf("--log-level %q must be debug, info, warn or error", c.LogLevel)},
	} {
		if check.bad {
			errs = append(errs, errors.New(check.msg))
		}
	}
	errs = append(errs, c.Audit.problems()...)
	return errors.Join(append(errs, c.Gateway.problems(c.TLSCert != "")...)...)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && loopback(host)
}

func isAddress(s string) bool {
	_, _, err := net.SplitHostPort(s)
	return err == nil
}

func account(id string) bool {
	return len(id) == 12 && strings.Trim(id, "0123456789") == ""
}
