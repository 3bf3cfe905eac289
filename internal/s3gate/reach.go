// SPDX-License-Identifier: Apache-2.0

package s3gate

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
)

// reaching are the operations whose documents can name places other than the
// bucket, by the elements that do; "*" stands for any document. The store acts on
// them later and in its own name, where nobody is asked about the place: it
// would copy, log or report into the bucket of another account (quirk Q130).
var reaching = map[string][]string{
	"PutBucketAbac":                      {"*"}, // tags of buckets decide nothing here
	"PutBucketAnalyticsConfiguration":    {"Destination"},
	"PutBucketInventoryConfiguration":    {"*"},
	"PutBucketLogging":                   {"TargetBucket"},
	"PutBucketNotificationConfiguration": {"TopicConfiguration", "QueueConfiguration", "CloudFunctionConfiguration", "EventBridgeConfiguration", "Topic", "Queue", "CloudFunction"},
	"PutBucketReplication":               {"*"},
}

// refuseReach refuses documents that reach beyond their bucket.
func (c *call) refuseReach() error {
	names := reaching[c.req.Op.Name]
	if names == nil {
		return nil
	}
	fault := notImplemented.Msg("%s is not available through this gateway, which could not decide about what the store does then.", c.req.Op.Name)
	if names[0] == "*" {
		return fault
	}
	d := xml.NewDecoder(bytes.NewReader(c.document))
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return malformedXML
		}
		switch t := t.(type) {
		case xml.StartElement:
			if slices.Contains(names, t.Name.Local) {
				return fault
			}
		case xml.Directive:
			return malformedXML // entities
		}
	}
}
