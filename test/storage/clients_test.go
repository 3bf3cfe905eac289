// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/test/server"
	"github.com/innkeeper-iam/innkeeper/test/versity"
)

// A scenario is something that people do with a gateway.
type scenario struct {
	name string
	run  func(*testing.T, *site)
}

func play(t *testing.T, s *site, list ...scenario) {
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) { c.run(t, s) })
	}
}

func TestGateway(t *testing.T) {
	play(t, guard(t, versity.Start(t), server.Options{}),
		scenario{"credentials-of-fred", credentialsOfFred},
		scenario{"learning", learning},
		scenario{"two-accounts", twoAccounts},
		scenario{"everybody", everybody},
		scenario{"adopted", adopted},
		scenario{"spoiled-bodies", spoiledBodies},
		scenario{"go-sdk", goSDK},
		scenario{"boto3", func(t *testing.T, s *site) { boto3(t, s) }},
		scenario{"aws-cli", awsCLI},
	)
}

// TestOverTLS: with TLS, clients send checksums behind their bodies. The AWS SDK for Go
// calls buckets by names of their own.
func TestOverTLS(t *testing.T) {
	cert, key, roots := certificate(t)
	s := guard(t, versity.Start(t), server.Options{Roots: roots, Args: []string{"--tls-cert", cert, "--tls-key", key}})
	s.ca = cert
	play(t, s.named(),
		scenario{"spoiled-bodies", spoiledBodies},
		scenario{"go-sdk", goSDK},
		scenario{"boto3", func(t *testing.T, s *site) { boto3(t, s, "uploads", "checksums", "presigned", "forms") }},
	)
}
