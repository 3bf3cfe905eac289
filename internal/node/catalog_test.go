// SPDX-License-Identifier: Apache-2.0

package node_test

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/catalog"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
	"github.com/innkeeper-iam/innkeeper/policy"
)

var update = flag.Bool("update", false, "write the golden files anew; new lines lack their reason")

// differences are the places where the operations do not do as the catalogue of
// AWS's actions says, a line each: kind, what, why, and the actions, between tabs.
// The kinds are
//
//	unknown   the catalogue has no such action
//	unasked   no exchange makes a request that asks for it
//	resource  a resource that is of none of the action's types
//	untried   a type of resource that the action requires, and none was asked for
//	missing   a condition key of the action or of such a resource that no request had
//	extra     one that a request had, and that the catalogue does not name
//	form      one with a list of values that should have one, or the other way round
const differences = "testdata/catalog.txt"

// A difference is a line but for the why.
type difference struct{ kind, what, action string }

// TestCatalogue compares what is asked of the policy engine, over all exchanges of
// the packages of operations and some of its own, with the catalogue. Every
// difference is known and has a reason.
func TestCatalogue(t *testing.T) {
	a := &asked{actions: make(map[string]*question)}
	files, err := filepath.Glob("../*/testdata/exchanges/*.txtar")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d exchanges: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(filepath.Dir(filepath.Dir(file))))+"-"+filepath.Base(file), func(t *testing.T) {
			iamtest.Options{Decided: a.note}.Replay(t, filled(t, file))
		})
	}
	for _, service := range iamtest.Start(t).Services() {
		for _, op := range service.Ops() {
			a.question(op.Action)
		}
	}
	var found []difference
	for action, q := range a.actions {
		found = append(found, q.compare(action)...)
	}
	slices.SortFunc(found, func(a, b difference) int {
		return cmp.Or(strings.Compare(a.kind, b.kind), strings.Compare(a.what, b.what), strings.Compare(a.action, b.action))
	})
	expect(t, slices.Compact(found))
}

// filled returns a copy of a file with a certificate and its key in the place of
// $cert and $key.
func filled(t *testing.T, file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := iamtest.NewClock().Now()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(1000 * time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, c, c, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	quoted := func(kind string, der []byte) string {
		return strconv.Quote(string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})))
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(file))
	made := strings.NewReplacer("=$cert", "="+quoted("CERTIFICATE", cert), "=$key", "="+quoted("PRIVATE KEY", key)).Replace(string(text))
	if err := os.WriteFile(copied, []byte(made), 0o600); err != nil {
		t.Fatal(err)
	}
	return copied
}

// asked collects what the engine is asked.
type asked struct {
	mu      sync.Mutex // guards actions
	actions map[string]*question
}

// A question is what was asked about one action.
type question struct {
	resources map[string]bool
	keys      map[string]bool // condition keys; true: with a list of values
}

// question returns what is asked about an action. The caller holds a.mu, or
// nothing runs.
func (a *asked) question(action string) *question {
	q, ok := a.actions[action]
	if !ok {
		q = &question{resources: make(map[string]bool), keys: make(map[string]bool)}
		a.actions[action] = q
	}
	return q
}

func (a *asked) note(r *policy.Request, _ policy.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q := a.question(r.Action)
	q.resources[r.Resource] = true
	for k := range r.Context {
		q.keys[k] = false
	}
	for k := range r.Lists {
		q.keys[k] = true
	}
}

// compare returns what differs between what was asked about an action and the
// catalogue.
func (q *question) compare(name string) []difference {
	var found []difference
	differs := func(kind, what string) { found = append(found, difference{kind, what, name}) }
	prefix, base, _ := strings.Cut(name, ":")
	service, _ := catalog.Lookup(prefix)
	action, ok := service.Action(base)
	if !ok {
		return []difference{{"unknown", "-", name}}
	}
	if len(q.resources) == 0 {
		return []difference{{"unasked", "-", name}}
	}
	keys := slices.Clone(action.ConditionKeys) // that the action and its resources have
	for resource := range q.resources {
		if use, ok := typeOf(service, action, resource); ok {
			r, _ := service.ResourceType(use.Type)
			keys = slices.Concat(keys, use.ConditionKeys, r.ConditionKeys)
		} else if resource != "*" || len(action.Resources) > 0 {
			differs("resource", account.ReplaceAllString(resource, ":$${Account}:"))
		}
	}
	for _, use := range action.Resources {
		r, _ := service.ResourceType(use.Type)
		if use.Required && !slices.ContainsFunc(slices.Collect(maps.Keys(q.resources)), r.Matches) {
			differs("untried", use.Type)
		}
	}
	slices.Sort(keys)
	for _, key := range slices.Compact(keys) {
		k, _ := service.ConditionKey(key)
		if !slices.ContainsFunc(slices.Collect(maps.Keys(q.keys)), k.Matches) {
			differs("missing", key)
		}
	}
	extra := make(map[string]bool)
	for key, list := range q.keys {
		k, ok := service.ConditionKey(key)
		if !ok || !slices.Contains(keys, k.Name) {
			if k, ok = catalog.GlobalKey(key); !ok || slices.Contains(ofTags, k.Name) {
				of, _ := service.ConditionKey(key)
				extra[cmp.Or(of.Name, key)] = true
				continue
			}
		}
		if k.Multi != list {
			differs("form", k.Name)
		}
	}
	for key := range extra {
		differs("extra", key)
	}
	return found
}

// ofTags are the global condition keys that only some actions have.
var ofTags = []string{"aws:RequestTag/${TagKey}", "aws:ResourceTag/${TagKey}", "aws:TagKeys"}

var account = regexp.MustCompile(`:\d{12}:`)

// typeOf returns the use of the action that a resource is for.
func typeOf(s *catalog.Service, a catalog.Action, resource string) (catalog.ResourceUse, bool) {
	for _, use := range a.Resources {
		if r, _ := s.ResourceType(use.Type); r.Matches(resource) {
			return use, true
		}
	}
	return catalog.ResourceUse{}, false
}

// expect compares the differences with those that are known.
func expect(t *testing.T, found []difference) {
	t.Helper()
	text, err := os.ReadFile(differences)
	if err != nil && !*update {
		t.Fatal(err)
	}
	why := make(map[difference]string)
	var head []byte
	for line := range bytes.Lines(text) {
		if line[0] == '#' {
			head = append(head, line...)
			continue
		}
		f := strings.Split(strings.TrimSpace(string(line)), "\t")
		if len(f) != 4 {
			t.Fatalf("%s: cannot read %q", differences, line)
		}
		for action := range strings.FieldsSeq(f[3]) {
			d := difference{f[0], f[1], action}
			if _, twice := why[d]; twice {
				t.Errorf("%s has %v twice", differences, d)
			}
			why[d] = f[2]
		}
	}
	if *update {
		write(t, head, found, why)
		return
	}
	for _, d := range found {
		switch reason, known := why[d]; {
		case !known:
			t.Errorf("%s: %s %s: not in %s", d.action, d.kind, d.what, differences)
		case reason == unreasoned:
			t.Errorf("%s: %s %s: %s gives no reason", d.action, d.kind, d.what, differences)
		}
		delete(why, d)
	}
	for d := range why {
		t.Errorf("%s: %s %s: in %s, but it is so no longer", d.action, d.kind, d.what, differences)
	}
}

// unreasoned stands for a reason that is to be written.
const unreasoned = "WHY"

// write writes the differences that were found, those of one kind and reason on
// one line.
func write(t *testing.T, head []byte, found []difference, why map[difference]string) {
	t.Helper()
	actions := make(map[string][]string) // by the line's beginning
	for _, d := range found {
		line := strings.Join([]string{d.kind, d.what, cmp.Or(why[d], unreasoned)}, "\t")
		actions[line] = append(actions[line], d.action)
	}
	out := bytes.NewBuffer(head)
	for _, line := range slices.Sorted(maps.Keys(actions)) {
		slices.Sort(actions[line])
		out.WriteString(line + "\t" + strings.Join(actions[line], " ") + "\n")
	}
	if err := os.WriteFile(differences, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
