// SPDX-License-Identifier: Apache-2.0

// Package store keeps accounts and their users, groups, roles and policies, and serves reads from memory.
//
// The account is the unit: names are unique within it, it is loaded as a whole
// on its first use, and no transaction spans two. A [View] is one account at
// one revision, immutable and complete; the decision path reads nothing else.
// A [Store] follows the engine's watch and publishes new views. Writing goes
// through [Store.Update], which is optimistic: whatever a transaction read is
// compared when it commits.
//
// # Keys
//
//	sys/format               number of the newest format in use; a newer one than ours is refused
//	sys/key                  fingerprint of the master key
//	sys/sealed/NAME          a sealed value of the system, such as the session key ring
//	sys/gateway/NAME         a gateway that runs apart: package relay
//	alias/ALIAS              the account that has this alias
//	mail/ADDRESS             the account that has this e-mail address, in lower case
//	bucket/NAME              the account that owns this bucket
//	acct/ID                  an Account
//	a/ID/user/NAME           a User        NAME in lower case, as in every row below
//	a/ID/group/NAME          a Group
//	a/ID/role/NAME           a Role
//	a/ID/policy/NAME         a Policy
//	a/ID/profile/NAME        an InstanceProfile
//	a/ID/oidc/URL            an OIDCProvider
//	a/ID/saml/NAME           a SAMLProvider
//	a/ID/device/mfa/NAME     an MFADevice, by the end of its serial number
//	a/ID/cert/NAME           a ServerCertificate
//	a/ID/org/…               the organization that the account manages: package orgs has the layout
//	a/ID/delegation/…        requests for delegated permissions; like org/, rows of an annex,
//	a/ID/issuer/…            the account as an issuer of tokens,
//	a/ID/report/…            jobs and reports,
//	a/ID/iam/…               deletion tasks and preferences,
//	a/ID/bucket/NAME         a bucket that the account owns, and
//	a/ID/s3/…                what holds for all of those: their packages have the layout
//	a/ID/used/ID             a Use of an access key, role, user (login) or account (root login)
//
// A value is its format, the digit 1, followed by JSON; sys/, alias/, mail/ and
// bucket/ hold plain text, and sys/sealed/ what package seal makes.
//
// # References
//
// A reference from one record to another cannot dangle: whatever makes one
// (joining a group, attaching a policy, setting a boundary, adding a role to a
// profile) also writes the record it points to, unchanged, and so conflicts
// with deleting that at the same moment.
package store
