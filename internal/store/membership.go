// SPDX-License-Identifier: Apache-2.0

package store

// What an account knows of organizations: the one it is in, those that invite it,
// and that it was closed. Package orgs has the rest.

// An Invitation is the trace of a handshake in the account that it waits for. It
// counts only if the handshake exists.
type Invitation struct {
	Handshake  string `json:"handshake"`
	Management string `json:"management"` // account of the organization
}

// Mail returns the account's e-mail address. An account that was made without
// one has a name that nobody can be reached by.
func (a *Account) Mail() string {
	if a.Email == "" {
		return a.ID + "@innkeeper.invalid"
	}
	return a.Email
}

// Closed reports whether the account was closed: nobody in it may do anything.
func (a *Account) Closed() bool { return !a.ClosedAt.IsZero() }

// setOrganization points the account to an organization, "" for none.
func (tx *Tx) setOrganization(management string) {
	now := tx.account.now.clone()
	now.Organization = management
	tx.account.set(now)
}

// Join points the account to an organization of another account. The error wraps
// ErrExists if it points to another one.
func (tx *Tx) Join(management string) error {
	if was := tx.account.now.Organization; was != "" && was != management {
		return exists(KindOrganization, was)
	}
	tx.setOrganization(management)
	return nil
}

// Leave takes the pointer to an organization away, if it is to that one.
func (tx *Tx) Leave(management string) {
	if tx.account.now.Organization == management {
		tx.setOrganization("")
	}
}

// Close closes the account: from then on no credential of it is good, and none
// of its roles can be assumed.
func (tx *Tx) Close() {
	if tx.account.now.Closed() {
		return
	}
	now := tx.account.now.clone()
	now.ClosedAt = stamp(tx.a.s.now())
	tx.account.set(now)
}
