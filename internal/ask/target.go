// SPDX-License-Identifier: Apache-2.0

package ask

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/innkeeper-iam/innkeeper/arn"
	"github.com/innkeeper-iam/innkeeper/internal/authz"
	"github.com/innkeeper-iam/innkeeper/internal/store"
	"github.com/innkeeper-iam/innkeeper/policy"
)

// target puts what is known about the resource of a check into it: the tags and the
// trust policy of a user or role of IAM, and for others what Options.Resource says.
func (d *Desk) target(ctx context.Context, ck *authz.Check) error {
	e, ok := arn.SplitEntity(ck.Resource)
	if !ok || !arn.IsAccountID(e.Account) {
		if d.o.Resource == nil {
			return nil
		}
		r, err := d.o.Resource(ctx, ck.Action, ck.Resource)
		if err != nil {
			return fmt.Errorf("ask: the resource: %w", err)
		}
		// Who owns a resource that is known is not for the asker to say.
		ck.Policy, ck.Account = r.Policy, cmp.Or(r.Account, ck.Account)
		return nil
	}
	view, err := d.o.Store.View(ctx, e.Account)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask: the resource: %w", err)
	}
	switch e.Kind {
	case arn.KindUser:
		if u, err := view.User(e.Name); err == nil && view.UserARN(u) == ck.Resource {
			tagged(ck, u.Tags)
		}
	case arn.KindRole:
		if r, err := view.Role(e.Name); err == nil && view.RoleARN(r) == ck.Resource {
			tagged(ck, r.Tags)
			if strings.HasPrefix(strings.ToLower(ck.Action), "sts:") {
				ck.Policy = r.Trust.Compiled(policy.Trust)
			}
		}
	}
	return nil
}

// tagged puts the tags that a user or role has in place of those that the asker
// gave.
func tagged(ck *authz.Check, tags []store.Tag) {
	for _, prefix := range []string{"aws:ResourceTag/", "iam:ResourceTag/"} {
		maps.DeleteFunc(ck.Keys, func(key, _ string) bool {
			return len(key) > len(prefix) && strings.EqualFold(key[:len(prefix)], prefix)
		})
		authz.Tags(ck.Keys, prefix, tags)
	}
}
