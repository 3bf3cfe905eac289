// SPDX-License-Identifier: Apache-2.0

package arn

import "strings"

// A Kind is the type of an entity, as it stands in the ARN.
type Kind string

// The kinds of IAM and STS entities.
const (
	KindRoot              Kind = "root"
	KindUser              Kind = "user"
	KindGroup             Kind = "group"
	KindRole              Kind = "role"
	KindPolicy            Kind = "policy"
	KindInstanceProfile   Kind = "instance-profile"
	KindServerCertificate Kind = "server-certificate"
	KindMFA               Kind = "mfa"
	KindSAMLProvider      Kind = "saml-provider"
	KindOIDCProvider      Kind = "oidc-provider"
	KindAssumedRole       Kind = "assumed-role"
	KindFederatedUser     Kind = "federated-user"
)

// entityKinds says which service's ARNs a kind stands in, and whether a path
// precedes its name.
var entityKinds = map[Kind]struct {
	service  string
	withPath bool
}{
	KindRoot:              {"iam", false},
	KindUser:              {"iam", true},
	KindGroup:             {"iam", true},
	KindRole:              {"iam", true},
	KindPolicy:            {"iam", true},
	KindInstanceProfile:   {"iam", true},
	KindServerCertificate: {"iam", true},
	KindMFA:               {"iam", true},
	KindSAMLProvider:      {"iam", false},
	KindOIDCProvider:      {"iam", false},
	KindAssumedRole:       {"sts", false},
	KindFederatedUser:     {"sts", false},
}

// An Entity is what the ARN of an IAM or STS entity says.
type Entity struct {
	Partition string
	Account   string // as written: twelve digits, or "aws" for a managed policy
	Kind      Kind
	Path      string // "/" or "/a/b/"; "" for kinds without a path
	Name      string // of the user, role, …; for an assumed role that of the role; "" for root
	Session   string // of an assumed role
}

// SplitEntity takes the ARN of an IAM or STS entity apart:
//
//	arn:aws:iam::123456789012:user/a/b/ann → user, path "/a/b/", name "ann"
//	arn:aws:sts::123456789012:assumed-role/app/ann → assumed-role, name "app", session "ann"
//
// It returns false for anything else: another service, a region, an unknown
// kind, an empty account or name. It does not look for wildcards and does not
// allocate.
func SplitEntity(s string) (Entity, bool) {
	p, ok := Split(s)
	if !ok || p.Region != "" || p.Account == "" {
		return Entity{}, false
	}
	kind, rest, slash := strings.Cut(p.Resource, "/")
	e := Entity{Partition: p.Partition, Account: p.Account, Kind: Kind(kind)}
	k, ok := entityKinds[e.Kind]
	if !ok || k.service != p.Service {
		return Entity{}, false
	}
	switch {
	case e.Kind == KindRoot:
		return e, !slash
	case k.withPath:
		slash := strings.LastIndexByte(p.Resource, '/')
		if slash < 0 {
			return Entity{}, false
		}
		e.Path, e.Name = p.Resource[len(kind):slash+1], p.Resource[slash+1:]
	case e.Kind == KindAssumedRole:
		e.Name, e.Session, ok = strings.Cut(rest, "/")
		if !ok || e.Session == "" || strings.Contains(e.Session, "/") {
			return Entity{}, false
		}
	default:
		e.Name = rest
	}
	if e.Name == "" {
		return Entity{}, false
	}
	return e, true
}

// Entity is SplitEntity of a.
func (a ARN) Entity() (Entity, bool) { return SplitEntity(string(a)) }

// Root returns the ARN of an account's root user, which as a principal stands
// for the whole account.
func Root(account AccountID) ARN {
	return Make(Partition, "iam", "", string(account), string(KindRoot))
}

// User returns the ARN of a user. A path is "/" or "/a/b/", here and below.
func User(account AccountID, path, name string) ARN { return entity(account, KindUser, path, name) }

// Group returns the ARN of a group.
func Group(account AccountID, path, name string) ARN { return entity(account, KindGroup, path, name) }

// Role returns the ARN of a role.
func Role(account AccountID, path, name string) ARN { return entity(account, KindRole, path, name) }

// Policy returns the ARN of a managed policy. Those that AWS manages belong to
// ManagedAccount.
func Policy(account AccountID, path, name string) ARN {
	return entity(account, KindPolicy, path, name)
}

// InstanceProfile returns the ARN of an instance profile.
func InstanceProfile(account AccountID, path, name string) ARN {
	return entity(account, KindInstanceProfile, path, name)
}

func entity(account AccountID, kind Kind, path, name string) ARN {
	return Make(Partition, "iam", "", string(account), string(kind)+path+name)
}

// AssumedRole returns the ARN of a session of a role. The role's path is not
// part of it (M-9).
func AssumedRole(account AccountID, role, session string) ARN {
	return Make(Partition, "sts", "", string(account), string(KindAssumedRole)+"/"+role+"/"+session)
}

// FederatedUser returns the ARN of a session made by GetFederationToken.
func FederatedUser(account AccountID, name string) ARN {
	return Make(Partition, "sts", "", string(account), string(KindFederatedUser)+"/"+name)
}
