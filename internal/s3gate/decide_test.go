// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

// message is what a refusal says.
func (r *reply) message() string { return iamtest.Element(r.body, "Message") }

func TestRefusalText(t *testing.T) {
	w := start(t)
	ann := w.User("ann", "")
	theirs := w.AddAccount(other)
	r := w.refuse(ann, "AccessDenied", "GET", "/box/a%20key", "")
	if want := "User: " + userARN("ann") + ` is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::box/a key" because no identity-based policy allows the s3:GetObject action`; r.message() != want {
		t.Errorf("the refusal says %q, want %q", r.message(), want)
	}
	if got := r.header.Get("X-Amz-Request-Id"); got == "" || got != iamtest.Element(r.body, "RequestId") {
		t.Errorf("x-amz-request-id = %q, the body has %q", got, iamtest.Element(r.body, "RequestId"))
	}
	for who, by := range map[string]*iamtest.Client{"another account": theirs, "nobody": nil} {
		if r := w.refuse(by, "AccessDenied", "GET", "/box/k", ""); r.message() != "Access Denied" {
			t.Errorf("%s is told %q, want no reason", who, r.message())
		}
		if rec := w.last(); rec.ErrorMessage == "" || rec.ErrorMessage == "Access Denied" || rec.Decision.Outcome == audit.Allow {
			t.Errorf("the record of %s has no reason: %+v", who, rec)
		}
	}
	if r := w.do(ann, "HEAD", "/box/k", ""); r.status != 403 || r.body != "" {
		t.Errorf("HEAD = %d %q, want 403 without a body", r.status, r.body)
	}
}

func TestAcrossAccounts(t *testing.T) {
	w := start(t)
	theirs := w.AddAccount(other)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)

	w.policy("box", shared("Allow", aws("arn:aws:iam::"+other+":root"), "s3:GetObject", "arn:aws:s3:::box/*"))
	w.want(theirs, "GET", "/box/k", "", 200)
	rec := w.last()
	if rec.Recipient != other || len(rec.Resources) != 2 || rec.Resources[1].AccountID != iamtest.Account {
		t.Errorf("the record across accounts has recipient %s and %+v", rec.Recipient, rec.Resources)
	}
	w.refuse(theirs, "AccessDenied", "PUT", "/box/k", "w")
	w.refuse(theirs, "AccessDenied", "GET", "/box", "")

	// Both sides have to allow.
	w.policy("box", shared("Allow", aws("arn:aws:iam::"+other+":root"), "s3:*", "arn:aws:s3:::box/*"))
	theirs.OK("CreateUser", "UserName=eve")
	body := theirs.OK("CreateAccessKey", "UserName=eve")
	eve := w.Client(iamtest.Element(body, "AccessKeyId"), iamtest.Element(body, "SecretAccessKey"), "")
	w.refuse(eve, "AccessDenied", "GET", "/box/k", "")
	theirs.OK("PutUserPolicy", "UserName=eve", "PolicyName=p", "PolicyDocument="+allow("s3:GetObject", "arn:aws:s3:::box/*"))
	w.want(eve, "GET", "/box/k", "", 200)
	w.refuse(eve, "AccessDenied", "DELETE", "/box/k", "")
}

func TestBucketPolicyDenies(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	ann := w.User("ann", allow("s3:*", "*"))
	w.policy("box", shared("Deny", aws(userARN("ann")), "s3:GetObject", "arn:aws:s3:::box/*"))
	r := w.refuse(ann, "AccessDenied", "GET", "/box/k", "")
	if !strings.HasSuffix(r.message(), "with an explicit deny in a resource-based policy") {
		t.Errorf("the refusal says %q", r.message())
	}
	if rec := w.last(); rec.Decision.Layer != "resource-based policy" || rec.Decision.Policy != "arn:aws:s3:::box" || rec.Decision.Statement != 1 {
		t.Errorf("the record says %+v", rec.Decision)
	}
	w.want(ann, "PUT", "/box/k", "w", 200)
	bob := w.User("bob", "")
	w.policy("box", shared("Allow", aws(userARN("bob")), "s3:GetObject", "arn:aws:s3:::box/k"))
	w.want(bob, "GET", "/box/k", "", 200)
	w.refuse(bob, "AccessDenied", "GET", "/box/k2", "")
}

func TestAnonymous(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/public/k", "v", 200)
	public := shared("Allow", `"*"`, "s3:GetObject", "arn:aws:s3:::box/public/*")
	w.refuse(nil, "AccessDenied", "GET", "/box/public/k", "")
	w.refuse(w.Admin(), "AccessDenied", "PUT", "/box?policy", public) // new buckets block public policies
	w.policy("box", public)
	if r := w.want(nil, "GET", "/box/public/k", "", 200); r.body != "v" {
		t.Errorf("an anonymous GET = %q, want v", r.body)
	}
	rec := w.last()
	if rec.Identity.AccountID != "ANONYMOUS_PRINCIPAL" || rec.Recipient != iamtest.Account || rec.Decision.Outcome != audit.Allow {
		t.Errorf("the record of an anonymous GET is %+v", rec)
	}
	w.refuse(nil, "InvalidRequest", "GET", "/box/public/k?response-content-type=text/html", "")
	w.refuse(nil, "AccessDenied", "GET", "/box/private", "")
	w.refuse(nil, "AccessDenied", "PUT", "/box/public/k", "w")
	w.refuse(nil, "AccessDenied", "GET", "/", "")
	w.refuse(nil, "AccessDenied", "PUT", "/mine", "")
	w.refuse(nil, "NoSuchBucket", "GET", "/missing/k", "")

	// RestrictPublicBuckets: the policy stays, and lets in nobody but the owner's own.
	theirs := w.AddAccount(other)
	w.want(theirs, "GET", "/box/public/k", "", 200)
	w.want(w.Admin(), "PUT", "/box?publicAccessBlock", `<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>`, 200)
	w.refuse(nil, "AccessDenied", "GET", "/box/public/k", "")
	w.refuse(theirs, "AccessDenied", "GET", "/box/public/k", "")
	w.want(w.User("own", ""), "GET", "/box/public/k", "", 200)
}

// TestMissing: Q128, whether an object exists is for those who may list.
func TestMissing(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	reader := w.User("reader", allow("s3:GetObject*", "*"))
	lister := w.User("lister", allow("s3:*", "*"))
	for _, target := range []string{"/box/missing", "/box/missing?tagging"} {
		r := w.want(reader, "GET", target, "", 403)
		if r.code() != "AccessDenied" || !strings.Contains(r.message(), `s3:ListBucket on resource: "arn:aws:s3:::box"`) {
			t.Errorf("GET %s without s3:ListBucket = %s", target, r.body)
		}
		if rec := w.last(); rec.Decision.Outcome != audit.Allow || rec.ErrorCode != "AccessDenied" {
			t.Errorf("GET %s is recorded as %+v", target, rec)
		}
		if r := w.want(lister, "GET", target, "", 404); r.code() != "NoSuchKey" || iamtest.Element(r.body, "Key") != "missing" {
			t.Errorf("GET %s with s3:ListBucket = %s", target, r.body)
		}
	}
	w.want(reader, "HEAD", "/box/missing", "", 403)
	w.want(lister, "HEAD", "/box/missing", "", 404)
	w.want(reader, "HEAD", "/box/k", "", 200)
}

// TestKeys: Q125, a store may take one key for another's.
func TestKeys(t *testing.T) {
	w := start(t)
	for _, key := range []string{"a/../k", "./k", "a//k", "..", "%2e%2e/k", "a%2F..%2Fk", "a/%2E/k"} {
		if r := w.refuse(w.Admin(), "InvalidURI", "PUT", "/box/"+key, "v"); r.status != 400 {
			t.Errorf("PUT %s = %d, want 400", key, r.status)
		}
	}
	w.refuse(w.Admin(), "InvalidURI", "PUT", "/box/k", "", "X-Amz-Copy-Source: /box/a/../b")
	w.want(w.Admin(), "PUT", "/box/folder/", "", 200)
	w.want(w.Admin(), "PUT", "/box/..a/b..", "v", 200)
}

func TestCopy(t *testing.T) {
	w := start(t)
	theirs := w.AddAccount(other)
	w.want(theirs, "PUT", "/theirs", "", 200)
	w.want(theirs, "PUT", "/theirs/k", "secret", 200)
	w.want(w.Admin(), "PUT", "/box/a", "v", 200)
	copier := w.User("copier", statement("Allow", "s3:GetObject", "arn:aws:s3:::box/a", `},{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::box/b"`))

	w.want(copier, "PUT", "/box/b", "", 200, "X-Amz-Copy-Source: /box/a")
	if r := w.want(w.Admin(), "GET", "/box/b", "", 200); r.body != "v" {
		t.Errorf("the copy is %q, want v", r.body)
	}
	rec := w.last()
	w.want(copier, "PUT", "/box/b", "", 200, "X-Amz-Copy-Source: box/a")
	if rec = w.last(); len(rec.Resources) != 3 || len(rec.Decision.Checks) < 1 {
		t.Errorf("the record of a copy has resources %+v and checks %+v", rec.Resources, rec.Decision)
	}
	w.refuse(copier, "AccessDenied", "PUT", "/box/c", "", "X-Amz-Copy-Source: /box/a")
	w.refuse(copier, "AccessDenied", "PUT", "/box/b", "", "X-Amz-Copy-Source: /box/b")
	w.refuse(w.Admin(), "AccessDenied", "PUT", "/box/b", "", "X-Amz-Copy-Source: /theirs/k")
	w.refuse(w.Admin(), "NoSuchBucket", "PUT", "/box/b", "", "X-Amz-Copy-Source: /missing/k")
	w.want(w.Admin(), "PUT", "/box/b", "", 404, "X-Amz-Copy-Source: /box/missing")

	blind := w.User("blind", statement("Allow", "s3:*Object*", "arn:aws:s3:::box/*", ""))
	if r := w.want(blind, "PUT", "/box/b", "", 403, "X-Amz-Copy-Source: /box/missing"); !strings.Contains(r.message(), "s3:ListBucket") {
		t.Errorf("a copy of what is missing, without s3:ListBucket = %s", r.body)
	}
}

func TestExpectedOwner(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/k", "v", 200)
	w.refuse(w.Admin(), "AccessDenied", "GET", "/box/k", "", "X-Amz-Expected-Bucket-Owner: "+other)
	w.want(w.Admin(), "GET", "/box/k", "", 200, "X-Amz-Expected-Bucket-Owner: "+iamtest.Account)
	if got := w.store.last.Load().Header.Get("X-Amz-Expected-Bucket-Owner"); got != "" {
		t.Errorf("the store got x-amz-expected-bucket-owner %q", got)
	}
	w.refuse(w.Admin(), "AccessDenied", "PUT", "/box/k2", "", "X-Amz-Copy-Source: /box/k", "X-Amz-Source-Expected-Bucket-Owner: "+other)
}

// TestExistingTags: Q132, the store is asked for the tags of an object only when a policy looks at
// them, and what cannot be read refuses.
func TestExistingTags(t *testing.T) {
	w := start(t)
	w.want(w.Admin(), "PUT", "/box/open", "v", 200, "X-Amz-Tagging: secret=no")
	w.want(w.Admin(), "PUT", "/box/shut", "v", 200, "X-Amz-Tagging: secret=yes")
	w.want(w.Admin(), "PUT", "/box/bare", "v", 200)
	plain := w.User("plain", allow("s3:GetObject", "*"))
	tagged := w.User("tagged", statement("Allow", "s3:GetObject", "*", `,"Condition":{"StringEquals":{"s3:ExistingObjectTag/secret":"no"}}`))

	before := w.store.hits.Load()
	w.want(plain, "GET", "/box/open", "", 200)
	if n := w.store.hits.Load() - before; n != 1 {
		t.Errorf("a GET asked the store %d times, want once", n)
	}
	w.want(tagged, "GET", "/box/open", "", 200)
	w.want(tagged, "GET", "/box/shut", "", 403)
	w.want(tagged, "GET", "/box/bare", "", 403)

	w.policy("box", statement("Deny", "s3:GetObject", "arn:aws:s3:::box/*", `,"Principal":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/secret":"yes"}}`))
	w.want(plain, "GET", "/box/open", "", 200)
	w.want(plain, "GET", "/box/shut", "", 403)
	w.want(plain, "GET", "/box/bare", "", 200)
	w.store.answer(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("tagging") {
			rw.WriteHeader(http.StatusInternalServerError)
			return
		}
		rw.Write([]byte("leaked"))
	})
	if r := w.want(plain, "GET", "/box/open", "", 403); r.code() != "AccessDenied" {
		t.Errorf("GET without knowing the tags = %s", r.body)
	}
}

// TestDeleteObjects: each key is judged by itself, and the store gets those that are allowed.
func TestDeleteObjects(t *testing.T) {
	w := start(t)
	for _, k := range []string{"mine/1", "mine/2", "theirs/1"} {
		w.want(w.Admin(), "PUT", "/box/"+k, "v", 200)
	}
	ann := w.User("ann", allow("s3:DeleteObject", "arn:aws:s3:::box/mine/*"))
	doc := `<Delete><Object><Key>mine/1</Key></Object><Object><Key>theirs/1</Key></Object><Object><Key>mine/../theirs/1</Key></Object></Delete>`
	sum := "Content-Md5: " + md5Of(doc)
	r := w.want(ann, "POST", "/box?delete", doc, 200, sum)
	if !strings.Contains(r.body, "<Deleted><Key>mine/1</Key></Deleted>") ||
		!strings.Contains(r.body, "<Error><Key>theirs/1</Key><Code>AccessDenied</Code>") ||
		!strings.Contains(r.body, "<Error><Key>mine/../theirs/1</Key><Code>InvalidURI</Code>") {
		t.Errorf("DeleteObjects = %s", r.body)
	}
	rec := w.last()
	if got := additional(t, &rec)["keysRefused"]; got != 2.0 || len(rec.Decision.Checks) != 1 {
		t.Errorf("the record says %v keys, %+v", got, rec.Decision)
	}
	w.want(w.Admin(), "HEAD", "/box/mine/1", "", 404)
	w.want(w.Admin(), "HEAD", "/box/theirs/1", "", 200)

	quiet := `<Delete><Quiet>true</Quiet><Object><Key>mine/2</Key></Object><Object><Key>theirs/1</Key></Object></Delete>`
	r = w.want(ann, "POST", "/box?delete", quiet, 200, "Content-Md5: "+md5Of(quiet))
	if strings.Contains(r.body, "<Deleted>") || strings.Count(r.body, "<Error>") != 1 {
		t.Errorf("a quiet DeleteObjects = %s", r.body)
	}
	none := `<Delete><Object><Key>theirs/1</Key></Object></Delete>`
	before := w.store.hits.Load()
	w.want(ann, "POST", "/box?delete", none, 200, "Content-Md5: "+md5Of(none))
	if n := w.store.hits.Load() - before; n != 0 {
		t.Errorf("with nothing allowed the store was asked %d times", n)
	}
	w.refuse(ann, "BadDigest", "POST", "/box?delete", none, sum)
	w.refuse(ann, "MalformedXML", "POST", "/box?delete", "<Delete></Delete>")
}
