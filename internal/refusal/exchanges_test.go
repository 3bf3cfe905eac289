// SPDX-License-Identifier: Apache-2.0

package refusal_test

import (
	"flag"
	"net/http"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

var update = flag.Bool("update", false, "write the answers into the files of testdata")

func TestExchanges(t *testing.T) { iamtest.Exchanges(t, "testdata/exchanges/*.txtar", *update) }

// TestAuthorization: a header that is not a signature is told from a wrong one,
// with what is missing.
func TestAuthorization(t *testing.T) {
	p := newPlace(t)
	ops := operations(t, p.Services())
	const credential = "Credential=KEY/20260102/us-east-1/SERVICE/aws4_request, "
	const signedHeaders = "SignedHeaders=content-type;host;x-amz-date;x-amz-target, "
	const signature = "Signature=0000000000000000000000000000000000000000000000000000000000000000"
	const whole = "AWS4-HMAC-SHA256 " + credential + signedHeaders + signature
	for _, name := range []string{"iam:ListUsers", "sts:GetCallerIdentity", "organizations:ListRoots"} {
		o := ops[name]
		incomplete, mismatch := "IncompleteSignature", "SignatureDoesNotMatch"
		if o.json() {
			incomplete, mismatch = "IncompleteSignatureException", "InvalidSignatureException"
		}
		for _, tc := range []struct{ name, old, new, code, says string }{
			{"another-scheme", whole, "Basic YWRtaW46YWRtaW4=", incomplete, ""},
			{"the-scheme-alone", whole, "AWS4-HMAC-SHA256", incomplete, "Credential"},
			{"no-credential", credential, "", incomplete, "Credential"},
			{"no-signature", ", " + signature, "", incomplete, "Signature"},
			{"no-signed-headers", signedHeaders, "", incomplete, "SignedHeaders"},
			{"an-unknown-parameter", "SignedHeaders=", "Headers=", incomplete, "unknown"},
			{"half-a-credential", "/SERVICE/aws4_request", "", incomplete, "Credential"},
			{"an-empty-region", "us-east-1", "", mismatch, "valid region"},
			{"another-service", "SERVICE", "ec2", mismatch, "Credential should be scoped to correct service: '" + o.svc.Name + "'"},
			{"another-day", "20260102/", "20260101/", mismatch, "Date in Credential scope does not match"},
			{"a-wrong-end", "aws4_request", "aws4_bequest", mismatch, "aws4_request"},
			{"a-wrong-signature", "Signature=0", "Signature=1", mismatch, "The request signature we calculated does not match"},
		} {
			t.Run(strings.ReplaceAll(name, ":", ".")+"/"+tc.name, func(t *testing.T) {
				header := strings.Replace(whole, tc.old, tc.new, 1)
				if !o.json() {
					header = strings.Replace(header, ";x-amz-target", "", 1)
				}
				header = strings.NewReplacer("KEY", p.Admin().Key, "SERVICE", o.svc.Name).Replace(header)
				r := p.build(o, sender{none: true}, o.encode(nil))
				r.Header.Set("Authorization", header)
				r.Header.Set("X-Amz-Date", p.clock.Now().Format("20060102T150405Z"))
				a := p.send(t, o, r)
				status := http.StatusBadRequest
				if tc.code == "SignatureDoesNotMatch" {
					status = http.StatusForbidden
				}
				if a.status != status || a.code != tc.code || !strings.Contains(a.message, tc.says) {
					t.Errorf("%s: %d %s: %s\nwant %d %s: …%s…", header, a.status, a.code, a.message, status, tc.code, tc.says)
				}
			})
		}
	}
}
