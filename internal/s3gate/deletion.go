// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"

	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/internal/s3req"
	"github.com/innkeeper-iam/innkeeper/internal/upstream"
	"github.com/innkeeper-iam/innkeeper/internal/wire"
)

// A deletion is a DeleteObjects request, which is judged key by key.
type deletion struct {
	*s3req.Deletes            // what is left to ask the store for
	refused        []keyError // the others
}

// A keyError is why one key was not deleted.
type keyError struct {
	Key       string `xml:"Key"`
	VersionID string `xml:"VersionId"`
	Code      string `xml:"Code"`
	Message   string `xml:"Message"`
}

// readDeletion reads the document of DeleteObjects.
func (c *call) readDeletion() error {
	d, err := s3req.ParseDelete(c.document)
	if err == nil {
		c.deletion = &deletion{Deletes: d}
	}
	return err
}

// decideDeletion decides each key by itself: those that are not allowed are
// answered, the others stay. All the decisions are in one record.
func (c *call) decideDeletion() error {
	d := c.deletion
	verbatim := c.g.Upstream.Profile().KeysVerbatim
	kept := d.Objects[:0]
	for _, o := range d.Objects {
		var fault *awserr.Error
		if !verbatim && !s3req.Verbatim(o.Key) {
			fault = errAlias
		} else if err := c.decideKey(&o); err != nil {
			if _, ok := errors.AsType[*authz.DeniedError](err); !ok {
				return err
			}
			fault = c.answerOf(err)
		}
		if fault == nil {
			kept = append(kept, o)
			continue
		}
		d.refused = append(d.refused, keyError{o.Key, o.VersionID, fault.Code, fault.Message})
	}
	d.Objects = kept
	return nil
}

func (c *call) decideKey(o *s3req.Deletion) error {
	needs := c.req.DeleteNeeds(o, c.sig, c.header, c.time, c.tlsVersion())
	if len(needs) == 0 {
		return errors.New("s3gate: the deletion needs no permission")
	}
	for i := range needs {
		if err := c.decideNeed(&needs[i]); err != nil {
			return err
		}
	}
	return nil
}

// deleteObjects asks the store for what may be deleted, in a document of the
// gateway's own, and answers for all keys. With nothing left the store is not
// asked.
func (c *call) deleteObjects() (answer, error) {
	d := c.deletion
	var result deleteResult
	if len(d.Objects) > 0 {
		if err := c.askDeletion(&result); err != nil {
			return answer{}, err
		}
	}
	b := open("DeleteResult")
	for _, x := range result.Deleted {
		b = x.append(b)
	}
	for _, list := range [][]keyError{result.Errors, d.refused} {
		for _, e := range list {
			b = e.append(b)
		}
	}
	return own(wire.AppendEnd(b, "DeleteResult")), nil
}

// maxResult bounds the store's answer to DeleteObjects, in bytes.
const maxResult = 16 << 20

func (c *call) askDeletion(result *deleteResult) error {
	h := c.unsummed()
	text := c.deletion.XML()
	h["Content-Md5"] = []string{md5Of(text)}
	out := &upstream.Request{Method: http.MethodPost, Path: c.req.Path, Query: c.req.Query, Header: h}
	attach(out, text)
	resp, err := c.ask(out)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return c.failed(resp)
	}
	defer resp.Body.Close()
	answered, err := io.ReadAll(io.LimitReader(resp.Body, maxResult))
	if err == nil {
		err = xml.Unmarshal(answered, result)
	}
	if err != nil {
		return internalError.Because(err)
	}
	return nil
}

// deleteResult is the store's answer to DeleteObjects.
type deleteResult struct {
	Deleted []deleted  `xml:"Deleted"`
	Errors  []keyError `xml:"Error"`
}

type deleted struct {
	Key           string `xml:"Key"`
	VersionID     string `xml:"VersionId"`
	Marker        string `xml:"DeleteMarker"`
	MarkerVersion string `xml:"DeleteMarkerVersionId"`
}

func (d *deleted) append(b []byte) []byte {
	b = wire.AppendStart(b, "Deleted")
	b = wire.AppendString(b, "Key", d.Key)
	b = appendSome(b, "VersionId", d.VersionID)
	b = appendSome(b, "DeleteMarker", d.Marker)
	b = appendSome(b, "DeleteMarkerVersionId", d.MarkerVersion)
	return wire.AppendEnd(b, "Deleted")
}

func (e *keyError) append(b []byte) []byte {
	b = wire.AppendStart(b, "Error")
	b = wire.AppendString(b, "Key", e.Key)
	b = appendSome(b, "VersionId", e.VersionID)
	b = wire.AppendString(b, "Code", e.Code)
	b = wire.AppendString(b, "Message", e.Message)
	return wire.AppendEnd(b, "Error")
}

func appendSome(b []byte, name, v string) []byte {
	if v == "" {
		return b
	}
	return wire.AppendString(b, name, v)
}
