// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// probeName begins the names of what Probe makes.
const probeName = "innkeeper-probe-"

// cleanUpWithin bounds the removal of what a probe made, which also happens
// when its context has ended.
const cleanUpWithin = 30 * time.Second

// Probe finds out what an S3 store does, and makes that the profile of u. It
// writes a few small objects to Options.ProbeBucket, or to a bucket that it
// makes, and removes them again. Where it can write to neither, the profile is
// Options' with what else was found.
//
// The error says, for an operator, that the store cannot be used: it is not
// reached (a *Failure is wrapped), refuses the gateway's credentials or region, or
// takes two keys for one that no profile can keep apart. The profile is not changed then.
func (u *Upstream) Probe(ctx context.Context) (Profile, error) {
	if !u.s3 {
		return u.Profile(), fmt.Errorf("upstream: only stores of S3 are probed, not %s", u.o.Service)
	}
	p := u.o.Profile
	p.Lists = false
	switch r, err := u.ask(ctx, http.MethodGet, "/", ""); {
	case err != nil:
		return u.Profile(), fmt.Errorf("%s: %w", u.o.URL.Host, explain(err))
	case r.status == http.StatusOK:
		p.Lists = true
	default:
		u.o.Log.Info("the upstream lists no buckets", "host", u.o.URL.Host, "answer", r)
	}
	pr := &probe{u: u, bucket: u.o.ProbeBucket, prefix: probeName + strings.ToLower(rand.Text()[:12])}
	if pr.bucket == "" {
		pr.bucket = pr.prefix
		if r, err := u.ask(ctx, http.MethodPut, "/"+pr.bucket, u.location()); err != nil || r.status != http.StatusOK {
			u.o.Log.Warn("the upstream is not probed: no bucket could be made, and none is given", "host", u.o.URL.Host, "answer", r)
			u.profile.Store(&p)
			return p, nil
		}
		pr.made = true
	}
	defer pr.cleanUp(context.WithoutCancel(ctx))
	if err := pr.run(ctx, &p); err != nil {
		return u.Profile(), fmt.Errorf("%s: %w", u.o.URL.Host, explain(err))
	}
	u.profile.Store(&p)
	u.o.Log.Info("the upstream is probed", "host", u.o.URL.Host, "profile", p.String())
	return p, nil
}

// location is the document of CreateBucket.
func (u *Upstream) location() string {
	if u.o.Region == "us-east-1" {
		return ""
	}
	return `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LocationConstraint>` + u.o.Region +
		`</LocationConstraint></CreateBucketConfiguration>`
}

// explain adds to an error what an operator needs, and clients must not see.
func explain(err error) error {
	f, ok := errors.AsType[*Failure](err)
	switch {
	case !ok:
		return err
	case f.Kind == Credential:
		return &explained{"the upstream refuses its own credentials: " + f.Reason(), f}
	}
	return &explained{f.Reason(), f}
}

// explained is a Failure that tells its reason.
type explained struct {
	text string
	*Failure
}

func (e *explained) Error() string { return e.text }
func (e *explained) Unwrap() error { return e.Failure }

// A reply is an answer that was read.
type reply struct {
	status int
	header http.Header
	body   []byte // 64 KiB at most
}

func (r reply) String() string {
	return strings.TrimSpace(fmt.Sprint(r.status, " ", refusalCode(r.body)))
}

// ask sends a request with a document.
func (u *Upstream) ask(ctx context.Context, method, target, document string) (reply, error) {
	path, query, _ := strings.Cut(target, "?")
	r := &Request{Method: method, Path: path, Query: query, Length: int64(len(document))}
	if document != "" {
		r.Body = strings.NewReader(document)
	}
	return u.exchange(ctx, r, Profile{})
}

// exchange sends r to a store of the given profile.
func (u *Upstream) exchange(ctx context.Context, r *Request, p Profile) (reply, error) {
	resp, err := u.send(ctx, r, p)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return reply{resp.StatusCode, resp.Header, body}, err
}

// A probe is one under way.
type probe struct {
	u              *Upstream
	bucket, prefix string
	made           bool // the bucket is ours
}

// A pair of keys that a store may take for one: plain is one that none
// mistakes. Both are escaped and lie under the probe's prefix, however they
// are read.
type pair struct{ odd, plain string }

// pairs are told apart by a store that keeps keys verbatim (quirk Q121).
var pairs = []pair{
	{"a/../b", "b"},
	{"c/%2e%2e/d", "d"},
	{"e//f", "e/f"},
	{"./g", "g"},
	{"%2e/h", "h"},
	{"i/.", "i"},
	{"j/k/..", "j"},
	{"l%2F..%2Fm", "m"},
	{"n/%252e%252e/o", "o"},
	{`p%5C..%5Cq`, "q"},
	{"r/", "r"},
}

// never are pairs that policies tell apart and no store may mix up: a
// gateway could not guard it (quirk Q122).
var never = []pair{
	{"CASE", "case"},
	{"e%CC%81", "%C3%A9"}, // é in two characters and in one
	{"dot.", "dot"},
	{"space%20", "space"},
	{"plus+", "plus%20"},
	{"null%00x", "null"},
}

const brokenKey = "broken"

// trailerKeys are for bodies with a trailing checksum, labelled and not.
var trailerKeys = map[bool]string{false: "trailer", true: "trailer-unlabelled"}

func (p *probe) run(ctx context.Context, found *Profile) error {
	all := slices.Concat(never, pairs)
	apart, errs := make([]bool, len(all)), make([]error, len(all))
	var wait sync.WaitGroup
	for i, k := range all {
		wait.Go(func() { apart[i], errs[i] = p.apart(ctx, k) })
	}
	wait.Wait()
	found.KeysVerbatim = true
	for i, k := range all {
		switch {
		case errs[i] != nil:
			return errs[i]
		case apart[i]:
		case i < len(never):
			return fmt.Errorf("the upstream takes the keys %s and %s for one, so that no policy can guard them", k.odd, k.plain)
		default:
			found.KeysVerbatim = false
			p.u.o.Log.Debug("the upstream takes two keys for one", "host", p.u.o.URL.Host, "keys", []string{k.odd, k.plain})
		}
	}
	if err := p.breakOff(ctx); err != nil {
		return err
	}
	for _, unlabelled := range []bool{false, true} {
		trailers, err := p.trailers(ctx, unlabelled)
		if err != nil {
			return err
		}
		if trailers {
			found.Trailers, found.Unlabelled = true, unlabelled
			break
		}
	}
	return nil
}

func (p *probe) path(key string) string { return "/" + p.bucket + "/" + p.prefix + "/" + key }

// apart reports whether the store never takes one key of a pair for the other,
// in reading, writing, listing or deleting. A store that refuses the odd key is
// right.
func (p *probe) apart(ctx context.Context, k pair) (bool, error) {
	steps := []struct {
		method, key, body string
		wrong             func(status int, answer string) bool
	}{
		{"PUT", k.plain, "plain", nil},
		{"GET", k.odd, "", func(status int, _ string) bool { return status == http.StatusOK }},
		{"PUT", k.odd, "odd", nil},
		{"GET", k.plain, "", func(_ int, answer string) bool { return answer != "plain" }},
		{"GET", k.odd, "", func(status int, answer string) bool { return status == http.StatusOK && answer != "odd" }},
		{"DELETE", k.odd, "", nil},
		{"GET", k.plain, "", func(_ int, answer string) bool { return answer != "plain" }},
		{"PUT", k.odd, "odd", nil},
		{"DELETE", k.plain, "", nil},
		{"GET", k.plain, "", func(status int, _ string) bool { return status == http.StatusOK }},
	}
	for _, step := range steps {
		r, err := p.u.ask(ctx, step.method, p.path(step.key), step.body)
		if refusedOdd(err) && step.key == k.odd {
			continue
		}
		switch {
		case err != nil:
			return false, err
		case step.method == "PUT" && step.key == k.plain && r.status != http.StatusOK:
			return false, fmt.Errorf("bucket %s cannot be written to: status %s", p.bucket, r)
		case step.wrong != nil && step.wrong(r.status, string(r.body)):
			return false, nil
		}
	}
	return true, nil
}

// refusedOdd reports whether err is how a server refuses an odd path: with a
// redirect, by closing the connection, or by finding another signature for it.
func refusedOdd(err error) bool {
	f, ok := errors.AsType[*Failure](err)
	return ok && (f.Kind == Redirected || f.Kind == Reset || f.Kind == Malformed || f.Kind == Credential)
}

// settle is how long a store may take to act on an upload that broke off.
const settle = 200 * time.Millisecond

var errProbe = errors.New("broken off by the probe")

// breakOff reports, as an error, that the store makes an object of an upload
// that broke off. It could be made to keep what no reader of a body has
// approved.
func (p *probe) breakOff(ctx context.Context) error {
	const sent = 4 * small
	_, err := p.u.exchange(ctx, &Request{Method: http.MethodPut, Path: p.path(brokenKey), Length: 2 * sent,
		Body: io.MultiReader(bytes.NewReader(make([]byte, sent)), failing{errProbe})}, Profile{})
	if err != nil && !errors.Is(err, errProbe) {
		return err
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	r, err := p.u.ask(ctx, http.MethodGet, p.path(brokenKey), "")
	if err == nil && r.status == http.StatusOK {
		err = errors.New("the upstream makes objects of uploads that break off, so that no body can be checked on its way")
	}
	return err
}

// failing is a reader of nothing but an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// trailers reports whether the store decodes a body with a trailing checksum.
func (p *probe) trailers(ctx context.Context, unlabelled bool) (bool, error) {
	body := bytes.Repeat([]byte("0123456789abcdef"), small/8) // not small, so that it is streamed
	r := &Request{Method: http.MethodPut, Path: p.path(trailerKeys[unlabelled]), Header: http.Header{}, Body: bytes.NewReader(body),
		Length: int64(len(body)), Trailer: "x-amz-checksum-crc32"}
	wrote, err := p.u.exchange(ctx, r, Profile{Trailers: true, Unlabelled: unlabelled})
	if refusedOdd(err) || err == nil && wrote.status != http.StatusOK {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	got, err := p.u.ask(ctx, http.MethodGet, p.path(trailerKeys[unlabelled]), "")
	return bytes.Equal(got.body, body) && !strings.Contains(got.header.Get("Content-Encoding"), "aws-chunked"), err
}

// cleanUp removes all that was made. What the store does not remove is logged.
func (p *probe) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, cleanUpWithin)
	defer cancel()
	keys := []string{p.path(brokenKey), p.path(trailerKeys[false]), p.path(trailerKeys[true])} // also where nothing can be listed
	for _, k := range slices.Concat(never, pairs) {
		keys = append(keys, p.path(k.odd), p.path(k.plain))
	}
	p.remove(ctx, keys)
	left := p.listed(ctx)
	if len(left) > 0 {
		p.remove(ctx, left)
		left = p.listed(ctx)
	}
	if len(left) > 0 {
		p.u.o.Log.Warn("objects of the probe cannot be removed", "host", p.u.o.URL.Host, "paths", left)
		return
	}
	if !p.made {
		return
	}
	if r, err := p.u.ask(ctx, http.MethodDelete, "/"+p.bucket, ""); err != nil || r.status >= 300 {
		p.u.o.Log.Warn("the bucket of the probe cannot be removed", "host", p.u.o.URL.Host, "bucket", p.bucket, "answer", r)
	}
}

func (p *probe) remove(ctx context.Context, paths []string) {
	var wait sync.WaitGroup
	for _, path := range paths {
		wait.Go(func() { _, _ = p.u.ask(ctx, http.MethodDelete, path, "") }) // most are gone already
	}
	wait.Wait()
}

var listedKey = regexp.MustCompile(`<Key>([^<]*)</Key>`)

// listed returns the paths of what is left under the probe's prefix.
func (p *probe) listed(ctx context.Context) (paths []string) {
	r, err := p.u.ask(ctx, http.MethodGet, "/"+p.bucket+"?encoding-type=url&list-type=2&prefix="+p.prefix+"%2F", "")
	if err != nil {
		return nil
	}
	for _, m := range listedKey.FindAllSubmatch(r.body, -1) {
		key, err := url.QueryUnescape(string(m[1]))
		if err != nil {
			continue
		}
		paths = append(paths, "/"+p.bucket+"/"+strings.ReplaceAll(url.PathEscape(key), "%2F", "/"))
	}
	return paths
}
