// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"net/http"
	"slices"
	"strings"
)

// Headers that name an operation or a protocol.
const (
	targetHeader = "X-Amz-Target"
	smithyHeader = "Smithy-Protocol"
)

// overrides are headers by which some frameworks take another method, path or host than those of the request.
var overrides = []string{
	"X-Http-Method-Override", "X-Http-Method", "X-Method-Override", "X-Original-Url", "X-Rewrite-Url", "X-Forwarded-Prefix", "X-Script-Name",
}

// encodings are the values of Content-Encoding that change nothing.
var encodings = map[string]bool{"": true, "identity": true, "amz-1.0": true}

// common refuses what is ambiguous in any protocol.
func (c *call) common() error {
	for name, values := range c.Header {
		if strings.Contains(name, "_") {
			return fail(Malformed, "header %q has an underscore, which many servers take for a hyphen", clip(name))
		}
		if slices.Contains(overrides, http.CanonicalHeaderKey(name)) {
			return fail(Malformed, "header %s is not taken", name)
		}
		if len(values) > 1 && (name == targetHeader || name == smithyHeader || name == "Content-Type") {
			return fail(Malformed, "header %s is given twice", name)
		}
	}
	if e := strings.Join(c.Header["Content-Encoding"], ","); !encodings[strings.ToLower(e)] && len(c.Body) > 0 {
		return fail(Malformed, "the body is encoded as %q: turn request compression off in the client", clip(e))
	}
	return nil
}

// route finds the protocol and the operation, and reads the parameters of protocols other than REST.
func (c *call) route() error {
	target, json := c.Header[targetHeader]
	_, smithy := c.Header[smithyHeader]
	rest := modelsOf(c.Service)[0].rest()
	switch {
	case smithy && (json || rest):
		return fail(Malformed, "the request names two protocols")
	case json && rest:
		return fail(Malformed, "%s is not for a service of the REST protocols", targetHeader)
	case smithy:
		return c.routeCBOR()
	case json:
		return c.routeJSON(target[0])
	case rest:
		return c.routeREST()
	}
	return c.routeForm()
}

// find takes the operation of the first model of the service that speaks the protocol and that want accepts.
func (c *call) find(p Protocol, name string, want func(*model) bool) error {
	for _, m := range modelsOf(c.Service) {
		if !slices.Contains(m.protocols, p) || !want(m) {
			continue
		}
		if op, ok := m.load().byName[name]; ok {
			c.protocol, c.model, c.op = p, m, op
			return nil
		}
	}
	return fail(Unknown, "operation %q is not known", clip(name))
}

// post refuses all but a POST without a query string. path is whether the path may be the one of a queue.
func (c *call) post() error {
	if c.Method != http.MethodPost {
		return fail(Malformed, "requests are made with POST, not %s", clip(c.Method))
	}
	if c.Query != "" {
		return fail(Malformed, "parameters belong in the body, not in the URL")
	}
	return nil
}

// atRoot refuses a path that is not "/". To SQS requests may also come at the address of the queue, as older
// clients send them.
func (c *call) atRoot() error {
	if c.Path == "/" || c.Path == "" {
		return nil
	}
	if c.Service != "sqs" {
		return fail(Malformed, "requests are made to the path /, not %q", clip(c.Path))
	}
	_, _, ok := queuePath(c.Path)
	if !ok {
		return fail(Malformed, "the path %q is not a queue's", clip(c.Path))
	}
	url, err := c.input.get("QueueUrl")
	if err != nil {
		return err
	}
	if url.kind == absent {
		c.input.kids = append(c.input.kids, child{"QueueUrl", node{kind: text, text: "http://host" + c.Path}})
		return nil
	}
	if _, path, ok := splitURL(url.text); !ok || path != c.Path {
		return fail(Malformed, "the path %q is not that of QueueUrl", clip(c.Path))
	}
	return nil
}

// media returns the media type of the body, in lower case. A character set other than UTF-8 or another parameter is
// part of it, so that it is no type that is known.
func (c *call) media() string {
	t, parameter, _ := strings.Cut(strings.ToLower(c.Header.Get("Content-Type")), ";")
	t, parameter = strings.TrimSpace(t), strings.TrimSpace(parameter)
	if parameter != "" && strings.ReplaceAll(parameter, `"`, "") != "charset=utf-8" {
		return t + ";" + parameter
	}
	return t
}

func (c *call) routeJSON(target string) error {
	if err := c.post(); err != nil {
		return err
	}
	if m := c.media(); m != "application/x-amz-json-1.0" && m != "application/x-amz-json-1.1" {
		return fail(Malformed, "Content-Type is %q, not application/x-amz-json-1.0 or 1.1", clip(m))
	}
	prefix, name, ok := strings.Cut(target, ".")
	if i := strings.LastIndexByte(target, '.'); i >= 0 {
		prefix, name = target[:i], target[i+1:]
	}
	if !ok {
		return fail(Malformed, "%s %q names no operation", targetHeader, clip(target))
	}
	if err := c.find(JSON, name, func(m *model) bool { return m.target == prefix }); err != nil {
		return err
	}
	return c.readObject(parseJSON)
}

// readObject reads the body, an object or nothing.
func (c *call) readObject(parse func([]byte) (node, error)) (err error) {
	c.input = node{kind: object}
	if len(c.Body) > 0 {
		if c.input, err = parse(c.Body); err != nil {
			return err
		}
	}
	if c.input.kind != object {
		return fail(Malformed, "the body is not an object")
	}
	return c.atRoot()
}

// routeCBOR finds the operation in the path, /service/NAME/operation/NAME (Smithy, "RPC v2 CBOR").
func (c *call) routeCBOR() error {
	if err := c.post(); err != nil {
		return err
	}
	if c.Header.Get(smithyHeader) != "rpc-v2-cbor" || c.media() != "application/cbor" && len(c.Body) > 0 {
		return fail(Malformed, "%s is %q with Content-Type %q", smithyHeader, clip(c.Header.Get(smithyHeader)), clip(c.media()))
	}
	f := strings.Split(c.Path, "/")
	if len(f) != 5 || f[0] != "" || f[1] != "service" || f[3] != "operation" {
		return fail(Malformed, "the path %q is not /service/NAME/operation/NAME", clip(c.Path))
	}
	if err := c.find(CBOR, f[4], func(m *model) bool { return m.target == f[2] }); err != nil {
		return err
	}
	c.Path = "/"
	return c.readObject(parseCBOR)
}

func (c *call) routeForm() error {
	if err := c.post(); err != nil {
		return err
	}
	if m := c.media(); m != "application/x-www-form-urlencoded" {
		return fail(Malformed, "Content-Type is %q, not application/x-www-form-urlencoded", clip(m))
	}
	all, err := parseParameters(string(c.Body))
	if err != nil {
		return err
	}
	if c.input, err = all.tree(); err != nil {
		return err
	}
	action, err := c.named("Action")
	if err != nil {
		return err
	}
	version, err := c.named("Version")
	if err != nil {
		return err
	}
	p := Query
	if slices.Contains(modelsOf(c.Service)[0].protocols, EC2) {
		p = EC2
	}
	if err := c.find(p, action, func(m *model) bool { return m.version == version }); err != nil {
		return err
	}
	return c.atRoot()
}

// named returns a parameter that must be there.
func (c *call) named(name string) (string, error) {
	n, err := c.input.get(name)
	if err != nil {
		return "", err
	}
	if n.kind != text || n.text == "" {
		return "", fail(Malformed, "parameter %s is missing", name)
	}
	return n.text, nil
}
