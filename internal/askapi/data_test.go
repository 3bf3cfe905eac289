// SPDX-License-Identifier: Apache-2.0

package askapi_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// minioInput is what MinIO posts (MinIO, "Access Management Plugin Guide"), with
// another account, action, bucket and object.
func minioInput(account, action, bucket, object, more string) string {
	return `{"input":{"account":"` + account + `","groups":null,"action":"` + action + `","bucket":"` + bucket + `","conditions":{
 "Authorization":["AWS4-HMAC-SHA256 Credential=minio/20220507/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=62012db6"],
 "CurrentTime":["2022-05-07T18:31:41Z"],"Delimiter":["/"],"EpochTime":["1651948301"],"Prefix":[""],"Referer":[""],
 "SecureTransport":["false"],"SourceIp":["10.0.0.1"],"User-Agent":["MinIO (linux; amd64)"],"UserAgent":["MinIO (linux; amd64)"],
 "X-Amz-Content-Sha256":["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],"X-Amz-Date":["20220507T183141Z"],
 "authType":["REST-HEADER"],"principaltype":["Account"],"signatureversion":["AWS4-HMAC-SHA256"],"userid":["minio"],
 "username":["minio"],"versionid":[""]` + more + `},"owner":true,"object":"` + object + `","claims":{},"denyOnly":false}}`
}

func TestMinIO(t *testing.T) {
	s := start(t)
	s.Admin().OK("PutUserPolicy", "UserName=ann", "PolicyName=lists", "PolicyDocument="+`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:ListBucketVersions","Resource":"arn:aws:s3:::test","Condition":{"StringEquals":{"s3:prefix":"","s3:delimiter":"/","s3:authType":"REST-HEADER"},"Null":{"s3:VersionId":"true","aws:Referer":"true"}}},
		{"Effect":"Allow","Action":"s3:PutObjectTagging","Resource":"*","Condition":{"StringEquals":{"s3:ExistingObjectTag/team":"red"}}}]}`)
	denyOnly := func(body string) string { return strings.Replace(body, `"denyOnly":false`, `"denyOnly":true`, 1) }
	for _, tt := range []struct {
		name, body string
		want       bool
	}{
		{"a-bucket", minioInput("ann", "s3:ListBucket", "test", "", ""), true},
		{"an-object", minioInput("ann", "s3:GetObject", "b", "x", ""), true},
		{"by-access-key", minioInput(s.ann.Key, "s3:GetObject", "b", "x", ""), true},
		{"the-address", minioInput("ann", "s3:PutObject", "b", "x", ""), true},
		{"no-bucket", minioInput("ann", "s3:ListAllMyBuckets", "", "", ""), false},
		{"denied", minioInput("ann", "s3:GetObject", "b", "secret/x", ""), false},
		{"conditions", minioInput("ann", "s3:ListBucketVersions", "test", "", ""), true},
		{"a-tag", minioInput("ann", "s3:PutObjectTagging", "b", "x", `,"ExistingObjectTag/team":["red"]`), true},
		{"another-tag", minioInput("ann", "s3:PutObjectTagging", "b", "x", `,"ExistingObjectTag/team":["blue"]`), false},
		{"the-owner-is-not-believed", minioInput("nobody", "s3:GetObject", "b", "x", ""), false},
		{"only-deny-counts", denyOnly(minioInput("ann", "s3:CreateBucket", "b", "", "")), true},
		{"only-deny-counts-and-there-is-one", denyOnly(minioInput("ann", "s3:CreateBucket", "b", "secret/x", "")), false},
		{"only-deny-counts-for-somebody", denyOnly(minioInput("nobody", "s3:CreateBucket", "b", "", "")), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := s.post(t, "/v1/data/minio/allow", tt.body, "Authorization", strings.Replace(s.basic, "Basic", "Bearer", 1))
			if got := as[struct{ Result bool }](t, a); got.Result != tt.want {
				t.Errorf("result = %s, want %t", a.body, tt.want)
			}
			r := s.LastRecord()
			if line := string(r.AppendJSON(nil)); strings.Contains(line, "62012db6") || strings.Contains(line, "Signature") {
				t.Errorf("the record holds the client's Authorization header: %s", line)
			}
		})
	}
}

func TestData(t *testing.T) {
	s := start(t)
	const input = `{"input":{"principal":"ann","action":"s3:GetObject","resource":"arn:aws:s3:::b/x"}}`
	for path, want := range map[string]string{"/v1/data/allow": `true`, "/v1/data/app/authz/allow": `true`, "/v1/data/app": `{"allow":true,`} {
		got := as[struct {
			Result json.RawMessage
			ID     string `json:"decision_id"`
		}](t, s.post(t, path, input))
		if !strings.HasPrefix(string(got.Result), want) || got.ID == "" {
			t.Errorf("%s = %s with id %q, want %s and an id", path, got.Result, got.ID, want)
		}
	}
	for _, body := range []string{`{}`, `{"input":null}`, `{"input":[]}`, `{"input":{"user":"ann"}}`, ``} {
		if a := s.post(t, "/v1/data/app/allow", body); a.status != 400 {
			t.Errorf("%s = %d %s, want 400", body, a.status, a.body)
		}
	}
}
