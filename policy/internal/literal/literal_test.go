// SPDX-License-Identifier: Apache-2.0

package literal

import (
	"math/big"
	"strings"
	"testing"
	"time"
)

func TestParseNumber(t *testing.T) {
	good := map[string]Number{
		"0":                    {},
		"-0":                   {},
		"0.000":                {},
		"10":                   {exp: 1, coef: 1},
		"+10":                  {exp: 1, coef: 1},
		"10.0":                 {exp: 1, coef: 1},
		"010":                  {exp: 1, coef: 1},
		"1e1":                  {exp: 1, coef: 1},
		"-10.50":               {neg: true, exp: -1, coef: 105},
		"0.001":                {exp: -3, coef: 1},
		"100.001":              {exp: -3, coef: 100001},
		"9999999999999999999":  {coef: 9999999999999999999},
		"12.5E-3":              {exp: -4, coef: 125},
		"1e1000":               {exp: 1000, coef: 1},
		"00000000000000000001": {coef: 1},
	}
	for in, want := range good {
		if got, ok := ParseNumber(in); !ok || got != want {
			t.Errorf("ParseNumber(%q) = %+v, %v, want %+v", in, got, ok, want)
		}
	}
	bad := []string{"", "-", "+", ".", ".5", "5.", "-.5", "10abc", " 10", "10 ", "1 0", "1.2.3", "1e", "1e+", "1e1001",
		"1ee1", "0x10", "1_000", "NaN", "Inf", "--1", "12345678901234567891", "١", "${x}", "1e1e1", "1.e1"}
	for _, in := range bad {
		if got, ok := ParseNumber(in); ok {
			t.Errorf("ParseNumber(%q) = %+v, want no number", in, got)
		}
	}
}

func TestCompareNumbers(t *testing.T) {
	ascending := []string{"-1e1000", "-100.5", "-100", "-9.99", "-0.001", "0", "1e-1000", "0.00099999", "0.001", "9.999", "10",
		"10.5", "10.51", "99", "100", "9999999999999999998", "9999999999999999999", "1e19", "1e1000"}
	for i, a := range ascending {
		for j, b := range ascending {
			x, _ := ParseNumber(a)
			y, _ := ParseNumber(b)
			if got, want := x.Compare(y), min(max(i-j, -1), 1); got != want {
				t.Errorf("compare(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"10", "10.0", "-0.5", "1e3", "1e-7", "123456789.123456789", "0", "abc", "1e1000"} {
		f.Add(s, "10")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, ok1 := ParseNumber(a)
		y, ok2 := ParseNumber(b)
		if !ok1 || !ok2 || len(a) > 100 || len(b) > 100 {
			return
		}
		p, ok1 := new(big.Rat).SetString(a)
		q, ok2 := new(big.Rat).SetString(b)
		if !ok1 || !ok2 {
			t.Fatalf("ParseNumber accepts %q or %q, which big.Rat does not", a, b)
		}
		if got, want := x.Compare(y), p.Cmp(q); got != want {
			t.Errorf("compare(%s, %s) = %d, want %d", a, b, got, want)
		}
	})
}

func TestParseDate(t *testing.T) {
	good := map[string]string{
		"2026":                             "2026-01-01T00:00:00Z",
		"2026-06":                          "2026-06-01T00:00:00Z",
		"2026-06-30":                       "2026-06-30T00:00:00Z",
		"2024-02-29":                       "2024-02-29T00:00:00Z",
		"2026-06-01T02:00+02:00":           "2026-06-01T00:00:00Z",
		"2026-06-01T02:00:00+02:00":        "2026-06-01T00:00:00Z",
		"2026-12-31T23:59:59-05:30":        "2027-01-01T05:29:59Z",
		"2026-06-01T00:00:00Z":             "2026-06-01T00:00:00Z",
		"2026-06-01T00:00:00.5Z":           "2026-06-01T00:00:00.5Z",
		"2026-06-01T00:00:00.123456789Z":   "2026-06-01T00:00:00.123456789Z",
		"2026-06-01T00:00:00.1234567899Z":  "2026-06-01T00:00:00.123456789Z",
		"0":                                "1970-01-01T00:00:00Z",
		"-1":                               "1969-12-31T23:59:59Z",
		"1780272000":                       "2026-06-01T00:00:00Z",
		"253402300799":                     "9999-12-31T23:59:59Z",
		"20260601":                         "1970-08-23T11:56:41Z", // seconds, not a day
		"01780272000":                      "2026-06-01T00:00:00Z",
		"0001-01-01T00:00:00Z":             "0001-01-01T00:00:00Z",
		"9999-12-31T23:59:59.999999999Z":   "9999-12-31T23:59:59.999999999Z",
		"2026-06-01T00:00:00.000000-00:00": "2026-06-01T00:00:00Z",
	}
	for in, text := range good {
		want, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := ParseDate(in); !ok || !got.Equal(want) {
			t.Errorf("ParseDate(%q) = %v, %v, want %v", in, got, ok, want)
		}
	}
	bad := []string{"", "-", "2026-", "2026-1", "2026-13", "2026-00", "2026-02-30", "2023-02-29", "2026-06-00", "2026-6-1",
		"2026-06-01T", "2026-06-01T00", "2026-06-01T00:00", "2026-06-01T00:00:00", "2026-06-01 00:00:00Z",
		"2026-06-01T24:00:00Z", "2026-06-01T00:60:00Z", "2026-06-01T00:00:60Z", "2026-06-01T00:00:00.Z",
		"2026-06-01T00:00:00z", "2026-06-01t00:00:00Z", "2026-06-01T00:00:00+0200", "2026-06-01T00:00:00+02",
		"2026-06-01T00:00:00Zx", "2026-0601", "1780272000.5", "1e9", "253402300800", "1798761600000",
		"tomorrow", "${aws:CurrentTime}", " 2026", "2026 ", "--1", "+1"}
	for _, in := range bad {
		if got, ok := ParseDate(in); ok {
			t.Errorf("ParseDate(%q) = %v, want no date", in, got)
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"2026", "2026-06", "2026-06-01", "2026-06-01T00:00Z", "2026-06-01T00:00:00.25+01:00", "1780272000"} {
		f.Add(s)
	}
	layouts := []string{"2006-01-02T15:04Z07:00", time.RFC3339Nano, "2006-01-02", "2006-01", "2006"}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseDate(s)
		if !ok || !strings.Contains(s[1:], "-") && len(s) != 4 {
			return
		}
		for _, layout := range layouts {
			if want, err := time.Parse(layout, s); err == nil {
				if !got.Equal(want) {
					t.Errorf("ParseDate(%q) = %v, want %v", s, got, want)
				}
				return
			}
		}
		t.Errorf("ParseDate(%q) = %v, which package time does not read", s, got)
	})
}

func TestParseBool(t *testing.T) {
	for in, want := range map[string]bool{"true": true, "True": true, "TRUE": true, "false": false, "fAlse": false} {
		if got, ok := ParseBool(in); !ok || got != want {
			t.Errorf("ParseBool(%q) = %v, %v, want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "yes", "1", "0", "true ", "ttrue", "ſalse"} {
		if _, ok := ParseBool(in); ok {
			t.Errorf("ParseBool(%q) is a boolean, want none", in)
		}
	}
}

func TestParsePrefix(t *testing.T) {
	good := map[string]string{
		"10.0.0.0/8":               "10.0.0.0/8",
		"10.1.2.3/8":               "10.0.0.0/8",
		"10.1.2.3":                 "10.1.2.3/32",
		"0.0.0.0/0":                "0.0.0.0/0",
		"2001:DB8:1234:5678::/64":  "2001:db8:1234:5678::/64",
		"2001:db8::1":              "2001:db8::1/128",
		"::/0":                     "::/0",
		"::ffff:10.1.2.3":          "10.1.2.3/32",
		"2001:db8:1234:5678::1/64": "2001:db8:1234:5678::/64",
	}
	for in, want := range good {
		if got, ok := ParsePrefix(in); !ok || got.String() != want {
			t.Errorf("ParsePrefix(%q) = %v, %v, want %v", in, got, ok, want)
		}
	}
	bad := []string{"", "/", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/08", "010.0.0.1", "10.0.0.*", "fe80::1%eth0", "::/129",
		"10.0.0.0/255.0.0.0", "10.0.0.0/8 ", "host", "${aws:SourceIp}", "fe80::1%eth0/64", "10.0.0.0/-1", "10.0.0.0/"}
	for _, in := range bad {
		if got, ok := ParsePrefix(in); ok {
			t.Errorf("ParsePrefix(%q) = %v, want none", in, got)
		}
	}
}

func TestParseBinary(t *testing.T) {
	for in, want := range map[string]string{"": "", "QmluYXJ5": "Binary", "YQ==": "a", "/+8=": "\xff\xef"} {
		if got, ok := ParseBinary(in); !ok || got != want {
			t.Errorf("ParseBinary(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"YQ", "YR==", "Y Q==", "!", "_-8="} {
		if got, ok := ParseBinary(in); ok {
			t.Errorf("ParseBinary(%q) = %q, want none", in, got)
		}
	}
}

func TestLiteralsDoNotAllocate(t *testing.T) {
	n := testing.AllocsPerRun(100, func() {
		ParseNumber("123.456")
		ParseDate("2026-06-01T00:00:00.5+02:00")
		ParseDate("1780272000")
		ParseBool("TRUE")
		ParseAddress("2001:db8::1")
	})
	if n != 0 {
		t.Errorf("parsing literals allocates %v times, want 0", n)
	}
}
