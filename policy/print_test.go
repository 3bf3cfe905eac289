// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
)

const printed = `{
  "Version": "2012-10-17",
  "Id": "a \"b\" \\ é\n\u0001",
  "Statement": [
    {
      "Sid": "One",
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          "111122223333",
          "*"
        ],
        "Service": "ec2.amazonaws.com",
        "Federated": []
      },
      "Action": "s3:GetObject",
      "Resource": [
        "*",
        "arn:aws:s3:::b/*"
      ],
      "Condition": {
        "StringEquals": {
          "a:b": [
            "x",
            "10"
          ],
          "a:c": []
        },
        "Bool": {
          "a:d": "true"
        }
      }
    },
    {
      "Effect": "Deny",
      "NotPrincipal": "*",
      "NotAction": [],
      "NotResource": "*"
    },
    {
      "Effect": "Deny",
      "Principal": {}
    }
  ]
}
`

func TestPrint(t *testing.T) {
	const src = `{"Statement":[
{"Condition":{"StringEquals":{"a:b":["x",10],"a:c":[]},"Bool":{"a:d":true}},"Resource":["*","arn:aws:s3:::b/*"],"Action":["s3:GetObject"],
"Principal":{"Federated":[],"Service":"ec2.amazonaws.com","AWS":["111122223333","*"]},"Effect":"Allow","Sid":"One"},
{"NotResource":"*","NotAction":[],"NotPrincipal":"*","Effect":"Deny","Condition":{}},{"Effect":"Deny","Principal":{}}],
"Id":"a \"b\" \\ \u00e9\n\u0001","Version":"2012-10-17"}`
	d, err := Parse("", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := d.Print(&b); err != nil || b.String() != printed {
		t.Errorf("Print = %v\n%s\nwant\n%s", err, b.String(), printed)
	}
	again, err := Parse("", b.Bytes())
	if err != nil || !reflect.DeepEqual(withoutPositions(again), withoutPositions(d)) {
		t.Errorf("Parse of what Print wrote = %+v, %v, want %+v", again, err, d)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(printed)); err != nil {
		t.Fatal(err)
	}
	if got, err := json.Marshal(d); err != nil || !bytes.Equal(got, compact.Bytes()) {
		t.Errorf("json.Marshal = %s, %v, want %s", got, err, compact.Bytes())
	}
}

func TestPrintOfDocumentMadeByHand(t *testing.T) {
	d := &Document{Version: "2012-10-17", Statements: []Statement{{Effect: Allow, Action: []Value{{Text: "s3:*"}}, HasResource: true}}}
	var b bytes.Buffer
	if err := d.Print(&b); err != nil {
		t.Fatal(err)
	}
	const want = `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "s3:*",
      "Resource": []
    }
  ]
}
`
	if b.String() != want {
		t.Errorf("Print = %s, want %s", b.String(), want)
	}
	b.Reset()
	if err := (&Document{}).Print(&b); err != nil || b.String() != "{\n  \"Statement\": []\n}\n" {
		t.Errorf("Print of the zero Document = %q, %v", b.String(), err)
	}
	failed := errors.New("full")
	if err := d.Print(failingWriter{failed}); !errors.Is(err, failed) {
		t.Errorf("Print to a full disk = %v, want its error", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }
