// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/replica"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
)

// leaves are the fields that leave the server, by the row that they are of. A new
// field that is not listed fails TestWhatAReplicaSees: does a gateway decide with it,
// and is it no secret?
var leaves = map[string]string{
	"acct/111122223333": "alias closedAt created id keys.created keys.id keys.inactive name organization quotas.k",
	"a/111122223333/user/ann": "attached boundary created groups id inline.document inline.name keys.created keys.id keys.inactive " +
		"name path tags.k tags.v",
	"a/111122223333/group/ops": "attached created id inline.document inline.name name path",
	"a/111122223333/role/r": "attached boundary created description id inline.document inline.name maxSession name path " +
		"tags.k tags.v trust",
	"a/111122223333/policy/p": "created default description id last name path tags.k tags.v updated " +
		"versions.created versions.document versions.id",
	"a/111122223333/used/AKIA": "region service time",
}

var records = map[string]any{
	"acct/111122223333":        new(Account),
	"a/111122223333/user/ann":  new(User),
	"a/111122223333/group/ops": new(Group),
	"a/111122223333/role/r":    new(Role),
	"a/111122223333/policy/p":  new(Policy),
	"a/111122223333/used/AKIA": new(Use),

	"a/111122223333/profile/p":          new(InstanceProfile),
	"a/111122223333/oidc/idp.example":   new(OIDCProvider),
	"a/111122223333/saml/adfs":          new(SAMLProvider),
	"a/111122223333/device/mfa/phone":   new(MFADevice),
	"a/111122223333/cert/web":           new(ServerCertificate),
	"a/111122223333/delegation/r/1":     new(Use),
	"a/111122223333/issuer/self":        new(Use),
	"a/111122223333/report/credentials": new(Use),
	"a/111122223333/iam/task":           new(Use),
	"a/111122223333/unheard/of":         new(Use),
	"acct/111122223333/more":            new(Account),
	"sys/sealed/session-ring":           new(Use),
	"sys/key":                           new(Use),
	"alias/main":                        new(Use),
	"mail/ann@example.com":              new(Use),
}

func TestWhatAReplicaSees(t *testing.T) {
	for key, rec := range records {
		fillIn(reflect.ValueOf(rec).Elem())
		value, err := encode(rec)
		if err != nil {
			t.Fatal(err)
		}
		sent, ok := replica.Sent(key, value)
		want, seen := leaves[key]
		if ok != seen {
			t.Errorf("replica.Sent(%s) = %t, want %t", key, ok, seen)
		}
		if !ok {
			if sent != nil {
				t.Errorf("replica.Sent(%s) = %q, want nothing", key, sent)
			}
			continue
		}
		var tree any
		if err := json.Unmarshal(sent[1:], &tree); err != nil {
			t.Fatalf("replica.Sent(%s) = %q: %v", key, sent, err)
		}
		if got := strings.Join(paths(tree, ""), " "); got != want {
			t.Errorf("replica.Sent(%s) has the fields\n%s\nwant\n%s", key, got, want)
		}
		if bytes.Contains(sent, []byte("c2VjcmV0")) { // "secret" in base64, as every []byte is
			t.Errorf("replica.Sent(%s) = %q: a field of bytes leaves", key, sent)
		}
	}
}

// fillIn sets every field to something that is written.
func fillIn(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Unix(1_800_000_000, 0).UTC()
		return
	case *[]byte:
		*x = []byte("secret")
		return
	case **Document:
		*x = NewDocument("", "text")
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fillIn(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fillIn(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		e := reflect.New(v.Type().Elem()).Elem()
		fillIn(e)
		v.SetMapIndex(reflect.ValueOf("k").Convert(v.Type().Key()), e)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillIn(v.Elem())
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(7)
	default:
		panic(fmt.Sprint("what is a ", v.Type()))
	}
}

// paths lists the names of the leaves of a JSON value, sorted.
func paths(tree any, at string) []string {
	var out []string
	switch x := tree.(type) {
	case map[string]any:
		for name, e := range x {
			out = append(out, paths(e, strings.TrimPrefix(at+"."+name, "."))...)
		}
	case []any:
		for _, e := range x {
			out = append(out, paths(e, at)...)
		}
	case nil: // left out
	default:
		return []string{at}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestReplicaWithoutAKey: a replica needs the master key neither to open nor to read, and
// has no secret.
func TestReplicaWithoutAKey(t *testing.T) {
	s, x := newStore(t)
	r, err := Open(t.Context(), Options{DB: x.db, Replica: true})
	if err != nil {
		t.Fatalf("Open(replica) = %v, want nil", err)
	}
	defer r.Close()
	if _, err := r.View(t.Context(), alpha); err != nil {
		t.Errorf("View() of a replica = %v, want nil", err)
	}
	key, _ := s.NewKey(alpha)
	if _, err := r.Secret(alpha, &key); !errors.Is(err, seal.ErrKey) {
		t.Errorf("Secret() of a replica = %v, want seal.ErrKey", err)
	}
	if _, err := Open(t.Context(), Options{DB: newSite(t).db, Replica: true}); !errors.Is(err, ErrInvalid) {
		t.Errorf("Open(replica of nothing) = %v, want ErrInvalid", err)
	}
}
