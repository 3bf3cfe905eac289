// SPDX-License-Identifier: Apache-2.0

// Package orgs is organizations: accounts under one management, sorted into units, with policies over them.
//
// An organization stands above accounts and still lives in one: its rows are
// those of its management account (package annex), so that each of its changes
// is a transaction of that account, and every node's view of that account has
// the whole of it. Member accounts point to their management account. An account
// is a member if both say so ([Find]); whoever makes it one sets the pointer
// first and then adds the Member, and whoever ends that does it the other way
// round. So a crash in between leaves an account that is in no organization,
// with a pointer that the same organization, or the account itself, may yet use
// or clear. Every change of an organization writes its own row: changes come one
// after another, and its rules hold across rows.
//
// The rows of an account's annex:
//
//	self              the Organization that the account manages
//	unit/ID           a Unit
//	member/ACCOUNT    a Member
//	policy/ID         a Policy
//	request/ID        an AccountRequest
//	handshake/ID      a Handshake
package orgs
