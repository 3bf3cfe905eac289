// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

const page = "../../docs/gateway-requests.md"

// TestPageHasTheTable compares the table of the page with that of the code.
func TestPageHasTheTable(t *testing.T) {
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- Made from the table in internal/s3req by its tests with -update. -->\n", "<!-- end -->\n"
	before, rest, ok := strings.Cut(string(raw), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no place for the table", page)
	}
	var b strings.Builder
	b.WriteString("\n| operation | request | needs |\n| --- | --- | --- |\n")
	for op := range Ops() {
		fmt.Fprintf(&b, "| %s | `%s` | %s |\n", op.Name, sketch(op), words(op))
	}
	b.WriteByte('\n')
	golden(t, page, before+begin+b.String()+end+after)
}

// sketch is an operation's request, without what all or none may have.
func sketch(op *Op) string {
	s := op.Method + map[Level]string{AtService: " /", AtBucket: " /BUCKET", AtObject: " /BUCKET/KEY"}[op.Level]
	var params []string
	switch op.Sub {
	case "":
	case "list-type", "uploadId":
		params = append(params, map[string]string{"list-type": "list-type=2", "uploadId": "uploadId=…"}[op.Sub])
	default:
		params = append(params, op.Sub)
	}
	for _, name := range op.required {
		params = append(params, name+"=…")
	}
	header := ""
	switch {
	case strings.HasPrefix(op.Tell, "X-Amz-"):
		header = ", " + strings.ToLower(op.Tell)
	case op.Tell != "":
		params = append(params, op.Tell+"=…")
	case op.Name == "WriteGetObjectResponse":
		s += op.Name
	case op.Body == Form:
		header = ", a form"
	}
	if len(params) > 0 {
		s += "?" + strings.Join(params, "&")
	}
	return s + header
}

// words says what an operation needs.
func words(op *Op) string {
	if op.Unsupported != "" {
		return "not supported: " + op.Unsupported
	}
	var list []string
	for i := range op.needs {
		p := &op.needs[i]
		s := "`" + p.action + "`"
		if p.version != p.action {
			s += " (of a version `" + p.version + "`)"
		}
		s += map[target]string{theSource: " on the source", theRole: " on the role in the body"}[p.on]
		s += map[when]string{
			ifACL: ", with an ACL", ifTagging: ", with tags", ifRetention: ", with retention", ifLegalHold: ", with a legal hold",
			ifBypass: ", to bypass governance", ifSourceTags: ", if tags are copied", ifAnnotations: ", if annotations are copied",
			ifOwnership: ", with an owner setting", ifBucketLock: ", with object lock", ifBucketTags: ", with tags",
		}[p.when]
		list = append(list, s)
	}
	s := strings.Join(list, "; ")
	if op.Name == "DeleteObjects" {
		s += "; for each key"
	}
	return s
}
