// SPDX-License-Identifier: Apache-2.0

package delegapi_test

import (
	"flag"
	"testing"

	"github.com/innkeeper-iam/innkeeper/internal/iamtest"
)

func TestExchanges(t *testing.T) {
	iamtest.Exchanges(t, "testdata/exchanges/*.txtar", flag.Lookup("update").Value.String() == "true")
}
