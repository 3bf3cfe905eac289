// SPDX-License-Identifier: Apache-2.0

package api

import (
	"errors"

	"github.com/innkeeper-iam/innkeeper/internal/awserr"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// Document reads a policy document of a request and checks it for use as kind,
// and by the further rules. The error is MalformedPolicyDocument, with AWS's
// sentence first and then what is wrong, where, and the likely fix.
func Document(name, text string, kind policy.Kind, further ...func(*policy.Document) error) (*policy.Document, error) {
	d, err := policy.Parse(name, []byte(text))
	if err == nil {
		errs := []error{d.Validate(kind)}
		for _, rule := range further {
			errs = append(errs, rule(d))
		}
		err = errors.Join(errs...)
	}
	if err != nil {
		return nil, awserr.MalformedPolicyDocument.Msg("%s", Fault(err, kind)).Because(err)
	}
	return d, nil
}

// Fault is AWS's sentence about a bad document, followed by our first problem
// with its position.
func Fault(err error, kind policy.Kind) string {
	text := policy.AWSMessage(err, kind)
	if list := policy.Problems(err); len(list) > 0 {
		text += " (" + list[0].String() + ")"
	}
	return text
}
