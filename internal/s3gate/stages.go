// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"maps"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/audit"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/s3req"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/policy"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// read finds out what is asked. Preflight requests ask nothing that anybody could
// decide about (quirk Q126).
func (c *call) read() error {
	req, err := s3req.Parse(c.r.Method, c.r.Host, c.r.RequestURI, c.r.Header, &c.g.parse)
	if err != nil {
		if e, ok := errors.AsType[*s3req.Error](err); ok && e.Op != "" {
			c.record.EventName = e.Op
		}
		return err
	}
	c.req, c.header = req, c.r.Header
	c.record.EventName = req.Op.Name
	if req.Hoisted != nil {
		c.header = c.r.Header.Clone()
		maps.Copy(c.header, req.Hoisted)
	}
	return nil
}

// prove finds out who asks. Nobody is known, and nobody is anonymous, while the
// store of policies is out of touch.
func (c *call) prove() error {
	sig, err := sigv4.Parse(c.r)
	if errors.Is(err, sigv4.ErrMissing) {
		if c.req.Op.Body == s3req.Form {
			return c.proveForm()
		}
		return c.anonymous()
	}
	if err != nil {
		return err
	}
	c.sig = sig
	c.record.Region = cmp.Or(sig.Region, c.record.Region)
	if !sig.S3() {
		return c.malformed().Msg("The authorization header is malformed; incorrect service. This endpoint belongs to \"s3\".")
	}
	if c.req.Op.Body == s3req.Form {
		return invalidArgument.Msg("Only one auth mechanism allowed: a POST form carries its signature in its fields.")
	}
	if c.caller, err = c.g.Authn.Gate(c.ctx, c.r, sig, nil); err != nil {
		return err
	}
	authz.Identify(&c.record, c.caller)
	return nil
}

// anonymous lets a request in that nobody signed: bucket policies decide what it
// may do.
func (c *call) anonymous() error {
	if err := c.g.Store.Ready(); err != nil {
		return err
	}
	authz.Identify(&c.record, nil)
	return nil
}

// shape refuses what could mean something else to the store than what is decided
// on, and what no gateway can let pass. It reads documents that permissions
// depend on.
func (c *call) shape() error {
	if c.caller == nil && c.req.SignedOnly {
		return invalidRequest.Msg("Request specific response headers cannot be used for anonymous GET requests.")
	}
	if !c.g.Upstream.Profile().KeysVerbatim && !c.req.Verbatim() {
		return errAlias
	}
	switch c.req.Op.Body {
	case s3req.NoBody:
		if c.r.ContentLength != 0 {
			return invalidRequest.Msg("%s takes no body.", c.req.Op.Name)
		}
	case s3req.Object:
		if c.sig == nil && strings.HasPrefix(c.header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
			return notImplemented.Msg("A body in aws-chunked encoding needs a signature.")
		}
	case s3req.Judged:
		if c.caller == nil && (c.bucket == nil || c.bucket.Policy == nil) {
			return accessDenied.Because(errors.New("no policy lets anybody in without a signature"))
		}
		if err := c.readDocument(); err != nil {
			return err
		}
		return c.judged()
	}
	return nil
}

// errAlias refuses keys that a store may take for another object's.
//
// quirk Q125: a key that ends in a slash is fine, as clients make folders of such.
var errAlias = invalidURI.Msg("Couldn't parse the specified URI: this gateway takes no keys with empty, \".\" or \"..\" segments, which the store behind it may not keep apart.")

// readDocument reads the body of an operation that takes a document, once.
func (c *call) readDocument() error {
	if c.r.ContentLength > 2*s3req.MaxDocument { // in aws-chunked encoding it may be somewhat longer
		return entityTooLarge.Msg("The document is larger than %d bytes.", s3req.MaxDocument)
	}
	in, err := c.body()
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(io.LimitReader(in, s3req.MaxDocument+1)); err != nil {
		return &upstream.BodyError{Err: err}
	}
	if buf.Len() > s3req.MaxDocument {
		return entityTooLarge.Msg("The document is larger than %d bytes.", s3req.MaxDocument)
	}
	c.document = buf.Bytes()
	return nil
}

// judged takes a document that permissions depend on.
func (c *call) judged() error {
	if c.req.Op.Name == "DeleteObjects" {
		return c.readDeletion()
	}
	return c.req.SetDocument(c.document)
}

// resolve finds the buckets that the request is about.
//
// quirk Q133: one that no account owns is no bucket, whatever the store has.
func (c *call) resolve() error {
	var err error
	if c.req.SourceBucket != "" {
		if c.source, err = c.find(c.req.SourceBucket); err != nil {
			return err
		}
	}
	if c.req.Bucket == "" || c.req.Op.Name == "CreateBucket" {
		return nil
	}
	c.bucket, err = c.find(c.req.Bucket)
	return err
}

func (c *call) find(name string) (*buckets.Bucket, error) {
	b, err := c.g.Buckets.Get(c.ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil, noSuchBucket.With("BucketName", name).Because(err)
	}
	return b, err
}

// decide asks for every permission that the request needs, in order. The audit
// record has the answers.
func (c *call) decide() error {
	if c.deletion != nil {
		return c.decideDeletion()
	}
	needs := c.req.Needs(c.sig, c.header, c.time, c.tlsVersion())
	if len(needs) == 0 {
		return errors.New("s3gate: the request needs no permission")
	}
	for _, ifTagged := range []bool{false, true} { // what the store must be asked for comes last
		for i := range needs {
			if needs[i].IfTagged != ifTagged {
				continue
			}
			if err := c.decideNeed(&needs[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// decideNeed decides one need, unless it turns out that there is none.
func (c *call) decideNeed(n *s3req.Need) error {
	ck, err := c.check(n)
	if err != nil {
		return err
	}
	if n.IfTagged {
		if needed, err := c.carriesTags(&ck); err != nil || !needed {
			return err
		}
	}
	return c.authorize(&c.record, &ck)
}

// authorize puts a check to the engine, and remembers whether a refusal is that
// of a bucket of another account.
func (c *call) authorize(rec *audit.Record, ck *authz.Check) error {
	err := c.g.Authz.Authorize(c.ctx, rec, c.caller, &c.env, *ck)
	c.foreign = err != nil && (c.caller == nil || ck.Account != string(c.caller.Account))
	return err
}

// check puts one need into the form of package authz: with the owner and the
// policy of its bucket, and the tags of its object if a policy looks at them.
func (c *call) check(n *s3req.Need) (authz.Check, error) {
	ck := authz.Check{Action: n.Action, Resource: n.Resource, Keys: n.Keys, Lists: n.Lists, Learnable: true}
	b := c.bucketOf(n.Bucket)
	if b == nil {
		if c.caller == nil {
			return ck, accessDenied.Because(errors.New("nobody may call " + n.Action + " without a signature"))
		}
		ck.Account = string(c.caller.Account)
		return ck, nil
	}
	c.of(&ck, b)
	if n.Existing && n.Key != "" {
		return ck, c.addTags(&ck, n)
	}
	return ck, nil
}

// of gives a check the owner and the policy of a bucket. To callers of other
// accounts a bucket that restricts its public policy has none (S3 User Guide,
// "Blocking public access", RestrictPublicBuckets).
func (c *call) of(ck *authz.Check, b *buckets.Bucket) {
	ck.Account = b.Account
	if c.within(b) || !b.Restricted() {
		ck.Policy = b.Compiled()
	}
}

// bucketOf is the bucket of that name that the request is about, nil if it is
// about none.
func (c *call) bucketOf(name string) *buckets.Bucket {
	switch {
	case name == "":
	case c.bucket != nil && c.bucket.Name == name:
		return c.bucket
	case c.source != nil && c.source.Name == name:
		return c.source
	}
	return nil
}

// within reports whether the caller is of the account that owns the bucket.
func (c *call) within(b *buckets.Bucket) bool {
	return c.caller != nil && string(c.caller.Account) == b.Account
}

// judge decides a check that the request itself does not need, without a trace
// in its record. The error is a *authz.DeniedError when it is not allowed.
func (c *call) judge(ck *authz.Check) error {
	v, err := c.g.Authz.Judge(c.ctx, c.g.Authz.Policies(c.caller), c.caller, &c.env, ck)
	if err != nil || v.Outcome == policy.Allowed {
		return err
	}
	who := "anonymous"
	if c.caller != nil {
		who = c.caller.ARN
	}
	c.foreign = c.caller == nil || ck.Account != string(c.caller.Account)
	return &authz.DeniedError{Caller: who, Action: ck.Action, Resource: ck.Resource, Decision: v.Decision, Summary: v.Explain().Summary}
}

// mayList is nil if the caller may list the bucket.
func (c *call) mayList(b *buckets.Bucket) error {
	ck := authz.Check{Action: "s3:ListBucket", Resource: bucketARN(b.Name)}
	c.of(&ck, b)
	return c.judge(&ck)
}

func (c *call) tlsVersion() uint16 {
	if c.r.TLS == nil {
		return 0
	}
	return c.r.TLS.Version
}

// accept refuses what S3 refuses of a request that is allowed.
func (c *call) accept() error {
	if err := c.expectedOwner(); err != nil {
		return err
	}
	if err := c.refuseACL(); err != nil {
		return err
	}
	if c.req.Op.Body == s3req.Document {
		if err := c.readDocument(); err != nil {
			return err
		}
	}
	return c.refuseReach()
}

// expectedOwner compares the owners that the client expects with those that the
// buckets have.
func (c *call) expectedOwner() error {
	for _, x := range []struct {
		header string
		b      *buckets.Bucket
	}{{"X-Amz-Expected-Bucket-Owner", c.bucket}, {"X-Amz-Source-Expected-Bucket-Owner", c.source}} {
		v := c.header[x.header]
		if len(v) == 0 {
			continue
		}
		if len(v) > 1 || x.b != nil && v[0] != x.b.Account {
			return accessDenied.Because(errors.New("the bucket's owner is not the one that " + strings.ToLower(x.header) + " expects"))
		}
	}
	return nil
}

// refuseACL refuses access control lists, which no bucket here has: they would
// open nothing, and whoever sends one must not believe that they did (S3 User
// Guide, "Controlling ownership of objects", BucketOwnerEnforced).
//
// quirk Q127: the canned lists private and bucket-owner-full-control say what
// holds, and pass.
func (c *call) refuseACL() error {
	for _, v := range c.header["X-Amz-Acl"] {
		switch {
		case v == "private" || v == "bucket-owner-full-control":
		case strings.HasPrefix(v, "public-") && c.bucket != nil && c.bucket.Block.BlockPublicAcls:
			return accessDenied.Because(errors.New("the bucket blocks public access control lists"))
		default:
			return aclNotSupported
		}
	}
	for name := range c.header {
		if strings.HasPrefix(name, "X-Amz-Grant-") {
			return aclNotSupported
		}
	}
	return nil
}
