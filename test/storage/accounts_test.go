// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// twoAccounts: each side of a border has to allow what crosses it.
func twoAccounts(t *testing.T, s *site) {
	const bucket = "exchange"
	admin := s.bucket(t, bucket, "in/1", "out/1")
	theirs, objects := s.s3(s.other), "arn:aws:s3:::"+bucket+"/"
	clerk := s.s3(s.userOf(t, s.other, "clerk"))
	read := func(c *s3.Client, key string) error { _, err := get(t.Context(), c, bucket, key); return err }

	refused(t, "before there is a policy", "AccessDenied", read(theirs, "out/1"))
	setPolicy(t, admin, bucket, allow("s3:GetObject", objects+"out/*", `"Sid":"Partner"`, `"Principal":{"AWS":"arn:aws:iam::`+partner+`:root"}`))
	reads(t, theirs, bucket, "out/1")
	if r := s.latest(t, "--account", partner, "--action", "s3:GetObject", "--decision", "allow"); r.Innkeeper.Sid != "Partner" || r.Innkeeper.Policy != "arn:aws:s3:::"+bucket {
		t.Errorf("the record of the other account's request is %+v, want the statement Partner", r)
	}
	refused(t, "a user whom the other account gave nothing", "AccessDenied", read(clerk, "out/1"))
	refused(t, "what the policy does not name", "AccessDenied", read(theirs, "in/1"))
	_, err := theirs.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: new(bucket)})
	refused(t, "the list", "AccessDenied", err)
	_, err = theirs.GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: new(bucket)})
	refused(t, "the policy", "AccessDenied", err)
	_, err = theirs.DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: new(bucket)})
	refused(t, "deleting it", "AccessDenied", err)
	_, err = theirs.CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new(bucket)})
	refused(t, "making it again", "BucketAlreadyExists", err)
	_, err = admin.GetObject(t.Context(), &s3.GetObjectInput{Bucket: new(bucket), Key: new("out/1"), ExpectedBucketOwner: new(partner)})
	refused(t, "with another owner in mind", "AccessDenied", err)
	for _, b := range must(theirs.ListBuckets(t.Context(), nil))(t).Buckets {
		if *b.Name == bucket {
			t.Errorf("the other account lists %s", bucket)
		}
	}
	do(t)(admin.DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: new(bucket)}))
	refused(t, "when the policy is gone", "AccessDenied", read(theirs, "out/1"))
}

// everybody may read what a public policy says, if the bucket allows such a policy.
func everybody(t *testing.T, s *site) {
	const bucket = "website"
	admin := s.bucket(t, bucket, "public/index", "draft")
	world := s.s3(s.Admin, anonymous)
	open := document(allow("s3:GetObject", "arn:aws:s3:::"+bucket+"/public/*", `"Principal":"*"`))
	_, err := admin.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: new(bucket), Policy: open})
	refused(t, "a public policy while public access is blocked", "AccessDenied", err)
	_, err = get(t.Context(), world, bucket, "public/index")
	refused(t, "nobody", "AccessDenied", err)

	do(t)(admin.DeletePublicAccessBlock(t.Context(), &s3.DeletePublicAccessBlockInput{Bucket: new(bucket)}))
	do(t)(admin.PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: new(bucket), Policy: open}))
	if st := must(admin.GetBucketPolicyStatus(t.Context(), &s3.GetBucketPolicyStatusInput{Bucket: new(bucket)}))(t); !*st.PolicyStatus.IsPublic {
		t.Error("GetBucketPolicyStatus says that the policy is not public")
	}
	reads(t, world, bucket, "public/index")
	s.wants(t, "a browser", "GET", s.Gateway+"/"+bucket+"/public/index", "", 200, "public/index")
	if r := s.latest(t, "--principal", "anonymous", "--resource", "*/public/index", "--decision", "allow"); r.Innkeeper.Layer != "resource-based policy" {
		t.Errorf("the record of what nobody read is %+v, want the bucket's policy", r)
	}
	_, err = get(t.Context(), world, bucket, "draft")
	refused(t, "what is not public", "AccessDenied", err)
	_, err = world.PutObject(t.Context(), &s3.PutObjectInput{Bucket: new(bucket), Key: new("public/x"), Body: strings.NewReader("x")})
	refused(t, "writing", "AccessDenied", err)

	do(t)(admin.PutPublicAccessBlock(t.Context(), &s3.PutPublicAccessBlockInput{Bucket: new(bucket),
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{RestrictPublicBuckets: new(true)}}))
	_, err = get(t.Context(), world, bucket, "public/index")
	refused(t, "when public buckets are restricted", "AccessDenied", err)
	reads(t, admin, bucket, "public/index")
}

// adopted: a bucket that is in the store already gets an owner.
func adopted(t *testing.T, s *site) {
	const bucket = "attic"
	if err := os.Mkdir(filepath.Join(s.store.Dir, bucket), 0o700); err != nil { // as this store keeps buckets
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.store.Dir, bucket, "trunk"), []byte("trunk"), 0o600); err != nil {
		t.Fatal(err)
	}
	admin := s.s3(s.Admin)
	_, err := get(t.Context(), admin, bucket, "trunk")
	refused(t, "a bucket that nobody owns", "NoSuchBucket", err)
	if r := s.latest(t, "--event", "GetObject", "--resource", "*"+bucket+"/trunk"); !strings.Contains(r.ErrorMessage, "innkeeper bucket adopt") {
		t.Errorf("the record of that says %q, want how to adopt it", r.ErrorMessage)
	}
	_, err = s.s3(s.other).CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: new(bucket)})
	refused(t, "making a bucket that the store has", "BucketAlreadyExists", err)
	if got := s.innkeeper(t, "bucket", "adopt", bucket, "--account", account); !strings.Contains(got, bucket) {
		t.Errorf("bucket adopt says %q", got)
	}
	reads(t, admin, bucket, "trunk")
	_, err = get(t.Context(), s.s3(s.other), bucket, "trunk")
	refused(t, "another account", "AccessDenied", err)
	if _, err := s.operator(t, "bucket", "adopt", bucket, "--account", partner); err == nil {
		t.Error("a bucket that has an owner was adopted by another account")
	}
	s.innkeeper(t, "bucket", "release", bucket)
	_, err = get(t.Context(), admin, bucket, "trunk")
	refused(t, "a bucket that was released", "NoSuchBucket", err)
}
