// SPDX-License-Identifier: Apache-2.0

package stsapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

const (
	prefix   = "arn:aws:iam::" + iamtest.Account + ":"
	other    = "444455556666"
	allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	listOnly = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`
	readOnly = "arn:aws:iam::aws:policy/ReadOnlyAccess"
)

// A world is a node with a clock that stands still, the user carl, who may do
// everything, and roles that its tests make.
type world struct {
	*iamtest.Server
	t     testing.TB
	clock *iamtest.Clock
	carl  *iamtest.Client
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, clock: iamtest.NewClock()}
	w.Server = iamtest.Options{Clock: w.clock}.Start(t)
	w.carl = w.User("carl", allowAll)
	return w
}

// role makes a role with a trust policy of one statement, given as its elements
// after Effect, and a policy that allows everything; it returns the role's ARN.
func (w *world) role(name, trust string) string {
	w.t.Helper()
	w.change(func(tx *store.Tx) error {
		text := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` + trust + `}]}`
		return tx.CreateRole(&store.Role{Name: name, Trust: store.NewTrust(text, nil), MaxSession: 7200, Grants: store.Grants{
			Inline: []store.Inline{{Name: "all", Document: store.NewDocument("all", allowAll)}},
		}})
	})
	return prefix + "role/" + name
}

func (w *world) change(fn func(*store.Tx) error) {
	w.t.Helper()
	if err := w.Store().Update(w.t.Context(), iamtest.Account, fn); err != nil {
		w.t.Fatal(err)
	}
}

// Trust statements.

func trusts(principal string, actions ...string) string {
	if len(actions) == 0 {
		actions = []string{"sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"}
	}
	return fmt.Sprintf(`"Principal":{"AWS":%q},"Action":["%s"]`, principal, strings.Join(actions, `","`))
}

func assume(role string, params ...string) []string {
	return append([]string{"RoleArn=" + role, "RoleSessionName=visit"}, params...)
}

// lasts reports for how long the credentials of an answer are good.
func (w *world) lasts(body string) time.Duration {
	w.t.Helper()
	until, err := time.Parse(time.RFC3339, iamtest.Element(body, "Expiration"))
	if err != nil {
		w.t.Fatal(err)
	}
	return until.Sub(w.clock.Now())
}
