// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestScanIsFast: the lines of this version are read without help.
func TestScanIsFast(t *testing.T) {
	bare := full()
	bare.Identity.Session.Issuer = Issuer{}
	few := usual()
	few.Resources = []Resource{{Type: "AWS::S3::Object"}, {ARN: "arn:aws:s3:::b"}}
	few.UserAgent = "é \"quoted\" \\ \n"
	few.Decision = Decision{Check: Check{Resource: "*", Reason: `\`}, Checks: []Check{{}, {Action: "a", Learned: true}}}
	for name, want := range map[string]Record{"full": full(), "usual": usual(), "empty": {}, "bare": bare, "few": few} {
		line := string(want.AppendJSON(nil))
		s := scanner{rest: line}
		var got Record
		if s.record(&got); s.failed || s.rest != "" {
			t.Errorf("%s: the scanner stops before %q", name, s.rest)
		}
		got = full() // whose memory is used again
		if err := Scan(line, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: Scan = %+v, %v, want %+v", name, got, err, want)
		}
	}
}

// FuzzScan compares with Unmarshal.
func FuzzScan(f *testing.F) {
	for _, r := range []Record{full(), usual(), {}} {
		f.Add(r.AppendJSON(nil))
	}
	f.Add([]byte(`{"eventName":"x","userIdentity":{"arn":"a"}}`))
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		var want, got Record
		err := json.Unmarshal(line, &want)
		if problem := Scan(string(line), &got); err == nil && (problem != nil || !reflect.DeepEqual(got, want)) {
			t.Fatalf("Scan(%s) = %+v, %v, want %+v", line, got, problem, want)
		} else if problem == nil && err != nil && json.Valid(line) {
			t.Fatalf("Scan(%s) succeeds, Unmarshal says %v", line, err)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	for name, r := range map[string]Record{"usual": usual(), "full": full()} {
		b.Run("record="+name, func(b *testing.B) {
			line := string(r.AppendJSON(nil))
			var got Record
			b.SetBytes(int64(len(line)))
			b.ReportAllocs()
			for b.Loop() {
				if err := Scan(line, &got); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
