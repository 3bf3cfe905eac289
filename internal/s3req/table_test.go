// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

// A modelled is an operation of the SDKs' model.
type modelled struct {
	name, method, uri string
	required          []string
}

func model(t *testing.T) []modelled {
	t.Helper()
	raw, err := os.ReadFile("testdata/model.txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []modelled
	for line := range strings.Lines(string(raw)) {
		if f := strings.Fields(line); f[0] != "#" {
			list = append(list, modelled{f[0], f[1], f[2], f[3:]})
		}
	}
	return list
}

// twins are operations of the model that are older names of others.
var twins = map[string]string{
	"GetBucketLifecycle":    "GetBucketLifecycleConfiguration",
	"GetBucketNotification": "GetBucketNotificationConfiguration",
	"PutBucketLifecycle":    "PutBucketLifecycleConfiguration",
	"PutBucketNotification": "PutBucketNotificationConfiguration",
}

func TestTableHasEveryOperationOnce(t *testing.T) {
	want := map[string]bool{"PostObject": true}
	for _, m := range model(t) {
		if twins[m.name] == "" {
			want[m.name] = true
		}
	}
	for _, rec := range recordings(t) {
		want[rec.operation] = true
	}
	got := map[string]bool{}
	last := ""
	for op := range Ops() {
		if got[op.Name] {
			t.Errorf("%s has two rows", op.Name)
		}
		got[op.Name] = true
		if op.Name < last {
			t.Errorf("%s comes after %s", op.Name, last)
		}
		last = op.Name
	}
	if !maps.Equal(got, want) {
		for name := range want {
			if !got[name] {
				t.Errorf("the table lacks %s", name)
			}
		}
		for name := range got {
			if !want[name] {
				t.Errorf("nobody knows %s", name)
			}
		}
	}
	if len(model(t)) != 111 {
		t.Errorf("the model has %d operations, want 111", len(model(t)))
	}
}

// sample returns the model's own request of an operation.
func (m *modelled) sample() (target string, h http.Header) {
	target = strings.NewReplacer("{Bucket}", "bucket", "{Key+}", "key").Replace(m.uri)
	h = http.Header{}
	sep := "?"
	if strings.Contains(target, "?") {
		sep = "&"
	}
	for _, name := range m.required {
		switch {
		case name == "x-amz-copy-source":
			h.Set(name, "source/key")
		case strings.HasPrefix(name, "x-amz-"):
			h.Set(name, "x")
		default:
			target += sep + name + "=1"
			sep = "&"
		}
	}
	return target, h
}

func TestRequestsOfTheModelAreTheirOperations(t *testing.T) {
	for _, m := range model(t) {
		t.Run(m.name, func(t *testing.T) {
			want := m.name
			if twins[want] != "" {
				want = twins[want]
			}
			target, h := m.sample()
			if want == "ListDirectoryBuckets" {
				target += "?max-directory-buckets=1" // the model tells it by its host alone
			}
			r, err := Parse(m.method, "h", target, h, nil)
			switch {
			case notSupported[want] != "":
				if e, ok := err.(*Error); !ok || e.Code != "NotImplemented" || e.Op != want {
					t.Errorf("Parse(%s %s) = %v, want NotImplemented of %s", m.method, target, err, want)
				}
			case err != nil:
				t.Errorf("Parse(%s %s) = %v", m.method, target, err)
			case r.Op.Name != want:
				t.Errorf("Parse(%s %s) = %s, want %s", m.method, target, r.Op.Name, want)
			}
		})
	}
}

// everyAction are the condition keys that every action has here.
var everyAction = []string{"s3:ResourceAccount", "s3:TlsVersion", "s3:authType", "s3:signatureAge", "s3:signatureversion", "s3:x-amz-content-sha256"}

// elsewhere are condition keys of the catalogue that no request to a bucket gives: of access
// points and access grants, of the bucket, and those said below.
var elsewhere = []string{
	"s3:AccessGrantsInstanceArn", "s3:AccessPointNetworkOrigin", "s3:AccessPointTag/${TagKey}", "s3:DataAccessPointAccount", "s3:DataAccessPointArn",
	"aws:ResourceTag/${TagKey}",
	"s3:isReplicationPauseRequest", // of AWS's Fault Injection Service
}

// facetKeys are the condition keys of the facets.
var facetKeys = map[facet][]string{
	versioned:   {"s3:versionid"},
	listed:      {"s3:prefix", "s3:delimiter", "s3:max-keys"},
	annotations: {"s3:annotation-prefix", "s3:max-annotation-results"},
	retained:    {"s3:object-lock-remaining-retention-days", "s3:object-lock-event-hold-duration-days"},
	tagged:      {"s3:RequestObjectTag/${TagKey}", "s3:RequestObjectTagKeys"},
	copySource:  {"s3:x-amz-copy-source"},
	creation:    {"s3:ObjectCreationOperation"},
	located:     {"aws:RequestTag/${TagKey}", "aws:TagKeys"},
	inventory:   {"s3:InventoryAccessibleOptionalFields"},
	existing:    {"s3:ExistingObjectTag/${TagKey}"},
}

// keysOf returns the condition keys that this package gives for an action.
func keysOf(name string) []string {
	keys := slices.Clone(everyAction)
	a := actions[name]
	for f, list := range facetKeys {
		if a.facets&f != 0 {
			keys = append(keys, list...)
		}
	}
	for i, c := range counted {
		if a.headers&(1<<i) != 0 && c.key != "" {
			keys = append(keys, c.key)
		}
	}
	if name == "CreateBucket" {
		keys = append(keys, "s3:locationconstraint") // from the document
	}
	return keys
}

func TestActionsAreThoseOfTheCatalog(t *testing.T) {
	used := map[string]bool{}
	for op := range Ops() {
		for i := range op.needs {
			p := &op.needs[i]
			for _, name := range []string{p.action, p.version} {
				checkAction(t, op, p, name)
				used[strings.TrimPrefix(name, "s3:")] = true
			}
		}
	}
	for name := range actions {
		if !used[name] {
			t.Errorf("no operation needs the action %s", name)
		}
	}
}

// checkAction compares one action of an operation with the catalog.
func checkAction(t *testing.T, op *Op, p *permission, name string) {
	t.Helper()
	prefix, short, _ := strings.Cut(name, ":")
	service, ok := catalog.Lookup(prefix)
	if !ok {
		t.Fatalf("%s: no service %s", op.Name, prefix)
	}
	a, ok := service.Action(short)
	if !ok || a.Name != short {
		t.Errorf("%s: the catalog has no action %s", op.Name, name)
		return
	}
	if prefix != "s3" {
		return
	}
	kind := map[Level]string{AtBucket: "bucket", AtObject: "object"}[op.Level]
	if p.on == theSource || op.Name == "DeleteObjects" || op.Name == "PostObject" {
		kind = "object"
	}
	if kind == "" != (len(a.Resources) == 0) ||
		kind != "" && !slices.ContainsFunc(a.Resources, func(u catalog.ResourceUse) bool { return u.Type == kind }) {
		t.Errorf("%s: %s is no action on a resource of type %q", op.Name, name, kind)
	}
	got, want := keysOf(short), a.ConditionKeys
	for _, key := range got {
		if key == "s3:x-amz-content-sha256" && strings.HasSuffix(short, "BucketObjectLockConfiguration") {
			continue // an oversight of the reference: every request has it
		}
		if !slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, key) }) {
			t.Errorf("%s: the catalog does not give %s the key %s", op.Name, name, key)
		}
	}
	for _, key := range want {
		if !slices.ContainsFunc(got, func(g string) bool { return strings.EqualFold(g, key) }) && !slices.Contains(elsewhere, key) {
			t.Errorf("%s: %s lacks the key %s", op.Name, name, key)
		}
	}
}

func TestChangesAreWhatTheCatalogCallsWriting(t *testing.T) {
	s3, _ := catalog.Lookup("s3")
	for op := range Ops() {
		writes := false
		for _, name := range op.Actions() {
			if a, ok := s3.Action(strings.TrimPrefix(name, "s3:")); ok {
				writes = writes || a.Access != catalog.Read && a.Access != catalog.List
			}
		}
		if writes != op.Changes && strings.HasPrefix(op.Actions()[0], "s3:") {
			t.Errorf("%s: Changes = %v, want %v", op.Name, op.Changes, writes)
		}
	}
}

func TestEveryPairOfTwinsIsTold(t *testing.T) {
	for at, ops := range index {
		for i, op := range ops[:len(ops)-1] {
			if op.Tell == "" {
				t.Errorf("%v: %s hides %s", at, op.Name, ops[i+1].Name)
			}
		}
		if last := ops[len(ops)-1]; len(ops) == 1 && last.Tell != "" {
			t.Errorf("%v: %s has no twin", at, last.Name)
		}
	}
}

func TestJudgedOperationsHaveReaders(t *testing.T) {
	for op := range Ops() {
		if (op.Body == Judged && op.Name != "DeleteObjects") != (readers[op.Name] != nil) {
			t.Errorf("%s: Body = %v, reader %v", op.Name, op.Body, readers[op.Name] != nil)
		}
	}
}
