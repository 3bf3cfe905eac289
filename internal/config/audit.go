// SPDX-License-Identifier: Apache-2.0

package config

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// An Audit is what can be set about what becomes of the audit log. Its zero value
// keeps all of it, here alone.
type Audit struct {
	Keep         []string // how much of the rotated log stays: an age ("90d", "36h"), a size ("20GiB") and a number of files ("500"); what exceeds any of them is removed. nil: all stays
	Webhook      string   // URL that records are posted to, https beyond loopback; "" for none
	WebhookToken string   // file of the token that the webhook wants; "" for none
	Syslog       string   // "tls://HOST:PORT", "tcp://…", "udp://…" or "unix:///dev/log"; "" for none
}

// A Limits is what Audit.Keep says. Zero means no limit.
type Limits struct {
	For   time.Duration
	Bytes int64
	Files int
}

// sizes are the units of sizes, in bytes.
var sizes = map[string]int64{
	"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
}

const (
	leastAge  = time.Hour
	leastSize = 4096
)

// Limits reads Keep.
func (a Audit) Limits() (l Limits, err error) {
	for _, text := range a.Keep {
		switch n, unit, ok := amount(text); {
		case !ok || n <= 0:
			return Limits{}, fmt.Errorf("%q is no age such as 90d, no size such as 20GiB and no number of files", text)
		case unit == "":
			if n > math.MaxInt32 {
				return Limits{}, fmt.Errorf("%q is too many files", text)
			}
			l.Files = int(n)
		case unit == "h" || unit == "d":
			l.For = time.Duration(n)
			if l.For < leastAge {
				return Limits{}, fmt.Errorf("%q is less than an hour", text)
			}
		default:
			l.Bytes = n
			if n < leastSize {
				return Limits{}, fmt.Errorf("%q is less than %d bytes", text, leastSize)
			}
		}
	}
	return l, nil
}

// amount reads a number with a unit: nanoseconds for an age, else bytes or files.
func amount(text string) (n int64, unit string, ok bool) {
	end := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' })
	if end < 0 {
		n, err := strconv.ParseInt(text, 10, 64)
		return n, "", err == nil
	}
	n, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil {
		return 0, "", false
	}
	unit = text[end:]
	factor := sizes[unit]
	switch unit {
	case "h":
		factor = int64(time.Hour)
	case "d":
		factor = int64(24 * time.Hour)
	}
	if factor == 0 || n > math.MaxInt64/factor {
		return 0, "", false
	}
	return n * factor, unit, true
}

// problems lists what is wrong with an Audit. Where records are sent is checked by
// who sends them.
func (a Audit) problems() (errs []error) {
	if _, err := a.Limits(); err != nil {
		errs = append(errs, fmt.Errorf("--audit-keep: %w", err))
	}
	if a.WebhookToken != "" && a.Webhook == "" {
		errs = append(errs, errors.New("--audit-webhook-token goes with --audit-webhook"))
	}
	return errs
}
