// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"bufio"
	"bytes"
	"errors"
	goflag "flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

var update = goflag.Bool("update", false, "write golden files and the page about requests anew")

var now = time.Date(2029, 12, 25, 12, 0, 0, 0, time.UTC)

// recorded is a request that the AWS SDK made.
type recorded struct {
	operation, variant string
	r                  *http.Request
	body               []byte
}

func recordings(t testing.TB) []recorded {
	t.Helper()
	a, err := txtar.ParseFile("testdata/requests.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var list []recorded
	for _, f := range a.Files {
		operation, variant, _ := strings.Cut(f.Name, "/")
		head, body, _ := bytes.Cut(f.Data, []byte("\n\n"))
		r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(bytes.NewReader(head), strings.NewReader("\n\n"))))
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		list = append(list, recorded{operation, variant, r, bytes.TrimRight(body, "\n")})
	}
	return list
}

// classify returns what Parse, SetDocument and Needs say about a recorded request.
func (rec *recorded) classify() (*Request, []Need, error) {
	r, err := Parse(rec.r.Method, rec.r.Host, rec.r.RequestURI, rec.r.Header, domains)
	if err != nil {
		return nil, nil, err
	}
	sig := &sigv4.Signature{Time: now.Add(-time.Second), Presigned: strings.HasPrefix(rec.variant, "presigned")}
	if r.Op.Name == "DeleteObjects" {
		d, err := ParseDelete(rec.body)
		if err != nil {
			return r, nil, err
		}
		return r, r.DeleteNeeds(&d.Objects[0], sig, rec.r.Header, now, 0), nil
	}
	if r.Op.Body == Judged {
		if err := r.SetDocument(rec.body); err != nil {
			return r, nil, err
		}
	}
	return r, r.Needs(sig, rec.r.Header, now, 0), nil
}

// describe writes needs as golden files have them, without the keys that are
// everywhere.
func describe(b *strings.Builder, needs []Need) {
	for _, n := range needs {
		fmt.Fprintf(b, "\t%s %s", n.Action, n.Resource)
		if n.IfTagged {
			b.WriteString(" if the source has tags")
		}
		if n.Existing {
			b.WriteString(" +tags of the object")
		}
		b.WriteByte('\n')
		for _, key := range slices.Sorted(maps.Keys(n.Keys)) {
			if key != "s3:authType" && key != "s3:signatureversion" {
				fmt.Fprintf(b, "\t\t%s = %s\n", key, n.Keys[key])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(n.Lists)) {
			fmt.Fprintf(b, "\t\t%s = %q\n", key, n.Lists[key])
		}
	}
}

// TestRequestsOfTheSDK classifies what the AWS SDK for Go v2 sends for every operation.
func TestRequestsOfTheSDK(t *testing.T) {
	var b strings.Builder
	for _, rec := range recordings(t) {
		fmt.Fprintf(&b, "%s/%s: ", rec.operation, rec.variant)
		r, needs, err := rec.classify()
		if e, ok := errors.AsType[*Error](err); ok {
			fmt.Fprintf(&b, "%s: %s\n", e.Code, e.Message)
			continue
		}
		if r.Op.Name != rec.operation {
			t.Errorf("Parse of %s/%s = %s", rec.operation, rec.variant, r.Op.Name)
		}
		fmt.Fprintf(&b, "%s %s?%s\n", r.Op.Method, r.Path, r.Query)
		describe(&b, needs)
	}
	golden(t, "testdata/requests.golden", b.String())
}

// TestRequestsOfOtherClients classifies what boto3 1.43, minio-go 7.4 and s3cmd 2.4 send.
func TestRequestsOfOtherClients(t *testing.T) {
	stream := header("Content-Encoding", "aws-chunked", "X-Amz-Trailer", "x-amz-checksum-crc32", "X-Amz-Decoded-Content-Length", "1",
		"X-Amz-Sdk-Checksum-Algorithm", "CRC32", "X-Amz-Content-Sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
	sums := header("X-Amz-Checksum-Crc32", "C8vlPQ==", "X-Amz-Sdk-Checksum-Algorithm", "CRC32")
	for _, tc := range []struct {
		request string
		h       http.Header
		want    string // operation, key, source, query
	}{
		{"GET /bucket?list-type=2&prefix=&delimiter=%2F&encoding-type=url", nil, "ListObjectsV2|||delimiter=%2F&encoding-type=url&list-type=2&prefix="},
		{"GET /bucket?encoding-type=url", nil, "ListObjects|||encoding-type=url"},
		{"PUT /bucket/a%20key/%C3%A9%2B%281%29%27~%2A%21.txt", stream, "PutObject|a key/é+(1)'~*!.txt||"},
		{"GET /bucket/a//b", header("X-Amz-Checksum-Mode", "ENABLED"), "GetObject|a//b||"},
		{"PUT /bucket/k", header("X-Amz-Copy-Source", "source/a%20b%2B%C3%A9/c%3Fd?versionId=v1"), "CopyObject|k|source/a b+é/c?d@v1|"},
		{"POST /bucket?delete", sums, "DeleteObjects|||delete="},
		{"POST /bucket/k?uploads", nil, "CreateMultipartUpload|k||uploads="},
		{"PUT /bucket/k?uploadId=u&partNumber=1", stream, "UploadPart|k||partNumber=1&uploadId=u"},
		{"POST /bucket/k?uploadId=u", nil, "CompleteMultipartUpload|k||uploadId=u"},
		{"PUT /bucket?versioning", sums, "PutBucketVersioning|||versioning="},
		{"GET /bucket?versions&key-marker=a&max-keys=3&encoding-type=url", nil, "ListObjectVersions|||encoding-type=url&key-marker=a&max-keys=3&versions="},
		{"GET /bucket/?location=", nil, "GetBucketLocation|||location="},
		{"GET /bucket/?delimiter=%2F&encoding-type=url&fetch-owner=true&list-type=2&prefix=a%2F", nil,
			"ListObjectsV2|||delimiter=%2F&encoding-type=url&fetch-owner=true&list-type=2&prefix=a%2F"},
		{"PUT /bucket/", nil, "CreateBucket|||"},
		{"PUT /bucket/k", header("X-Amz-Meta-S3cmd-Attrs", "md5:1", "X-Amz-Storage-Class", "STANDARD"), "PutObject|k||"},
	} {
		r := parsed(t, tc.request, tc.h)
		source := ""
		if r.SourceKey != "" {
			source = r.SourceBucket + "/" + r.SourceKey + "@" + r.SourceVersion
		}
		if got := r.Op.Name + "|" + r.Key + "|" + source + "|" + r.Query; got != tc.want {
			t.Errorf("Parse(%s) = %s, want %s", tc.request, got, tc.want)
		}
	}
}

// golden compares got with a file, or writes it.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s:%d = %q, want %q", file, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s has %d lines, want %d", file, len(g), len(w))
}
