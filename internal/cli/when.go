// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseSpan reads a span of time: a number of days such as 14d, or what Go reads,
// such as 1h30m.
func parseSpan(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 32); err == nil && n < math.MaxInt64/uint64(24*time.Hour) {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return d, nil
	}
	return 0, errors.New("must be a span of time such as 90m, 72h or 14d")
}

// parseWhen reads a time in the form of RFC 3339, a day of UTC, or how long ago it
// was. The zero time stands for "".
func parseWhen(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	span, err := parseSpan(text)
	if err != nil {
		return time.Time{}, errors.New("must be a time such as 2026-12-31T18:00:00Z, a day such as 2026-12-31, or how long ago, such as 1h or 7d")
	}
	return now.Add(-span), nil
}
