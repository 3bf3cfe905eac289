// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"

	"github.com/innkeeper-iam/innkeeper/policy/internal/form"
	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
	"github.com/innkeeper-iam/innkeeper/policy/internal/operator"
)

// conditions checks operators, keys and values (P-11).
func (v *validator) conditions() {
	for i := range v.at.Condition {
		if v.full() {
			return
		}
		c := &v.at.Condition[i]
		op, ok := operator.Parse(c.Operator)
		if !ok {
			if i == 0 || v.at.Condition[i-1].OpPos != c.OpPos {
				fix, message := operator.Likely(c.Operator)
				v.report(c.OpPos, v.path("Condition."+jsontext.Clip(c.Operator)), UnknownOperator, fix, message, syntaxErrors)
			}
			continue
		}
		element := func() string { return "Condition." + jsontext.Clip(c.Operator) + "." + jsontext.Clip(c.Key) }
		if c.Key == "" {
			v.report(c.KeyPos, v.path(element()), InvalidKey, `write a key such as "aws:SourceIp"`, "the condition key is empty", form.NoVendor)
		}
		for i, value := range c.Values {
			if what := op.Unreadable(value.Text, v.variables); what != "" {
				v.report(value.Pos, v.value(element(), i, c.Values), InvalidValue, "",
					fmt.Sprintf("%s cannot compare with %s: %s", c.Operator, jsontext.Quote(value.Text), what), legacyParsing)
			}
		}
	}
}
