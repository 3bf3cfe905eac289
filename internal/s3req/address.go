// SPDX-License-Identifier: Apache-2.0

package s3req

import (
	"net"
	"strings"
)

// readAddress sets the bucket, the key and the canonical path.
//
// A percent sign is decoded once. A plus sign in a path is a plus sign: it is
// sent on as %2B, so that an upstream that takes it for a space cannot (quirk Q110).
func (r *Request) readAddress(host, path string, o *Options) error {
	if !strings.HasPrefix(path, "/") {
		return fail("InvalidURI", "The request target must start with a slash.")
	}
	if !cleanTarget(path) {
		return fail("InvalidURI", "Couldn't parse the specified URI.")
	}
	rest := path[1:]
	bucket, virtual, err := bucketOfHost(host, o)
	if err != nil {
		return err
	}
	if virtual {
		r.Virtual = true
	} else {
		var slash bool
		bucket, rest, slash = strings.Cut(rest, "/")
		if bucket == "" {
			if slash {
				return fail("InvalidURI", "Couldn't parse the specified URI.")
			}
			r.Path = "/"
			return nil
		}
	}
	if !ValidBucket(bucket) {
		return fail("InvalidBucketName", "The specified bucket is not valid.")
	}
	r.Bucket = bucket
	if r.Key, err = readKey(rest); err != nil {
		return err
	}
	switch {
	case rest == "" && !virtual:
		r.Path = path[:1+len(bucket)]
	case rest == "":
		r.Path = "/" + bucket
	case !virtual && canonicalPath(rest):
		r.Path = path
	default:
		r.Path = objectPath(bucket, r.Key)
	}
	return nil
}

// cleanTarget reports whether a raw path or query has no byte that may not stand
// there or that parsers disagree about. Bytes above ASCII may: curl sends them.
func cleanTarget(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == 0x7f || c == '#' || c == ';' {
			return false
		}
	}
	return true
}

// bucketOfHost returns the bucket that stands before one of the domains in the host, and
// whether one does.
func bucketOfHost(host string, o *Options) (string, bool, error) {
	if o == nil || len(o.Domains) == 0 {
		return "", false, nil
	}
	name := host
	if strings.Contains(host, ":") {
		if h, _, err := net.SplitHostPort(host); err == nil {
			name = h
		}
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	bucket, found := "", false
	for _, d := range o.Domains {
		if name == d {
			return "", false, nil
		}
		b, ok := strings.CutSuffix(name, d)
		if !ok || !strings.HasSuffix(b, ".") {
			continue
		}
		if b = b[:len(b)-1]; !found || len(b) < len(bucket) {
			bucket, found = b, true
		}
	}
	if found && bucket == "" {
		return "", false, fail("InvalidBucketName", "The specified bucket is not valid.")
	}
	return bucket, found, nil
}

// reserved are the beginnings and ends that S3 keeps from the names of general purpose
// buckets: names with them are of other things, such as access points, whose
// requests would go elsewhere.
var reserved = struct{ prefixes, suffixes []string }{
	prefixes: []string{"xn--", "sthree-", "amzn-s3-demo-"},
	suffixes: []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"},
}

// ValidBucket reports whether name may be a general purpose bucket's (S3 User Guide,
// "General purpose bucket naming rules"). Names that only old buckets in us-east-1
// have, with capitals or underscores, may not (quirk Q111).
func ValidBucket(name string) bool {
	if len(name) < 3 || len(name) > 63 {
		return false
	}
	digits := true
	for i := range len(name) {
		switch c := name[i]; {
		case '0' <= c && c <= '9':
		case 'a' <= c && c <= 'z':
			digits = false
		case c == '-' || c == '.':
			if i == 0 || i == len(name)-1 || c == '.' && name[i-1] == '.' {
				return false
			}
			digits = digits && c == '.'
		default:
			return false
		}
	}
	if digits && strings.Count(name, ".") == 3 {
		return false // an IPv4 address
	}
	for _, p := range reserved.prefixes {
		if strings.HasPrefix(name, p) {
			return false
		}
	}
	for _, s := range reserved.suffixes {
		if strings.HasSuffix(name, s) {
			return false
		}
	}
	return true
}
