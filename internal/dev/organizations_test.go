// SPDX-License-Identifier: Apache-2.0

package dev

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// org calls an operation of Organizations.
func (c *client) org(action, body string) (status int, answer string) {
	c.t.Helper()
	r, err := http.NewRequest(http.MethodPost, c.s.URL()+"/", strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", "AWSOrganizationsV20161128."+action)
	by := sigv4.Signer{AccessKeyID: c.id, SecretAccessKey: c.secret, Region: "us-east-1", Service: "organizations"}
	if err := by.Sign(r, sigv4.HashPayload([]byte(body))); err != nil {
		c.t.Fatal(err)
	}
	return do(c.t, r)
}

// TestDelayOfOrganizations: quirk Q107. What spans accounts works too, late.
func TestDelayOfOrganizations(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Delay: time.Hour})
	root := s.root(t, DefaultAccount)
	want := func(status int, part, action, body string) {
		t.Helper()
		if got, answer := root.org(action, body); got != status || !strings.Contains(answer, part) {
			t.Errorf("%s = %d %s, want %d with %q", action, got, answer, status, part)
		}
	}
	wait := func() {
		t.Helper()
		if err := s.Advance(t.Context(), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	want(200, `"FeatureSet":"ALL"`, "CreateOrganization", `{}`)
	want(400, "AWSOrganizationsNotInUseException", "DescribeOrganization", `{}`)
	want(400, "AlreadyInOrganizationException", "CreateOrganization", `{}`)
	wait()
	want(200, "IN_PROGRESS", "CreateAccount", `{"AccountName":"x","Email":"x@example.com"}`)
	want(200, `"CreateAccountStatuses":[]`, "ListCreateAccountStatus", `{}`)
	wait()
	want(200, "SUCCEEDED", "ListCreateAccountStatus", `{}`)
	want(200, `"Name":"x"`, "ListAccounts", `{}`)
}
