// SPDX-License-Identifier: Apache-2.0

package s3gate_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/internal/s3gate"
)

// post sends a form with a file. Each field is "name=value"; by, if not nil, signs the policy
// among them.
func (w *world) post(by *iamtest.Client, bucket, file string, fields ...string) *reply {
	w.t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		if name == "policy" {
			value = base64.StdEncoding.EncodeToString([]byte(value))
			signature, err := w.signer(by).SignPolicy(value)
			must(w.t, err)
			for name, value := range signature {
				must(w.t, m.WriteField(name, value))
			}
		}
		must(w.t, m.WriteField(name, value))
	}
	part, err := m.CreateFormFile("file", `C:\pictures\cat.png`)
	must(w.t, err)
	io.WriteString(part, file)
	must(w.t, m.Close())
	r := w.request("POST", "/"+bucket, b.String(), "Content-Type: "+m.FormDataContentType())
	return w.send(r)
}

// formPolicy is a POST policy with the conditions that every signed form meets, and others.
func formPolicy(conditions ...string) string {
	return `{"expiration": "2026-01-02T04:00:00Z", "conditions": [` + strings.Join(append([]string{
		`{"bucket": "box"}`, `["starts-with", "$key", "up/"]`, `["starts-with", "$x-amz-credential", ""]`, `{"x-amz-algorithm": "AWS4-HMAC-SHA256"}`,
		`["starts-with", "$x-amz-date", ""]`,
	}, conditions...), ", ") + `]}`
}

func TestForm(t *testing.T) {
	spool := t.TempDir()
	w := start(t, func(o *s3gate.Options) { o.Spool = spool })
	ann := w.User("ann", allow("s3:PutObject", "arn:aws:s3:::box/up/*"))
	idle := w.User("idle", "")

	r := w.post(ann, "box", "meow", "key=up/${filename}", "policy="+formPolicy())
	if r.status != 204 || r.header.Get("Etag") == "" || !strings.HasSuffix(r.header.Get("Location"), "/box/up/cat.png") {
		t.Fatalf("POST = %d %v %s", r.status, r.header, r.body)
	}
	rec := w.last()
	if got := additional(t, &rec); rec.EventName != "PostObject" || rec.Decision.Action != "s3:PutObject" || rec.Identity.UserName != "ann" || got["AuthenticationMethod"] != "HtmlForm" {
		t.Errorf("the record is %+v with %v", rec, got)
	}
	if got := w.want(w.Admin(), "GET", "/box/up/cat.png", "", 200); got.body != "meow" {
		t.Errorf("what was posted is %q, want meow", got.body)
	}

	success := formPolicy(`["starts-with", "$success_action_status", ""]`, `["starts-with", "$success_action_redirect", ""]`, `["eq", "$Content-Type", "image/png"]`, `["eq", "$x-amz-meta-a", "1"]`)
	r = w.post(ann, "box", "x", "key=up/a", "success_action_status=201", "Content-Type=image/png", "x-amz-meta-a=1", "x-ignore-me=1", "policy="+success)
	if r.status != 201 || iamtest.Element(r.body, "Key") != "up/a" || iamtest.Element(r.body, "ETag") == "" {
		t.Errorf("POST for 201 = %d %s", r.status, r.body)
	}
	if got := w.want(w.Admin(), "HEAD", "/box/up/a", "", 200); got.header.Get("Content-Type") != "image/png" || got.header.Get("X-Amz-Meta-A") != "1" {
		t.Errorf("the object has %v", got.header)
	}
	r = w.post(ann, "box", "x", "key=up/b", "success_action_redirect=https://example.com/done?a=1", "Content-Type=image/png", "x-amz-meta-a=1", "policy="+success)
	if r.status != http.StatusSeeOther || !strings.HasPrefix(r.header.Get("Location"), "https://example.com/done?a=1&bucket=box&etag=") {
		t.Errorf("POST with a redirect = %d %v", r.status, r.header)
	}

	refusals := map[string]struct {
		by     *iamtest.Client
		file   string
		fields []string
		code   string
		text   string
	}{
		"no-permission":        {idle, "x", []string{"key=up/c", "policy=" + formPolicy()}, "AccessDenied", "s3:PutObject"},
		"another-key":          {ann, "x", []string{"key=down/c", "policy=" + formPolicy()}, "AccessDenied", "Policy Condition failed"},
		"a-field-too-many":     {ann, "x", []string{"key=up/c", "x-amz-storage-class=GLACIER", "policy=" + formPolicy()}, "AccessDenied", "Extra input fields: x-amz-storage-class"},
		"too-long":             {ann, "12345", []string{"key=up/c", "policy=" + formPolicy(`["content-length-range", 1, 4]`)}, "EntityTooLarge", ""},
		"too-short":            {ann, "", []string{"key=up/c", "policy=" + formPolicy(`["content-length-range", 1, 4]`)}, "EntityTooSmall", ""},
		"no-bucket-in-policy":  {ann, "x", []string{"key=up/c", "policy=" + strings.Replace(formPolicy(), `{"bucket": "box"}, `, "", 1)}, "AccessDenied", "Extra input fields: bucket"},
		"of-another-bucket":    {ann, "x", []string{"key=up/c", "policy=" + strings.Replace(formPolicy(), `"box"`, `"other"`, 1)}, "AccessDenied", "Policy Condition failed"},
		"expired":              {ann, "x", []string{"key=up/c", "policy=" + strings.Replace(formPolicy(), "04:00", "03:00", 1)}, "AccessDenied", "Policy expired"},
		"no-policy-but-signed": {ann, "x", []string{"key=up/c", "x-amz-signature=00", "x-amz-algorithm=AWS4-HMAC-SHA256"}, "AuthorizationHeaderMalformed", ""},
		"a-policy-unsigned":    {nil, "x", []string{"key=up/c", "Policy=e30="}, "InvalidArgument", "X-Amz-Signature"},
		"nobody":               {nil, "x", []string{"key=up/c"}, "AccessDenied", ""},
		"an-odd-key":           {ann, "x", []string{"key=up/../c", "policy=" + formPolicy()}, "InvalidURI", ""},
		"a-public-list":        {w.Admin(), "x", []string{"key=up/c", "acl=public-read", "policy=" + formPolicy(`{"acl": "public-read"}`)}, "AccessDenied", ""},
		"a-field-twice":        {ann, "x", []string{"key=up/c", "Key=up/d", "policy=" + formPolicy()}, "InvalidArgument", ""},
		"a-policy-of-nonsense": {ann, "x", []string{"key=up/c", "policy={}}"}, "InvalidPolicyDocument", ""},
		"an-unknown-operation": {ann, "x", []string{"key=up/c", "policy=" + formPolicy(`["ends-with", "$key", ""]`)}, "InvalidPolicyDocument", ""},
		"too-many-fields":      {ann, "x", []string{"key=up/c", "x-ignore-me=" + strings.Repeat("x", 100<<10)}, "MaxPostPreDataLengthExceededError", ""},
	}
	for name, tc := range refusals {
		t.Run(name, func(t *testing.T) {
			before := w.store.hits.Load()
			r := w.post(tc.by, "box", tc.file, tc.fields...)
			if r.code() != tc.code || !strings.Contains(r.message(), tc.text) {
				t.Errorf("POST = %d %s, want %s %s", r.status, r.body, tc.code, tc.text)
			}
			if n := w.store.hits.Load() - before; n != 0 {
				t.Errorf("the store was asked %d times", n)
			}
		})
	}
	t.Run("a-policy-that-was-changed", func(t *testing.T) {
		stranger := w.Client(ann.Key, "another secret", "")
		if r := w.post(stranger, "box", "x", "key=up/c", "policy="+formPolicy()); r.code() != "SignatureDoesNotMatch" {
			t.Errorf("POST = %d %s", r.status, r.body)
		}
	})
	t.Run("no-form", func(t *testing.T) {
		w.refuse(nil, "MalformedPOSTRequest", "POST", "/box", "key=up/c", "Content-Type: application/x-www-form-urlencoded")
		w.refuse(nil, "IncorrectNumberOfFilesInPostRequest", "POST", "/box", "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nup/c\r\n--b--\r\n", "Content-Type: multipart/form-data; boundary=b")
	})
	if left, err := os.ReadDir(spool); err != nil || len(left) > 0 {
		t.Errorf("the spool holds %v, %v", left, err)
	}
}

// TestFormAnonymous: nobody may post what the bucket's policy lets nobody put.
func TestFormAnonymous(t *testing.T) {
	w := start(t)
	w.policy("box", shared("Allow", `"*"`, "s3:PutObject", "arn:aws:s3:::box/drop/*"))
	if r := w.post(nil, "box", "x", "key=drop/a"); r.status != 204 {
		t.Errorf("POST to drop = %d %s", r.status, r.body)
	}
	if r := w.post(nil, "box", "x", "key=a"); r.code() != "AccessDenied" {
		t.Errorf("POST elsewhere = %d %s", r.status, r.body)
	}
}

// FuzzForm: whatever the body of a form, nothing is stored that nobody was allowed to.
func FuzzForm(f *testing.F) {
	w := start(f)
	f.Add("--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\r\nv\r\n--b--\r\n")
	f.Add("--b\r\nContent-Disposition: form-data; name=\"policy\"\r\n\r\ne30=\r\n--b--\r\n")
	f.Add("--b\r\n\r\n\r\n--b--")
	f.Fuzz(func(t *testing.T, body string) {
		before := w.store.hits.Load()
		r := httptest.NewRequest("POST", "/box", strings.NewReader(body))
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		rec := httptest.NewRecorder()
		w.gate.ServeHTTP(rec, r)
		if rec.Code < 400 || rec.Code >= 500 {
			t.Errorf("POST of %q = %d %s", body, rec.Code, rec.Body)
		}
		if w.store.hits.Load() != before {
			t.Errorf("POST of %q reached the store", body)
		}
	})
}
