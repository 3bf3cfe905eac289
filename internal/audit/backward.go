// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"bytes"
	"iter"
	"os"
	"time"
)

// Backward returns the lines of a log from its end on, newest first, without most
// of those from before a time. The log may be written meanwhile. A line is valid
// until the next one. Lines that are too long are left out; an error is the last.
func Backward(dir string, from time.Time) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		all, err := openFiles(dir, early(from))
		if err != nil {
			yield(nil, err)
			return
		}
		defer all.close()
		if all.newest != nil {
			if more, err := backward(all.newest, yield); err != nil || !more {
				if err != nil {
					yield(nil, err)
				}
				return
			}
		}
		for i := len(all.rotated) - 1; i >= 0; i-- {
			f, err := all.open(i)
			if f == nil && err == nil {
				continue
			}
			more := false
			if err == nil {
				more, err = backward(f, yield)
				_ = f.Close()
			}
			if err != nil {
				yield(nil, err)
			}
			if err != nil || !more {
				return
			}
		}
	}
}

// backward yields the whole lines of a file, the last one first, and reports
// whether all were wanted.
func backward(f *os.File, yield func([]byte, error) bool) (bool, error) {
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	end, err := lastLine(f, info.Size()) // what is before it are whole lines
	if err != nil {
		return false, err
	}
	const block = 256 << 10
	var rest []byte // the end of a line that begins in an earlier block
	long := false
	for end > 0 {
		n := min(end, block)
		buf := make([]byte, n, n+int64(len(rest)))
		if _, err := f.ReadAt(buf, end-n); err != nil {
			return false, err
		}
		end -= n
		buf = append(buf, rest...)
		for {
			text := bytes.TrimSuffix(buf, []byte("\n"))
			i := bytes.LastIndexByte(text, '\n')
			if i < 0 && end > 0 {
				break
			}
			line := text[i+1:]
			if buf = buf[:i+1]; !long && len(line) <= maxLine && !yield(line, nil) {
				return false, nil
			}
			if long = false; i < 0 {
				return true, nil
			}
		}
		if rest = buf; len(rest) > maxLine {
			rest, long = rest[len(rest)-1:], true // its line break
		}
	}
	return true, nil
}

// lineBefore returns where the line begins that ends, with its line break, at end.
func lineBefore(f *os.File, end int64) (int64, error) {
	if end <= 0 {
		return 0, nil
	}
	return lastLine(f, end-1)
}
