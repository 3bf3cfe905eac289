// SPDX-License-Identifier: Apache-2.0

package store

import "github.com/innkeeper-iam/innkeeper/internal/quota"

func (a *Account) quota(name string) int {
	if n, ok := a.Quotas[name]; ok {
		return n
	}
	return quota.Default(name)
}

// Within is within for packages that keep their own things in an account.
func (a *Account) Within(name string, before, now int) error { return a.within(name, before, now) }

// within returns a LimitError if now is over the quota and more than before,
// so that a lowered quota never stops anyone from removing things.
func (a *Account) within(name string, before, now int) error {
	if limit := a.quota(name); now > limit && now > before {
		return &LimitError{Quota: name, Limit: limit}
	}
	return nil
}
