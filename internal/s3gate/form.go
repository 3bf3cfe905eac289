// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
	"github.com/innkeeper-iam/innkeeper/sigv4"
)

// Limits of a POST form (S3 API Reference, "POST Object").
const (
	maxFields = 64 << 10 // bytes of everything before the file; S3 takes 20 KB of values
	maxFile   = 5 << 30  // bytes of the file
)

// A form is what a POST form says before its file.
type form struct {
	fields   map[string]string // by name in lower case, ${filename} replaced
	file     io.Reader
	min, max int64 // bytes of the file
}

// proveForm reads the fields of a POST form and finds out who signed them. From
// here on the request is the PutObject that it amounts to.
func (c *call) proveForm() error {
	fields, file, err := c.readFields()
	if err != nil {
		return err
	}
	c.form = &form{fields: fields, file: file, max: maxFile}
	multi := make(map[string][]string, len(fields))
	for name, v := range fields {
		multi[name] = []string{v}
	}
	sig, err := sigv4.ParseForm(multi)
	switch {
	case errors.Is(err, sigv4.ErrMissing):
		if fields["policy"] != "" {
			return invalidArgument.Msg("Bucket POST must contain a field named 'X-Amz-Signature'.  If it is specified, please check the order of the fields.")
		}
		err = c.anonymous()
	case err == nil:
		err = c.proveSigned(sig)
	}
	if err != nil {
		return err
	}
	c.req, c.header, err = c.req.Form(fields["key"], multi)
	return err
}

func (c *call) proveSigned(sig *sigv4.Signature) (err error) {
	c.sig = sig
	if !sig.S3() {
		return headerMalformed.Msg("The credential is not scoped to the service \"s3\".")
	}
	if c.caller, err = c.g.Authn.GateForm(c.ctx, sig, c.form.fields["policy"]); err != nil {
		return err
	}
	authz.Identify(&c.record, c.caller)
	p, err := parseFormPolicy(c.form.fields["policy"])
	if err != nil {
		return err
	}
	return p.check(c.form, c.req.Bucket, c.time)
}

// readFields reads the form up to its file, which S3 wants to be the last field.
func (c *call) readFields() (map[string]string, io.Reader, error) {
	kind, params, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, nil, malformedPOST
	}
	src := &bounded{src: counter{c.r.Body, &c.in}, left: maxFields}
	parts := multipart.NewReader(src, params["boundary"])
	fields := make(map[string]string)
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil, nil, incorrectNumberOfFiles
		}
		if err != nil {
			return nil, nil, formFault(err)
		}
		name := strings.ToLower(part.FormName())
		if name == "file" {
			src.left = maxFile + maxFields
			expand(fields, part.FileName())
			return fields, part, nil
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, formFault(err)
		}
		if _, again := fields[name]; again || name == "" {
			return nil, nil, invalidArgument.Msg("Each field of the form must have a name of its own.")
		}
		fields[name] = string(text)
	}
}

func formFault(err error) error {
	if errors.Is(err, errBound) {
		return maxPostPreData
	}
	return malformedPOST.Because(err)
}

// expand puts the file's name, without the folders that some browsers send, where
// the fields leave room for it.
func expand(fields map[string]string, file string) {
	file = file[strings.LastIndexAny(file, `/\`)+1:]
	for name, v := range fields {
		if name != "policy" {
			fields[name] = strings.ReplaceAll(v, "${filename}", file)
		}
	}
}

// A bounded reader fails when more than left bytes come.
type bounded struct {
	src  io.Reader
	left int64
}

var errBound = errors.New("s3gate: too much came")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errBound
	}
	n, err := b.src.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// postObject stores the form's file. Stores want to know how long it is, and it
// must be within what the policy says before they have the whole of it, so it
// waits in a file that has no name and goes with the request.
func (c *call) postObject() (answer, error) {
	spool, err := os.CreateTemp(c.g.Spool, "post-")
	if err != nil {
		return answer{}, err
	}
	defer spool.Close()
	if err := os.Remove(spool.Name()); err != nil {
		return answer{}, err
	}
	n, err := io.Copy(spool, io.LimitReader(c.form.file, c.form.max+1))
	switch {
	case errors.Is(err, errBound), err == nil && n > c.form.max:
		return answer{}, entityTooLarge.With("ProposedSize", strconv.FormatInt(n, 10)).With("MaxSizeAllowed", strconv.FormatInt(c.form.max, 10))
	case err != nil:
		return answer{}, malformedPOST.Because(err)
	case n < c.form.min:
		return answer{}, entityTooSmall.With("ProposedSize", strconv.FormatInt(n, 10)).With("MinSizeAllowed", strconv.FormatInt(c.form.min, 10))
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return answer{}, err
	}
	body, err := digested(io.LimitReader(spool, n), c.header)
	if err != nil {
		return answer{}, err
	}
	resp, err := c.ask(&upstream.Request{Method: http.MethodPut, Path: c.req.Path, Query: c.req.Query, Header: c.forwardable(), Body: body, Length: n})
	if err != nil {
		return answer{}, err
	}
	if resp.StatusCode >= 300 {
		return answer{}, c.failed(resp)
	}
	_ = resp.Body.Close()
	return c.posted(resp.Header), nil
}

// posted is the answer that the form asked for (S3 API Reference, "POST Object":
// success_action_redirect and success_action_status).
func (c *call) posted(stored http.Header) answer {
	etag := stored.Get("Etag")
	h := make(http.Header)
	for _, name := range []string{"Etag", "X-Amz-Version-Id", "X-Amz-Server-Side-Encryption"} {
		if v := stored[name]; len(v) > 0 {
			h[name] = v
		}
	}
	here := url.URL{Scheme: "http", Host: c.r.Host, Path: "/" + c.req.Bucket + "/" + c.req.Key}
	if c.env.Secure {
		here.Scheme = "https"
	}
	h["Location"] = []string{here.String()}
	f := c.form.fields
	to := f["success_action_redirect"]
	if to == "" {
		to = f["redirect"]
	}
	if u, err := url.Parse(to); to != "" && err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		q := u.Query()
		q.Set("bucket", c.req.Bucket)
		q.Set("key", c.req.Key)
		q.Set("etag", etag)
		u.RawQuery = q.Encode()
		h["Location"] = []string{u.String()}
		return answer{status: http.StatusSeeOther, header: h}
	}
	switch f["success_action_status"] {
	case "200":
		return answer{status: http.StatusOK, header: h}
	case "201":
		b := append([]byte(xmlHeader), "<PostResponse>"...)
		b = wire.AppendString(b, "Location", here.String())
		b = wire.AppendString(b, "Bucket", c.req.Bucket)
		b = wire.AppendString(b, "Key", c.req.Key)
		b = wire.AppendString(b, "ETag", etag)
		return answer{status: http.StatusCreated, header: h, body: wire.AppendEnd(b, "PostResponse")}
	}
	return answer{status: http.StatusNoContent, header: h}
}
