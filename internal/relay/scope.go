// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"slices"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/session"
)

// path is where a Server is mounted, and pathKey and pathRenew what it has below
// besides the store's rows.
const (
	path      = "/relay"
	pathKey   = "/key"
	pathRenew = "/renew"
)

// A keyRequest asks for a signing key, with the token for one of temporary
// credentials.
type keyRequest struct {
	AccessKeyID string `json:"accessKeyId"`
	Date        string `json:"date"` // "20260102"
	Region      string `json:"region"`
	Service     string `json:"service"`
	Token       string `json:"token,omitempty"`
}

// A keyAnswer is the answer.
type keyAnswer struct {
	Key     []byte          `json:"key,omitempty"`
	Claims  *session.Claims `json:"claims,omitempty"`  // of the token
	Refused string          `json:"refused,omitempty"` // why there is no key
}

const dateLayout = "20060102"

// presigned is how long the signature of a day can be good after it (S3 User
// Guide, "Download and upload objects with presigned URLs": at most 7 days).
const presigned = 7

// inTime reports whether signatures of a day may be good now: those of today, of
// the days that presigned URLs live, and of tomorrow.
//
// quirk Q150: keys are given for the last seven days, today and tomorrow.
func inTime(date string, now time.Time) bool {
	day, err := time.Parse(dateLayout, date)
	if err != nil {
		return false
	}
	today := midnight(now).AddDate(0, 0, -1)
	return !day.Before(today.AddDate(0, 0, -presigned)) && !day.After(today.AddDate(0, 0, 1))
}

// midnight returns the end of the day, in UTC.
func midnight(now time.Time) time.Time { return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1) }

func tomorrow(now time.Time) string { return midnight(now).Format(dateLayout) }

// ownServices are those that a server is for.
var ownServices = []string{"iam", "organizations", "sts"}

// refusal says why no key is given for a scope, "" if one may be.
//
// quirk Q151: no key is given for the services of the server itself.
func (r *keyRequest) refusal(now time.Time) string {
	switch {
	case !inTime(r.Date, now):
		return "not a day whose signatures are good"
	case !isName(r.Region) || !isName(r.Service):
		return "not a region and a service"
	case slices.Contains(ownServices, strings.ToLower(r.Service)):
		return "not for a gateway"
	}
	return ""
}

// isName reports whether s can be the name of a region, a service or a gateway.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || i > 0 && strings.IndexByte("._-", c) >= 0) {
			return false
		}
	}
	return s != "" && len(s) <= 64
}
