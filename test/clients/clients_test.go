// SPDX-License-Identifier: Apache-2.0

// Package clients tests innkeeper with the clients that people use: the AWS SDKs
// for Go, Python and JavaScript, and the AWS CLI.
package clients

import "fmt"

// tagPairs are tags that careless encoding would spoil.
var tagPairs = map[string]string{
	"team":        "a b+c=d/e:f@g",
	"ключ":        "значение 值 é",
	"empty":       "",
	"dash-under_": "-._:/=+@",
}

// oddText is a text that careless encoding would spoil. AWS takes it as a
// description, and refuses it in a tag.
const oddText = `100 % «quoted» <b> & "é" + ;`

// oddDocument is a policy that careless encoding would spoil.
const oddDocument = `{"Version":"2012-10-17","Statement":[{"Sid":"Odd","Effect":"Allow","Action":"s3:GetObject",` +
	`"Resource":["arn:aws:s3:::b/100%25 + 50%/ü×ÿ/<&>'*","arn:aws:s3:::b/${aws:username}/\"q\"\\\u00e9"]}]}`

func allow(action, resource string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":%q,"Resource":%q}]}`, action, resource)
}

func trust(principal string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":"sts:AssumeRole"}]}`, principal)
}
