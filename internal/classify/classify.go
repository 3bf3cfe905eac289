// SPDX-License-Identifier: Apache-2.0

// Package classify tells what a request to an AWS service asks for: the operation, and which permissions on
// which resources it takes.
//
// It reads AWS's protocols: Query and its EC2 form, JSON 1.0 and 1.1, REST-JSON, REST-XML and RPC v2 CBOR,
// of every service that its models know, save those that innkeeper answers or guards itself (IAM, STS,
// Organizations, S3). It is pure, and safe for concurrent use.
//
// # What is refused
//
// Two servers may read one request differently. What another server could take for something else than
// what was judged is refused: two ways of naming the operation in one request, members given twice, or in
// another letter case where they name the resource, parameters in places that the protocol does not use, a
// path that decodes to another operation's. So are operations and services that the models do not know.
//
// # Resources
//
// A resource is the ARN that AWS judges. Where the request leaves open which resource it is about, the ARN
// has wildcards: a KMS key that is called by its alias is "arn:aws:kms:REGION:ACCOUNT:key/*", a secret that is
// called by its name ends in "-??????", and an operation of which nobody said yet where it names its resource
// has "*". A policy allows such a request only with a pattern that covers all that the wildcards may
// stand for. Whoever judges must also see to it that no policy denies a part of it: see Check.Vague.
//
// # Condition keys
//
// A check carries those condition keys of the action that the request tells. Those that it does not tell,
// such as the tags of a resource, are in Untold; a policy that would let more pass without them cannot be
// applied.
package classify

import (
	"fmt"
	"net/http"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

// A Request is what came, and where it is meant for.
type Request struct {
	Method string
	Path   string      // escaped, as it came
	Query  string      // raw, as it came
	Header http.Header // not changed
	Body   []byte      // all of it, not changed

	Service string // signing name, of the credential scope: "monitoring"
	Region  string // in which the service acts
	Account string // the owner of what is behind the service
	// Aliases are what the service calls that account in ARNs and queue URLs, if it is an emulator with an account
	// of its own.
	Aliases []string
}

// A Result is what a request asks for.
type Result struct {
	Signing   string // signing name of the service
	Service   string // prefix of its actions
	Operation string // AWS's name of it
	Protocol  Protocol
	ReadOnly  bool    // by the access level of its actions
	Checks    []Check // one or more, every one of which must be allowed
}

// A Check is one permission that a request needs.
type Check struct {
	Action   string // "dynamodb:GetItem"
	Resource string // ARN, perhaps with wildcards, or "*"

	// Vague says that Resource stands for several, of which the request is about one or some. A Deny or a
	// NotResource that is about a part of them does not meet its text and has to be looked for. The "*" of an
	// action that has no resource stands for nothing else.
	Vague bool

	// Keys and Lists are the condition keys that the request tells.
	Keys  map[string]string
	Lists map[string][]string

	// Untold are the condition keys that AWS knows for the action and the request does not tell, in the
	// catalogue's form: "aws:ResourceTag/${TagKey}".
	Untold []string
}

// An Error says why a request could not be classified.
type Error struct {
	Service   string // signing name
	Operation string // "" when it is not known
	Reason    string // what is missing or ambiguous, a sentence without a capital
	Code      Code
}

// A Code is the kind of an Error.
type Code int

// The kinds of errors.
const (
	Unknown   Code = iota // the service or the operation is not known
	Malformed             // the request is not of its protocol, or ambiguous
	Foreign               // it is about another account or region than is behind the service
)

func (e *Error) Error() string {
	what := e.Service
	if e.Operation != "" {
		what += ":" + e.Operation
	}
	return fmt.Sprintf("classify: %s: %s", what, e.Reason)
}

// Classify returns what r asks for. The error is an *Error.
func Classify(r *Request) (*Result, error) {
	c := &call{Request: r}
	res, err := c.classify()
	if e, ok := err.(*Error); ok {
		e.Service = r.Service
		if c.op != nil {
			e.Operation = c.op.name
		}
	}
	return res, err
}

// A call is one request on its way to its Result.
type call struct {
	*Request
	protocol Protocol
	model    *model
	op       *operation
	service  *catalog.Service
	input    node       // of all protocols but REST, and the body of REST once read
	labels   labels     // of REST: what the path says
	query    parameters // of REST
	readBody bool
}

func (c *call) classify() (*Result, error) {
	if len(modelsOf(c.Service)) == 0 {
		return nil, fail(Unknown, "the service is not known")
	}
	if err := c.common(); err != nil {
		return nil, err
	}
	if err := c.route(); err != nil {
		return nil, err
	}
	s, ok := catalog.Lookup(c.model.prefix)
	if !ok {
		return nil, fail(Unknown, "the catalogue has no actions %s:*", c.model.prefix)
	}
	c.service = s
	checks, err := c.checks()
	if err != nil {
		return nil, err
	}
	res := &Result{Signing: c.Service, Service: c.model.prefix, Operation: c.op.name, Protocol: c.protocol, Checks: checks, ReadOnly: true}
	for i := range checks {
		a, _ := s.Action(checks[i].Action[len(s.Prefix)+1:])
		res.ReadOnly = res.ReadOnly && (a.Access == catalog.List || a.Access == catalog.Read)
	}
	return res, nil
}

func fail(code Code, format string, args ...any) error {
	return &Error{Code: code, Reason: fmt.Sprintf(format, args...)}
}

// Known reports whether requests with a signing name can be classified.
func Known(signing string) bool { return len(modelsOf(signing)) > 0 }

// MaxBody is how many bytes the body of a request to a service may have: what AWS takes, with room for
// its encoding.
func MaxBody(signing string) int64 {
	if n, ok := bodies[signing]; ok {
		return n << 20
	}
	return 6 << 20
}

// bodies has the services that take more than 6 MiB, in MiB. Sources: their quotas pages.
var bodies = map[string]int64{
	"dynamodb": 17, // BatchWriteItem, 16 MB
	"ecr":      28, // UploadLayerPart, 20 MiB in base64
	"kinesis":  14, // PutRecords, 10 MiB in base64
	"lambda":   68, // a function's code, 50 MB in base64
}
