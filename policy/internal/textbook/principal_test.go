// SPDX-License-Identifier: Apache-2.0

package textbook

import "testing"

func TestPrincipals(t *testing.T) {
	const account = "111122223333"
	const iam, sts = "arn:aws:iam::" + account + ":", "arn:aws:sts::" + account + ":"
	user := Caller{Type: User, ARN: iam + "user/alice", Account: account, ID: "AIDAALICE", CanonicalID: "79a5"}
	session := Caller{Type: RoleSession, ARN: sts + "assumed-role/app/s", Account: account, ID: "AROAAPP"}
	federated := Caller{Type: FederatedUser, ARN: sts + "federated-user/f", Account: account, ID: "AIDAALICE", User: user.ARN}
	root := Caller{Type: Root, ARN: iam + "root", Account: account}
	provider := Caller{Type: WebIdentity, ARN: "accounts.example.com"}
	pathed := session
	pathed.Role = iam + "role/team/app"
	aws := func(texts ...string) (names []Name) {
		for _, text := range texts {
			names = append(names, Name{Type: "AWS", Text: text})
		}
		return names
	}
	bound := []Name{{Type: "AWS", Text: user.ARN, ID: "AIDANEXT"}}
	for _, tc := range []struct {
		name    string
		element Principals
		caller  Caller
		want    Closeness
		by      int
	}{
		{"everyone", Principals{Names: aws("*")}, Caller{}, AsAnyone, 0},
		{"Q009-everyone-of-a-trust-policy", Principals{Names: aws("*"), Trust: true}, provider, Unnamed, -1},
		{"everyone-of-a-trust-policy-that-denies", Principals{Names: aws("*"), Trust: true, Deny: true}, provider, AsAnyone, 0},
		{"an-account", Principals{Names: aws(account)}, user, ByAccount, 0},
		{"the-root-of-an-account", Principals{Names: aws(iam + "root")}, session, ByAccount, 0},
		{"an-account-of-no-caller", Principals{Names: aws(account)}, Caller{Type: Service, Account: account}, Unnamed, -1},
		{"the-closest", Principals{Names: aws(account, user.ARN, "*")}, user, AsAnyone, 2},
		{"a-user", Principals{Names: aws(account, user.ARN)}, user, ByName, 1},
		{"a-user-by-id", Principals{Names: aws("AIDAALICE")}, user, ByName, 0},
		{"another-user-of-the-name", Principals{Names: bound}, user, Unnamed, -1},
		{"the-user-who-federated", Principals{Names: aws(user.ARN)}, federated, BySource, 0},
		{"a-federated-user", Principals{Names: aws(federated.ARN)}, federated, ByName, 0},
		{"a-role-by-name", Principals{Names: aws(iam + "role/any/app")}, session, BySource, 0},
		{"a-role-with-another-path", Principals{Names: aws(iam + "role/any/app")}, pathed, Unnamed, -1},
		{"a-role-with-its-path", Principals{Names: aws(pathed.Role)}, pathed, BySource, 0},
		{"a-role-by-id", Principals{Names: aws("AROAAPP")}, session, BySource, 0},
		{"a-session", Principals{Names: aws(session.ARN)}, session, ByName, 0},
		{"a-canonical-user", Principals{Names: []Name{{Type: "CanonicalUser", Text: "79a5"}}}, user, ByAccount, 0},
		{"a-provider", Principals{Names: []Name{{Type: "Federated", Text: provider.ARN}}}, provider, ByName, 0},
		{"a-provider-as-a-service", Principals{Names: []Name{{Type: "Service", Text: provider.ARN}}}, provider, Unnamed, -1},
		{"all-but-another", Principals{Names: aws(session.ARN), Not: true}, user, AsAnyone, -1},
		{"all-but-the-account", Principals{Names: aws(account), Not: true}, user, Unnamed, 0},
		{"Q004-deny-all-but-the-user", Principals{Names: aws(user.ARN), Not: true, Deny: true}, user, AsAnyone, 0},
		{"Q004-deny-all-but-user-and-account", Principals{Names: aws(user.ARN, account), Not: true, Deny: true}, user, Unnamed, 0},
		{"Q004-deny-all-but-session-and-account", Principals{Names: aws(session.ARN, account), Not: true, Deny: true}, session, AsAnyone, 0},
		{"Q004-deny-all-but-session-role-and-account", Principals{Names: aws(session.ARN, iam+"role/app", account), Not: true, Deny: true}, session, Unnamed, 0},
		{"deny-all-but-root", Principals{Names: aws(account), Not: true, Deny: true}, root, Unnamed, 0},
		{"deny-all-but-a-caller-with-a-boundary", Principals{Names: aws(user.ARN, account), Not: true, Deny: true, Bounded: true}, user, AsAnyone, 0},
		{"deny-all-but-everyone", Principals{Names: aws("*"), Not: true, Deny: true}, Caller{}, Unnamed, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got, by := tc.element.Match(&tc.caller); got != tc.want || by != tc.by {
				t.Errorf("%+v.Match(%+v) = %v, %d, want %v, %d", tc.element, tc.caller, got, by, tc.want, tc.by)
			}
		})
	}
}
