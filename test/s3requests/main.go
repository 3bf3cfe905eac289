// SPDX-License-Identifier: Apache-2.0

// Command s3requests writes the requests that the AWS SDK for Go v2 makes for every
// operation of S3, as a txtar archive: of each operation one with nothing but the required
// members and one with all of them, and of some a presigned one and one to a virtual host. What differs from run to
// run is left out or has a fixed value.
//
//	go run ./s3requests ../internal/s3req/testdata/requests.txtar
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httputil"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: s3requests FILE")
	}
	out, err := archive(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[1], out, 0o644); err != nil {
		log.Fatal(err)
	}
}

// archive returns all requests.
func archive(ctx context.Context) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("What the AWS SDK for Go v2 sends to S3. Written by test/s3requests.\n")
	client := reflect.TypeFor[*s3.Client]()
	for i := range client.NumMethod() {
		m := client.Method(i)
		// func(*Client, context.Context, *Input, ...func(*Options)) (*Output, error)
		if m.Type.NumIn() != 4 || m.Type.NumOut() != 2 || !strings.HasSuffix(m.Type.In(2).String(), "Input") {
			continue
		}
		for _, v := range []variant{{name: "required"}, {name: "all", full: true}} {
			raw, err := record(ctx, m, v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
			fmt.Fprintf(&b, "-- %s/%s --\n%s\n", m.Name, v.name, raw)
		}
	}
	for _, name := range []string{"DeleteBucket", "DeleteObject", "GetObject", "HeadBucket", "HeadObject", "PutObject", "UploadPart"} {
		m, ok := client.MethodByName(name)
		if !ok {
			return nil, fmt.Errorf("no operation %s", name)
		}
		for _, v := range []variant{{name: "presigned", presigned: true}, {name: "presigned-all", presigned: true, full: true}, {name: "virtual", virtual: true}} {
			raw, err := record(ctx, m, v)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
			fmt.Fprintf(&b, "-- %s/%s --\n%s\n", m.Name, v.name, raw)
		}
	}
	return b.Bytes(), nil
}

// A variant is a way to make the request of an operation.
type variant struct {
	name                     string
	full, presigned, virtual bool
}

// A catcher is an HTTP client that keeps the request as it would go over the wire.
type catcher struct{ raw []byte }

func (c *catcher) Do(r *http.Request) (*http.Response, error) {
	var err error
	if c.raw, err = httputil.DumpRequestOut(r, true); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}

// record returns one request.
func record(ctx context.Context, m reflect.Method, v variant) ([]byte, error) {
	c := new(catcher)
	client := s3.New(s3.Options{
		Region:       "us-east-1",
		BaseEndpoint: aws.String("https://s3.example.com"),
		UsePathStyle: !v.virtual,
		Credentials:  credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
		HTTPClient:   c,

		DisableS3ExpressSessionAuth: aws.Bool(true),
		Retryer:                     aws.NopRetryer{},
		APIOptions: []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			return s.Initialize.Add(middleware.InitializeMiddlewareFunc("NoHostPrefix", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
			}), middleware.Before)
		}},
	})
	input := reflect.New(m.Type.In(2).Elem())
	if v.full {
		fill(input.Elem(), "", 0)
	}
	call := func() error {
		out := reflect.ValueOf(client).MethodByName(m.Name).Call([]reflect.Value{reflect.ValueOf(ctx), input})
		err, _ := out[1].Interface().(error)
		return err
	}
	if v.presigned {
		call = func() error {
			out := reflect.ValueOf(s3.NewPresignClient(client)).MethodByName("Presign" + m.Name).Call([]reflect.Value{reflect.ValueOf(ctx), input})
			if err, _ := out[1].Interface().(error); err != nil {
				return err
			}
			p := out[0].Elem()
			var b bytes.Buffer
			_, target, _ := strings.Cut(p.FieldByName("URL").String(), "://s3.example.com")
			fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", p.FieldByName("Method"), target)
			p.FieldByName("SignedHeader").Interface().(http.Header).Write(&b)
			b.WriteString("\r\n")
			c.raw = b.Bytes()
			return nil
		}
	}
	err := call()
	var invalid smithy.InvalidParamsError
	if errors.As(err, &invalid) { // it names what is required
		for name := range strings.FieldsFuncSeq(invalid.Error(), func(r rune) bool { return r == ' ' || r == '\n' || r == '.' || r == ',' }) {
			if f := input.Elem().FieldByName(name); f.IsValid() {
				fill(f, name, 0)
			}
		}
		err = call()
	}
	if c.raw == nil {
		return nil, fmt.Errorf("no request: %w", err)
	}
	return plain(c.raw), nil
}

// values are those of members, some of one type only, for which any text would not do.
var values = map[string]string{
	"Tag.Key": "team", "Bucket": "amzn-bucket", "Key": "folder/a key+é", "CopySource": "source-bucket/folder/a%20key%2B%C3%A9?versionId=source-version",
	"RenameSource": "/source-bucket/key", "Tagging": "team=blue&cost=a%20b", "Id": "id-1", "UploadId": "upload-1", "VersionId": "version-1",
	"Prefix": "folder/", "Delimiter": "/", "TaggingDirective": "REPLACE", "MetadataDirective": "REPLACE",
	"Role": "arn:aws:iam::123456789012:role/replication", "AccountId": "123456789012", "ExpectedBucketOwner": "123456789012",
	"ExpectedSourceBucketOwner": "123456789012", "RequestRoute": "route", "LocationConstraint": "eu-west-1",
	"KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k", "ChecksumAlgorithm": "CRC32", "PartNumberMarker": "1",
}

// omitted are members that general purpose buckets do not have or that S3 no longer
// takes from new customers: the gateway refuses them.
var omitted = []string{
	"CreateBucketConfiguration.Bucket", "CreateBucketConfiguration.Location", "PutObjectInput.WriteOffsetBytes",
	"PutObjectInput.ContentLength", "UploadPartInput.ContentLength", "WriteGetObjectResponseInput.ContentLength", // the SDK's own affair
	"RestoreRequest.OutputLocation", "RestoreRequest.SelectParameters", "RestoreRequest.Type",
}

// fill gives v, a member of that name, a value: the first of an enumeration, two
// of nothing, one of everything else.
func fill(v reflect.Value, name string, depth int) {
	if depth > 8 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.Type() == reflect.TypeFor[*time.Time]() {
			v.Set(reflect.ValueOf(aws.Time(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))))
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name, depth)
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			whole := v.Type().Name() + "." + f.Name
			if !f.IsExported() || slices.Contains(omitted, whole) {
				continue
			}
			if _, ok := values[whole]; !ok {
				whole = f.Name
			}
			fill(v.Field(i), whole, depth+1)
		}
	case reflect.String:
		s, ok := values[name]
		if list := v.MethodByName("Values"); !ok && list.IsValid() {
			s = list.Call(nil)[0].Index(0).String()
		} else if !ok {
			s = name
		}
		v.SetString(s)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), strings.TrimSuffix(name, "s"), depth+1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("name").Convert(v.Type().Key()), reflect.ValueOf("value").Convert(v.Type().Elem()))
	case reflect.Interface:
		switch v.Type() {
		case reflect.TypeFor[io.Reader]():
			v.Set(reflect.ValueOf(strings.NewReader("content")))
		case reflect.TypeFor[types.ObjectEncryption]():
			v.Set(reflect.ValueOf(&types.ObjectEncryptionMemberSSEKMS{Value: types.SSEKMSEncryption{KMSKeyArn: aws.String(values["KMSKeyArn"])}}))
		}
	}
}

// volatile are the headers that say something about the run.
var volatile = []string{"Authorization", "X-Amz-Date", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request", "User-Agent", "X-Amz-Client-Token"}

var volatileParams = regexp.MustCompile(`(X-Amz-(?:Date|Signature|Credential))=[^& ]*`)

// plain returns a raw request without what is volatile, headers sorted, lines ending in LF.
func plain(raw []byte) []byte {
	head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	lines := strings.Split(string(head), "\r\n")
	lines[0] = volatileParams.ReplaceAllString(lines[0], "$1=x")
	headers := slices.DeleteFunc(lines[1:], func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return slices.Contains(volatile, name)
	})
	slices.Sort(headers)
	return []byte(lines[0] + "\n" + strings.Join(headers, "\n") + "\n\n" + strings.ReplaceAll(string(body), "\r\n", "\n"))
}
