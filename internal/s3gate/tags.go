// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/s3req"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// existingTag begins the condition keys of the tags that an object has.
const existingTag = "s3:ExistingObjectTag/"

// addTags adds the tags of the object to a check, if a policy in force looks at
// them. The store is asked for them before the request is decided; tags that
// cannot be read refuse it, and an object that is not there has none (quirk Q132).
func (c *call) addTags(ck *authz.Check, n *s3req.Need) error {
	if reads, err := c.readsTags(ck); err != nil || !reads {
		return err
	}
	tags, err := c.tags(n.Bucket, n.Key, n.VersionID)
	if err != nil {
		return err
	}
	for _, t := range tags {
		ck.Keys[existingTag+t.Key] = t.Value
	}
	return nil
}

// carriesTags reports whether a permission to copy tags has to be asked for:
// not if the caller lacks it and the source has no tags, so that it
// takes a look at the source to find out.
func (c *call) carriesTags(ck *authz.Check) (bool, error) {
	err := c.judge(ck)
	if _, denied := errors.AsType[*authz.DeniedError](err); !denied {
		return true, err
	}
	tags, err := c.tags(c.req.SourceBucket, c.req.SourceKey, c.req.SourceVersion)
	return len(tags) > 0, err
}

// readsTags reports whether a policy that has a say in the check looks at the
// tags of objects.
func (c *call) readsTags(ck *authz.Check) (bool, error) {
	set := c.g.Authz.Policies(c.caller)
	req := &policy.Request{Action: ck.Action, Resource: ck.Resource, ResourceAccount: ck.Account, Context: map[string]string{}}
	if c.caller != nil {
		req.Principal = c.caller.Principal
	}
	if err := c.g.Authz.Organize(c.ctx, set, req, c.caller); err != nil {
		return false, err
	}
	reads := &c.g.reads
	found := reads.any(set.Identity) || reads.any(set.Session) || reads.one(set.Boundary) || reads.one(ck.Policy)
	for _, level := range slices.Concat(set.SCPs, set.RCPs) {
		found = found || reads.any(level)
	}
	return found, nil
}

// tagSet is the answer of GetObjectTagging, and a field of POST forms.
type tagSet struct {
	Tags []tag `xml:"TagSet>Tag"`
}

type tag struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
}

// maxTags bounds the tags of an object as XML, in bytes: 10 of them, all
// escaped, are far less.
const maxTags = 64 << 10

// tags returns the tags of an object, none if there is no object or the store has
// no tags.
func (c *call) tags(bucket, key, version string) ([]tag, error) {
	query := "tagging="
	if version != "" {
		query += "&versionId=" + escape(version)
	}
	resp, err := c.reach(&upstream.Request{
		Method: http.MethodGet, Path: objectPath(bucket, key), Query: query, Header: http.Header{},
	})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusNotImplemented {
		return nil, nil
	}
	var set tagSet
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxTags))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	if err == nil {
		err = xml.Unmarshal(text, &set)
	}
	if err != nil {
		return nil, accessDenied.Because(fmt.Errorf("a policy looks at the tags of the object, and the store did not tell them: %w", err))
	}
	return set.Tags, nil
}

// objectPath is the path of an object, each byte encoded as SigV4 encodes it.
func objectPath(bucket, key string) string {
	return "/" + bucket + "/" + strings.ReplaceAll(escape(key), "%2F", "/")
}

// escape encodes every byte that is not unreserved (RFC 3986 2.3).
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// maxReaders bounds how many policies a tagReaders remembers, in each of two
// generations.
const maxReaders = 8192

// tagReaders remembers which policies look at the tags of objects: finding out
// means reading the policy's text. Its zero value is ready.
type tagReaders struct {
	mu       sync.RWMutex // guards below
	now, old map[*policy.Policy]bool
}

func (t *tagReaders) any(list []*policy.Policy) bool {
	return slices.ContainsFunc(list, t.one)
}

func (t *tagReaders) one(p *policy.Policy) bool {
	if p == nil {
		return false
	}
	t.mu.RLock()
	reads, ok := t.now[p]
	t.mu.RUnlock()
	if ok {
		return reads
	}
	t.mu.Lock()
	reads, ok = t.old[p]
	t.mu.Unlock()
	if !ok {
		reads = slices.ContainsFunc(p.Keys(), func(key string) bool { return strings.HasPrefix(key, strings.ToLower(existingTag)) })
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.now) >= maxReaders || t.now == nil {
		t.old, t.now = t.now, make(map[*policy.Policy]bool)
	}
	t.now[p] = reads
	return reads
}
