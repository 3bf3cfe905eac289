// SPDX-License-Identifier: Apache-2.0

// Package crash kills the real program, and asks it to end, while it works.
package crash

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

const (
	kills   = 200
	writers = 8
)

// account is the id of the account that the writers change.
var account string

// TestKill kills the server again and again while writers change one account,
// and checks each time that it comes up with everything it has acknowledged and
// nothing half-done. In the end the audit log must have every change.
func TestKill(t *testing.T) {
	s := server.Start(t, server.Options{
		Listen: server.FreeAddress(t),
		Args:   []string{"--audit-max", "262144"}, // rotations are among what kills interrupt
	})
	me, err := s.STS(s.Admin).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.IAM(s.Admin).CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String(shared)}); err != nil {
		t.Fatal(err)
	}
	account = *me.Account
	all := make([]*writer, writers)
	for i := range all {
		all[i] = newWriter(i, s)
	}
	started := time.Now()
	for n := range kills {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for _, w := range all {
			wg.Go(func() { w.work(t, stop) })
		}
		time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond)
		s.Kill()
		close(stop)
		wg.Wait()
		if n%5 == 0 {
			interruptStart(t, s)
		}
		if err := s.Restart(); err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
		if d := read(t, s); d != nil {
			d.consistent(t)
			for _, w := range all {
				w.check(t, s, d)
			}
		}
		if t.Failed() {
			t.Fatalf("after kill %d", n+1)
		}
	}
	var ids []string
	for _, w := range all {
		ids = append(ids, w.requests...)
	}
	t.Logf("%d kills in %v, %d requests acknowledged", kills, time.Since(started).Round(time.Millisecond), len(ids))
	if len(ids) < 5*kills {
		t.Errorf("only %d requests were acknowledged between %d kills", len(ids), kills)
	}
	recorded(t, s.Data, ids)
	if err := s.Stop(); err != nil {
		t.Errorf("the last stop: %v", err)
	}
}

// interruptStart kills a server that is about to open what the last one left.
func interruptStart(t *testing.T, s *server.Server) {
	t.Helper()
	if err := s.Launch(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
	s.Kill()
}

// TestKillAtFirstStart kills servers that make their first account.
func TestKillAtFirstStart(t *testing.T) {
	for n := range 40 {
		s := server.New(server.Options{Data: t.TempDir()})
		t.Cleanup(s.Kill)
		if err := s.Launch(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(n) * 2 * time.Millisecond)
		s.Kill()
		if err := s.Restart(); err != nil {
			t.Fatalf("after %d ms: %v", 2*n, err)
		}
		out, err := s.IAM(s.Admin).ListUsers(t.Context(), &iam.ListUsersInput{})
		if err != nil || len(out.Users) != 1 {
			t.Errorf("after %d ms: ListUsers = %v, %v, want the administrator", 2*n, out, err)
		}
		s.Kill()
	}
}
