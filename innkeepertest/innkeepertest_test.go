// SPDX-License-Identifier: Apache-2.0

package innkeepertest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/innkeepertest"
)

// A recorder is the test of another framework: it notes how it ends.
type recorder struct {
	fatal    string
	cleanups []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	panic(r)
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

// run returns how a test ends.
func run(test func(innkeepertest.TB)) (fatal string) {
	r := new(recorder)
	defer func() {
		for _, f := range slices.Backward(r.cleanups) {
			f()
		}
		if p := recover(); p != nil && p != r {
			panic(p)
		}
		fatal = r.fatal
	}()
	test(r)
	return ""
}

func TestFailuresEndTheTest(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		test       func(innkeepertest.TB)
	}{
		{"an-account-that-is-none", "twelve digits", func(tb innkeepertest.TB) {
			innkeepertest.Start(tb, innkeepertest.Options{Accounts: []string{"12"}})
		}},
		{"a-root-key-that-is-not-there", `an account "222233334444"`, func(tb innkeepertest.TB) {
			innkeepertest.Start(tb, innkeepertest.Options{}).RootKey("222233334444")
		}},
		{"a-clock-that-goes-too-far", "the clock cannot show", func(tb innkeepertest.TB) {
			innkeepertest.Start(tb, innkeepertest.Options{}).Advance(100 * 365 * 24 * time.Hour)
		}},
		{"nothing-wrong", "", func(tb innkeepertest.TB) {
			s := innkeepertest.Start(tb, innkeepertest.Options{})
			s.Advance(time.Hour)
			s.Reset()
			if off := time.Until(s.Now()); off > time.Minute {
				t.Errorf("after a reset, the clock is %v ahead", off)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := run(tt.test); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
				t.Errorf("the test ends with %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTheServerEndsWithTheTest(t *testing.T) {
	var url string
	t.Run("a-test", func(t *testing.T) {
		s := innkeepertest.Start(t, innkeepertest.Options{})
		url = s.URL
		if !slices.Contains(s.Env(), "AWS_ENDPOINT_URL="+url) || !slices.Contains(s.Env(), "AWS_ACCESS_KEY_ID="+s.RootKey(innkeepertest.DefaultAccount).ID) {
			t.Errorf("Env() = %q", s.Env())
		}
		resp, err := http.Get(url + "/_innkeeper")
		if err != nil || resp.StatusCode != 200 {
			t.Fatalf("GET /_innkeeper = %v, %v", resp, err)
		}
		resp.Body.Close()
	})
	if resp, err := http.Get(url + "/_innkeeper"); err == nil {
		resp.Body.Close()
		t.Errorf("the server answers after its test: %v", resp.Status)
	}
}
