// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/trail"
)

const account = "111122223333"

var when = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func user(name string) audit.Identity {
	return audit.Identity{
		Type: "IAMUser", PrincipalID: "AIDA" + strings.ToUpper(name), ARN: "arn:aws:iam::" + account + ":user/staff/" + name,
		AccountID: account, AccessKeyID: "AKIA" + strings.ToUpper(name), UserName: name,
	}
}

func role(name, session string) audit.Identity {
	return audit.Identity{
		Type: "AssumedRole", PrincipalID: "AROA:" + session, ARN: "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + session, AccountID: account,
		Session: &audit.Session{Issuer: audit.Issuer{Type: "Role", ARN: "arn:aws:iam::" + account + ":role/svc/" + name, UserName: name}},
	}
}

func s3(by audit.Identity, event, resource, outcome string) audit.Record {
	r := audit.Record{
		Identity: by, EventSource: "s3.amazonaws.com", EventName: event, Data: true, Recipient: account,
		Decision: audit.Decision{Check: audit.Check{Action: "s3:" + event, Resource: "arn:aws:s3:::" + resource, Outcome: outcome}},
	}
	if outcome != audit.Allow {
		r.ErrorCode = "AccessDenied"
		r.Decision.Reason = "Denied: " + resource
	}
	return r
}

// sample is a log of records a to l, a minute apart, in files of a few.
func sample(t testing.TB) string {
	t.Helper()
	learned := s3(user("ann"), "GetObject", "b/secret", audit.ImplicitDeny)
	learned.ErrorCode, learned.Decision.Learned = "", true
	many := s3(user("bob"), "DeleteObject", "b/three", audit.Allow)
	many.EventName = "DeleteObjects"
	many.Decision.Checks = []audit.Check{
		{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::b/one", Outcome: audit.ExplicitDeny, Sid: "Keep"},
		{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::b/two", Outcome: audit.ExplicitDeny, Sid: "Keep"},
	}
	missing := s3(user("bob"), "GetObject", "b/none", audit.Allow)
	missing.ErrorCode = "NoSuchKey"
	other := s3(user("eve"), "GetObject", "b/x", audit.ImplicitDeny)
	other.Identity.AccountID, other.Identity.ARN = "444455556666", "arn:aws:iam::444455556666:user/eve"
	spoof := s3(user("ann"), "ListBucket", "b", audit.Allow)
	spoof.EventName = "ListObjectsV2"
	spoof.RequestParameters = []byte(`{"prefix":"\"decision\":\"explicit-deny\"","x":{"learned":true,"arn":"arn:aws:iam::1:user/zoe"}}`)
	dir := t.TempDir()
	write(t, dir,
		s3(user("ann"), "GetObject", "b/home/ann/1", audit.Allow),        // a
		s3(user("ann"), "PutObject", "b/home/ann/1", audit.Allow),        // b
		s3(user("ann"), "GetObject", "b/home/bob/1", audit.ImplicitDeny), // c
		learned, // d
		s3(role("app", "i-1"), "GetObject", "b/home/app/1", audit.Allow), // e
		s3(role("app", "i-2"), "GetObject", "c/x", audit.ImplicitDeny),   // f
		many,    // g
		missing, // h
		other,   // i
		s3(audit.Identity{Type: "AWSAccount", AccountID: "ANONYMOUS_PRINCIPAL"}, "GetObject", "b/x", audit.ImplicitDeny), // j
		spoof, // k
		audit.Record{EventSource: "innkeeper.local", EventName: "UpdateQuotas", Identity: audit.Identity{Type: "Unknown", InvokedBy: "operator"}, Recipient: account}, // l
	)
	return dir
}

func write(t testing.TB, dir string, records ...audit.Record) {
	t.Helper()
	l, err := audit.Open(audit.Options{Dir: dir, MaxBytes: 2500, NoSync: true, Now: func() time.Time { return when.Add(24 * time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		records[i].Time, records[i].EventID = when.Add(time.Duration(i)*time.Minute), string(rune('a'+i))
		if err := l.Write(&records[i], false); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestQuery(t *testing.T) {
	dir := sample(t)
	at := func(minutes int) time.Time { return when.Add(time.Duration(minutes) * time.Minute) }
	for _, tt := range []struct {
		name string
		q    trail.Query
		want string // event ids
	}{
		{"everything", trail.Query{}, "abcdefghijkl"},
		{"user-by-name", trail.Query{Principal: "ann"}, "abcdk"},
		{"user-by-arn", trail.Query{Principal: "arn:aws:iam::111122223333:user/staff/ann"}, "abcdk"},
		{"user-by-the-end-of-the-arn", trail.Query{Principal: "user/staff/ann"}, "abcdk"},
		{"user-with-account", trail.Query{Principal: "111122223333:user/staff/ann"}, "abcdk"},
		{"users-by-pattern", trail.Query{Principal: "arn:aws:iam::*:user/*"}, "abcdghik"},
		{"name-pattern", trail.Query{Principal: "?o?"}, "gh"},
		{"another-letter-case-is-another-name", trail.Query{Principal: "Ann"}, ""},
		{"key", trail.Query{Principal: "AKIABOB"}, "gh"},
		{"unique-id", trail.Query{Principal: "AIDABOB"}, "gh"},
		{"role-by-name-all-its-sessions", trail.Query{Principal: "app"}, "ef"},
		{"role-by-arn", trail.Query{Principal: "arn:aws:iam::111122223333:role/svc/app"}, "ef"},
		{"one-session", trail.Query{Principal: "assumed-role/app/i-2"}, "f"},
		{"session-name", trail.Query{Principal: "i-1"}, "e"},
		{"anonymous", trail.Query{Principal: "anonymous"}, "j"},
		{"operator", trail.Query{Principal: "operator"}, "l"},
		{"name-in-a-parameter-is-nobody", trail.Query{Principal: "*zoe*"}, ""},
		{"action", trail.Query{Action: "s3:PutObject"}, "b"},
		{"actions-in-any-case", trail.Query{Action: "S3:get*"}, "acdefhij"},
		{"action-of-a-check-beside", trail.Query{Action: "s3:DeleteObject", Resource: "arn:aws:s3:::b/one"}, "g"},
		{"action-without-a-decision", trail.Query{Action: "innkeeper:UpdateQuotas"}, "l"},
		{"event", trail.Query{Event: "deleteobjects"}, "g"},
		{"event-is-not-the-action", trail.Query{Event: "ListBucket"}, ""},
		{"resource", trail.Query{Resource: "arn:aws:s3:::b/home/*"}, "abce"},
		{"resource-without-its-head", trail.Query{Resource: "b/home/*"}, "abce"},
		{"bucket-alone", trail.Query{Resource: "b"}, "k"},
		{"allowed", trail.Query{Decision: trail.Allowed}, "abeghk"},
		{"denied", trail.Query{Decision: trail.Denied}, "cfgij"},
		{"explicitly-denied", trail.Query{Decision: trail.Explicit}, "g"},
		{"implicitly-denied", trail.Query{Decision: trail.Implicit}, "cfij"},
		{"learned", trail.Query{Decision: trail.Learned}, "d"},
		{"failed", trail.Query{Decision: trail.Failed}, "h"},
		{"of-an-account", trail.Query{Account: "444455556666"}, "i"},
		{"of-the-account-that-it-happened-in", trail.Query{Account: account}, "abcdefghijkl"},
		{"one-check-meets-all-that-is-asked", trail.Query{Resource: "b/three", Decision: trail.Denied}, ""},
		{"from", trail.Query{From: at(9)}, "jkl"},
		{"until", trail.Query{Until: at(1)}, "ab"},
		{"between", trail.Query{From: at(2), Until: at(4), Principal: "ann"}, "cd"},
		{"nothing", trail.Query{From: at(100)}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.q.Validate(); err != nil {
				t.Fatal(err)
			}
			var got, lines string
			for m, err := range tt.q.Find(dir, nil) {
				if err != nil {
					t.Fatal(err)
				}
				got += m.Record.EventID
				var r audit.Record
				if err := json.Unmarshal(m.Line, &r); err != nil {
					t.Fatal(err)
				}
				lines += r.EventID
			}
			if got != tt.want || lines != tt.want {
				t.Errorf("Find = %s, lines %s, want %s", got, lines, tt.want)
			}
			for _, n := range []int{0, 1, 3, 100} {
				want := tt.want[max(0, len(tt.want)-n):]
				list, err := tt.q.Latest(dir, n, nil)
				if err != nil {
					t.Fatal(err)
				}
				got = ""
				for _, m := range list {
					got += m.Record.EventID
				}
				if got != want {
					t.Errorf("Latest(%d) = %s, want %s", n, got, want)
				}
			}
			asked := 0
			got = ""
			for m, err := range tt.q.Follow(dir, audit.Place{}, func() bool { asked++; return asked < 2 }) {
				if err != nil {
					t.Fatal(err)
				}
				got += m.Record.EventID
			}
			if got != tt.want || asked != 2 {
				t.Errorf("Follow = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestOthers(t *testing.T) {
	q := trail.Query{Decision: trail.Denied, Principal: "bob"}
	for m, err := range q.Find(sample(t), nil) {
		if err != nil || m.Check.Resource != "arn:aws:s3:::b/one" || m.Others != 1 {
			t.Errorf("Match = %+v and %d others, %v; want b/one and one", m.Check, m.Others, err)
		}
	}
}

func TestValidate(t *testing.T) {
	bad := trail.Query{Decision: "maybe", Account: "12", From: when, Until: when.Add(-1)}
	err := bad.Validate()
	for _, part := range []string{`"maybe" must be one of allow, deny`, `"12" must be twelve`, "comes before"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("Validate() = %v, want it to say %s", err, part)
		}
	}
}

func TestDenials(t *testing.T) {
	dir := sample(t)
	for _, tt := range []struct {
		name string
		q    trail.Query
		want []string
	}{
		{"all", trail.Query{}, []string{
			"1 0 anonymous s3:GetObject b/x implicit-deny j",
			"1 1 111122223333:user/staff/ann s3:GetObject b/secret implicit-deny d",
			"1 0 111122223333:role/svc/app s3:GetObject c/x implicit-deny f",
			"1 0 111122223333:user/staff/bob s3:DeleteObject b/one explicit-deny g",
			"1 0 111122223333:user/staff/bob s3:DeleteObject b/two explicit-deny g",
			"1 0 444455556666:user/eve s3:GetObject b/x implicit-deny i",
			"1 0 111122223333:user/staff/ann s3:GetObject b/home/bob/1 implicit-deny c",
		}},
		{"learned", trail.Query{Decision: trail.Learned}, []string{"1 1 111122223333:user/staff/ann s3:GetObject b/secret implicit-deny d"}},
		{"of-a-bucket", trail.Query{Resource: "c/*"}, []string{"1 0 111122223333:role/svc/app s3:GetObject c/x implicit-deny f"}},
		{"allowed-is-no-denial", trail.Query{Decision: trail.Allowed}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			list, err := tt.q.Denials(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, d := range list {
				short := strings.NewReplacer("arn:aws:iam::", "", "arn:aws:s3:::", "")
				got = append(got, fmt.Sprintf("%d %d %s %s %s %s %s", d.Count, d.Learned, short.Replace(d.Principal), d.Action, short.Replace(d.Resource), d.Decision, d.EventID))
			}
			slices.Sort(got)
			slices.Sort(tt.want)
			if !slices.Equal(got, tt.want) {
				t.Errorf("Denials = %s\nwant %s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// TestDenialsAreCounted: what happens most comes first, with its first and last
// time and what decided last.
func TestDenialsAreCounted(t *testing.T) {
	dir := t.TempDir()
	one, two := s3(user("ann"), "GetObject", "b/1", audit.ImplicitDeny), s3(role("app", "i-1"), "GetObject", "b/2", audit.ImplicitDeny)
	three := s3(role("app", "i-2"), "GetObject", "b/2", audit.ImplicitDeny)
	three.Decision.Reason, three.Decision.Learned = "last", true
	write(t, dir, two, one, two, three)
	list, err := new(trail.Query).Denials(dir, nil)
	if err != nil || len(list) != 2 {
		t.Fatalf("Denials = %+v, %v", list, err)
	}
	d := list[0]
	if d.Count != 3 || d.Learned != 1 || !d.First.Equal(when) || !d.Last.Equal(when.Add(3*time.Minute)) || d.Reason != "last" || d.EventID != "d" ||
		!strings.Contains(string(d.Line), `"eventID":"d"`) {
		t.Errorf("Denials[0] = %+v", d)
	}
}

// BenchmarkQuery searches a log of 100,000 records of S3.
func BenchmarkQuery(b *testing.B) {
	dir := b.TempDir()
	l, err := audit.Open(audit.Options{Dir: dir, NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	const records = 100_000
	for i := range records {
		r := s3(user(fmt.Sprintf("u%03d", i%1000)), "GetObject", fmt.Sprintf("b/home/u%03d/%d", i%1000, i), audit.Allow)
		if i%100 == 0 {
			r.ErrorCode, r.Decision.Outcome = "AccessDenied", audit.ImplicitDeny
		}
		r.Time, r.RequestID, r.EventID = when.Add(time.Duration(i)*time.Second), fmt.Sprint(i), fmt.Sprintf("%036d", i)
		r.SourceIP, r.UserAgent, r.Region = "192.0.2.1", "aws-cli/2.9.19 md/botocore", "us-east-1"
		r.RequestParameters = []byte(`{"bucketName":"b","key":"home","Host":"127.0.0.1:4281"}`)
		r.AdditionalEventData = []byte(`{"SignatureVersion":"SigV4","AuthenticationMethod":"AuthHeader","bytesTransferredIn":0,"bytesTransferredOut":1024}`)
		r.Decision.Policy, r.Decision.Layer, r.Decision.Statement, r.Decision.Line = "arn:aws:iam::111122223333:policy/home", "identity-based policy", 1, 4
		if err := l.Write(&r, false); err != nil {
			b.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		b.Fatal(err)
	}
	for _, bm := range []struct {
		name string
		q    trail.Query
		want int
	}{
		{"all", trail.Query{}, records},
		{"principal", trail.Query{Principal: "u007"}, records / 1000},
		{"denied", trail.Query{Decision: trail.Denied}, records / 100},
		{"action", trail.Query{Action: "s3:Get*"}, records},
		{"last-minute", trail.Query{From: when.Add((records - 60) * time.Second)}, 60},
	} {
		b.Run("query="+bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				n := 0
				for _, err := range bm.q.Find(dir, nil) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				if n != bm.want {
					b.Fatalf("%d records, want %d", n, bm.want)
				}
			}
			b.ReportMetric(records*float64(b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}
