// SPDX-License-Identifier: Apache-2.0

// Package relay lets a gateway run apart from its server, without a long-term secret.
//
// A [Server], part of a node, lets enrolled gateways follow what deciding needs of the store, gives them signing keys
// derived for a day, region and service, and takes few changes from them. A [Client] is the other end: the store that a
// gateway decides with, and the [Keyring] that it verifies signatures with.
//
// # Who may ask
//
// Both sides prove who they are by certificates of an authority of the store's own, whose key is sealed in it. It signs
// for no other use, so that a name in a certificate is no address: a server's is always the same, a gateway's is the one
// that it was enrolled with. The list of gateways is in the store, a row sys/gateway/NAME each, with the serial numbers
// of the certificates that are good, and is read for every request; a watch ends when its gateway's row changes. A
// gateway that was turned away does not decide any more, and does not wait until its view is too old.
//
// Whoever can open the operator's socket needs no certificate.
//
// # What a gateway can do
//
// One that is taken over can see who may do what, verify and so sign requests as anyone whose keys it asks for, for the
// services behind it and a week at most, and change bucket policies. It cannot act on the server itself: no keys are
// given for the server's own services (quirk Q151).
package relay
