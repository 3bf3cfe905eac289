// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

// TestBucketLife: Q131, and buckets that nobody owns.
func TestBucketLife(t *testing.T) {
	w := start(t)
	theirs := w.AddAccount(other)
	w.refuse(w.User("ann", ""), "AccessDenied", "PUT", "/annas", "")
	w.refuse(w.Admin(), "NoSuchBucket", "GET", "/new/k", "")
	if rec := w.last(); !strings.Contains(rec.ErrorMessage, "innkeeper bucket adopt") {
		t.Errorf("the record of a bucket that nobody owns says %q", rec.ErrorMessage)
	}
	if r := w.want(w.Admin(), "PUT", "/box", "", 409); r.code() != "BucketAlreadyOwnedByYou" {
		t.Errorf("a second CreateBucket = %s", r.body)
	}
	if r := w.want(theirs, "PUT", "/box", "", 409); r.code() != "BucketAlreadyExists" {
		t.Errorf("CreateBucket of another's = %s", r.body)
	}
	w.want(w.Admin(), "PUT", "/far", `<CreateBucketConfiguration><LocationConstraint>eu-north-1</LocationConstraint></CreateBucketConfiguration>`, 200)
	if r := w.want(w.Admin(), "GET", "/far?location", "", 200); !strings.Contains(r.body, ">eu-north-1<") {
		t.Errorf("GetBucketLocation = %s", r.body)
	}
	w.store.answer(func(rw http.ResponseWriter, r *http.Request) { rw.Header().Set("X-Amz-Bucket-Region", "theirs") })
	if r := w.want(w.Admin(), "HEAD", "/far", "", 200); r.header.Get("X-Amz-Bucket-Region") != "eu-north-1" {
		t.Errorf("HeadBucket has region %q", r.header.Get("X-Amz-Bucket-Region"))
	}
	if r := w.want(w.Admin(), "GET", "/far/k", "", 200); r.header.Get("X-Amz-Bucket-Region") != "" {
		t.Errorf("GetObject has region %q", r.header.Get("X-Amz-Bucket-Region"))
	}
	w.store.answer(nil)
	if r := w.want(w.Admin(), "GET", "/box?location", "", 200); !strings.HasSuffix(r.body, `doc/2006-03-01/"></LocationConstraint>`) {
		t.Errorf("GetBucketLocation in us-east-1 = %s", r.body)
	}
	if r := w.want(w.Admin(), "PUT", "/far2", `<CreateBucketConfiguration><LocationConstraint>a b</LocationConstraint></CreateBucketConfiguration>`, 400); r.code() != "InvalidLocationConstraint" {
		t.Errorf("CreateBucket in a region of another form = %s", r.body)
	}

	w.want(w.Admin(), "PUT", "/far/k", "v", 200)
	if r := w.want(w.Admin(), "DELETE", "/far", "", 409); r.code() != "BucketNotEmpty" {
		t.Errorf("DeleteBucket of a full one = %s", r.body)
	}
	w.refuse(theirs, "AccessDenied", "DELETE", "/far", "")
	w.want(w.Admin(), "DELETE", "/far/k", "", 204)
	w.want(w.Admin(), "DELETE", "/far", "", 204)
	w.refuse(w.Admin(), "NoSuchBucket", "DELETE", "/far", "")
	w.want(theirs, "PUT", "/far", "", 200)
}

// TestNotAdopted: Q133, nobody becomes the owner of a bucket that was there before.
func TestNotAdopted(t *testing.T) {
	w := start(t)
	w.behind("PUT", "/old")
	w.refuse(w.Admin(), "NoSuchBucket", "GET", "/old/k", "")
	if r := w.want(w.Admin(), "PUT", "/old", "", 409); r.code() != "BucketAlreadyExists" {
		t.Errorf("CreateBucket of what the store has = %s", r.body)
	}
	// Stores that take a second CreateBucket of one owner are no way in either.
	w.store.answer(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPut {
			w.store.Handler.ServeHTTP(rw, r)
		}
	})
	w.want(w.Admin(), "PUT", "/old", "", 409)
	w.store.answer(nil)
	w.refuse(w.Admin(), "NoSuchBucket", "GET", "/old/k", "")
	must(t, buckets.New(w.Store()).Adopt(t.Context(), iamtest.Account, "old", "us-east-1"))
	w.want(w.Admin(), "PUT", "/old/k", "v", 200)
}

// behind makes a request to the store past the gate.
func (w *world) behind(method, target string) {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.store.Handler.ServeHTTP(rec, httptest.NewRequest(method, target, nil))
	if rec.Code >= 300 {
		w.t.Fatalf("%s %s behind the gate = %d %s", method, target, rec.Code, rec.Body)
	}
}

// TestInterrupted: what a crash between the claim and the store, or between the store and
// the claim, leaves is repaired by the same request, made again.
func TestInterrupted(t *testing.T) {
	w := start(t)
	theirs := w.AddAccount(other)
	must(t, buckets.New(w.Store()).Create(t.Context(), iamtest.Account, "half", "us-east-1"))
	if r := w.want(theirs, "PUT", "/half", "", 409); r.code() != "BucketAlreadyExists" {
		t.Errorf("CreateBucket of a claimed name = %s", r.body)
	}
	w.want(w.Admin(), "PUT", "/half/k", "v", 404)
	w.want(w.Admin(), "PUT", "/half", "", 200)
	w.want(w.Admin(), "PUT", "/half/k", "v", 200)
	w.want(w.Admin(), "DELETE", "/half/k", "", 204)

	w.behind("DELETE", "/half")
	w.want(w.Admin(), "DELETE", "/half", "", 204)
	w.refuse(w.Admin(), "NoSuchBucket", "GET", "/half", "")

	// The store refuses: the name is free again. Nobody knows: it stays claimed.
	for status, free := range map[int]bool{http.StatusForbidden: true, http.StatusInternalServerError: false} {
		w.store.answer(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPut {
				rw.WriteHeader(status)
				return
			}
			w.store.Handler.ServeHTTP(rw, r)
		})
		if r := w.do(w.Admin(), "PUT", "/stuck", ""); r.status < 300 {
			t.Errorf("CreateBucket that the store answers with %d = %d", status, r.status)
		}
		w.store.answer(nil)
		if _, err := w.Store().BucketOwner("stuck"); (err != nil) != free {
			t.Errorf("after the store answered %d the owner is %v, want it free: %v", status, err, free)
		}
	}
	w.want(w.Admin(), "PUT", "/stuck", "", 200)
}

func TestListBuckets(t *testing.T) {
	w := start(t)
	theirs := w.AddAccount(other)
	w.want(theirs, "PUT", "/theirs", "", 200)
	for _, name := range []string{"abc-1", "abc-2", "abc-3"} {
		w.want(w.Admin(), "PUT", "/"+name, "", 200)
	}
	before := w.store.hits.Load()
	names := func(query string) string {
		r := w.want(w.Admin(), "GET", "/"+query, "", 200)
		list := strings.Join(iamtest.Elements(r.body, "Name"), " ")
		if token := iamtest.Element(r.body, "ContinuationToken"); token != "" {
			list += " +" + token
		}
		return list
	}
	if got := names(""); got != "abc-1 abc-2 abc-3 box" {
		t.Errorf("ListBuckets = %q", got)
	}
	first := names("?max-buckets=2&prefix=abc")
	list, token, _ := strings.Cut(first, " +")
	if list != "abc-1 abc-2" || token == "" {
		t.Errorf("the first page = %q", first)
	}
	if got := names("?max-buckets=2&prefix=abc&continuation-token=" + token); got != "abc-3" {
		t.Errorf("the second page = %q", got)
	}
	w.refuse(w.Admin(), "InvalidArgument", "GET", "/?max-buckets=0", "")
	w.refuse(w.Admin(), "InvalidArgument", "GET", "/?continuation-token=zz", "")
	w.refuse(w.User("ann", ""), "AccessDenied", "GET", "/", "")
	if n := w.store.hits.Load() - before; n != 0 {
		t.Errorf("ListBuckets asked the store %d times", n)
	}
}

func TestBucketPolicy(t *testing.T) {
	w := start(t)
	theirs := w.AddAccount(other)
	w.refuse(w.Admin(), "NoSuchBucketPolicy", "GET", "/box?policy", "")
	w.refuse(w.Admin(), "NoSuchBucketPolicy", "GET", "/box?policyStatus", "")
	for text, code := range map[string]string{
		`{`:      "MalformedPolicy",
		`[1, 2]`: "MalformedPolicy",
		shared("Allow", aws(iamtest.Account), "s3:GetObject", "arn:aws:s3:::elsewhere/*"): "MalformedPolicy",
		shared("Allow", aws(userARN("ghost")), "s3:GetObject", "arn:aws:s3:::box/*"):      "MalformedPolicy",
		allow("s3:GetObject", "arn:aws:s3:::box/*"):                                       "MalformedPolicy",
		shared("Allow", `"*"`, "s3:GetObject", "arn:aws:s3:::box/*"):                      "AccessDenied",
	} {
		w.refuse(w.Admin(), code, "PUT", "/box?policy", text)
	}
	everything := shared("Allow", aws("arn:aws:iam::"+other+":root"), "s3:*", `arn:aws:s3:::box`)
	w.want(w.Admin(), "PUT", "/box?policy", everything, 204)
	if r := w.want(w.Admin(), "GET", "/box?policy", "", 200); r.body != everything || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("GetBucketPolicy = %q", r.body)
	}
	if r := w.want(w.Admin(), "GET", "/box?policyStatus", "", 200); !strings.Contains(r.body, "<IsPublic>false</IsPublic>") {
		t.Errorf("GetBucketPolicyStatus = %s", r.body)
	}
	// A policy lends no administration of itself to other accounts.
	w.want(theirs, "GET", "/box", "", 200)
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		body := ""
		if method == "PUT" {
			body = everything
		}
		if r := w.refuse(theirs, "MethodNotAllowed", method, "/box?policy", body); r.status != 405 {
			t.Errorf("%s ?policy of another account's = %d, want 405", method, r.status)
		}
	}

	// The root user is never locked out.
	w.policy("box", shared("Deny", `"*"`, "s3:*", `arn:aws:s3:::box`))
	w.refuse(w.Admin(), "AccessDenied", "DELETE", "/box?policy", "")
	root := w.Root(iamtest.Account)
	w.refuse(root, "AccessDenied", "GET", "/box", "")
	w.want(root, "GET", "/box?policy", "", 200)
	w.want(root, "DELETE", "/box?policy", "", 204)
	w.want(w.Admin(), "DELETE", "/box?policy", "", 204)
	if rec := w.last(); rec.EventName != "DeleteBucketPolicy" || rec.ReadOnly || rec.Data {
		t.Errorf("the record is %+v", rec)
	}
}

func TestBucketSettings(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	if r := w.refuseNothing("GET", "/box?publicAccessBlock", "", 200); strings.Count(r.body, ">true<") != 4 {
		t.Errorf("a new bucket blocks %s", r.body)
	}
	w.refuseNothing("PUT", "/box?publicAccessBlock", "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>", 200)
	if r := w.refuseNothing("GET", "/box?publicAccessBlock", "", 200); strings.Count(r.body, ">true<") != 1 {
		t.Errorf("the bucket blocks %s", r.body)
	}
	w.refuse(w.Admin(), "MalformedXML", "PUT", "/box?publicAccessBlock", "<x>")
	w.refuseNothing("DELETE", "/box?publicAccessBlock", "", 204)
	w.refuse(w.Admin(), "NoSuchPublicAccessBlockConfiguration", "GET", "/box?publicAccessBlock", "")

	if r := w.refuseNothing("GET", "/box?ownershipControls", "", 200); !strings.Contains(r.body, "BucketOwnerEnforced") {
		t.Errorf("GetBucketOwnershipControls = %s", r.body)
	}
	controls := "<OwnershipControls><Rule><ObjectOwnership>%</ObjectOwnership></Rule></OwnershipControls>"
	w.refuseNothing("PUT", "/box?ownershipControls", strings.Replace(controls, "%", "BucketOwnerEnforced", 1), 200)
	w.refuse(w.Admin(), "NotImplemented", "PUT", "/box?ownershipControls", strings.Replace(controls, "%", "ObjectWriter", 1))
	w.refuseNothing("DELETE", "/box?ownershipControls", "", 204)
}

// refuseNothing is want of the administrator, and the store is not asked.
func (w *world) refuseNothing(method, target, body string, status int) *reply {
	w.t.Helper()
	before := w.store.hits.Load()
	r := w.want(w.Admin(), method, target, body, status)
	if n := w.store.hits.Load() - before; n != 0 {
		w.t.Errorf("%s %s asked the store %d times", method, target, n)
	}
	return r
}

// TestACLs: Q127 and Q129, there are none, and nobody who sends one may believe so.
func TestACLs(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200, "X-Amz-Acl: bucket-owner-full-control")
	if got := w.store.last.Load().Header.Get("X-Amz-Acl"); got != "" {
		t.Errorf("the store got x-amz-acl %q", got)
	}
	w.want(w.Admin(), "PUT", "/box/k", "v", 200, "X-Amz-Acl: private")
	w.refuse(w.Admin(), "AccessDenied", "PUT", "/box/k", "v", "X-Amz-Acl: public-read") // BlockPublicAcls
	w.want(w.Admin(), "DELETE", "/box?publicAccessBlock", "", 204)
	w.refuse(w.Admin(), "AccessControlListNotSupported", "PUT", "/box/k", "v", "X-Amz-Acl: public-read")
	w.refuse(w.Admin(), "AccessControlListNotSupported", "PUT", "/box/k", "v", "X-Amz-Grant-Read: uri=http://acs.amazonaws.com/groups/global/AllUsers")
	w.refuse(w.Admin(), "AccessControlListNotSupported", "PUT", "/box?acl", "<AccessControlPolicy/>")
	w.refuse(w.Admin(), "AccessControlListNotSupported", "PUT", "/box/k?acl", "", "X-Amz-Acl: public-read-write")
	w.want(w.Admin(), "PUT", "/box/k?acl", "", 200, "X-Amz-Acl: private")
	for _, target := range []string{"/box?acl", "/box/k?acl"} {
		r := w.want(w.Admin(), "GET", target, "", 200)
		if ids := iamtest.Elements(r.body, "ID"); len(ids) != 2 || len(ids[0]) != 64 || ids[0] != ids[1] || iamtest.Element(r.body, "Permission") != "FULL_CONTROL" {
			t.Errorf("GET %s = %s", target, r.body)
		}
	}
	w.want(w.Admin(), "GET", "/box/missing?acl", "", 404)
}

// TestReach: Q130, what makes the store act elsewhere later is refused.
func TestReach(t *testing.T) {
	w := start(t)
	w.refuse(w.Admin(), "NotImplemented", "PUT", "/box?logging", "<BucketLoggingStatus><LoggingEnabled><TargetBucket>other</TargetBucket><TargetPrefix>x</TargetPrefix></LoggingEnabled></BucketLoggingStatus>")
	w.refuse(w.Admin(), "NotImplemented", "PUT", "/box?notification", "<NotificationConfiguration><QueueConfiguration><Queue>arn:aws:sqs:us-east-1:1:q</Queue></QueueConfiguration></NotificationConfiguration>")
	w.refuse(w.Admin(), "NotImplemented", "PUT", "/box?replication", "<ReplicationConfiguration><Role>arn:aws:iam::111122223333:role/r</Role><Rule/></ReplicationConfiguration>")
	w.refuse(w.Admin(), "MalformedXML", "PUT", "/box?logging", "<BucketLoggingStatus>")
	before := w.store.hits.Load()
	w.do(w.Admin(), "PUT", "/box?logging", "<BucketLoggingStatus/>")
	if w.store.hits.Load() == before {
		t.Error("turning logging off does not reach the store")
	}
}

// TestPolicyOfSomeoneGone: who looks at a policy sees that one whom it names is not there any more.
func TestPolicyOfSomeoneGone(t *testing.T) {
	w := start(t)
	w.Admin().OK("CreateUser", "UserName=gone")
	user := "arn:aws:iam::" + iamtest.Account + ":user/gone"
	w.want(w.Admin(), "PUT", "/box?policy", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"`+user+`"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::box/*"}}`, 204)
	if r := w.want(w.Admin(), "GET", "/box?policy", "", 200); !strings.Contains(string(r.body), user) {
		t.Errorf("the policy is %s", r.body)
	}
	w.Admin().OK("DeleteUser", "UserName=gone")
	if r := w.want(w.Admin(), "GET", "/box?policy", "", 200); strings.Contains(string(r.body), user) || !strings.Contains(string(r.body), "AIDA") {
		t.Errorf("after the user is gone, the policy is %s, want its unique id", r.body)
	}
}
