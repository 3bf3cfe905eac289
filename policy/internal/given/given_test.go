// SPDX-License-Identifier: Apache-2.0

package given

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/policy/internal/literal"
)

// TestFind looks for keys in tables of every size around those that are laid out in
// another way.
func TestFind(t *testing.T) {
	for _, others := range []int{0, 1, maxHashes - 6, maxHashes - 5, maxHashes - 4, 5 * maxHashes} {
		single := map[string]string{"aws:SourceIp": "10.0.0.1", "AWS:SOURCEIP": "upper", "x:both": "single", "x:empty": ""}
		lists := map[string][]string{"X:Both": {"list"}, "x:none": nil, "x:list": {"a", "b"}}
		for i := range others {
			single[fmt.Sprintf("other:%d", i)] = fmt.Sprint(i)
		}
		table := NewTable(single, lists, literal.Read)
		for name, want := range map[string]Value{
			"aws:SourceIp": Text("10.0.0.1"),
			"aws:sourceip": Text("upper"), // the first in byte order
			"x:both":       Texts([]string{"list"}),
			"x:Empty":      Text(""),
			"x:none":       {},
			"X:LIST":       Texts([]string{"a", "b"}),
			"x:absent":     {},
			"":             {},
		} {
			got := table.Find(name, Hash(name))
			if got.Kind == One && got.Typed == nil {
				t.Errorf("of %d others: Find(%q) has no typed value", others, name)
			}
			if got.Typed = nil; !reflect.DeepEqual(got, want) {
				t.Errorf("of %d others: Find(%q) = %+v, want %+v", others, name, got, want)
			}
		}
		for i := range others {
			name := strings.ToUpper(fmt.Sprintf("other:%d", i))
			if got := table.Find(name, Hash(name)); got.One != fmt.Sprint(i) {
				t.Errorf("of %d others: Find(%q) = %+v, want %d", others, name, got, i)
			}
		}
	}
}

func TestZeroTableIsEmpty(t *testing.T) {
	var table Table
	if got := table.Find("x:key", Hash("x:key")); got.Kind != Nothing {
		t.Errorf("Find = %+v, want nothing", got)
	}
}

func TestFold(t *testing.T) {
	m := map[string]int{"a:B": 1, "A:b": 2, "c": 3}
	for range 20 { // maps are walked in any order
		if got, ok := Fold(m, "a:b"); !ok || got != 2 {
			t.Fatalf("Fold = %d, %v, want the first in byte order, 2", got, ok)
		}
	}
	if got, ok := Fold(m, "d"); ok {
		t.Errorf("Fold = %d of an absent key, want none", got)
	}
}
