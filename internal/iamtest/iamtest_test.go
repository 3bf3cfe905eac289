// SPDX-License-Identifier: Apache-2.0

package iamtest

import (
	"testing"
	"time"
)

func TestStart(t *testing.T) {
	began := time.Now()
	s := Start(t)
	took := time.Since(began)
	t.Logf("started in %v", took)
	body := s.Admin().OK("GetCallerIdentity")
	if got, want := Element(body, "Arn"), "arn:aws:iam::"+Account+":user/admin"; got != want {
		t.Errorf("GetCallerIdentity: Arn = %q, want %q", got, want)
	}
	if got := s.LastRecord(); got.EventName != "GetCallerIdentity" || got.Identity.UserName != "admin" {
		t.Errorf("LastRecord() = %+v", got)
	}
	fred := s.User("fred", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}`)
	fred.OK("GetUser")
	fred.Fail("AccessDenied", "ListUsers")
	if got := Element(s.Root(Account).OK("GetUser"), "UserId"); got != Account {
		t.Errorf("GetUser by root: UserId = %q", got)
	}
	other := s.AddAccount("444455556666")
	if got := Element(other.OK("GetCallerIdentity"), "Account"); got != "444455556666" {
		t.Errorf("GetCallerIdentity in the other account: Account = %q", got)
	}
}

func TestFixedIsTheSameEachTime(t *testing.T) {
	run := func() string {
		s := Options{Clock: NewClock(), Fixed: true}.Start(t)
		_, body := s.Admin().Call("CreateUser", "UserName=ann")
		return body
	}
	if one, two := run(), run(); one != two {
		t.Errorf("two runs differ:\n%s\n%s", one, two)
	}
}

func BenchmarkStart(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Start(b)
	}
}
