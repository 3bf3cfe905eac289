// SPDX-License-Identifier: Apache-2.0

package node

import (
	"cmp"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/federate"
)

// federation makes what verifies the proofs of other identity providers.
func (n *Node) federation() {
	n.issuers = federate.NewOIDC(federate.OIDCOptions{Now: n.now, Networks: n.cfg.Networks()})
	n.saml = federate.NewSAML(n.now, n.samlEndpoint())
}

// samlEndpoint is the URL that SAML assertions for this server are addressed to.
func (n *Node) samlEndpoint() string {
	url := n.cfg.PublicURL
	if n.listener != nil {
		url = cmp.Or(url, n.URL())
	}
	return strings.TrimSuffix(url, "/") + "/saml"
}
