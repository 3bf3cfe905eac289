// SPDX-License-Identifier: Apache-2.0

// Package delegation is requests to act in another account for a while, and what becomes of them.
//
// A request is made by one account, the requestor, and decided in another, the
// owner's. It is a row of the requestor's annex ([store.AnnexDelegation]) from
// beginning to end, and its id names that account, so that every step of its life
// is a transaction of one account and nobody can fill another's store with
// requests. Who associates a request with its account first adds a pointer there
// and then changes the request; a crash in between leaves a pointer to a request
// that does not name the account, which lists pass over and which goes in time.
//
// The rows of an account's annex:
//
//	request/ID       a Request that the account made
//	workflow/HASH    the id of the request with that workflow id
//	owned/ID         the account associated itself with the Request of that id
package delegation
