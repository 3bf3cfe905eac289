// SPDX-License-Identifier: Apache-2.0

package delegapi_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

const (
	owner  = iamtest.Account
	vendor = "444455556666"
	third  = "777788889999"

	topic = "arn:aws:sns:us-east-1:444455556666:delegations"
)

// setup is the vendor's template: it may work with users whose names have a prefix.
const setup = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:GetUser","iam:CreateUser","iam:ListUsers"],"Resource":"arn:aws:iam::*:user/@{prefix}*"}]}`

// A world has an owner's account and a vendor's, with the vendor's template.
type world struct {
	*iamtest.Server
	t             testing.TB
	clock         *iamtest.Clock
	owner, vendor *iamtest.Client // administrators
	template      string
	made          int
}

func newWorld(t testing.TB) *world {
	t.Helper()
	clock := iamtest.NewClock()
	w := &world{Server: iamtest.Options{Clock: clock}.Start(t), t: t, clock: clock}
	w.owner, w.vendor = w.Admin(), w.AddAccount(vendor)
	w.template = iamtest.Element(w.vendor.OK("CreatePolicy", "PolicyName=setup", "PolicyDocument="+setup), "Arn")
	return w
}

// form returns the parameters of a request, those of with in place of the usual
// ones; "Name=" leaves one out.
func (w *world) form(with ...string) []string {
	w.made++
	params := []string{
		"Description=Set up the product", "RequestorWorkflowId=order-" + fmt.Sprint(w.made), "NotificationChannel=" + topic,
		"SessionDuration=3600", "Permissions.PolicyTemplateArn=" + w.template,
	}
	if !strings.Contains(strings.Join(with, " "), "PolicyTemplateArn") {
		params = append(params, "Permissions.Parameters.member.1.Name=prefix", "Permissions.Parameters.member.1.Values.member.1=app-")
	}
	for _, p := range with {
		name, value, _ := strings.Cut(p, "=")
		for i := range params {
			if strings.HasPrefix(params[i], name+"=") {
				params[i] = ""
			}
		}
		if value != "" {
			params = append(params, p)
		}
	}
	var set []string
	for _, p := range params {
		if p != "" {
			set = append(set, p)
		}
	}
	return set
}

// request makes a request of the vendor and returns its id.
func (w *world) request(with ...string) string {
	w.t.Helper()
	return iamtest.Element(w.vendor.OK("CreateDelegationRequest", w.form(with...)...), "DelegationRequestId")
}

// finalized makes a request that by has accepted and sent, and returns its id.
func (w *world) finalized(by *iamtest.Client, with ...string) string {
	w.t.Helper()
	id := w.request(with...)
	for _, op := range []string{"AssociateDelegationRequest", "AcceptDelegationRequest", "SendDelegationToken"} {
		by.OK(op, "DelegationRequestId="+id)
	}
	return id
}

func (w *world) state(id string) string {
	w.t.Helper()
	return iamtest.Element(w.vendor.OK("GetDelegationRequest", "DelegationRequestId="+id), "State")
}

func allow(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}}`
}

func deny(action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"` + action + `","Resource":"*"}]}`
}

const minute = time.Minute
