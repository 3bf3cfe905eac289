// SPDX-License-Identifier: Apache-2.0

package buckets

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/kv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/boltkv"
	"github.com/innkeeper-iam/innkeeper/internal/kv/memkv"
	"github.com/innkeeper-iam/innkeeper/internal/quota"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

const world = `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*"}]}`

// eventually waits for what another node sees a moment later.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

func TestPublicAccessBlocks(t *testing.T) {
	r, _ := newRegistry(t)
	ctx := t.Context()
	must(t, r.Create(ctx, alpha, "photos", ""))
	b := get(t, r, "photos")
	if err := r.SetPolicy(ctx, b, world); !errors.Is(err, ErrPublic) {
		t.Errorf("a public policy for a new bucket: %v, want %v", err, ErrPublic)
	}
	must(t, r.SetPolicy(ctx, b, readers))
	must(t, r.SetBlock(ctx, b, Block{RestrictPublicBuckets: true}))
	must(t, r.SetPolicy(ctx, b, world))
	if b = get(t, r, "photos"); !b.Public() || !b.Restricted() || b.Block != (Block{RestrictPublicBuckets: true}) {
		t.Errorf("a public bucket with RestrictPublicBuckets: Public %t, Restricted %t, %+v", b.Public(), b.Restricted(), b.Block)
	}
	must(t, r.DeleteBlock(ctx, b))
	if b = get(t, r, "photos"); !b.Public() || b.Restricted() || b.OwnBlock != nil || b.Block != (Block{}) {
		t.Errorf("without a block: Public %t, Restricted %t, %+v", b.Public(), b.Restricted(), b)
	}

	if block, err := r.AccountBlock(ctx, alpha); block != nil || err != nil {
		t.Errorf("AccountBlock = %+v, %v, want none", block, err)
	}
	must(t, r.SetAccountBlock(ctx, alpha, Block{BlockPublicPolicy: true, RestrictPublicBuckets: true}))
	if block, err := r.AccountBlock(ctx, alpha); err != nil || *block != (Block{BlockPublicPolicy: true, RestrictPublicBuckets: true}) {
		t.Errorf("AccountBlock = %+v, %v", block, err)
	}
	must(t, r.SetBlock(ctx, b, Block{IgnorePublicAcls: true}))
	b = get(t, r, "photos")
	if !b.Restricted() || b.Block != (Block{false, true, true, true}) || *b.OwnBlock != (Block{IgnorePublicAcls: true}) {
		t.Errorf("both block: Restricted %t, %+v, own %+v", b.Restricted(), b.Block, b.OwnBlock)
	}
	if err := r.SetPolicy(ctx, b, world); !errors.Is(err, ErrPublic) {
		t.Errorf("a public policy that the account blocks: %v, want %v", err, ErrPublic)
	}
	must(t, r.DeleteAccountBlock(ctx, alpha))
	if b = get(t, r, "photos"); b.Restricted() || b.Block != (Block{IgnorePublicAcls: true}) {
		t.Errorf("the account blocks no more: %+v", b.Block)
	}
}

// decide returns what the bucket's policy says to a caller of the account beta.
func decide(b *Bucket, p policy.Principal) policy.Outcome {
	all := store.NewDocument("all", `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`).Compiled(policy.Identity)
	return policy.Decide(&policy.Request{Principal: p, Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/cat", ResourceAccount: b.Account},
		&policy.Set{Identity: []*policy.Policy{all}, Resource: b.Compiled()}).Outcome
}

func TestAUserMadeAnewIsAnother(t *testing.T) {
	r, s := newRegistry(t)
	ctx := t.Context()
	const name = "arn:aws:iam::" + beta + ":user/bob"
	bob := func() policy.Principal {
		must(t, s.Update(ctx, beta, func(tx *store.Tx) error { return tx.CreateUser(&store.User{Name: "bob", Path: "/"}) }))
		v, err := s.View(ctx, beta)
		must(t, err)
		u, err := v.User("bob")
		must(t, err)
		return policy.Principal{Type: policy.User, ARN: name, Account: beta, ID: u.ID}
	}
	first := bob()
	must(t, r.Create(ctx, alpha, "photos", ""))
	text := strings.Replace(readers, beta, name, 1)
	must(t, r.SetPolicy(ctx, get(t, r, "photos"), text))
	b := get(t, r, "photos")
	if got := decide(b, first); got != policy.Allowed {
		t.Errorf("the user that the policy names: %v, want %v", got, policy.Allowed)
	}
	if got := r.Text(ctx, b); got != text {
		t.Errorf("Text = %s, want %s", got, text)
	}
	must(t, s.Update(ctx, beta, func(tx *store.Tx) error { return tx.DeleteUser("bob") }))
	second := bob()
	if got := decide(b, second); got == policy.Allowed {
		t.Errorf("another user of that name: %v, want a refusal", got)
	}
	if got, want := r.Text(ctx, b), strings.Replace(text, name, first.ID, 1); got != want {
		t.Errorf("Text = %s, want %s", got, want)
	}
}

// Tests Q139: the buckets of an account that is closed stay, and deny.
func TestAClosedAccountKeepsItsBuckets(t *testing.T) {
	r, s := newRegistry(t)
	ctx := t.Context()
	must(t, r.Create(ctx, alpha, "photos", ""))
	must(t, r.Create(ctx, alpha, "plain", ""))
	must(t, r.SetPolicy(ctx, get(t, r, "photos"), readers))
	root := policy.Principal{Type: policy.Root, ARN: "arn:aws:iam::" + beta + ":root", Account: beta}
	if got := decide(get(t, r, "photos"), root); got != policy.Allowed {
		t.Fatalf("before: %v, want %v", got, policy.Allowed)
	}
	must(t, s.Update(ctx, alpha, func(tx *store.Tx) error { tx.Close(); return nil }))
	for _, name := range []string{"photos", "plain"} {
		if b := get(t, r, name); !b.Closed() || decide(b, root) != policy.ExplicitDeny {
			t.Errorf("%s: Closed = %t and %v, want true and %v", name, b.Closed(), decide(b, root), policy.ExplicitDeny)
		}
	}
	if err := r.Create(ctx, beta, "photos", ""); !errors.Is(err, store.ErrExists) {
		t.Errorf("Create of a closed account's bucket: %v, want %v", err, store.ErrExists)
	}
}

func TestAQuotaOfBuckets(t *testing.T) {
	r, s := newRegistry(t)
	ctx := t.Context()
	must(t, s.Update(ctx, alpha, func(tx *store.Tx) error {
		a := tx.Account()
		a.Quotas = map[string]int{quota.Buckets: 3}
		return tx.PutAccount(a)
	}))
	must(t, r.SetAccountBlock(ctx, alpha, everything)) // which is no bucket
	var made atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			err := r.Create(ctx, alpha, fmt.Sprintf("bucket-%d", i), "")
			limit, ok := errors.AsType[*store.LimitError](err)
			switch {
			case err == nil:
				made.Add(1)
			case !ok || *limit != (store.LimitError{Quota: quota.Buckets, Limit: 3}):
				t.Errorf("Create = %v, want a LimitError of %s", err, quota.Buckets)
			}
		})
	}
	all.Wait()
	if n := made.Load(); n != 3 {
		t.Errorf("%d buckets were made, want 3", n)
	}
}

// engines are what buckets are kept in. That etcd is like them is package kvtest's
// to show.
var engines = map[string]func(t *testing.T) kv.DB{
	"memkv": func(*testing.T) kv.DB { return memkv.Open(memkv.Options{}) },
	"boltkv": func(t *testing.T) kv.DB {
		db, err := boltkv.Open(boltkv.Options{Path: filepath.Join(t.TempDir(), "db"), NoSync: true})
		must(t, err)
		return db
	},
}

func TestTwoNodesWantOneName(t *testing.T) {
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			db := engine(t)
			t.Cleanup(func() { db.Close() })
			a, b := open(t, db), open(t, db)
			nodes := []*Registry{New(a), New(b)}
			owners := []string{alpha, beta}
			for _, id := range owners {
				_, err := a.CreateAccount(t.Context(), store.Account{ID: id})
				must(t, err)
			}
			eventually(t, "the accounts are on both nodes", func() bool { _, err := b.View(t.Context(), beta); return err == nil })
			for i := range 20 {
				bucket := fmt.Sprintf("bucket-%d", i)
				var won [2]error
				var all sync.WaitGroup
				for n := range nodes {
					all.Go(func() { won[n] = nodes[n].Create(t.Context(), owners[n], bucket, "") })
				}
				all.Wait()
				if (won[0] == nil) == (won[1] == nil) {
					t.Fatalf("Create on two nodes: %v and %v, want one owner", won[0], won[1])
				}
				winner, loser := 0, 1
				if won[1] == nil {
					winner, loser = 1, 0
				}
				if e, ok := errors.AsType[*store.ExistsError](won[loser]); !ok || e.Kind != store.KindBucket {
					t.Errorf("the loser gets %v, want an ExistsError", won[loser])
				}
				for _, r := range nodes {
					eventually(t, "both nodes know the owner", func() bool {
						b, err := r.Get(t.Context(), bucket)
						return err == nil && b.Account == owners[winner]
					})
				}
				if list, err := nodes[winner].List(t.Context(), owners[loser]); err != nil || len(list) > i {
					t.Errorf("List(%s) = %d buckets, %v", owners[loser], len(list), err)
				}
			}
		})
	}
}

func TestAnotherNodeFollowsAndARestartKeepsAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "db")
	db, err := boltkv.Open(boltkv.Options{Path: file, NoSync: true})
	must(t, err)
	one, other := open(t, db), open(t, db)
	_, err = one.CreateAccount(t.Context(), store.Account{ID: alpha})
	must(t, err)
	_, err = one.CreateAccount(t.Context(), store.Account{ID: beta})
	must(t, err)
	r, far := New(one), New(other)
	must(t, r.Create(t.Context(), alpha, "photos", "eu-west-1"))
	must(t, r.Adopt(t.Context(), alpha, "Old_Bucket", ""))
	must(t, r.SetPolicy(t.Context(), get(t, r, "photos"), readers))
	eventually(t, "the policy is on the other node", func() bool {
		b, err := far.Get(t.Context(), "photos")
		return err == nil && b.Policy != nil && b.Policy.Text() == readers
	})
	must(t, r.Delete(t.Context(), get(t, r, "Old_Bucket")))
	eventually(t, "the other node forgets", func() bool { _, err := far.Get(t.Context(), "Old_Bucket"); return errors.Is(err, store.ErrNotFound) })
	must(t, far.Adopt(t.Context(), beta, "Old_Bucket", ""))
	must(t, one.Close())
	must(t, other.Close())
	must(t, db.Close())

	db, err = boltkv.Open(boltkv.Options{Path: file, NoSync: true})
	must(t, err)
	t.Cleanup(func() { db.Close() })
	r = New(open(t, db))
	if b := get(t, r, "photos"); b.Account != alpha || b.Region != "eu-west-1" || b.Policy.Text() != readers || b.Adopted {
		t.Errorf("after a restart: %+v", b)
	}
	if b := get(t, r, "Old_Bucket"); b.Account != beta || !b.Adopted {
		t.Errorf("after a restart: %+v", b)
	}
}

// TestPoliciesChangeWhileOthersDecide: each decision is by one of the policies.
func TestPoliciesChangeWhileOthersDecide(t *testing.T) {
	r, _ := newRegistry(t)
	ctx := t.Context()
	must(t, r.Create(ctx, alpha, "photos", ""))
	must(t, r.SetBlock(ctx, get(t, r, "photos"), Block{}))
	must(t, r.SetPolicy(ctx, get(t, r, "photos"), world))
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				b := get(t, r, "photos")
				anyone := decide(b, policy.Principal{}) == policy.Allowed
				if open := b.Policy.Text() == world; anyone != open || b.Public() != open {
					t.Errorf("anyone gets in: %t, Public %t, with %s", anyone, b.Public(), b.Policy.Text())
					return
				}
			}
		})
	}
	for i := range 50 {
		must(t, r.SetPolicy(ctx, get(t, r, "photos"), []string{readers, world}[i%2]))
	}
	close(done)
	all.Wait()
}

func TestAnOldBucketIsNotChanged(t *testing.T) {
	r, _ := newRegistry(t)
	ctx := t.Context()
	must(t, r.Create(ctx, alpha, "photos", ""))
	old := get(t, r, "photos")
	must(t, r.Delete(ctx, old))
	must(t, r.Create(ctx, beta, "photos", ""))
	for name, err := range map[string]error{
		"SetPolicy": r.SetPolicy(ctx, old, readers), "DeletePolicy": r.DeletePolicy(ctx, old), "SetBlock": r.SetBlock(ctx, old, Block{}),
		"DeleteBlock": r.DeleteBlock(ctx, old), "Delete": r.Delete(ctx, old),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s of a bucket that is another account's by now: %v, want %v", name, err, store.ErrNotFound)
		}
	}
	if b := get(t, r, "photos"); b.Account != beta || b.Policy != nil || b.Block != everything {
		t.Errorf("the bucket is %+v", b)
	}
}

func TestBucketsThatAreGoneAreForgotten(t *testing.T) {
	r, s := newRegistry(t)
	ctx := t.Context()
	for range 60 {
		must(t, r.Create(ctx, alpha, "photos", ""))
		must(t, r.Delete(ctx, get(t, r, "photos")))
		must(t, r.Create(ctx, alpha, "videos", ""))
		must(t, r.Delete(ctx, get(t, r, "videos")))
	}
	for i := range 60 {
		must(t, r.Create(ctx, alpha, fmt.Sprintf("b-%d", i), ""))
		must(t, r.Delete(ctx, get(t, r, fmt.Sprintf("b-%d", i))))
	}
	must(t, r.Create(ctx, alpha, "photos", ""))
	get(t, r, "photos")
	v, err := s.View(ctx, alpha)
	must(t, err)
	on := v.Annex(store.AnnexBucket).Derive(nil).(*shelf).n.Load()
	if on > 20 {
		t.Errorf("%d buckets are kept in memory, of which 1 exists", on)
	}
}

func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1, 1000} {
		r, _ := newRegistry(b)
		for i := range n {
			must(b, r.Create(b.Context(), alpha, fmt.Sprintf("bucket-%d", i), ""))
		}
		name := fmt.Sprintf("bucket-%d", n/2)
		bucket := get(b, r, name)
		must(b, r.SetPolicy(b.Context(), bucket, strings.ReplaceAll(readers, "photos", name)))
		b.Run(fmt.Sprintf("buckets=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					if _, err := r.Get(b.Context(), name); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
