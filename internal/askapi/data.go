// SPDX-License-Identifier: Apache-2.0

package askapi

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/ask"
)

// The data API of Open Policy Agent ("Get a Document with Input"): an input is
// posted to the path of a rule, and the result is the rule's value. Here the path is
// free; what ends in /allow has a truth value, anything else an object.

// data answers an input in our own form, or one of MinIO's.
func data(ctx context.Context, v *ask.Visit, rest string, body []byte) (any, error) {
	var in struct {
		Input json.RawMessage `json:"input"`
	}
	if err := decode(body, &in, false); err != nil {
		return nil, err
	}
	var sort struct {
		Account *string `json:"account"`
	}
	if json.Unmarshal(in.Input, &sort) != nil {
		return nil, invalid("the input is missing, or no object")
	}
	read := ownInput
	if sort.Account != nil {
		read = minioInput
	}
	q, err := read(in.Input)
	if err != nil {
		return nil, err
	}
	answers, err := v.Ask(ctx, []ask.Question{q}, nil)
	if err != nil {
		return nil, err
	}
	a := &answers[0]
	if rest == "allow" || strings.HasSuffix(rest, "/allow") {
		return result[bool]{v.RequestID(), a.Allowed()}, nil
	}
	return result[verdict]{v.RequestID(), verdict{a.Allowed(), decisionOf(a)}}, nil
}

type result[T any] struct {
	ID     string `json:"decision_id"`
	Result T      `json:"result"`
}

type verdict struct {
	Allow bool `json:"allow"`
	decision
}

func ownInput(raw json.RawMessage) (ask.Question, error) {
	var r request
	if err := decode(raw, &r, true); err != nil {
		return ask.Question{}, err
	}
	return r.question()
}

// An input of MinIO's access-management plugin (MinIO, "Access Management Plugin
// Guide"). Whom MinIO takes for its owner and what it says of groups and claims is
// not believed: the policies here say who may.
type minio struct {
	Account    string              `json:"account"`
	Action     string              `json:"action"`
	Bucket     string              `json:"bucket"`
	Object     string              `json:"object"`
	Conditions map[string][]string `json:"conditions"`
	DenyOnly   bool                `json:"denyOnly"`
}

func minioInput(raw json.RawMessage) (ask.Question, error) {
	var in minio
	if err := decode(raw, &in, false); err != nil {
		return ask.Question{}, err
	}
	q := ask.Question{Principal: ask.Principal{Name: in.Account}, Action: in.Action, Resource: "*", Open: in.DenyOnly}
	if in.Bucket != "" {
		q.Resource = "arn:aws:s3:::" + in.Bucket
		if in.Object != "" {
			q.Resource += "/" + strings.TrimPrefix(in.Object, "/")
		}
	}
	single, lists := make(map[string]string), make(map[string][]string)
	for name, values := range in.Conditions {
		key, ok := minioKey(name)
		switch {
		case !ok || len(values) == 0 || len(values) == 1 && values[0] == "" && !mayBeEmpty[key]:
		case len(values) == 1 && key != "s3:RequestObjectTagKeys":
			single[key] = values[0]
		default:
			lists[key] = values
		}
	}
	c, err := ask.ContextOf(single, lists)
	if err != nil {
		return q, invalid("%s", err)
	}
	q.Context = c
	return q, nil
}

// minioKeys are the conditions of MinIO that are condition keys of AWS, in lower
// case: MinIO leaves out the prefix, and has headers and parameters of the request beside
// them. Everything else, such as the client's Authorization header, is dropped
// where it is read.
var minioKeys = map[string]string{
	"authtype":                        "s3:authType",
	"delimiter":                       "s3:delimiter",
	"locationconstraint":              "s3:LocationConstraint",
	"max-keys":                        "s3:max-keys",
	"object-lock-legal-hold":          "s3:object-lock-legal-hold",
	"object-lock-mode":                "s3:object-lock-mode",
	"object-lock-retain-until-date":   "s3:object-lock-retain-until-date",
	"prefix":                          "s3:prefix",
	"referer":                         "aws:Referer",
	"requestobjecttagkeys":            "s3:RequestObjectTagKeys",
	"securetransport":                 "aws:SecureTransport",
	"signatureage":                    "s3:signatureAge",
	"signatureversion":                "s3:signatureversion",
	"sourceip":                        "aws:SourceIp",
	"useragent":                       "aws:UserAgent",
	"versionid":                       "s3:VersionId",
	"x-amz-acl":                       "s3:x-amz-acl",
	"x-amz-content-sha256":            "s3:x-amz-content-sha256",
	"x-amz-copy-source":               "s3:x-amz-copy-source",
	"x-amz-metadata-directive":        "s3:x-amz-metadata-directive",
	"x-amz-server-side-encryption":    "s3:x-amz-server-side-encryption",
	"x-amz-storage-class":             "s3:x-amz-storage-class",
	"object-lock-remaining-retention": "s3:object-lock-remaining-retention-days",

	"x-amz-server-side-encryption-aws-kms-key-id": "s3:x-amz-server-side-encryption-aws-kms-key-id",
}

// mayBeEmpty are the keys for which an empty value is one: that of a parameter.
// In others it is how MinIO says that there is none.
var mayBeEmpty = map[string]bool{"s3:prefix": true, "s3:delimiter": true}

// minioTags are families of keys: what follows is the key of a tag.
var minioTags = []string{"ExistingObjectTag/", "RequestObjectTag/"}

func minioKey(name string) (string, bool) {
	for _, family := range minioTags {
		if tag, ok := strings.CutPrefix(name, family); ok && tag != "" {
			return "s3:" + name, true
		}
	}
	key, ok := minioKeys[strings.ToLower(name)]
	return key, ok
}
