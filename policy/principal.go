// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
)

// PrincipalOf returns the caller with an ARN: that of a user, an assumed-role
// session, a federated user or an account's root. ID, Role and User stay empty;
// the caller of PrincipalOf sets them when it knows them. A role's own ARN is
// an error, because a role acts only through its sessions.
func PrincipalOf(name string) (Principal, error) {
	entity, ok := arn.SplitEntity(name)
	if !ok || !arn.IsAccountID(entity.Account) {
		return Principal{}, fmt.Errorf("policy: %q is not the ARN of a principal", name)
	}
	types := map[arn.Kind]PrincipalType{
		arn.KindRoot: Root, arn.KindUser: User, arn.KindAssumedRole: RoleSession, arn.KindFederatedUser: FederatedUser,
	}
	if t, ok := types[entity.Kind]; ok {
		return Principal{Type: t, ARN: name, Account: entity.Account}, nil
	}
	if entity.Kind == arn.KindRole {
		return Principal{}, fmt.Errorf("policy: %q is a role; its callers are sessions, such as arn:%s:sts::%s:assumed-role/%s/SESSION",
			name, entity.Partition, entity.Account, entity.Name)
	}
	return Principal{}, fmt.Errorf("policy: %q is not the ARN of a principal", name)
}

// sessionRole returns the role name in the ARN of an assumed-role session,
// arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION, or "" if it is none.
func sessionRole(arn string) string {
	_, rest, ok := strings.Cut(arn, ":assumed-role/")
	role, session, ok2 := strings.Cut(rest, "/")
	if !ok || !ok2 || session == "" {
		return ""
	}
	return role
}

// Account returns the account that owns the request's resource: ResourceAccount,
// else the account in the ARN, else the caller's. It is "" when nothing says which.
//
// quirk Q019: what is not an account of twelve digits is the caller's.
func (r *Request) Account() string {
	if r.ResourceAccount != "" {
		return r.ResourceAccount
	}
	return r.impliedAccount()
}

func (r *Request) impliedAccount() string {
	if p, ok := arn.Split(r.Resource); ok && arn.IsAccountID(p.Account) {
		return p.Account
	}
	return r.Principal.Account
}

// A principalForm is a way for a Principal element to name callers.
type principalForm uint8

const (
	everyoneForm  principalForm = iota
	accountForm                 // account id or root ARN
	userForm                    // user ARN
	roleForm                    // role ARN
	sessionForm                 // assumed-role session ARN
	federatedForm               // federated-user ARN
	idForm                      // unique id: what the ARN of a deleted principal becomes
	serviceForm
	providerForm
	canonicalForm
)

// A principalName is one value of a Principal element, taken apart.
type principalName struct {
	text  string // of an accountForm: the account
	form  principalForm
	bound bool // to a unique id: a userForm, roleForm or sessionForm
}

// principalNames is a list of them.
type principalNames struct {
	texts []string
	kinds []principalKind
}

// A principalKind is what is known of a name without its text.
type principalKind struct {
	form principalForm
	bit  uint8 // of the mask of every caller that it names; see callerMask
}

const boundForm principalForm = 1 << 7

func (l *principalNames) add(n principalName) {
	k := principalKind{n.form, n.bit()}
	if n.bound {
		k.form |= boundForm
	}
	l.texts, l.kinds = append(l.texts, n.text), append(l.kinds, k)
}

func (l *principalNames) at(i uint32) principalName {
	form := l.kinds[i].form
	return principalName{text: l.texts[i], form: form &^ boundForm, bound: form&boundForm != 0}
}

// parsePrincipalName reads a value of the AWS member of a Principal element. A
// value of no known form is a unique id: there is no partial wildcard (M-7).
func parsePrincipalName(text string, ids map[string]string) principalName {
	n := principalName{form: idForm, text: text}
	if text == "*" {
		n.form = everyoneForm
		return n
	}
	if arn.IsAccountID(text) {
		n.form = accountForm
		return n
	}
	entity, ok := arn.SplitEntity(text)
	if !ok {
		return n
	}
	switch entity.Kind {
	case arn.KindRoot:
		n.form, n.text = accountForm, entity.Account
	case arn.KindUser:
		n.form, n.bound = userForm, ids[text] != ""
	case arn.KindRole:
		n.form, n.bound = roleForm, ids[text] != ""
	case arn.KindAssumedRole:
		n.form, n.bound = sessionForm, ids[text] != ""
	case arn.KindFederatedUser:
		n.form = federatedForm
	}
	return n
}

// strength says how closely a Principal element names a caller; it decides what
// else must allow (D-5).
type strength uint8

const (
	noMatch      strength = iota
	accountMatch          // by its account: the element only delegates (M-8)
	sourceMatch           // by the role or user that the session was made from (M-9, M-10)
	exactMatch            // by its own name
	anyMatch              // by "*"
)

var strengthNames = [...]string{
	noMatch: "", accountMatch: "account", sourceMatch: "source of the session", exactMatch: "exact", anyMatch: "everyone",
}
