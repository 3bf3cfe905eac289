// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/s3gate"
	"github.com/innkeeper-iam/innkeeper/internal/seal"
	"github.com/innkeeper-iam/innkeeper/internal/session"
	"github.com/innkeeper-iam/innkeeper/internal/store"
)

// TestUnrecorded: no record, no action.
func TestUnrecorded(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	must(t, w.log.Close())
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		body := ""
		if method == "PUT" {
			body = "w"
		}
		if r := w.refuse(w.Admin(), "ServiceUnavailable", method, "/box/k", body); r.status != 503 {
			t.Errorf("%s without an audit log = %d, want 503", method, r.status)
		}
	}
	w.refuse(nil, "ServiceUnavailable", "GET", "/box/k", "")
	w.refuse(w.User("ann", ""), "ServiceUnavailable", "GET", "/box/k", "")
}

// TestStale: a gate that is out of touch with the store of policies lets nobody in.
func TestStale(t *testing.T) {
	dir := t.TempDir()
	db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(dir, "db"), NoSync: true})
	must(t, err)
	defer db.Close()
	keeper, err := seal.Create(filepath.Join(dir, "key"))
	must(t, err)
	st, err := store.Open(t.Context(), store.Options{DB: db, Keeper: keeper, StaleAfter: time.Nanosecond})
	must(t, err)
	defer st.Close()
	if err := st.Ready(); !errors.Is(err, store.ErrStale) {
		t.Fatalf("Ready = %v, want %v", err, store.ErrStale)
	}
	ring, err := session.NewRing(new(ids.Source), session.NewKey())
	must(t, err)
	w := start(t, func(o *s3gate.Options) {
		o.Store, o.Buckets = st, buckets.New(st)
		o.Authn, o.Authz = authn.New(st, ring, o.Now), authz.New(o.Audit, ring, st)
	})
	w.refuse(w.Admin(), "ServiceUnavailable", "GET", "/box/k", "")
	w.refuse(nil, "ServiceUnavailable", "GET", "/box/k", "")
}

// TestUnrecordedChange: what was done and cannot be recorded is not confirmed.
func TestUnrecordedChange(t *testing.T) {
	w := start(t)
	w.store.answer(func(rw http.ResponseWriter, r *http.Request) {
		w.log.Close()
		w.store.Handler.ServeHTTP(rw, r)
	})
	if r := w.do(w.Admin(), "PUT", "/box/k", "v"); r.status != 500 || r.code() != "InternalError" {
		t.Errorf("a PUT that was not recorded = %d %s", r.status, r.body)
	}
}

// TestAskedBefore: a record says why the store did not answer also where the gateway
// asked it something of its own first.
func TestAskedBefore(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	ann := w.User("ann", statement("Allow", "s3:GetObject", "*", `,"Condition":{"StringEquals":{"s3:ExistingObjectTag/secret":"no"}}`))
	w.store.answer(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for _, ask := range []func() *reply{
		func() *reply { return w.do(w.Admin(), "PUT", "/another", "") },
		func() *reply { return w.do(ann, "GET", "/box/k", "") },
	} {
		r := ask()
		rec := w.last()
		if why, _ := additional(t, &rec)["upstreamFailure"].(string); r.status != 503 || !strings.HasPrefix(why, "reset: ") {
			t.Errorf("%s = %d %s, and the record says %q, want 503 and why", rec.EventName, r.status, r.body, why)
		}
	}
}
