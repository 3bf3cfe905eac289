// SPDX-License-Identifier: Apache-2.0

package managed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLookup(t *testing.T) {
	for _, test := range []struct {
		name, arn     string
		path, version string
		id            string
		linked        bool
	}{
		{"root-path", "arn:aws:iam::aws:policy/AdministratorAccess", "/", "v1", "ANPAIWMBCKSKIEE64ZLYK", false},
		{"job-function", "arn:aws:iam::aws:policy/job-function/Billing", "/job-function/", "", "", false},
		{"service-role", "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole", "/service-role/", "", "", false},
		{"service-linked", "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy", "/aws-service-role/", "", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, ok := Lookup(test.arn)
			if !ok {
				t.Fatalf("Lookup(%q) found nothing", test.arn)
			}
			if p.ARN != test.arn || p.Path != test.path || p.ARN != arnPrefix+p.Path+p.Name {
				t.Errorf("Lookup(%q) = %q with path %q and name %q", test.arn, p.ARN, p.Path, p.Name)
			}
			if test.version != "" && p.DefaultVersion != test.version {
				t.Errorf("DefaultVersion = %q, want %q", p.DefaultVersion, test.version)
			}
			if test.id != "" && p.ID != test.id {
				t.Errorf("ID = %q, want %q", p.ID, test.id)
			}
			if got := p.ServiceLinked(); got != test.linked {
				t.Errorf("ServiceLinked() = %v, want %v", got, test.linked)
			}
		})
	}
}

func TestLookupRefuses(t *testing.T) {
	for _, arn := range []string{
		"", "AdministratorAccess", "arn:aws:iam::aws:policy/administratoraccess",
		"arn:aws:iam::aws:policy/job-function/AdministratorAccess", "arn:aws:iam::aws:policy/Billing",
		"arn:aws:iam::123456789012:policy/AdministratorAccess", "arn:aws:iam::aws:policy/AdministratorAccess ",
	} {
		if p, ok := Lookup(arn); ok {
			t.Errorf("Lookup(%q) = %q, want none", arn, p.ARN)
		}
	}
}

func TestDocumentIsTheCurrentVersion(t *testing.T) {
	p, _ := Lookup("arn:aws:iam::aws:policy/AdministratorAccess")
	const want = `{
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "*",
            "Resource": "*"
        }
    ]
}`
	if got := p.Document(); got != want {
		t.Errorf("Document() = %s, want %s", got, want)
	}
}

func TestAllIsSortedCompleteAndDistinct(t *testing.T) {
	all := All()
	if got := len(all); got != 1594 {
		t.Errorf("len(All()) = %d, want 1594", got)
	}
	id := regexp.MustCompile(`^ANPA[A-Z2-7]{17}$`)
	version := regexp.MustCompile(`^v[1-9][0-9]*$`)
	names, ids := map[string]bool{}, map[string]bool{}
	for _, p := range all {
		if names[p.Name] || ids[p.ID] {
			t.Errorf("%s: its name or its id %s is given twice", p.ARN, p.ID)
		}
		names[p.Name], ids[p.ID] = true, true
		if !id.MatchString(p.ID) || !version.MatchString(p.DefaultVersion) {
			t.Errorf("%s: id %q, version %q", p.ARN, p.ID, p.DefaultVersion)
		}
		if p.Created.IsZero() || p.Updated.Before(p.Created) || p.Created.Location() != time.UTC {
			t.Errorf("%s: created %v, updated %v", p.ARN, p.Created, p.Updated)
		}
		if got, ok := Lookup(p.ARN); !ok || got != p {
			t.Errorf("Lookup(%q) does not give the policy that All lists", p.ARN)
		}
	}
	if !slices.IsSortedFunc(all, func(a, b *Policy) int {
		return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	}) {
		t.Error("All() is not sorted by name")
	}
}

// TestEmbeddedFilesAreAPair proves, without the package that they were made
// from, that documents.bin is what policies.txt was written for.
func TestEmbeddedFilesAreAPair(t *testing.T) {
	sum := sha256.Sum256(blob)
	if want := fmt.Sprintf("# documents.bin sha256 %x\n", sum); !strings.Contains(summary, want) {
		t.Errorf("policies.txt does not have the line %q", want)
	}
	for _, p := range All() {
		doc := p.Document()
		sum := sha256.Sum256([]byte(doc))
		if got := hex.EncodeToString(sum[:8]); got != p.sum {
			t.Errorf("%s: SHA-256 of the document begins with %s, want %s", p.ARN, got, p.sum)
		}
		if !json.Valid([]byte(doc)) {
			t.Errorf("%s: the document is not JSON", p.ARN)
		}
	}
}

func TestParseRefusesWhatDoesNotFit(t *testing.T) {
	const line = "/A ANPAAAAAAAAAAAAAAAAAA v1 2020-01-01T00:00:00Z 2020-01-01T00:00:00Z 2 00\n"
	for _, test := range []struct {
		name, summary, blob string
	}{
		{"too-few-columns", "/A v1\n", "\x01\x01\x00"},
		{"bad-date", strings.Replace(line, "2020-01-01T", "2020-13-01T", 1), "\x01\x01\x00"},
		{"bad-size", strings.Replace(line, " 2 ", " x ", 1), "\x01\x01\x00"},
		{"no-table", line, ""},
		{"table-cut-short", line, "\x01\x01"},
		{"more-documents-than-policies", line, "\x01\x02\x00"},
		{"fewer-documents-than-policies", line + line, "\x01\x01\x00"},
		{"block-cut-short", line, "\x01\x01\x05abcd"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := parse(test.summary, []byte(test.blob)); err == nil {
				t.Error("parse succeeded, want an error")
			}
		})
	}
}

func TestDocumentIsSafeForConcurrentUse(t *testing.T) {
	x, err := parse(summary, blob)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range x.sorted {
				if p := x.sorted[(i+g*200)%len(x.sorted)]; len(p.Document()) != p.size {
					t.Errorf("%s: document of %d bytes, want %d", p.ARN, len(p.Document()), p.size)
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkIndex(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(summary, blob); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDocument measures the first use of a policy's document.
func BenchmarkDocument(b *testing.B) {
	x, err := parse(summary, blob)
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"/AdministratorAccess", "/ReadOnlyAccess", "/aws-service-role/AWSSupportServiceRolePolicy"} {
		p := x.byARN[arnPrefix+name]
		b.Run("cold="+p.Name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				y, _ := parse(summary, blob)
				q := y.byARN[p.ARN]
				b.StartTimer()
				if q.Document() == "" {
					b.Fatal("no document")
				}
			}
		})
	}
}

func BenchmarkLookup(b *testing.B) {
	All()
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := Lookup("arn:aws:iam::aws:policy/ReadOnlyAccess"); !ok {
			b.Fatal("no policy")
		}
	}
}
