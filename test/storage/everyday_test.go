// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// credentialsOfFred is the everyday case: credentials for another service kept as an
// object that one user may read.
func credentialsOfFred(t *testing.T, s *site) {
	const bucket, key, other = "fred-credentials", "sendgrid.json", "twilio.json"
	s.bucket(t, bucket, key, other)
	fred := s.s3(s.user(t, "fred", allow("s3:GetObject", "arn:aws:s3:::"+bucket+"/"+key, `"Sid":"MailKey"`)))
	wilma := s.s3(s.user(t, "wilma"))
	reads(t, fred, bucket, key)
	r := s.latest(t, "--principal", "fred", "--event", "GetObject", "--decision", "allow")
	if in := r.Innkeeper; in.Layer != "identity-based policy" || in.Sid != "MailKey" || in.Statement != 1 || in.Policy != "own" || r.AdditionalEventData.UpstreamStatus != 200 {
		t.Errorf("the record of what fred read is %+v, want the statement MailKey", r)
	}
	for _, c := range []struct {
		what string
		who  *s3.Client
		key  string
	}{
		{"another object", fred, other}, {"an object that is not there", fred, "none.json"}, {"another user", wilma, key}, {"nobody", s.s3(s.Admin, anonymous), key},
	} {
		_, err := get(t.Context(), c.who, bucket, c.key)
		refused(t, c.what, "AccessDenied", err)
	}
	_, err := fred.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new(bucket)})
	refused(t, "the list", "AccessDenied", err)
	if r := s.latest(t, "--principal", "fred", "--action", "s3:ListBucket"); r.Innkeeper.Decision != "implicit-deny" || r.AdditionalEventData.UpstreamStatus != 0 {
		t.Errorf("the record of fred's list is %+v, want a denial that the store never saw", r)
	}
	_, err = fred.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new(bucket), Key: new(key), Body: strings.NewReader("{}")})
	refused(t, "writing", "AccessDenied", err)
	_, err = fred.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: new(bucket), Key: new(key)})
	refused(t, "deleting", "AccessDenied", err)
	reads(t, fred, bucket, key)
}

// learning lets a user do what policies do not allow yet, for a while.
func learning(t *testing.T, s *site) {
	const bucket = "learned"
	s.bucket(t, bucket, "a", "b")
	betty := s.s3(s.user(t, "betty"))
	_, err := get(t.Context(), betty, bucket, "a")
	refused(t, "before", "AccessDenied", err)
	s.innkeeper(t, "learn", "start", "--account", account, "--principal", "betty", "--for", "1h")
	reads(t, betty, bucket, "b")
	if r := s.latest(t, "--principal", "betty", "--resource", "*/b"); r.ErrorCode != "" || !r.Innkeeper.Learned || r.Innkeeper.Decision != "implicit-deny" {
		t.Errorf("the record of what was let pass is %+v, want a denial that was waived", r)
	}
	report := s.innkeeper(t, "audit", "denials", "--since", "1h", "--principal", "betty")
	for key, want := range map[string]string{"a": "implicit-deny", "b": "learned"} {
		line := regexp.MustCompile(`(?m)^1 .* ` + account + `:user/betty +s3:GetObject +arn:aws:s3:::` + bucket + `/` + key + ` +` + want + ` `)
		if !line.MatchString(report) {
			t.Errorf("audit denials says\n%s, want %s of %s", report, want, key)
		}
	}
	s.innkeeper(t, "learn", "stop", "--account", account, "--principal", "betty")
	_, err = get(t.Context(), betty, bucket, "b")
	refused(t, "afterwards", "AccessDenied", err)
}
