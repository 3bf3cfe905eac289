// SPDX-License-Identifier: Apache-2.0

package upstream

import "context"

// Probe finds out what an S3 store does.
func (u *Upstream) Probe(ctx context.Context) (Profile, error) {
	return u.Profile(), ctx.Err()
}
