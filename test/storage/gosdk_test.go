// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/innkeeper-iam/innkeeper/test/server"
)

// goFlows are what people do with the AWS SDK for Go. Each has a bucket of its name.
var goFlows = []struct {
	name string
	run  func(t *testing.T, s *site, admin *s3.Client, bucket string)
}{
	{"go-uploads", goUploads},
	{"go-lists", goLists},
	{"go-presigned", goPresigned},
	{"go-copies", goCopies},
	{"go-bulk-delete", goBulkDelete},
	{"go-tags", goTags},
	{"go-versions", goVersions},
	{"go-ranges", goRanges},
	{"go-conditions", goConditions},
	{"go-forms", goForms},
}

func goSDK(t *testing.T, s *site) {
	for _, f := range goFlows {
		t.Run(f.name, func(t *testing.T) { f.run(t, s, s.bucket(t, f.name), f.name) })
	}
}

// growth is how much memory a gateway may gain by objects of any size.
const growth = 40 << 20

// flat wants the memory of the gateway to be about the same after f.
func (s *site) flat(t *testing.T, f func()) {
	t.Helper()
	before, _, err := s.RSS()
	if err != nil {
		t.Fatal(err)
	}
	f()
	after, peak, err := s.RSS()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the server holds %d MiB, before %d MiB, at most %d MiB", after>>20, before>>20, peak>>20)
	if after > before+growth {
		t.Errorf("the server holds %d MiB, before it held %d MiB", after>>20, before>>20)
	}
}

func goUploads(t *testing.T, s *site, admin *s3.Client, bucket string) {
	many := transfermanager.New(admin)
	s.flat(t, func() {
		for name, size := range sizes {
			body := bytes.NewReader(content()[:size])
			var err error
			if name == "large" {
				_, err = many.UploadObject(t.Context(), &transfermanager.UploadObjectInput{Bucket: &bucket, Key: &name, Body: body})
			} else {
				_, err = admin.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: &name, Body: body})
			}
			do(t)(nil, err)
			head := must(admin.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: &bucket, Key: &name}))(t)
			if got := aws.ToInt64(head.ContentLength); got != int64(size) {
				t.Errorf("HeadObject(%s) = %d bytes, want %d", name, got, size)
			}
			if name == "large" && !strings.Contains(aws.ToString(head.ETag), "-") {
				t.Errorf("the ETag of %s is %s, want that of an upload in parts", name, *head.ETag)
			}
			out := must(admin.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: &name}))(t)
			got, err := sum(out.Body)
			out.Body.Close()
			if err != nil || got != sumOf(name) {
				t.Errorf("GetObject(%s) = %s, %v, want what was put", name, got, err)
			}
		}
	})
}

func goLists(t *testing.T, _ *site, admin *s3.Client, bucket string) {
	var want []string
	for i := range 12 {
		want = append(want, fmt.Sprintf("a/%02d", i))
	}
	want = append(want, "b c+d/é", "b/x", "z")
	slices.Sort(want)
	for _, key := range want {
		put(t, admin, bucket, key, key)
	}
	var got []string
	pages := s3.NewListObjectsV2Paginator(admin, &s3.ListObjectsV2Input{Bucket: &bucket, MaxKeys: aws.Int32(4)})
	for pages.HasMorePages() {
		for _, o := range must(pages.NextPage(t.Context()))(t).Contents {
			got = append(got, *o.Key)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("ListObjectsV2 by 4 = %q, want %q", got, want)
	}
	folders := must(admin.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket, Delimiter: aws.String("/")}))(t)
	got = nil
	for _, p := range folders.CommonPrefixes {
		got = append(got, *p.Prefix)
	}
	if want := []string{"a/", "b c+d/", "b/"}; !slices.Equal(got, want) || len(folders.Contents) != 1 {
		t.Errorf("ListObjectsV2 with a delimiter = %q and %d keys, want %q and z", got, len(folders.Contents), want)
	}
	old := must(admin.ListObjects(t.Context(), &s3.ListObjectsInput{Bucket: &bucket, Prefix: aws.String("a/"), Marker: aws.String("a/09")}))(t)
	if len(old.Contents) != 2 || aws.ToString(old.Contents[0].Key) != "a/10" {
		t.Errorf("ListObjects after a/09 = %d keys, want a/10 and a/11", len(old.Contents))
	}
}

// fetch returns the status and the text of a URL's answer.
func (s *site) fetch(t *testing.T, method, url, body string) (int, string) {
	t.Helper()
	req := must(http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body)))(t)
	resp := must(s.http.Do(req))(t)
	defer resp.Body.Close()
	return resp.StatusCode, string(must(io.ReadAll(resp.Body))(t))
}

// wants fetches a URL and wants a status and a part of the text.
func (s *site) wants(t *testing.T, what, method, url, body string, status int, part string) {
	t.Helper()
	if got, text := s.fetch(t, method, url, body); got != status || !strings.Contains(text, part) {
		t.Errorf("%s: %d %s, want %d %s", what, got, text, status, part)
	}
}

func goPresigned(t *testing.T, s *site, admin *s3.Client, bucket string) {
	put(t, admin, bucket, "report", "report")
	sign := s3.NewPresignClient(admin)
	to := must(sign.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("drop")}))(t)
	s.wants(t, "PUT", "PUT", to.URL, "dropped", 200, "")
	from := must(sign.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("drop"), ResponseContentType: aws.String("text/x")}))(t)
	s.wants(t, "GET", "GET", from.URL, "", 200, "dropped")
	s.wants(t, "GET of another key", "GET", strings.Replace(from.URL, "/drop", "/report", 1), "", 403, "SignatureDoesNotMatch")

	signer, report := signer(s.Admin), must(http.NewRequest("GET", s.Gateway+"/"+bucket+"/report", nil))(t)
	plain := must(signer.Presign(report, time.Minute, ""))(t)
	s.wants(t, "signed by hand", "GET", plain, "", 200, "report")
	s.wants(t, "another method", "DELETE", plain, "", 403, "SignatureDoesNotMatch")
	signer.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	s.wants(t, "an hour later", "GET", must(signer.Presign(report, 59*time.Minute, ""))(t), "", 403, "<Message>Request has expired</Message>")

	role := "reader-of-" + bucket
	api := s.IAM(s.Admin)
	do(t)(api.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &role, AssumeRolePolicyDocument: document(
		`{"Effect":"Allow","Principal":{"AWS":"` + account + `"},"Action":"sts:AssumeRole"}`)}))
	rights := &iam.PutRolePolicyInput{RoleName: &role, PolicyName: aws.String("own"), PolicyDocument: document(allow("s3:GetObject", "arn:aws:s3:::"+bucket+"/*"))}
	do(t)(api.PutRolePolicy(t.Context(), rights))
	session := must(s.STS(s.Admin).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + account + ":role/" + role), RoleSessionName: aws.String("shift")}))(t)
	lent := must(s3.NewPresignClient(s.s3(server.SessionKey(session.Credentials))).PresignGetObject(t.Context(),
		&s3.GetObjectInput{Bucket: &bucket, Key: aws.String("report")}, s3.WithPresignExpires(12*time.Hour)))(t)
	s.wants(t, "signed by a session", "GET", lent.URL, "", 200, "report")
	do(t)(api.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: rights.PolicyName}))
	s.wants(t, "signed by a session whose role may no more", "GET", lent.URL, "", 403, "<Code>AccessDenied</Code>")
	do(t)(api.PutRolePolicy(t.Context(), rights))
	s.wants(t, "signed by a session whose role may again", "GET", lent.URL, "", 200, "report")
	do(t)(api.DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &role, PolicyName: rights.PolicyName}))
	do(t)(api.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &role}))
	s.wants(t, "signed by a session whose role is gone", "GET", lent.URL, "", 400, "<Code>InvalidToken</Code>")
}

func goCopies(t *testing.T, s *site, admin *s3.Client, bucket string) {
	put(t, admin, bucket, "from here", "original")
	copyFrom := func(source, key string) error {
		_, err := admin.CopyObject(t.Context(), &s3.CopyObjectInput{Bucket: &bucket, Key: &key, CopySource: &source})
		return err
	}
	if err := copyFrom(bucket+"/from%20here", "to here"); err != nil {
		t.Fatal(err)
	}
	if got, err := get(t.Context(), admin, bucket, "to here"); got != "original" {
		t.Errorf("the copy is %q, %v", got, err)
	}
	theirs, others := s.s3(s.other), bucket+"-theirs"
	do(t)(theirs.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: &others}))
	put(t, theirs, others, "shared", "shared")
	put(t, theirs, others, "private", "private")
	refused(t, "a copy from another account's bucket", "AccessDenied", copyFrom(others+"/shared", "shared"))
	setPolicy(t, theirs, others, allow("s3:GetObject s3:GetObjectTagging", "arn:aws:s3:::"+others+"/shared", `"Principal":{"AWS":"`+account+`"}`))
	if err := copyFrom(others+"/shared", "shared"); err != nil {
		t.Errorf("a copy from another account's bucket that permits it: %v", err)
	}
	reads(t, admin, bucket, "shared")
	refused(t, "a copy of what the policy does not name", "AccessDenied", copyFrom(others+"/private", "private"))
	_, err := get(t.Context(), admin, bucket, "private")
	refused(t, "its target", "NoSuchKey", err)

	// A part of an object, from another one.
	key := aws.String("assembled")
	up := must(admin.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: &bucket, Key: key}))(t)
	part := must(admin.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{Bucket: &bucket, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(1),
		CopySource: aws.String(others + "/shared")}))(t)
	_, err = admin.UploadPartCopy(t.Context(), &s3.UploadPartCopyInput{Bucket: &bucket, Key: key, UploadId: up.UploadId, PartNumber: aws.Int32(2),
		CopySource: aws.String(others + "/private")})
	refused(t, "a part of what the policy does not name", "AccessDenied", err)
	do(t)(admin.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: &bucket, Key: key, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{PartNumber: aws.Int32(1), ETag: part.CopyPartResult.ETag}}}}))
	if got, err := get(t.Context(), admin, bucket, *key); got != "shared" {
		t.Errorf("the object made of a part = %q, %v", got, err)
	}
}

func goBulkDelete(t *testing.T, s *site, admin *s3.Client, bucket string) {
	keys := []string{"mine/1", "mine/2 & <é>", "theirs/1"}
	var list []types.ObjectIdentifier
	for _, key := range keys {
		put(t, admin, bucket, key, key)
		list = append(list, types.ObjectIdentifier{Key: &key})
	}
	ann := s.s3(s.user(t, "ann-of-"+bucket, allow("s3:DeleteObject", "arn:aws:s3:::"+bucket+"/mine/*")))
	out := must(ann.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &types.Delete{Objects: list}}))(t)
	if len(out.Deleted) != 2 || len(out.Errors) != 1 || aws.ToString(out.Errors[0].Code) != "AccessDenied" || aws.ToString(out.Errors[0].Key) != keys[2] {
		t.Errorf("DeleteObjects = %d deleted, %d errors, want %q refused", len(out.Deleted), len(out.Errors), keys[2])
	}
	left := must(admin.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket}))(t)
	if len(left.Contents) != 1 || *left.Contents[0].Key != keys[2] {
		t.Errorf("%d objects are left, want %q", len(left.Contents), keys[2])
	}
}

func goTags(t *testing.T, s *site, admin *s3.Client, bucket string) {
	for team, key := range map[string]string{"blue": "a", "red": "b"} {
		put(t, admin, bucket, key, key)
		do(t)(admin.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{Bucket: &bucket, Key: &key,
			Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("team"), Value: &team}, {Key: aws.String("of é"), Value: aws.String("a+b=c")}}}}))
	}
	all := "arn:aws:s3:::" + bucket + "/*"
	ann := s.s3(s.user(t, "ann-of-"+bucket,
		allow("s3:GetObject", all, `"Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"blue"}}`),
		allow("s3:PutObject s3:PutObjectTagging", all, `"Condition":{"StringEquals":{"s3:RequestObjectTag/team":"blue"}}`)))
	reads(t, ann, bucket, "a")
	_, err := get(t.Context(), ann, bucket, "b")
	refused(t, "an object of another team", "AccessDenied", err)
	add := func(tags string) error {
		_, err := ann.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &bucket, Key: aws.String("c"), Body: strings.NewReader("c"), Tagging: &tags})
		return err
	}
	refused(t, "PutObject with another team's tag", "AccessDenied", add("team=red"))
	if err := add("team=blue"); err != nil {
		t.Errorf("PutObject with the team's tag: %v", err)
	}
	reads(t, ann, bucket, "c")
	tags := must(admin.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &bucket, Key: aws.String("a")}))(t)
	if len(tags.TagSet) != 2 {
		t.Errorf("GetObjectTagging = %d tags, want 2", len(tags.TagSet))
	}
	do(t)(admin.DeleteObjectTagging(t.Context(), &s3.DeleteObjectTaggingInput{Bucket: &bucket, Key: aws.String("a")}))
	_, err = get(t.Context(), ann, bucket, "a")
	refused(t, "an object that has lost its tag", "AccessDenied", err)
}

func goVersions(t *testing.T, s *site, admin *s3.Client, bucket string) {
	ctx, key := t.Context(), aws.String("notes")
	do(t)(admin.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled}}))
	old := put(t, admin, bucket, *key, "old").VersionId
	put(t, admin, bucket, *key, "new")
	all := "arn:aws:s3:::" + bucket + "/*"
	ann := s.s3(s.user(t, "ann-of-"+bucket, allow("s3:GetObject", all)))
	bob := s.s3(s.user(t, "bob-of-"+bucket, allow("s3:GetObjectVersion", all)))
	version := func(c *s3.Client, id *string) (string, error) {
		out, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key, VersionId: id})
		if err != nil {
			return "", err
		}
		defer out.Body.Close()
		text, err := io.ReadAll(out.Body)
		return string(text), err
	}
	if got, err := version(ann, nil); got != "new" {
		t.Errorf("the current version = %q, %v", got, err)
	}
	_, err := version(ann, old)
	refused(t, "an old version with s3:GetObject", "AccessDenied", err)
	if got, err := version(bob, old); got != "old" {
		t.Errorf("an old version with s3:GetObjectVersion = %q, %v", got, err)
	}
	_, err = version(bob, nil)
	refused(t, "the current version with s3:GetObjectVersion", "AccessDenied", err)
	do(t)(admin.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: key}))
	_, err = version(admin, nil)
	refused(t, "after a deletion", "NoSuchKey", err)
	_, err = version(ann, nil)
	refused(t, "after a deletion, without s3:ListBucket", "AccessDenied", err)
	list := must(admin.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket}))(t)
	if len(list.Versions) != 2 || len(list.DeleteMarkers) != 1 {
		t.Errorf("ListObjectVersions = %d versions and %d delete markers, want 2 and 1", len(list.Versions), len(list.DeleteMarkers))
	}
	do(t)(admin.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &bucket, Key: key, VersionId: list.DeleteMarkers[0].VersionId}))
	if got, err := version(ann, nil); got != "new" {
		t.Errorf("without its delete marker the object = %q, %v", got, err)
	}
}

func goRanges(t *testing.T, _ *site, admin *s3.Client, bucket string) {
	put(t, admin, bucket, "digits", "0123456789")
	for spec, want := range map[string]string{"bytes=0-0": "0", "bytes=3-5": "345", "bytes=-2": "89", "bytes=8-": "89"} {
		out := must(admin.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("digits"), Range: &spec}))(t)
		got := string(must(io.ReadAll(out.Body))(t))
		if got != want || !strings.HasSuffix(aws.ToString(out.ContentRange), "/10") {
			t.Errorf("GetObject(%s) = %q, %s, want %q", spec, got, aws.ToString(out.ContentRange), want)
		}
	}
	_, err := admin.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: aws.String("digits"), Range: aws.String("bytes=10-")})
	refused(t, "a range behind the end", "InvalidRange", err)
}

func goConditions(t *testing.T, s *site, admin *s3.Client, bucket string) {
	ctx, key := t.Context(), aws.String("page")
	tag := put(t, admin, bucket, *key, "one").ETag
	_, err := admin.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key, IfNoneMatch: tag})
	refused(t, "GetObject of what is known", "NotModified", err)
	_, err = admin.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: key, IfMatch: aws.String(`"0"`)})
	refused(t, "GetObject of another content", "PreconditionFailed", err)
	write := func(c *s3.Client, in s3.PutObjectInput) error {
		in.Bucket, in.Key, in.Body = &bucket, key, strings.NewReader("two")
		_, err := c.PutObject(ctx, &in)
		return err
	}
	refused(t, "PutObject of what is there", "PreconditionFailed", write(admin, s3.PutObjectInput{IfNoneMatch: aws.String("*")}))
	refused(t, "PutObject in place of another content", "PreconditionFailed", write(admin, s3.PutObjectInput{IfMatch: aws.String(`"0"`)}))
	ann := s.s3(s.user(t, "ann-of-"+bucket, allow("s3:PutObject", "arn:aws:s3:::"+bucket+"/*", `"Condition":{"Null":{"s3:if-match":"false"}}`)))
	refused(t, "PutObject without the condition that the policy wants", "AccessDenied", write(ann, s3.PutObjectInput{}))
	if err := write(ann, s3.PutObjectInput{IfMatch: tag}); err != nil {
		t.Errorf("PutObject in place of the known content: %v", err)
	}
	if got, err := get(ctx, admin, bucket, *key); got != "two" {
		t.Errorf("the object = %q, %v, want two", got, err)
	}
}
