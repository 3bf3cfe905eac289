// SPDX-License-Identifier: Apache-2.0

package classify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"testing"
)

// plainValue is a node as encoding/json decodes it, with numbers as text.
func plainValue(n node) any {
	switch n.kind {
	case text:
		return n.text
	case scalar:
		if n.text == "true" || n.text == "false" {
			return n.text == "true"
		}
		return json.Number(n.text)
	case list:
		all := make([]any, 0)
		for _, k := range n.kids {
			all = append(all, plainValue(k.node))
		}
		return all
	case object:
		all := make(map[string]any)
		for _, k := range n.kids {
			all[k.name] = plainValue(k.node)
		}
		return all
	}
	return nil
}

// FuzzJSON compares what is read with what encoding/json reads: the same, or nothing.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"TableName":"a","Key":{"id":{"S":"1"}},"Limit":10,"x":[true,false,null,-1.5e+3,""]}`, `{"a":1,"a":2}`,
		`{"\u0061":"\ud83d\ude00\n\/"}`, `"\ud800"`, ` [ ] `, `{"a":01}`, "{\"a\":\"\xff\"}", `{"a":1}{}`, `[1,]`, `{"a":{"b":[{"c":"d"}]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := parseJSON(body)
		if err != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil || d.More() {
			t.Fatalf("parseJSON(%q) = %v, which encoding/json refuses: %v", body, n, err)
		}
		if got := plainValue(n); !reflect.DeepEqual(got, want) {
			t.Errorf("parseJSON(%q) = %#v, encoding/json reads %#v", body, got, want)
		}
	})
}

// FuzzForm compares the parameters that are read with those that net/url reads.
func FuzzForm(f *testing.F) {
	for _, seed := range []string{"Action=ListTopics&Version=2010-03-31", "a=1&a=2", "a.member.1=%41+b", "a;b=1", "a=%zz", "a.1=x&a=y", "=", "&&", "a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseParameters(s)
		if err != nil {
			return
		}
		want, err := url.ParseQuery(s)
		if err != nil {
			t.Fatalf("parseParameters(%q) = %v, which net/url refuses: %v", s, got, err)
		}
		values := make(url.Values)
		for _, p := range got {
			values.Add(p.name, p.value)
		}
		if !reflect.DeepEqual(values, want) {
			t.Errorf("parseParameters(%q) = %v, net/url reads %v", s, values, want)
		}
		n, err := got.tree()
		if err != nil {
			return
		}
		if leaves := flat("", n); !reflect.DeepEqual(leaves, values) {
			t.Errorf("the tree of %q has %v", s, leaves)
		}
	})
}

func flat(prefix string, n node) url.Values {
	if n.kind != object {
		return url.Values{prefix: {n.text}}
	}
	all := make(url.Values)
	for _, k := range n.kids {
		name := k.name
		if prefix != "" {
			name = prefix + "." + k.name
		}
		for name, v := range flat(name, k.node) {
			all[name] = append(all[name], v...)
		}
	}
	return all
}

// FuzzCBOR reads what was read after writing it again: it is the same.
func FuzzCBOR(f *testing.F) {
	for _, seed := range []string{"\xa1\x61a\x82\x61b\x01", "\xbf\x61a\x9f\x20\xff\xff", "\xc1\xfb\x41\xd4\x52\xd9\xe0\x00\x00\x00", "\x5f\xff", "\xf6", "\xbb\xff\xff\xff\xff\xff\xff\xff\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := parseCBOR(body)
		if err != nil {
			return
		}
		again, err := parseCBOR(appendCBOR(nil, n))
		if err != nil || !slices.EqualFunc([]node{n}, []node{again}, func(a, b node) bool { return fmt.Sprint(a) == fmt.Sprint(b) }) {
			t.Errorf("parseCBOR(%x) = %v, written and read again %v, %v", body, n, again, err)
		}
	})
}

// appendCBOR writes a node; scalars as true.
func appendCBOR(b []byte, n node) []byte {
	head := func(major byte, size int) {
		b = append(b, major<<5|26, byte(size>>24), byte(size>>16), byte(size>>8), byte(size))
	}
	switch n.kind {
	case absent:
		return append(b, 0xf6)
	case scalar:
		return append(b, 0xf5)
	case text:
		head(cborText, len(n.text))
		return append(b, n.text...)
	case list:
		head(cborArray, len(n.kids))
	case object:
		head(cborMap, len(n.kids))
	}
	for _, k := range n.kids {
		if n.kind == object {
			b = appendCBOR(b, node{kind: text, text: k.name})
		}
		b = appendCBOR(b, k.node)
	}
	return b
}
