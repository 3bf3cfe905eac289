// SPDX-License-Identifier: Apache-2.0

package askapi_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
	"github.com/innkeeper-iam/innkeeper/internal/askapi"
	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/ids"
)

// BenchmarkDecisions is a request of the native form from its bytes to its answer,
// recorded, without the network.
func BenchmarkDecisions(b *testing.B) {
	s := start(b)
	log, err := audit.Open(audit.Options{Dir: filepath.Join(b.TempDir(), "audit"), NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	defer log.Close()
	h := askapi.New(askapi.Options{Now: time.Now, Desk: ask.New(ask.Options{
		Store: s.Store(), Authn: authn.New(s.Store(), nil, time.Now), Authz: authz.New(log, nil, s.Store()), Audit: log,
		IDs: new(ids.Source), Now: time.Now, Region: "us-east-1",
	})})
	for _, n := range []int{1, 1000} {
		for resource, outcome := range map[string]string{"x": "allow", "secret/x": "deny"} {
			one := `,{"principal":"ann","action":"s3:GetObject","resource":"arn:aws:s3:::b/` + resource + `"}`
			body := `{"requests":[` + strings.Repeat(one, n)[1:] + `]}`
			b.Run(fmt.Sprintf("questions=%d/outcome=%s", n, outcome), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					r := httptest.NewRequest(http.MethodPost, decisions, strings.NewReader(body))
					r.Header.Set("Content-Type", "application/json")
					r.Header.Set("Authorization", s.basic)
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					if w.Code != http.StatusOK {
						b.Fatalf("status %d\n%s", w.Code, w.Body)
					}
				}
			})
		}
	}
}
