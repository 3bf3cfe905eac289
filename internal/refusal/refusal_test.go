// SPDX-License-Identifier: Apache-2.0

package refusal_test

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/api"
	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

// models are the files of the SDK's models by service.
var models = map[string]string{"iam": "iam", "sts": "sts", "organizations": "org"}

// TestRefusals makes every request that every operation must refuse, from the
// models, and checks what the answer says and that nothing changed. It logs how
// many there were of each kind.
func TestRefusals(t *testing.T) {
	p := newPlace(t)
	ops := operations(t, p.Services())
	var mu sync.Mutex
	tally := make(map[string]int)
	t.Cleanup(func() {
		total := 0
		for _, kind := range slices.Sorted(maps.Keys(tally)) {
			t.Logf("%6d %s", tally[kind], kind)
			total += tally[kind]
		}
		t.Logf("%6d cases of %d operations, %d requests", total, len(ops), p.count.Load())
	})
	for i, name := range slices.Sorted(maps.Keys(ops)) {
		if i%oneOf != 0 {
			continue
		}
		o := ops[name]
		t.Run(strings.ReplaceAll(name, ":", "."), func(t *testing.T) {
			t.Parallel()
			x := &exam{sandbox: p.sandbox(t), o: o, ops: ops, tally: make(map[string]int)}
			x.run()
			mu.Lock()
			defer mu.Unlock()
			for kind, n := range x.tally {
				tally[kind] += n
			}
		})
	}
}

// operations returns the operations by "service:Name". The models must have them.
func operations(t *testing.T, services []*api.Service) map[string]*operation {
	ops := make(map[string]*operation)
	for _, svc := range services {
		file, ok := models[svc.Name]
		if !ok {
			t.Fatalf("there is no model of the service %s", svc.Name)
		}
		m := readModel(t, file)
		m.compile()
		for _, op := range svc.Ops() {
			if _, ok := m.Operations[op.Name]; !ok {
				t.Errorf("the model of %s has no operation %s", svc.Name, op.Name)
				continue
			}
			ops[svc.Name+":"+op.Name] = &operation{model: m, svc: svc, name: op.Name}
		}
	}
	return ops
}

// An exam is all the refusals of one operation.
type exam struct {
	*sandbox
	o      *operation
	ops    map[string]*operation
	base   base
	valid  object
	caller *iamtest.Client
	errors map[string]int // the codes that may come, and their statuses
	tally  map[string]int
}

func (x *exam) run() {
	x.prepare()
	x.validation()
	x.credentials()
	x.permission()
	x.absence()
	x.protocol()
	x.success()
}

// prepare makes what the operation acts on, and a valid request of it.
func (x *exam) prepare() {
	x.base = x.o.base()
	uses := func(what string) bool { return strings.Contains(fmt.Sprint(x.base), what) }
	if uses("guest") {
		guest := x.place.sandbox(x.t)
		x.vars["guest"], x.guest = guest.account, guest
	}
	for _, s := range x.base.before {
		x.step(x.ops, s)
	}
	if uses("$EncodedMessage") {
		a := x.send(x.t, x.ops["iam:ListUsers"], x.build(x.ops["iam:ListUsers"], sender{Client: x.nobody}, x.ops["iam:ListUsers"].encode(nil)))
		x.vars["EncodedMessage"] = encoded.FindStringSubmatch(a.message)[1]
	}
	if x.base.as == "guest" {
		x.account, x.admin, x.nobody = x.guest.account, x.guest.admin, x.guest.nobody
		x.base.as = ""
	}
	x.caller = x.client(x.base.as)
	x.valid = x.request(x.o)
	x.errors = x.o.errors(x.o.name)
	for code, status := range commonErrors(x.o.json()) {
		if _, ok := x.errors[code]; !ok {
			x.errors[code] = status
		}
	}
	if x.base.other != "" {
		x.errors[x.base.other] = http.StatusBadRequest
	}
}

// commonErrors are the codes that any operation may answer (API references,
// "Common Errors"), with their statuses.
func commonErrors(json bool) map[string]int {
	if json {
		return map[string]int{
			"AccessDeniedException": 400, "ExpiredTokenException": 400, "IncompleteSignatureException": 400,
			"InvalidSignatureException": 400, "MissingAuthenticationTokenException": 400, "SerializationException": 400,
			"UnknownOperationException": 400, "UnrecognizedClientException": 400, "RequestEntityTooLargeException": 413,
		}
	}
	return map[string]int{
		"AccessDenied": 403, "ExpiredToken": 403, "IncompleteSignature": 400, "InvalidAction": 400, "InvalidClientTokenId": 403,
		"InvalidParameterValue": 400, "InvalidParameterCombination": 400, "MalformedInput": 400, "MalformedQueryString": 404,
		"MissingAction": 400, "MissingAuthenticationToken": 403, "RequestEntityTooLarge": 413, "SignatureDoesNotMatch": 403,
		"ValidationError": 400,
	}
}

// refused sends a request that must be refused: with a code that the operation may
// answer, its status, and without a change of the account.
func (x *exam) refused(kind string, r *http.Request) answer {
	x.t.Helper()
	x.tally[kind]++
	before := x.revision()
	a := x.send(x.t, x.o, r)
	if a.status == http.StatusOK {
		x.t.Errorf("%s: %s was answered with success:\n%s", x.o.name, kind, a.body)
		return a
	}
	if want, ok := x.errors[a.code]; !ok || want != a.status {
		x.t.Errorf("%s: %s: %d %s is not an answer of this operation: %s", x.o.name, kind, a.status, a.code, a.message)
	}
	if !x.o.json() && a.kind != "Sender" {
		x.t.Errorf("%s: %s: %s has the type %q", x.o.name, kind, a.code, a.kind)
	}
	if after := x.revision(); after != before {
		x.t.Errorf("%s: %s changed the account: %s", x.o.name, kind, a.body)
	}
	return a
}

// post is a request of somebody with an input.
func (x *exam) post(from *iamtest.Client, input object) *http.Request {
	return x.build(x.o, sender{Client: from}, x.o.encode(input))
}

// validation: every violation of the model.
func (x *exam) validation() {
	for _, m := range x.o.mutations(x.o.name, x.valid, x.o.json()) {
		switch m.kind {
		case atLimit:
			x.permitted(m)
		case malformed:
			x.incomprehensible(m)
		default:
			x.violated(m)
		}
	}
}

func (x *exam) violated(m mutation) {
	fails := x.o.objectFailures(x.o.input(x.o.name), m.input, "")
	if len(fails) == 0 {
		x.t.Errorf("%s: %s of %s violates nothing", x.o.name, m.kind, m.path)
		return
	}
	a := x.refused(m.kind, x.post(x.caller, m.input))
	where := fmt.Sprintf("%s: %s: %s", x.o.name, m.path, m.kind)
	detail := a.message
	if x.o.json() {
		if a.code != "InvalidInputException" || !slices.Contains(reasons[m.kind], a.reason) {
			x.t.Errorf("%s: %s with the reason %s: %s", where, a.code, a.reason, a.message)
			return
		}
		_, detail, _ = strings.Cut(a.message, " (")
		detail = strings.TrimSuffix(detail, ")")
	} else if a.code != "ValidationError" {
		x.t.Errorf("%s: %s: %s", where, a.code, a.message)
		return
	}
	checkDetail(x.t, where, detail, fails)
}

// reasons are what Organizations says about violations of each kind.
var reasons = map[string][]string{
	missing: {"INPUT_REQUIRED"}, tooShort: {"MIN_LENGTH_EXCEEDED", "INVALID_LIST_MEMBER"}, tooLong: {"MAX_LENGTH_EXCEEDED", "INVALID_LIST_MEMBER"},
	tooSmall: {"MIN_VALUE_EXCEEDED"}, tooLarge: {"MAX_VALUE_EXCEEDED"}, pattern: {"INVALID_PATTERN", "INVALID_LIST_MEMBER"},
	enum: {"INVALID_ENUM", "INVALID_LIST_MEMBER"},
	twice: {
		"INPUT_REQUIRED", "MIN_LENGTH_EXCEEDED", "MAX_LENGTH_EXCEEDED", "MIN_VALUE_EXCEEDED", "MAX_VALUE_EXCEEDED",
		"INVALID_PATTERN", "INVALID_ENUM", "INVALID_LIST_MEMBER",
	},
}

// checkDetail checks that a message names every failure and nothing else, in
// AWS's form: "2 validation errors detected: …; …".
func checkDetail(t *testing.T, where, detail string, fails []failure) {
	t.Helper()
	head := "1 validation error detected: "
	if len(fails) > 1 {
		head = strconv.Itoa(len(fails)) + " validation errors detected: "
	}
	rest, ok := strings.CutPrefix(detail, head)
	size := 2 * (len(fails) - 1)
	for _, f := range fails {
		i := slices.IndexFunc(f.variants(), func(v string) bool { return strings.Contains(rest, v) })
		if i < 0 {
			ok = false
			break
		}
		size += len(f.variants()[i])
	}
	if !ok || size != len(rest) {
		var want []string
		for _, f := range fails {
			want = append(want, f.variants()[0])
		}
		t.Errorf("%s: message\n%.3000s\nwant\n%.3000s", where, detail, head+strings.Join(want, "; "))
	}
}

// permitted: at its limits a value is right. Somebody without permission asks, so
// that nothing happens.
func (x *exam) permitted(m mutation) {
	if fails := x.o.objectFailures(x.o.input(x.o.name), m.input, ""); len(fails) > 0 {
		return // the pattern has no value of this length
	}
	x.tally[m.kind]++
	before := x.revision()
	a := x.send(x.t, x.o, x.post(x.nobody, m.input))
	if strings.Contains(a.message, "validation error") || a.code == "MalformedInput" || a.code == "SerializationException" {
		x.t.Errorf("%s: %s: %s is refused: %s", x.o.name, m.path, m.kind, a.message)
	}
	if a.status == http.StatusOK && !x.base.free || x.revision() != before {
		x.t.Errorf("%s: %s: somebody without permission got %s", x.o.name, m.path, a.body)
	}
}

func (x *exam) incomprehensible(m mutation) {
	a := x.refused(m.kind, x.post(x.caller, m.input))
	want := "MalformedInput"
	if x.o.json() {
		want = "SerializationException"
	}
	if a.code != want {
		x.t.Errorf("%s: %s that is malformed: %s: %s", x.o.name, m.path, a.code, a.message)
	}
}

// A proof is a way to fail to prove who asks, and the answer in both protocols.
type proof struct {
	kind        string
	from        sender
	code        string
	status      int
	json        string // the code with the JSON protocol, whose status is 400
	text, inAlt string // the message, which may be of the JSON protocol alone
}

func (x *exam) credentials() {
	if x.o.name == "AssumeRoleWithSAML" || x.o.name == "AssumeRoleWithWebIdentity" {
		return // their input is the proof
	}
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	const invalid = "The security token included in the request is invalid."
	unknown, _ := x.Store().NewKey(x.account)
	wrong := x.Client(x.caller.Key, "not-the-secret-of-this-key-of-forty-chars", x.caller.Token)
	scope := map[string]string{"iam": "sts", "sts": "iam", "organizations": "iam"}[x.o.svc.Name]
	at := func(d time.Duration) string { return x.clock.Now().Add(d).UTC().Format("20060102T150405Z") }
	for _, tc := range []proof{
		{"unsigned", sender{none: true}, "MissingAuthenticationToken", 403, "MissingAuthenticationTokenException", "Request is missing Authentication Token", "Missing Authentication Token"},
		{"wrongly signed", sender{Client: wrong}, "SignatureDoesNotMatch", 403, "InvalidSignatureException", mismatch, ""},
		{"changed after signing", sender{Client: x.caller, tamper: true}, "SignatureDoesNotMatch", 403, "InvalidSignatureException", mismatch, ""},
		{"unknown key", sender{Client: x.Client(unknown.ID, x.caller.Secret, "")}, "InvalidClientTokenId", 403, "UnrecognizedClientException", invalid, ""},
		{"inactive key", sender{Client: x.inactive}, "InvalidClientTokenId", 403, "UnrecognizedClientException", invalid, ""},
		{"wrong session token", sender{Client: x.Client(x.expired.Key, x.expired.Secret, "AAAA"+x.expired.Token)}, "InvalidClientTokenId", 403, "UnrecognizedClientException", invalid, ""},
		{"missing session token", sender{Client: x.Client(x.expired.Key, x.expired.Secret, "")}, "InvalidClientTokenId", 403, "UnrecognizedClientException", invalid, ""},
		{"superfluous session token", sender{Client: x.Client(x.caller.Key, x.caller.Secret, x.expired.Token)}, "InvalidClientTokenId", 403, "UnrecognizedClientException", invalid, ""},
		{"expired session", sender{Client: x.expired}, "ExpiredToken", 403, "ExpiredTokenException", "The security token included in the request is expired", ""},
		{"signed for another service", sender{Client: x.caller, service: scope}, "SignatureDoesNotMatch", 403, "InvalidSignatureException", "Credential should be scoped to correct service: '" + x.o.svc.Name + "'. ", ""},
		{"signed too early", sender{Client: x.caller, off: -6 * time.Minute}, "SignatureDoesNotMatch", 403, "InvalidSignatureException", "Signature expired: " + at(-6*time.Minute) + " is now earlier than " + at(-5*time.Minute) + " (" + at(0) + " - 5 min.)", ""},
		{"signed too late", sender{Client: x.caller, off: 6 * time.Minute}, "SignatureDoesNotMatch", 403, "InvalidSignatureException", "Signature not yet current: " + at(6*time.Minute) + " is still later than " + at(5*time.Minute) + " (" + at(0) + " + 5 min.)", ""},
	} {
		a := x.refused(tc.kind, x.build(x.o, tc.from, x.o.encode(x.valid)))
		code, status, text := tc.code, tc.status, tc.text
		if x.o.json() {
			code, status = tc.json, 400
			if tc.inAlt != "" {
				text = tc.inAlt
			}
		}
		if first, _, _ := strings.Cut(a.message, "\n\n"); a.code != code || a.status != status || first != text {
			x.t.Errorf("%s: %s: %d %s: %s\nwant %d %s: %s", x.o.name, tc.kind, a.status, a.code, a.message, status, code, text)
		}
	}
}

var encoded = regexp.MustCompile(`\. Encoded authorization failure message: ([\w-]+)`)

// permission: who may do nothing is refused, in AWS's words, and does not learn
// from it what there is.
func (x *exam) permission() {
	if x.base.free || x.o.name == "AssumeRoleWithSAML" || x.o.name == "AssumeRoleWithWebIdentity" {
		return
	}
	nobody := "arn:aws:iam::" + x.account + ":user/nobody"
	deny := func(kind string, input object) answer {
		a := x.refused(kind, x.post(x.nobody, input))
		code := "AccessDenied"
		if x.o.json() {
			code = "AccessDeniedException"
		}
		want := "User: " + nobody + " is not authorized to perform: " + x.o.svc.Name + ":" + x.o.name + " on resource: "
		why := " because no identity-based policy allows the " + x.o.svc.Name + ":" + x.o.name + " action"
		if x.o.name == "AssumeRole" || x.o.name == "AssumeRoot" {
			why = ""
		}
		text := encoded.ReplaceAllString(a.message, "")
		if a.code != code || !strings.HasPrefix(text, want) || !strings.HasSuffix(text, why) {
			x.t.Errorf("%s: %s: %s: %s\nwant %s…%s", x.o.name, kind, a.code, a.message, want, why)
		}
		return a
	}
	have := deny("denied", x.valid)
	if !x.o.json() {
		x.denied(have)
	}
	for _, param := range x.identifiers() {
		there := x.valid[param].(string)
		gone := x.gone(param, there)
		a := deny("denied about nothing", with(x.valid, param, gone))
		normal := func(text, value string) string {
			text = strings.ReplaceAll(encoded.ReplaceAllString(text, ""), value, "X")
			return strings.ReplaceAll(text, " "+value[strings.LastIndexByte(value, '/')+1:], " X")
		}
		if got, want := normal(a.message, gone), normal(have.message, there); got != want {
			x.t.Errorf("%s: a refusal about %s = %s tells whether it exists:\n%s\n%s", x.o.name, param, gone, a.message, have.message)
		}
	}
}

// denied makes the request that was refused with GET, which is no other request.
func (x *exam) denied(post answer) {
	body := x.o.encode(x.valid)
	if len(body) > 16<<10 {
		return // longer than a header may be
	}
	r, err := http.NewRequest(http.MethodGet, x.URL+"/?"+body, nil)
	if err != nil {
		x.t.Fatal(err)
	}
	x.sign(x.o, sender{Client: x.nobody}, r, "")
	get := x.refused("denied by GET", r)
	if encoded.ReplaceAllString(get.message, "") != encoded.ReplaceAllString(post.message, "") {
		x.t.Errorf("%s by GET: %s: %s\nwant %s", x.o.name, get.code, get.message, post.message)
	}
}

// identifiers returns the parameters of the request that name something.
func (x *exam) identifiers() []string {
	var params []string
	for _, param := range slices.Sorted(maps.Keys(x.valid)) {
		if _, ok := x.valid[param].(string); ok && x.o.names(param) {
			params = append(params, param)
		}
	}
	return params
}

// absence: what does not exist is said not to, to who may know.
func (x *exam) absence() {
	if x.base.gone == "none" {
		return
	}
	for _, param := range x.identifiers() {
		a := x.refused("unknown entity", x.post(x.caller, with(x.valid, param, x.gone(param, x.valid[param].(string)))))
		want := "NoSuchEntity"
		if x.o.json() {
			want = absentCodes[param]
		}
		want = cmp.Or(x.base.gone, want)
		if x.base.ends != "" && a.code == x.base.ends {
			continue
		}
		if a.code != want || a.message == "" {
			x.t.Errorf("%s: unknown %s: %s: %s, want %s", x.o.name, param, a.code, a.message, want)
		}
	}
}

// protocol: requests that are none.
func (x *exam) protocol() {
	body := x.o.encode(x.valid)
	bad := func(kind, code string, change func(*http.Request) *http.Request) {
		r := x.build(x.o, sender{none: true}, body)
		r = change(r)
		text := body
		if r.Body == nil {
			text = ""
		}
		x.sign(x.o, sender{Client: x.caller}, r, text)
		if a := x.refused(kind, r); a.code != code {
			x.t.Errorf("%s: %s: %s: %s, want %s", x.o.name, kind, a.code, a.message, code)
		}
	}
	if x.o.json() {
		bad("wrong method", "UnknownOperationException", func(r *http.Request) *http.Request { r.Method = http.MethodPut; return r })
		bad("wrong content type", "SerializationException", func(r *http.Request) *http.Request { r.Header.Set("Content-Type", "application/json"); return r })
		bad("wrong version", "UnknownOperationException", func(r *http.Request) *http.Request {
			r.Header.Set("X-Amz-Target", "AWSOrganizationsV20001128."+x.o.name)
			return r
		})
		for _, broken := range []string{`{`, `[]`, `{"a":1,"a":2}`, "\xff", `{} {}`} {
			a := x.refused("not the protocol", x.build(x.o, sender{Client: x.caller}, broken))
			if a.code != "SerializationException" {
				x.t.Errorf("%s: %s: %s, want SerializationException", x.o.name, broken, a.code)
			}
		}
		return
	}
	bad("wrong method", "InvalidAction", func(r *http.Request) *http.Request { r.Method = http.MethodPut; return r })
	bad("wrong content type", "MalformedInput", func(r *http.Request) *http.Request { r.Header.Set("Content-Type", "text/plain"); return r })
	for _, version := range []string{"2000-01-01", "", "2010-05-08 "} {
		changed := strings.Replace(body, "Version="+x.o.svc.Version, "Version="+version, 1)
		a := x.refused("wrong version", x.build(x.o, sender{Client: x.caller}, changed))
		if want := "Could not find operation " + x.o.name + " for version " + version; a.code != "InvalidAction" || a.message != want {
			x.t.Errorf("%s: version %q: %s: %s, want %s", x.o.name, version, a.code, a.message, want)
		}
	}
	unnamed := strings.Replace(body, "&Version="+x.o.svc.Version, "", 1)
	unnamed = strings.Replace(unnamed, "Version="+x.o.svc.Version, "", 1)
	if a := x.refused("no version", x.build(x.o, sender{Client: x.caller}, unnamed)); a.message != "Could not find operation "+x.o.name+" for version NO_VERSION_SPECIFIED" {
		x.t.Errorf("%s: no version: %s", x.o.name, a.message)
	}
	for _, broken := range []string{body + "&Version=" + x.o.svc.Version, body + "&a=%zz", body + "&=x"} {
		if a := x.refused("not the protocol", x.build(x.o, sender{Client: x.caller}, broken)); a.code != "MalformedQueryString" {
			x.t.Errorf("%s: %s: %s, want MalformedQueryString", x.o.name, broken, a.code)
		}
	}
}

// success: the valid request is one, also with a parameter that nobody knows; only
// then do the refusals above say anything. The second time, too, the answer is one
// that the operation may give.
func (x *exam) success() {
	input := with(x.valid, "NobodyKnowsThis", "x")
	a := x.send(x.t, x.o, x.post(x.caller, input))
	if a.code != x.base.ends {
		x.t.Errorf("%s: a valid request: %d %s: %s, want %q", x.o.name, a.status, a.code, a.message, x.base.ends)
		return
	}
	x.tally["valid"]++
	a = x.send(x.t, x.o, x.post(x.caller, input))
	if want, ok := x.errors[a.code]; a.status != http.StatusOK && (!ok || want != a.status) {
		x.t.Errorf("%s: a second time: %d %s is not an answer of this operation: %s", x.o.name, a.status, a.code, a.message)
	}
	if deletes := strings.HasPrefix(x.o.name, "Delete"); deletes && x.base.gone != "none" && a.status == http.StatusOK {
		x.t.Errorf("%s: a second time it is still there: %s", x.o.name, a.body)
	}
}
