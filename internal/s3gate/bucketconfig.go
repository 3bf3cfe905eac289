// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"encoding/xml"
	"errors"
	"net/http"
	"strconv"

	"github.com/innkeeper-iam/innkeeper/internal/buckets"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// answered are the operations that the gateway answers itself, by name. All
// others go to the store.
var answered map[string]func(*call) (answer, error)

func init() {
	answered = map[string]func(*call) (answer, error){
		"CreateBucket":                  (*call).createBucket,
		"DeleteBucket":                  (*call).deleteBucket,
		"DeleteBucketOwnershipControls": (*call).nothing,
		"DeleteBucketPolicy":            (*call).deletePolicy,
		"DeleteObjects":                 (*call).deleteObjects,
		"DeletePublicAccessBlock":       (*call).deleteBlock,
		"GetBucketAcl":                  (*call).bucketACL,
		"GetBucketLocation":             (*call).location,
		"GetBucketOwnershipControls":    (*call).ownership,
		"GetBucketPolicy":               (*call).policy,
		"GetBucketPolicyStatus":         (*call).policyStatus,
		"GetObjectAcl":                  (*call).objectACL,
		"GetPublicAccessBlock":          (*call).block,
		"ListBuckets":                   (*call).listBuckets,

		"PutBucketAcl":               (*call).putACL,
		"PutBucketOwnershipControls": (*call).putOwnership,
		"PutBucketPolicy":            (*call).putPolicy,
		"PutObjectAcl":               (*call).putACL,
		"PutPublicAccessBlock":       (*call).putBlock,
	}
}

const namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// own is an answer with a document of the gateway.
func own(b []byte) answer { return answer{status: http.StatusOK, body: b} }

var noContent = answer{status: http.StatusNoContent}

// open begins a document with its root element.
func open(root string) []byte {
	b := append(make([]byte, 0, 512), xmlHeader...)
	b = append(b, '<')
	b = append(b, root...)
	b = append(b, ` xmlns="`+namespace+`"`...)
	return append(b, '>')
}

func (c *call) nothing() (answer, error) { return noContent, nil }

func (c *call) location() (answer, error) {
	region := c.bucket.Region
	if region == "us-east-1" {
		region = ""
	}
	b := open("LocationConstraint")
	b = wire.AppendEscaped(b, region)
	return own(wire.AppendEnd(b, "LocationConstraint")), nil
}

// policyOwner refuses principals of other accounts: a bucket policy cannot lend
// its own administration (S3 API Reference, GetBucketPolicy: 405 for an identity
// that does not belong to the bucket owner's account).
func (c *call) policyOwner() error {
	if !c.within(c.bucket) {
		return methodNotAllowed.With("Method", c.r.Method).With("ResourceType", "BUCKETPOLICY")
	}
	return nil
}

func (c *call) policy() (answer, error) {
	if err := c.policyOwner(); err != nil {
		return answer{}, err
	}
	if c.bucket.Policy == nil {
		return answer{}, noSuchBucketPolicy.With("BucketName", c.bucket.Name)
	}
	return answer{status: http.StatusOK, header: http.Header{"Content-Type": jsonType}, body: []byte(c.g.Buckets.Text(c.ctx, c.bucket))}, nil
}

var jsonType = []string{"application/json"}

func (c *call) policyStatus() (answer, error) {
	if err := c.policyOwner(); err != nil {
		return answer{}, err
	}
	if c.bucket.Policy == nil {
		return answer{}, noSuchBucketPolicy.With("BucketName", c.bucket.Name)
	}
	b := open("PolicyStatus")
	b = appendBool(b, "IsPublic", c.bucket.Public())
	return own(wire.AppendEnd(b, "PolicyStatus")), nil
}

func appendBool(b []byte, name string, v bool) []byte {
	return wire.AppendString(b, name, strconv.FormatBool(v))
}

func (c *call) putPolicy() (answer, error) {
	if err := c.policyOwner(); err != nil {
		return answer{}, err
	}
	c.began = true
	defer c.lasting()()
	err := c.g.Buckets.SetPolicy(c.ctx, c.bucket, string(c.document))
	if e, ok := errors.AsType[*buckets.PolicyError](err); ok {
		return answer{}, sender(e.Code, 400, e.Message).Because(err)
	}
	if errors.Is(err, buckets.ErrPublic) {
		return answer{}, accessDenied.Msg("User: %s is not authorized to perform: s3:PutBucketPolicy on resource: %q because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.",
			c.caller.ARN, bucketARN(c.bucket.Name)).Because(err)
	}
	return noContent, err
}

func (c *call) deletePolicy() (answer, error) {
	if err := c.policyOwner(); err != nil {
		return answer{}, err
	}
	c.began = true
	defer c.lasting()()
	return noContent, gone(c.g.Buckets.DeletePolicy(c.ctx, c.bucket))
}

// gone takes what is not there for deleted.
func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// A publicAccessBlock is the document of a public access block.
type publicAccessBlock struct {
	XMLName               xml.Name `xml:"PublicAccessBlockConfiguration"`
	BlockPublicAcls       bool     `xml:"BlockPublicAcls"`
	IgnorePublicAcls      bool     `xml:"IgnorePublicAcls"`
	BlockPublicPolicy     bool     `xml:"BlockPublicPolicy"`
	RestrictPublicBuckets bool     `xml:"RestrictPublicBuckets"`
}

func (c *call) block() (answer, error) {
	x := c.bucket.OwnBlock
	if x == nil {
		return answer{}, noSuchPublicAccessBlock.With("BucketName", c.bucket.Name)
	}
	b := open("PublicAccessBlockConfiguration")
	b = appendBool(b, "BlockPublicAcls", x.BlockPublicAcls)
	b = appendBool(b, "IgnorePublicAcls", x.IgnorePublicAcls)
	b = appendBool(b, "BlockPublicPolicy", x.BlockPublicPolicy)
	b = appendBool(b, "RestrictPublicBuckets", x.RestrictPublicBuckets)
	return own(wire.AppendEnd(b, "PublicAccessBlockConfiguration")), nil
}

func (c *call) putBlock() (answer, error) {
	var x publicAccessBlock
	if xml.Unmarshal(c.document, &x) != nil {
		return answer{}, malformedXML
	}
	c.began = true
	defer c.lasting()()
	block := buckets.Block{
		BlockPublicAcls: x.BlockPublicAcls, IgnorePublicAcls: x.IgnorePublicAcls,
		BlockPublicPolicy: x.BlockPublicPolicy, RestrictPublicBuckets: x.RestrictPublicBuckets,
	}
	return answer{status: http.StatusOK}, c.g.Buckets.SetBlock(c.ctx, c.bucket, block)
}

func (c *call) deleteBlock() (answer, error) {
	c.began = true
	defer c.lasting()()
	return noContent, c.g.Buckets.DeleteBlock(c.ctx, c.bucket)
}

// enforced is the only ObjectOwnership that buckets have here.
const enforced = "BucketOwnerEnforced"

// An ownershipControls is the document of a bucket's ownership controls.
type ownershipControls struct {
	XMLName xml.Name `xml:"OwnershipControls"`
	Rules   []string `xml:"Rule>ObjectOwnership"`
}

func (c *call) ownership() (answer, error) {
	b := open("OwnershipControls")
	b = wire.AppendStart(b, "Rule")
	b = wire.AppendString(b, "ObjectOwnership", enforced)
	b = wire.AppendEnd(b, "Rule")
	return own(wire.AppendEnd(b, "OwnershipControls")), nil
}

// putOwnership takes what holds already. Whoever asks for access control lists
// must not believe that there are any (quirk Q127).
func (c *call) putOwnership() (answer, error) {
	var x ownershipControls
	if xml.Unmarshal(c.document, &x) != nil || len(x.Rules) != 1 {
		return answer{}, malformedXML
	}
	if x.Rules[0] != enforced {
		return answer{}, notImplemented.Msg("Buckets behind this gateway have no access control lists: ObjectOwnership is always %s.", enforced)
	}
	return answer{status: http.StatusOK}, nil
}

// bucketACL is the list of a bucket whose owner is enforced: full control for the
// owner and nothing for others (S3 User Guide, "Controlling ownership of objects").
func (c *call) bucketACL() (answer, error) {
	id := canonical(c.bucket.Account)
	b := open("AccessControlPolicy")
	b = appendOwner(b, c.bucket.Account)
	b = append(b, `<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser">`...)
	b = wire.AppendString(b, "ID", id)
	b = append(b, "</Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"...)
	return own(wire.AppendEnd(b, "AccessControlPolicy")), nil
}

// objectACL is that of an object, which has to be there.
func (c *call) objectACL() (answer, error) {
	query := ""
	if c.req.VersionID != "" {
		query = "versionId=" + escape(c.req.VersionID)
	}
	resp, err := c.ask(&upstream.Request{Method: http.MethodHead, Path: c.req.Path, Query: query, Header: http.Header{}})
	if err != nil {
		return answer{}, err
	}
	if resp.StatusCode >= 300 {
		return answer{}, c.failed(resp)
	}
	_ = resp.Body.Close()
	return c.bucketACL()
}

// putACL refuses lists, except the canned ones that say what holds already
// (refuseACL).
func (c *call) putACL() (answer, error) {
	if len(c.document) > 0 || len(c.header["X-Amz-Acl"]) == 0 {
		return answer{}, aclNotSupported
	}
	return answer{status: http.StatusOK}, nil
}
