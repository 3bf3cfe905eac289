// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// changeLimit is how long the making or removal of a bucket may take. It goes on
// when the client has gone: what was begun is finished and recorded.
const changeLimit = 30 * time.Second

// lasting makes the call outlive its client, up to changeLimit.
func (c *call) lasting() context.CancelFunc {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), changeLimit)
	c.ctx = ctx
	return cancel
}

// createBucket makes a bucket for the caller's account. The name is claimed
// before the store is asked, and only if the store does not have the bucket, so
// that nobody becomes the owner of what was there before.
//
// A crash between the two leaves a claim without a bucket. Its owner's next
// CreateBucket makes the bucket, its DeleteBucket drops the claim.
func (c *call) createBucket() (answer, error) {
	defer c.lasting()()
	name, mine := c.req.Bucket, string(c.caller.Account)
	exists, err := c.stored(name)
	if err != nil {
		return answer{}, err
	}
	switch b, err := c.g.Buckets.Get(c.ctx, name); {
	case err == nil && b.Account != mine:
		return answer{}, bucketAlreadyExists.With("BucketName", name)
	case err == nil && exists:
		return answer{}, bucketAlreadyOwned.With("BucketName", name)
	case err == nil: // a claim without a bucket: nothing of it stays, its policy least of all
		c.began = true
		if err := c.g.Buckets.Delete(c.ctx, b); gone(err) != nil {
			return answer{}, err
		}
	case !errors.Is(err, store.ErrNotFound):
		return answer{}, err
	case exists:
		return answer{}, bucketAlreadyExists.With("BucketName", name).
			Because(errors.New("the store has a bucket of this name that no account owns: innkeeper bucket adopt gives it to one"))
	}
	region, err := c.newRegion()
	if err != nil {
		return answer{}, err
	}
	c.began = true
	if err := c.g.Buckets.Create(c.ctx, mine, name, region); err != nil {
		return answer{}, unclaimable(name, err)
	}
	if c.bucket, err = c.g.Buckets.Get(c.ctx, name); err != nil {
		return answer{}, err
	}
	return c.makeBucket()
}

// unclaimable is S3's error for a name that cannot be claimed.
func unclaimable(name string, err error) error {
	switch {
	case errors.Is(err, store.ErrExists):
		return bucketAlreadyExists.With("BucketName", name).Because(err)
	case errors.Is(err, store.ErrInvalid):
		return invalidBucketName.With("BucketName", name).Because(err)
	}
	if _, ok := errors.AsType[*store.LimitError](err); ok {
		return tooManyBuckets.Because(err)
	}
	return err
}

// makeBucket has the store make a bucket that is claimed. When the store
// certainly did not, the claim is taken back; when nobody knows, it stays.
func (c *call) makeBucket() (answer, error) {
	out := &upstream.Request{Method: http.MethodPut, Path: c.req.Path, Query: c.req.Query, Header: c.unsummed()}
	if at := c.g.Location; at != "" {
		b := open("CreateBucketConfiguration")
		b = wire.AppendString(b, "LocationConstraint", at)
		attach(out, wire.AppendEnd(b, "CreateBucketConfiguration"))
	}
	resp, err := c.ask(out)
	if err != nil {
		return answer{}, errors.Join(err, c.unclaim(untouched(err)))
	}
	if resp.StatusCode >= 300 {
		fault := c.failed(resp)
		return answer{}, errors.Join(fault, c.unclaim(resp.StatusCode < 500))
	}
	_ = resp.Body.Close()
	return answer{status: http.StatusOK, header: http.Header{"Location": {"/" + c.bucket.Name}}}, nil
}

// unclaim gives the name back if sure says that the store has no such bucket.
func (c *call) unclaim(sure bool) error {
	if !sure {
		return nil
	}
	if err := c.g.Buckets.Delete(c.ctx, c.bucket); gone(err) != nil {
		return fmt.Errorf("the name %s stays claimed: %w", c.bucket.Name, err)
	}
	return nil
}

// untouched reports whether the store certainly did not act on a request that
// failed.
func untouched(err error) bool {
	e, ok := errors.AsType[*upstream.Failure](err)
	return ok && (e.Kind == upstream.Unreachable || e.Kind == upstream.DNS || e.Kind == upstream.TLS)
}

// stored reports whether the store has a bucket. GetBucketLocation tells, unlike
// HeadBucket, why it is refused.
func (c *call) stored(name string) (bool, error) {
	resp, err := c.reach(&upstream.Request{Method: http.MethodGet, Path: "/" + name, Query: "location=", Header: http.Header{}})
	if e, ok := errors.AsType[*upstream.Failure](err); ok && e.Kind == upstream.Redirected {
		return true, nil // somewhere else
	}
	if err != nil {
		return false, err
	}
	_ = resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK, http.StatusForbidden: // or somebody else's, in a store that others use too
		return true, nil
	case http.StatusNotFound:
		return false, nil
	}
	return false, internalError.Because(fmt.Errorf("the store was asked for bucket %s and answered %s", name, resp.Status))
}

// deleteBucket removes a bucket from the store, then its name from its owner. A
// crash between the two leaves a claim without a bucket; see createBucket.
func (c *call) deleteBucket() (answer, error) {
	defer c.lasting()()
	resp, err := c.ask(&upstream.Request{Method: http.MethodDelete, Path: c.req.Path, Query: c.req.Query, Header: c.forwardable()})
	if err != nil {
		return answer{}, err
	}
	if resp.StatusCode >= 300 {
		err := c.failed(resp)
		if fault, ok := errors.AsType[*awserr.Error](err); !ok || fault.Code != noSuchBucket.Code && fault.Code != notFound {
			return answer{}, err
		}
	} else {
		_ = resp.Body.Close()
	}
	if err := c.g.Buckets.Delete(c.ctx, c.bucket); gone(err) != nil {
		return answer{}, err
	}
	return noContent, nil
}

// maxBuckets is how many buckets one answer of ListBuckets has at most (S3 API
// Reference, ListBuckets, max-buckets).
const maxBuckets = 10_000

// listBuckets lists the buckets of the caller's account.
func (c *call) listBuckets() (answer, error) {
	list, err := c.g.Buckets.List(c.ctx, string(c.caller.Account))
	if err != nil {
		return answer{}, err
	}
	limit, paged := maxBuckets, false
	var text string
	if text, paged = c.param("max-buckets"); paged {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxBuckets {
			return answer{}, invalidArgument.Msg("Argument max-buckets must be an integer between 1 and %d", maxBuckets).With("ArgumentName", "max-buckets")
		}
	}
	after := ""
	prefix, _ := c.param("prefix")
	region, _ := c.param("bucket-region")
	if token, ok := c.param("continuation-token"); ok {
		raw, err := hex.DecodeString(token)
		if err != nil {
			return answer{}, invalidArgument.Msg("The continuation token provided is incorrect").With("ArgumentName", "continuation-token")
		}
		after = string(raw)
	}
	b := open("ListAllMyBucketsResult")
	b = appendOwner(b, string(c.caller.Account))
	b = wire.AppendStart(b, "Buckets")
	n, last, more := 0, "", false
	for _, x := range list {
		if x.Name <= after || !strings.HasPrefix(x.Name, prefix) || region != "" && region != x.Region {
			continue
		}
		if more = n == limit; more {
			break
		}
		n, last = n+1, x.Name
		b = wire.AppendStart(b, "Bucket")
		b = wire.AppendString(b, "Name", x.Name)
		b = wire.AppendString(b, "CreationDate", x.Created.UTC().Format("2006-01-02T15:04:05.000Z"))
		if paged {
			b = wire.AppendString(b, "BucketRegion", x.Region)
		}
		b = wire.AppendEnd(b, "Bucket")
	}
	b = wire.AppendEnd(b, "Buckets")
	if more {
		b = wire.AppendString(b, "ContinuationToken", hex.EncodeToString([]byte(last)))
	}
	if prefix != "" {
		b = wire.AppendString(b, "Prefix", prefix)
	}
	return own(wire.AppendEnd(b, "ListAllMyBucketsResult")), nil
}

// param returns a parameter of the request.
func (c *call) param(name string) (value string, ok bool) {
	for pair := range strings.SplitSeq(c.req.Query, "&") {
		if v, found := strings.CutPrefix(pair, name+"="); found {
			return decoded(v), true
		}
	}
	return "", false
}

// appendOwner appends an account as S3 names it.
func appendOwner(b []byte, account string) []byte {
	b = wire.AppendStart(b, "Owner")
	b = wire.AppendString(b, "ID", canonical(account))
	return wire.AppendEnd(b, "Owner")
}

// canonical is the canonical user id of an account: 64 digits that tell nothing
// but are always the same.
//
// quirk Q129: AWS draws them, here they follow from the account's id.
func canonical(account string) string {
	sum := sha256.Sum256([]byte("canonical user " + account))
	return hex.EncodeToString(sum[:])
}

// A newBucket is the document of CreateBucket.
type newBucket struct {
	Region string `xml:"LocationConstraint"`
	Tags   []tag  `xml:"Tags>Tag"`
}

// newRegion is the region that a bucket is to be in.
//
// quirk Q131: it is a label. The gateway is in every region, and so are its
// buckets: a bucket has the one that was asked for, else that of the signature.
func (c *call) newRegion() (string, error) {
	var x newBucket
	if len(c.document) > 0 && xml.Unmarshal(c.document, &x) != nil {
		return "", malformedXML
	}
	if len(x.Tags) > 0 {
		return "", notImplemented.Msg("Tags of a new bucket are not passed on: set them with PutBucketTagging.")
	}
	if v := c.header["X-Amz-Object-Ownership"]; len(v) > 0 && v[0] != enforced {
		return "", notImplemented.Msg("Buckets behind this gateway have no access control lists: ObjectOwnership is always %s.", enforced)
	}
	region := strings.TrimSpace(x.Region)
	if region == "EU" { // the old name
		region = "eu-west-1"
	}
	if strings.Trim(region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(region) > 32 {
		return "", invalidLocation
	}
	return cmp.Or(region, c.sig.Region, c.g.Region), nil
}
