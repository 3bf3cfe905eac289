// SPDX-License-Identifier: Apache-2.0

package delegapi

import (
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/wire/wiretest"
)

func TestShapes(t *testing.T) {
	wiretest.Run(t, shapes, wiretest.Config{
		Names: map[string]string{"ListDelegationRequestsOutput.IsTruncated": "isTruncated"},
	})
}
