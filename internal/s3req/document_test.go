// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/sigv4"
)

func TestDocumentsGiveConditionKeys(t *testing.T) {
	const ns = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`
	for _, tc := range []struct {
		name, request, body string
		want                map[string]string // of the first need
		lists               map[string][]string
	}{
		{"a-place", "PUT /bucket", `<CreateBucketConfiguration` + ns + `><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>`,
			map[string]string{"s3:locationconstraint": "eu-west-1"}, nil},
		{"no-place", "PUT /bucket", "", map[string]string{}, nil},
		{"an-empty-configuration", "PUT /bucket", `<?xml version="1.0" encoding="UTF-8"?>` + "\n<CreateBucketConfiguration/>\n", map[string]string{}, nil},
		{"tags-of-a-bucket", "PUT /bucket", `<CreateBucketConfiguration><Tags><Tag><Key>team</Key><Value>blue</Value></Tag></Tags></CreateBucketConfiguration>`,
			map[string]string{"aws:RequestTag/team": "blue"}, map[string][]string{"aws:TagKeys": {"team"}}},
		{"tags-of-an-object", "PUT /bucket/key?tagging",
			`<Tagging><TagSet><Tag><Key>a</Key><Value>1 &amp; 2</Value></Tag><Tag><Value></Value><Key>b</Key></Tag></TagSet></Tagging>`,
			map[string]string{"s3:RequestObjectTag/a": "1 & 2", "s3:RequestObjectTag/b": ""}, map[string][]string{"s3:RequestObjectTagKeys": {"a", "b"}}},
		{"retention", "PUT /bucket/key?retention", `<Retention` + ns + `><Mode>GOVERNANCE</Mode><RetainUntilDate>2029-12-26T12:00:00Z</RetainUntilDate></Retention>`,
			map[string]string{"s3:object-lock-mode": "GOVERNANCE", "s3:object-lock-retain-until-date": "2029-12-26T12:00:00Z",
				"s3:object-lock-remaining-retention-days": "1"}, nil},
		{"a-hold", "PUT /bucket/key?legal-hold", `<LegalHold><Status>ON</Status></LegalHold>`, map[string]string{"s3:object-lock-legal-hold": "ON"}, nil},
		{"a-key", "PUT /bucket/key?encryption", `<ObjectEncryption><SSE-KMS><KMSKeyArn>k</KMSKeyArn></SSE-KMS></ObjectEncryption>`,
			map[string]string{"s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": "k"}, nil},
		{"an-inventory", "PUT /bucket?inventory&id=i", `<InventoryConfiguration><Id>i</Id><OptionalFields><Field>Size</Field><Field>ETag</Field></OptionalFields></InventoryConfiguration>`,
			map[string]string{}, map[string][]string{"s3:InventoryAccessibleOptionalFields": {"Size", "ETag"}}},
		{"a-restore", "POST /bucket/key?restore", `<RestoreRequest><Days>1</Days></RestoreRequest>`, map[string]string{}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := parsed(t, tc.request, nil)
			if err := r.SetDocument([]byte(tc.body)); err != nil {
				t.Fatalf("SetDocument(%s) = %v", tc.body, err)
			}
			n := r.Needs(nil, nil, now, 0)[0]
			if !maps.Equal(n.Keys, tc.want) || !maps.EqualFunc(n.Lists, tc.lists, slices.Equal[[]string]) {
				t.Errorf("keys = %v %v, want %v %v", n.Keys, n.Lists, tc.want, tc.lists)
			}
		})
	}
}

func TestReplicationPassesItsRole(t *testing.T) {
	r := parsed(t, "PUT /bucket?replication", nil)
	const role = "arn:aws:iam::123456789012:role/copier"
	if err := r.SetDocument([]byte("<ReplicationConfiguration><Role>" + role + "</Role><Rule><ID>a</ID></Rule></ReplicationConfiguration>")); err != nil {
		t.Fatal(err)
	}
	n := r.Needs(nil, nil, now, 0)[1]
	if n.Action != "iam:PassRole" || n.Resource != role || n.Bucket != "" || n.Keys["iam:PassedToService"] != "s3.amazonaws.com" {
		t.Errorf("second need = %+v, want iam:PassRole on %s", n, role)
	}
}

func TestDocumentsThatAStoreCouldReadOtherwiseAreRefused(t *testing.T) {
	tagging := func(inner string) string { return "<Tagging><TagSet>" + inner + "</TagSet></Tagging>" }
	const tag = "<Tag><Key>a</Key><Value>1</Value></Tag>"
	for _, tc := range []struct{ name, request, body, code string }{
		{"no-body", "PUT /bucket/key?tagging", "", "MissingRequestBodyError"},
		{"no-xml", "PUT /bucket/key?tagging", "{}", "MalformedXML"},
		{"cut-off", "PUT /bucket/key?tagging", "<Tagging><TagSet>", "MalformedXML"},
		{"another-root", "PUT /bucket/key?tagging", "<Other><TagSet/></Other>", "MalformedXML"},
		{"two-roots", "PUT /bucket/key?tagging", tagging(tag) + tagging(tag), "MalformedXML"},
		{"text-after-the-root", "PUT /bucket/key?tagging", tagging(tag) + "x", "MalformedXML"},
		{"two-sets", "PUT /bucket/key?tagging", "<Tagging><TagSet/><TagSet>" + tag + "</TagSet></Tagging>", "MalformedXML"},
		{"two-keys", "PUT /bucket/key?tagging", tagging("<Tag><Key>a</Key><Key>b</Key><Value>1</Value></Tag>"), "MalformedXML"},
		{"no-value", "PUT /bucket/key?tagging", tagging("<Tag><Key>a</Key></Tag>"), "MalformedXML"},
		{"an-unknown-element", "PUT /bucket/key?tagging", tagging("<Tag><Key>a</Key><Value>1</Value><More/></Tag>"), "MalformedXML"},
		{"a-tag-outside-the-set", "PUT /bucket/key?tagging", "<Tagging><TagSet/>" + tag + "</Tagging>", "MalformedXML"},
		{"text-among-elements", "PUT /bucket/key?tagging", tagging("x" + tag), "MalformedXML"},
		{"text-after-elements", "PUT /bucket/key?tagging", tagging(tag + "x"), "MalformedXML"},
		{"two-tags-of-one-name", "PUT /bucket/key?tagging", tagging(tag + tag), "InvalidTag"},
		{"a-value-with-a-space-before-it", "PUT /bucket/key?tagging", tagging("<Tag><Key>a</Key><Value> 1</Value></Tag>"), "MalformedXML"},
		{"a-comment", "PUT /bucket/key?tagging", tagging("<Tag><Key>a</Key><Value>1<!-- 2 -->3</Value></Tag>"), "MalformedXML"},
		{"a-document-type", "PUT /bucket/key?tagging", `<!DOCTYPE Tagging [<!ENTITY e "x">]>` + tagging(tag), "MalformedXML"},
		{"an-entity", "PUT /bucket/key?tagging", tagging("<Tag><Key>a</Key><Value>&e;</Value></Tag>"), "MalformedXML"},
		{"an-instruction", "PUT /bucket/key?tagging", "<Tagging><?php x?><TagSet/></Tagging>", "MalformedXML"},
		{"another-encoding", "PUT /bucket/key?tagging", `<?xml version="1.0" encoding="UTF-7"?>` + tagging(tag), "MalformedXML"},
		{"a-prefix", "PUT /bucket/key?tagging", `<s:Tagging xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:TagSet/></s:Tagging>`, "MalformedXML"},
		{"a-prefix-of-nothing", "PUT /bucket/key?tagging", `<s:Tagging><TagSet/></s:Tagging>`, "MalformedXML"},
		{"another-namespace", "PUT /bucket/key?tagging", `<Tagging xmlns="urn:other"><TagSet/></Tagging>`, "MalformedXML"},
		{"an-attribute", "PUT /bucket/key?tagging", tagging(`<Tag x="1"><Key>a</Key><Value>1</Value></Tag>`), "MalformedXML"},
		{"crossed-elements", "PUT /bucket/key?tagging", "<Tagging><TagSet></Tagging></TagSet>", "MalformedXML"},
		{"too-deep", "PUT /bucket/key?tagging", strings.Repeat("<Tagging>", 20) + strings.Repeat("</Tagging>", 20), "MalformedXML"},
		{"too-many-tags", "PUT /bucket/key?tagging", tagging(strings.Repeat(tag, 51)), "MalformedXML"},
		{"too-large", "PUT /bucket/key?tagging", strings.Repeat(" ", MaxDocument+1), "EntityTooLarge"},
		{"a-directory-bucket", "PUT /bucket", "<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>", "NotImplemented"},
		{"two-places", "PUT /bucket",
			"<CreateBucketConfiguration><LocationConstraint>a</LocationConstraint><LocationConstraint>b</LocationConstraint></CreateBucketConfiguration>", "MalformedXML"},
		{"restoring-a-query", "POST /bucket/key?restore", "<RestoreRequest><OutputLocation><S3/></OutputLocation></RestoreRequest>", "NotImplemented"},
		{"replication-without-a-role", "PUT /bucket?replication", "<ReplicationConfiguration><Rule/></ReplicationConfiguration>", "MalformedXML"},
		{"replication-as-a-user", "PUT /bucket?replication",
			"<ReplicationConfiguration><Role>arn:aws:iam::123456789012:user/a</Role></ReplicationConfiguration>", "MalformedXML"},
		{"an-operation-without-one", "GET /bucket/key", "<a/>", "InvalidRequest"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := parsed(t, tc.request, nil)
			err := r.SetDocument([]byte(tc.body))
			if e, ok := errors.AsType[*Error](err); !ok || e.Code != tc.code || e.Status == 0 {
				t.Errorf("SetDocument(%.120s) = %v, want %s", tc.body, err, tc.code)
			}
			if r.Op.Body == Judged && len(r.Needs(nil, nil, now, 0)) != 0 {
				t.Error("a refused document leaves needs that could be met")
			}
		})
	}
}

func TestXMLIsBounded(t *testing.T) {
	for name, body := range map[string]string{
		"depth":    strings.Repeat("<a>", maxDepth+1) + strings.Repeat("</a>", maxDepth+1),
		"elements": "<a>" + strings.Repeat("<b/>", maxElements) + "</a>",
	} {
		if _, err := parseXML([]byte(body)); err == nil {
			t.Errorf("parseXML beyond the limit of %s = nil, want a refusal", name)
		}
	}
	if _, err := parseXML([]byte(strings.Repeat("<a>", maxDepth) + strings.Repeat("</a>", maxDepth))); err != nil {
		t.Errorf("parseXML at the limit = %v", err)
	}
}

func TestParseDelete(t *testing.T) {
	d, err := ParseDelete([]byte(`<?xml version="1.0"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key> a&amp;b&#x20;</Key></Object>` +
		`<Object><Key>c</Key><VersionId>null</VersionId><ETag>"e"</ETag></Object><Quiet>true</Quiet></Delete>`))
	if err != nil {
		t.Fatal(err)
	}
	want := &Deletes{Quiet: true, Objects: []Deletion{{Key: " a&b "}, {Key: "c", VersionID: "null", ETag: `"e"`}}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("ParseDelete = %+v, want %+v", d, want)
	}
	if again, err := ParseDelete(d.XML()); err != nil || !reflect.DeepEqual(again, want) {
		t.Errorf("ParseDelete(XML()) = %+v, %v, want %+v", again, err, want)
	}
}

func TestParseDeleteRefuses(t *testing.T) {
	object := func(key string) string { return "<Object><Key>" + key + "</Key></Object>" }
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(object(fmt.Sprint(i)))
		}
		return b.String()
	}
	if _, err := ParseDelete([]byte("<Delete>" + many(1000) + "</Delete>")); err != nil {
		t.Errorf("ParseDelete of 1,000 keys = %v", err)
	}
	for name, tc := range map[string]struct{ inner, code string }{
		"nothing":             {"", "MalformedXML"},
		"1001-keys":           {many(1001), "MalformedXML"},
		"an-object-no-key":    {"<Object/>", "InvalidArgument"},
		"an-empty-key":        {object(""), "InvalidArgument"},
		"two-keys":            {"<Object><Key>a</Key><Key>b</Key></Object>", "MalformedXML"},
		"a-nested-key":        {"<Object><Key><Key>a</Key></Key></Object>", "MalformedXML"},
		"a-key-too-long":      {object(strings.Repeat("k", 1025)), "KeyTooLongError"},
		"a-line-feed":         {object("a&#10;b"), "InvalidArgument"},
		"an-empty-version":    {"<Object><Key>a</Key><VersionId/></Object>", "InvalidArgument"},
		"a-path-as-a-version": {"<Object><Key>a</Key><VersionId>../b</VersionId></Object>", "InvalidArgument"},
		"an-unknown-element":  {"<Object><Key>a</Key><Force>true</Force></Object>", "MalformedXML"},
		"an-odd-quiet":        {object("a") + "<Quiet>1</Quiet>", "MalformedXML"},
		"two-quiets":          {object("a") + "<Quiet>true</Quiet><Quiet>false</Quiet>", "MalformedXML"},
	} {
		_, err := ParseDelete([]byte("<Delete>" + tc.inner + "</Delete>"))
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != tc.code {
			t.Errorf("%s: ParseDelete = %v, want %s", name, err, tc.code)
		}
	}
}

func TestForm(t *testing.T) {
	r := parsed(t, "POST /bucket", nil)
	obj, h, err := r.Form("a/b c", map[string][]string{
		"Key": {"a/${filename}"}, "acl": {"public-read"}, "Content-Type": {"text/plain"}, "tagging": {"<Tagging><TagSet><Tag><Key>team</Key><Value>a b</Value></Tag></TagSet></Tagging>"},
		"X-Amz-Meta-Colour": {"red"}, "policy": {"p"}, "x-amz-signature": {"s"}, "X-Ignore-This": {"x"}, "success_action_status": {"201"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if obj.Op.Name != "PutObject" || obj.Path != "/bucket/a/b%20c" || obj.Key != "a/b c" || h.Get("Content-Type") != "text/plain" || h.Get("X-Amz-Meta-Colour") != "red" ||
		h.Get("X-Amz-Tagging") != "team=a+b" || len(h) != 4 {
		t.Errorf("Form = %s %s %v", obj.Op.Name, obj.Path, h)
	}
	var got []string
	for _, n := range obj.Needs(nil, h, now, 0) {
		got = append(got, n.Action)
	}
	if want := []string{"s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging"}; !slices.Equal(got, want) {
		t.Errorf("Needs = %v, want %v", got, want)
	}
	if n := obj.Needs(&sigv4.Signature{}, h, now, 0)[0]; n.Keys["s3:authType"] != "POST" {
		t.Errorf("s3:authType = %q, want POST", n.Keys["s3:authType"])
	}
	for name, fields := range map[string]map[string][]string{
		"an-unknown-field":         {"other": {"x"}},
		"a-field-twice":            {"acl": {"a", "b"}},
		"a-field-and-its-header":   {"acl": {"a"}, "x-amz-acl": {"b"}},
		"a-field-in-two-spellings": {"x-amz-meta-a": {"1"}, "X-Amz-Meta-A": {"2"}},
		"a-copy":                   {"x-amz-copy-source": {"other/key"}},
		"an-unknown-header":        {"x-amz-new": {"a"}},
		"a-line-feed":              {"Content-Type": {"a\r\nX-Amz-Acl: public-read"}},
		"tags-that-are-no-xml":     {"tagging": {"a=1"}},
	} {
		if _, _, err := r.Form("key", fields); err == nil {
			t.Errorf("Form with %s = nil, want a refusal", name)
		}
	}
	if _, _, err := r.Form("a\x00b", nil); err == nil {
		t.Error("Form with a null byte in its key = nil, want a refusal")
	}
}
