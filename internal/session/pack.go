// SPDX-License-Identifier: Apache-2.0

package session

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// PackedLimit is how many bytes the packed session policies and tags of one
// session may have. AWS says only that such a limit exists, in a form that it
// does not describe (API-AssumeRole, PackedPolicySize).
const PackedLimit = 1024

// PackedSize returns how much of PackedLimit the session policy, the ARNs of the
// managed session policies and the tags take in a token, in percent and rounded
// up: 0 when there are none, over 100 when they do not fit.
func PackedSize(policy string, arns []string, tags []Tag) int {
	raw, err := (&Claims{Policy: policy, PolicyARNs: arns, Tags: tags}).appendPackable(nil)
	if err != nil {
		// More than any token may carry; its length is as good a measure as any.
		n := len(policy)
		for _, a := range arns {
			n += len(a)
		}
		for _, t := range tags {
			n += len(t.Key) + len(t.Value)
		}
		return max(101, percent(n))
	}
	if len(raw) == 0 {
		return 0
	}
	return percent(len(appendPacked(nil, raw)))
}

func percent(n int) int { return (100*n + PackedLimit - 1) / PackedLimit }

// appendPackable appends the policies and tags of c; nothing when there are none.
func (c *Claims) appendPackable(b []byte) ([]byte, error) {
	if c.Policy == "" && len(c.PolicyARNs) == 0 && len(c.Tags) == 0 {
		return b, nil
	}
	b = appendString(b, c.Policy)
	b = binary.AppendUvarint(b, uint64(len(c.PolicyARNs)))
	for _, a := range c.PolicyARNs {
		b = appendString(b, a)
	}
	b = binary.AppendUvarint(b, uint64(len(c.Tags)))
	for _, t := range c.Tags {
		n := uint64(len(t.Key)) << 1
		if slices.ContainsFunc(c.Transitive, func(k string) bool { return strings.EqualFold(k, t.Key) }) {
			n |= 1
		}
		b = binary.AppendUvarint(b, n)
		b = append(b, t.Key...)
		b = appendString(b, t.Value)
	}
	if len(b) > maxPacked {
		return nil, fmt.Errorf("session: policies and tags of %d bytes: at most %d", len(b), maxPacked)
	}
	return b, nil
}

func (c *Claims) parsePackable(b []byte) error {
	p := parser{rest: b}
	c.Policy = p.string(maxPacked)
	for range p.uvarint(maxList) {
		c.PolicyARNs = append(c.PolicyARNs, p.string(maxPacked))
	}
	for range p.uvarint(maxList) {
		n := p.uvarint(2 * maxPacked)
		transitive := n&1 != 0
		if n >>= 1; n > uint64(len(p.rest)) {
			p.fail()
		}
		var t Tag
		if !p.bad {
			t.Key, p.rest = string(p.rest[:n]), p.rest[n:]
		}
		t.Value = p.string(maxPacked)
		c.Tags = append(c.Tags, t)
		if transitive {
			c.Transitive = append(c.Transitive, t.Key)
		}
	}
	if p.bad || len(p.rest) > 0 {
		return errClaims
	}
	return nil
}

// appendPacked appends raw in the shorter of two forms: uvarint of twice its
// length and the text; or that plus one, and the text deflated, to the end.
func appendPacked(b, raw []byte) []byte {
	n := uint64(len(raw)) << 1
	z := deflaters.Get().(*deflater)
	defer deflaters.Put(z)
	if deflated := z.deflate(raw); len(deflated) < len(raw) {
		return append(binary.AppendUvarint(b, n|1), deflated...)
	}
	return append(binary.AppendUvarint(b, n), raw...)
}

// unpack reads what appendPacked made of at most limit bytes, to the end of the
// input.
func unpack(p *parser, limit uint64) ([]byte, error) {
	n := p.uvarint(2*limit + 1)
	packed := p.rest
	p.rest = nil
	if p.bad {
		return nil, errClaims
	}
	if n&1 == 0 {
		if uint64(len(packed)) != n>>1 {
			return nil, errClaims
		}
		return packed, nil
	}
	z := inflaters.Get().(*inflater)
	defer inflaters.Put(z)
	return z.inflate(packed, int(n>>1))
}

// dictionary primes the compression with what session policies and tags are
// made of. It is part of the format: a change needs a new claimsVersion.
const dictionary = `eks-cluster-namekubernetes-namespacekubernetes-service-accountkubernetes-pod-name` +
	`kubernetes-pod-uideks-cluster-arnarn:aws:eks:us-east-1:CostCenterDepartmentEnvironmentOwnerProjectTeam` +
	`"secretsmanager:GetSecretValue""ssm:GetParameter""logs:PutLogEvents""lambda:InvokeFunction"` +
	`"ec2:Describe*""sts:AssumeRole""iam:PassRole""iam:Get*","iam:List*""kms:Decrypt","kms:GenerateDataKey"` +
	`"sqs:SendMessage","sqs:ReceiveMessage""dynamodb:GetItem","dynamodb:PutItem","dynamodb:Query"` +
	`"arn:aws:dynamodb:*:*:table/"arn:aws:iam::aws:policy/ReadOnlyAccess` +
	`{"ForAllValues:StringEquals":{"StringNotEquals":{"ArnLike":{"aws:PrincipalTag/"IpAddress":{"aws:SourceIp":` +
	`"Bool":{"aws:SecureTransport":"true""StringLike":{"s3:prefix":["` +
	`"StringEquals":{"aws:RequestedRegion":"us-east-1","Condition":{"NotAction":["NotResource":["` +
	`"s3:ListBucket","s3:PutObject","s3:DeleteObject","s3:GetObject"],"Resource":["arn:aws:s3:::` +
	`"Effect":"Deny","Action":[` +
	`{ "Version": "2012-10-17", "Statement": [ { "Sid": "Effect": "Allow", "Action": [ "Resource": "*" } ] }` +
	`{"Version":"2012-10-17","Statement":[{"Sid":"Stmt1","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`

// A deflater compresses with the dictionary. Making one costs more than a
// hundred times what it then does, hence the pools.
type deflater struct {
	w   *flate.Writer
	out bytes.Buffer
}

var deflaters = sync.Pool{New: func() any {
	z := new(deflater)
	w, err := flate.NewWriterDict(&z.out, flate.BestCompression, []byte(dictionary))
	if err != nil {
		panic("session: " + err.Error()) // the level is a constant
	}
	z.w = w
	return z
}}

// deflate returns the compressed text, which the next call overwrites.
func (z *deflater) deflate(raw []byte) []byte {
	z.out.Reset()
	z.w.Reset(&z.out)
	z.w.Write(raw) // writes to memory do not fail
	z.w.Close()
	return z.out.Bytes()
}

type inflater struct {
	in bytes.Reader
	r  io.ReadCloser
}

var inflaters = sync.Pool{New: func() any {
	z := new(inflater)
	z.r = flate.NewReaderDict(&z.in, []byte(dictionary))
	return z
}}

// inflate returns the text of exactly n bytes that packed holds.
func (z *inflater) inflate(packed []byte, n int) ([]byte, error) {
	z.in.Reset(packed)
	if err := z.r.(flate.Resetter).Reset(&z.in, []byte(dictionary)); err != nil {
		return nil, err
	}
	out := make([]byte, n)
	if _, err := io.ReadFull(z.r, out); err != nil {
		return nil, errClaims
	}
	if m, err := z.r.Read(make([]byte, 1)); m != 0 || err != io.EOF || z.in.Len() != 0 {
		return nil, errClaims
	}
	return out, nil
}
