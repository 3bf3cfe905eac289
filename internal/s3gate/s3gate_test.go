// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
)

// TestOneKey: credentials for another service kept as one object, readable only by
// the principal whose policy names it; other keys and the listing are refused.
func TestOneKey(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/fred-credentials/sendgrid.json", `{"key":"SG.1"}`, 200)
	w.want(w.Admin(), "PUT", "/box/fred-credentials/twilio.json", `{"key":"TW.1"}`, 200)
	mailer := w.User("mailer", allow("s3:GetObject", "arn:aws:s3:::box/fred-credentials/sendgrid.json"))
	nobody := w.User("nobody", "")

	if r := w.want(mailer, "GET", "/box/fred-credentials/sendgrid.json", "", 200); r.body != `{"key":"SG.1"}` {
		t.Errorf("GET = %q, want what was stored", r.body)
	}
	rec := w.last()
	if rec.EventName != "GetObject" || !rec.Data || rec.Decision.Outcome != audit.Allow || rec.Identity.UserName != "mailer" || rec.ErrorCode != "" {
		t.Errorf("the record of the GET is %+v", rec)
	}
	for _, target := range []string{"/box/fred-credentials/twilio.json", "/box/fred-credentials/", "/box/fred-credentials/sendgrid.json.bak", "/box", "/box?list-type=2&prefix=fred-credentials/", "/box/fred-credentials/sendgrid.json?tagging", "/box/fred-credentials/sendgrid.json?acl"} {
		w.refuse(mailer, "AccessDenied", "GET", target, "")
	}
	w.refuse(mailer, "AccessDenied", "PUT", "/box/fred-credentials/sendgrid.json", "mine")
	w.refuse(mailer, "AccessDenied", "DELETE", "/box/fred-credentials/sendgrid.json", "")
	w.refuse(nobody, "AccessDenied", "GET", "/box/fred-credentials/sendgrid.json", "")
	w.refuse(nil, "AccessDenied", "GET", "/box/fred-credentials/sendgrid.json", "")
	rec = w.last()
	if rec.Identity.Type != "AWSAccount" || rec.Identity.AccountID != "ANONYMOUS_PRINCIPAL" || rec.ErrorCode != "AccessDenied" {
		t.Errorf("the record of an anonymous GET is %+v", rec)
	}
}
