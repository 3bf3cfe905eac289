// SPDX-License-Identifier: Apache-2.0

package catalog

import (
	"fmt"
	"iter"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestKnownActions(t *testing.T) {
	for _, test := range []struct {
		prefix, action string
		want           Action
	}{
		{"s3", "GetObject", Action{
			Name: "GetObject", Access: Read,
			Resources: []ResourceUse{{Type: "accesspointobject"}, {Type: "object"}},
			ConditionKeys: []string{
				"s3:AccessGrantsInstanceArn", "s3:ExistingObjectTag/${TagKey}", "s3:ResourceAccount", "s3:TlsVersion",
				"s3:authType", "s3:signatureAge", "s3:signatureversion", "s3:x-amz-content-sha256",
			},
		}},
		{"IAM", "passROLE", Action{
			Name: "PassRole", Access: Write,
			Resources:     []ResourceUse{{Type: "role", Required: true}},
			ConditionKeys: []string{"iam:AssociatedResourceArn", "iam:PassedToService"},
		}},
		{"sts", "AssumeRole", Action{
			Name: "AssumeRole", Access: Write,
			Resources: []ResourceUse{{Type: "role", Required: true}},
			ConditionKeys: []string{
				"accounts.google.com:aud", "accounts.google.com:sub", "aws:RequestTag/${TagKey}", "aws:TagKeys",
				"cognito-identity.amazonaws.com:amr", "cognito-identity.amazonaws.com:aud", "cognito-identity.amazonaws.com:sub",
				"graph.facebook.com:app_id", "graph.facebook.com:id", "iam:ResourceTag/${TagKey}",
				"saml:namequalifier", "saml:sub", "saml:sub_type",
				"sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity", "sts:TransitiveTagKeys",
				"www.amazon.com:app_id", "www.amazon.com:user_id",
			},
		}},
		{"sts", "GetCallerIdentity", Action{Name: "GetCallerIdentity", Access: Read}},
		{"iam", "AddRoleToInstanceProfile", Action{
			Name: "AddRoleToInstanceProfile", Access: Write,
			Resources: []ResourceUse{{Type: "instance-profile", Required: true}},
			Dependent: []string{"iam:PassRole"},
		}},
		{"iam", "TagRole", Action{
			Name: "TagRole", Access: Tagging,
			Resources:     []ResourceUse{{Type: "role", Required: true}},
			ConditionKeys: []string{"aws:RequestTag/${TagKey}", "aws:TagKeys", "iam:RoleTemplateARN"},
		}},
		{"iam", "AttachGroupPolicy", Action{
			Name: "AttachGroupPolicy", Access: PermissionsManagement,
			Resources:     []ResourceUse{{Type: "group", Required: true}},
			ConditionKeys: []string{"iam:PolicyARN"},
		}},
	} {
		t.Run(test.prefix+"-"+test.action, func(t *testing.T) {
			s, ok := Lookup(test.prefix)
			if !ok {
				t.Fatalf("Lookup(%q) found nothing", test.prefix)
			}
			got, ok := s.Action(test.action)
			if !ok || fmt.Sprint(got) != fmt.Sprint(test.want) {
				t.Errorf("Action(%q) = %+v, %v, want %+v", test.action, got, ok, test.want)
			}
		})
	}
}

func TestUnknownIsNotFound(t *testing.T) {
	iam, _ := Lookup("iam")
	for _, name := range []string{"", "PassRoles", "PassRol", "*", "iam:PassRole", "zzz", "PassRole\x00", "ﬁ", "PassRole "} {
		if a, ok := iam.Action(name); ok {
			t.Errorf("Action(%q) = %v, want none", name, a)
		}
		if r, ok := iam.ResourceType(name); ok {
			t.Errorf("ResourceType(%q) = %v, want none", name, r)
		}
		if k, ok := iam.ConditionKey(name); ok {
			t.Errorf("ConditionKey(%q) = %v, want none", name, k)
		}
		if s, ok := Lookup(name); ok {
			t.Errorf("Lookup(%q) = %v, want none", name, s.Prefix)
		}
	}
}

// The numbers are those of the packages' own data, counted with another program,
// less what the packages have twice.
func TestCounts(t *testing.T) {
	services, actions, types, keys, uses, required, dependent := 0, 0, 0, 0, 0, 0, 0
	for s := range Services() {
		services++
		types += count(s.ResourceTypes())
		keys += count(s.ConditionKeys())
		for a := range s.Actions() {
			actions++
			uses += len(a.Resources)
			some := len(a.Dependent) > 0
			for _, u := range a.Resources {
				if u.Required {
					required++
				}
				some = some || len(u.Dependent) > 0
			}
			if some {
				dependent++
			}
		}
	}
	got := [...]int{services, actions, types, keys, count(GlobalKeys()), uses, required, dependent}
	want := [...]int{456, 22091, 2334, 2578 - 1, 59, 21931 - 6, 15730 - 3, 1584}
	if got != want {
		t.Errorf("services, actions, types, keys, global keys, uses, required, with dependent = %v, want %v", got, want)
	}
	for _, test := range []struct {
		prefix, name          string
		actions, types, keys_ int
	}{
		{"iam", "AWS Identity and Access Management (IAM)", 190, 15, 22},
		{"sts", "AWS Security Token Service", 16, 5, 131},
		{"organizations", "AWS Organizations", 63, 9, 7},
		{"s3", "Amazon S3", 180, 13, 64},
	} {
		s, ok := Lookup(test.prefix)
		if !ok {
			t.Errorf("Lookup(%q) found nothing", test.prefix)
			continue
		}
		a, r, k := count(s.Actions()), count(s.ResourceTypes()), count(s.ConditionKeys())
		if s.Name != test.name || a != test.actions || r != test.types || k != test.keys_ {
			t.Errorf("%s = %q with %d actions, %d types, %d keys, want %+v", test.prefix, s.Name, a, r, k, test)
		}
	}
}

func count[T any](seq iter.Seq[T]) int {
	n := 0
	for range seq {
		n++
	}
	return n
}

// TestFactsHoldTogether looks for what a reader of the catalogue must be able to
// rely on.
func TestFactsHoldTogether(t *testing.T) {
	var prefixes []string
	for s := range Services() {
		prefixes = append(prefixes, s.Prefix)
		if found, ok := Lookup(strings.ToUpper(s.Prefix)); !ok || found != s {
			t.Errorf("Lookup(%q in upper case) is another", s.Prefix)
		}
		var actions, types, keys []string
		for k := range s.ConditionKeys() {
			keys = append(keys, k.Name)
			if found, ok := s.ConditionKey(strings.ToUpper(k.Name)); !ok || found != k {
				t.Errorf("%s: ConditionKey(%q in upper case) = %v, %v", s.Prefix, k.Name, found, ok)
			}
		}
		for r := range s.ResourceTypes() {
			types = append(types, r.Name)
			checkKeys(t, s, r.Name, r.ConditionKeys)
			if len(r.ARNs) == 0 {
				t.Errorf("%s: %s has no ARN", s.Prefix, r.Name)
			}
			for _, template := range r.ARNs {
				if arn := variable.ReplaceAllString(template, "x"); !r.Matches(arn) || r.Matches(arn+":") && strings.HasSuffix(template, "x") {
					t.Errorf("%s: %s does not match %s", s.Prefix, r.Name, arn)
				}
			}
		}
		for a := range s.Actions() {
			actions = append(actions, a.Name)
			checkAction(t, s, a)
		}
		for _, list := range [][]string{actions, types, keys} {
			checkSorted(t, s.Prefix, list)
		}
	}
	checkSorted(t, "services", prefixes)
	if _, err := time.Parse(time.DateOnly, Date); err != nil || !strings.Contains(summary, "# "+Date+": ") {
		t.Errorf("Date = %q, which is no date or not the summary's", Date)
	}
}

var variable = regexp.MustCompile(`\$\{[A-Za-z0-9]+\}|\*`)

func checkAction(t *testing.T, s *Service, a Action) {
	t.Helper()
	if found, ok := s.Action(strings.ToLower(a.Name)); !ok || found.Name != a.Name {
		t.Errorf("%s: Action(%q in lower case) = %v, %v", s.Prefix, a.Name, found, ok)
	}
	switch a.Access {
	case List, Read, Write, Tagging, PermissionsManagement:
	default:
		t.Errorf("%s:%s has the access level %q", s.Prefix, a.Name, a.Access)
	}
	checkKeys(t, s, a.Name, a.ConditionKeys)
	checkDependent(t, a.Name, a.Dependent)
	var uses []string
	for _, u := range a.Resources {
		uses = append(uses, u.Type)
		if r, ok := s.ResourceType(u.Type); !ok || r.Name != u.Type {
			t.Errorf("%s:%s uses the unknown type %q", s.Prefix, a.Name, u.Type)
		}
		checkKeys(t, s, a.Name, u.ConditionKeys)
		checkDependent(t, a.Name, u.Dependent)
	}
	checkSorted(t, s.Prefix+":"+a.Name, uses)
}

func checkKeys(t *testing.T, s *Service, what string, keys []string) {
	t.Helper()
	if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(keys) {
		t.Errorf("%s: the keys of %s are not sorted, or one is there twice: %v", s.Prefix, what, keys)
	}
	for _, k := range keys {
		if found, ok := s.ConditionKey(k); !ok || found.Name != k {
			t.Errorf("%s: %s has the unknown key %s", s.Prefix, what, k)
		}
	}
}

func checkDependent(t *testing.T, what string, actions []string) {
	t.Helper()
	for _, name := range actions {
		prefix, name, _ := strings.Cut(name, ":")
		s, ok := Lookup(prefix)
		if !ok {
			t.Errorf("%s depends on the unknown service %s", what, prefix)
			continue
		}
		if a, ok := s.Action(name); !ok || a.Name != name {
			t.Errorf("%s depends on the unknown action %s:%s", what, prefix, name)
		}
	}
}

// checkSorted fails unless names are sorted, each once, without regard to case.
func checkSorted(t *testing.T, what string, names []string) {
	t.Helper()
	for i := 1; i < len(names); i++ {
		if compareFold(names[i-1], names[i]) >= 0 {
			t.Errorf("%s: %q is before %q", what, names[i-1], names[i])
		}
	}
}

func TestConditionKeys(t *testing.T) {
	iam, _ := Lookup("iam")
	s3, _ := Lookup("s3")
	for _, test := range []struct {
		lookup func(string) (ConditionKey, bool)
		name   string
		want   ConditionKey
	}{
		{iam.ConditionKey, "iam:passedtoservice", ConditionKey{"iam:PassedToService", TypeString, false}},
		{iam.ConditionKey, "AWS:ResourceTag/Team/a:b", ConditionKey{"aws:ResourceTag/${TagKey}", TypeString, false}},
		{iam.ConditionKey, "aws:tagkeys", ConditionKey{"aws:TagKeys", TypeString, true}},
		{s3.ConditionKey, "s3:ExistingObjectTag/class", ConditionKey{"s3:ExistingObjectTag/${TagKey}", TypeString, false}},
		{GlobalKey, "aws:principaltag/team", ConditionKey{"aws:PrincipalTag/${TagKey}", TypeString, false}},
		{GlobalKey, "aws:PrincipalOrgPaths", ConditionKey{"aws:PrincipalOrgPaths", TypeString, true}},
		{GlobalKey, "aws:SourceIp", ConditionKey{"aws:SourceIp", TypeIPAddress, false}},
	} {
		if got, ok := test.lookup(test.name); !ok || got != test.want {
			t.Errorf("key %q = %v, %v, want %v", test.name, got, ok, test.want)
		}
	}
	for _, name := range []string{"aws:PrincipalTag", "aws:PrincipalTag/", "aws:Nothing", "iam:PassedToService"} {
		if got, ok := GlobalKey(name); ok {
			t.Errorf("GlobalKey(%q) = %v, want none", name, got)
		}
	}
}

func TestResourceTypeMatches(t *testing.T) {
	for _, test := range []struct {
		name, template, arn string
		want                bool
	}{
		{"plain", "arn:${Partition}:iam::${Account}:role/${R}", "arn:aws:iam::111122223333:role/a", true},
		{"with-a-path", "arn:${Partition}:iam::${Account}:role/${R}", "arn:aws:iam::111122223333:role/a/b/c", true},
		{"nothing-in-place-of-a-name", "arn:${Partition}:iam::${Account}:role/${R}", "arn:aws:iam::111122223333:role/", false},
		{"another-type", "arn:${Partition}:iam::${Account}:role/${R}", "arn:aws:iam::111122223333:user/a", false},
		{"another-service", "arn:${Partition}:iam::${Account}:role/${R}", "arn:aws:sts::111122223333:role/a", false},
		{"region-where-none-belongs", "arn:${Partition}:iam::${Account}:role/${R}", "arn:aws:iam:eu-west-1:111122223333:role/a", false},
		{"account-left-out", "arn:${Partition}:s3:${Region}:${Account}:b/${B}", "arn:aws:s3:::b/x", true},
		{"colon-in-the-resource", "arn:${Partition}:x:${Region}:${A}:f:${N}:${V}", "arn:aws:x:r:1:f:n:1", true},
		{"part-missing", "arn:${Partition}:x:${Region}:${A}:f:${N}:${V}", "arn:aws:x:r:1:f:n", false},
		{"end-of-the-text-counts", "arn:${Partition}:x:::a/${A}/end", "arn:aws:x:::a/end/end/end", true},
		{"end-missing", "arn:${Partition}:x:::a/${A}/end", "arn:aws:x:::a/b/en", false},
		{"star-is-a-variable", "arn:${Partition}:x:*::e/${A}/*", "arn:aws:x:r::e/a/b", true},
		{"two-variables-in-a-row", "arn:${Partition}:x:::${A}${B}", "arn:aws:x:::ab", true},
		{"two-variables-for-one-character", "arn:${Partition}:x:::${A}${B}", "arn:aws:x:::a", false},
		{"not-an-arn", "arn:${Partition}:x:::${A}", "a:b", false},
		{"everything", "arn:${Partition}:x:::${A}", "*", false},
		{"no-variable", "arn:${Partition}:iam::${Account}:root", "arn:aws:iam::111122223333:root", true},
		{"no-variable-and-more", "arn:${Partition}:iam::${Account}:root", "arn:aws:iam::111122223333:rooted", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := ResourceType{ARNs: []string{"arn:none:none:::none", test.template}}
			if got := r.Matches(test.arn); got != test.want {
				t.Errorf("Matches(%q) = %v, want %v", test.arn, got, test.want)
			}
		})
	}
}

func TestConcurrentFirstUse(t *testing.T) {
	x, err := parse(summary, blob)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 40 {
				s := x.services[(n+i)%40]
				if _, ok := s.Action("nothing"); ok {
					t.Errorf("%s has an action nothing", s.Prefix)
				}
			}
		})
	}
	wg.Wait()
}

func TestDamagedDataIsAnError(t *testing.T) {
	for _, test := range []struct{ name, old, new string }{
		{"key-of-an-unknown-type", "key aws:CalledVia ArrayOfString", "key aws:CalledVia ArrayOfText"},
		{"line-too-short", "dictionary ", "dict "},
		{"more-than-there-is", "\na2c 4 0 0 156 ", "\na2c 4 0 0 156 9999999"},
		{"negative", "\na2c 4 0 0 156 ", "\na2c 4 0 0 156 -"},
		{"no-number", "dictionary ", "dictionary x"},
		{"service-missing", "\na2c ", "\n# a2c "},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := strings.Replace(summary, test.old, test.new, 1)
			if in == summary {
				t.Fatal("the case changes nothing")
			}
			if _, err := parse(in, blob); err == nil && test.name != "no-number" {
				t.Error("parse succeeded, want an error")
			}
		})
	}
	for _, test := range []struct{ name, text string }{
		{"unknown-line", "what\tx\n"},
		{"use-without-an-action", "on\trole\trequired\t\t\n"},
		{"too-few-fields", "action\tA\tRead\n"},
		{"key-of-an-unknown-type", "key\ta:b\tText\n"},
		{"fewer-than-the-index-says", "action\tA\tRead\t\t\n"},
	} {
		if _, err := decode(test.text, []string{"2", "0", "0"}); err == nil {
			t.Errorf("decode(%s) succeeded, want an error", test.name)
		}
	}
}

// FuzzLookup compares every look-up with going through the lists.
func FuzzLookup(f *testing.F) {
	for _, name := range []string{"iam:PassRole", "S3:getobject", "sts:AssumeRole", "aws:ResourceTag/a", "iam:role", "", ":", "a2c:", "zz:é", "iam:\u212a"} {
		f.Add(name)
	}
	all := make(map[string]*Service)
	for s := range Services() {
		all[s.Prefix] = s
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix, name, _ := strings.Cut(text, ":")
		s, ok := Lookup(prefix)
		if want, known := all[asciiLower(prefix)]; ok != known || s != want {
			t.Fatalf("Lookup(%q) = %v, %v, want %v", prefix, s, ok, want)
		}
		global, ok := GlobalKey(text)
		if ok != slices.ContainsFunc(slices.Collect(GlobalKeys()), func(k ConditionKey) bool { return k.Matches(text) }) || ok && !global.Matches(text) {
			t.Errorf("GlobalKey(%q) = %v, %v", text, global, ok)
		}
		if s == nil {
			return
		}
		a, ok := s.Action(name)
		if ok != contains(s.Actions(), func(a Action) bool { return asciiLower(a.Name) == asciiLower(name) }) || ok && asciiLower(a.Name) != asciiLower(name) {
			t.Errorf("Action(%q) = %v, %v", name, a.Name, ok)
		}
		r, ok := s.ResourceType(name)
		if ok != contains(s.ResourceTypes(), func(r ResourceType) bool { return asciiLower(r.Name) == asciiLower(name) }) {
			t.Errorf("ResourceType(%q) = %v, %v", name, r.Name, ok)
		}
		k, ok := s.ConditionKey(text)
		if ok != contains(s.ConditionKeys(), func(k ConditionKey) bool { return k.Matches(text) }) || ok && !k.Matches(text) {
			t.Errorf("ConditionKey(%q) = %v, %v", text, k, ok)
		}
	})
}

func contains[T any](seq iter.Seq[T], is func(T) bool) bool {
	for x := range seq {
		if is(x) {
			return true
		}
	}
	return false
}

func asciiLower(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}

// FuzzMatches compares the templates of ARNs with a regular expression.
func FuzzMatches(f *testing.F) {
	f.Add("${A}/x*", "a/xb")
	f.Add("a${A}${B}a", "aaaa")
	f.Add("${", "$")
	f.Add("*a*", "bab")
	f.Fuzz(func(t *testing.T, template, text string) {
		if !ascii.MatchString(template) || !ascii.MatchString(text) { // elsewhere a byte is not a character
			return
		}
		var pattern strings.Builder
		rest := template
		for {
			before, after, found := cutVariable(rest)
			pattern.WriteString(regexp.QuoteMeta(before))
			if !found {
				break
			}
			pattern.WriteString(".+")
			rest = after
		}
		re := regexp.MustCompile("^(?:" + pattern.String() + ")$")
		if got, want := fill(template, text, 1), re.MatchString(text); got != want {
			t.Errorf("fill(%q, %q) = %v, want %v", template, text, got, want)
		}
	})
}

var ascii = regexp.MustCompile(`^[ -~]*$`)

// BenchmarkFirstUse is the first look-up of an action of a service, which decodes
// the service; ec2 is the largest.
func BenchmarkFirstUse(b *testing.B) {
	for _, prefix := range []string{"sts", "iam", "ec2"} {
		b.Run("service="+prefix, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				x := must(parse(summary, blob))
				i, _ := find(x.services, prefix, func(s *Service) string { return s.Prefix })
				b.StartTimer()
				x.services[i].Action("GetNothing")
			}
		})
	}
}

func BenchmarkAction(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		s, _ := Lookup("s3")
		s.Action("GetObject")
	}
}

// BenchmarkIndex is what the first call of all costs before any service.
func BenchmarkIndex(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		must(parse(summary, blob))
	}
}

// BenchmarkEverything decodes all services; heap is what they keep.
func BenchmarkEverything(b *testing.B) {
	b.ReportAllocs()
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		x := must(parse(summary, blob))
		for _, s := range x.services {
			s.facts()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(x)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1e6, "MB-kept")
}
