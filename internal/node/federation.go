// SPDX-License-Identifier: Apache-2.0

package node

import (
	"net"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/federate"
	"github.com/innkeeper-iam/innkeeper/internal/issuer"
)

// federation makes what verifies the proofs of other identity providers, and what
// makes accounts identity providers for others.
func (n *Node) federation() {
	n.issuers = federate.NewOIDC(federate.OIDCOptions{Now: n.now, Networks: n.cfg.Networks()})
	n.saml = federate.NewSAML(n.now, n.publicURL()+"/saml")
	n.issuer = issuer.New(issuer.Options{
		Store: n.store, Keeper: n.keeper, IDs: n.ids, Now: n.now, Log: n.log, URL: n.publicURL(),
	})
}

// publicURL is the URL at which others reach the server, without a slash at the
// end: "" if that was not set and the server listens at every address.
func (n *Node) publicURL() string {
	if n.cfg.PublicURL != "" || n.listener == nil {
		return strings.TrimSuffix(n.cfg.PublicURL, "/")
	}
	if at, ok := n.listener.Addr().(*net.TCPAddr); ok && at.IP.IsUnspecified() {
		return ""
	}
	return n.URL()
}
