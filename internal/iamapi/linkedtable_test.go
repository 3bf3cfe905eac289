// SPDX-License-Identifier: Apache-2.0

package iamapi

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestLinkedTable: lines are of four words, sorted, and no two have one name.
func TestLinkedTable(t *testing.T) {
	var services []string
	for line := range strings.Lines(linkedTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 4 || !strings.HasSuffix(f[0], ".amazonaws.com") || !strings.HasPrefix(f[1], "AWSServiceRoleFor") || f[3] != "-" && f[3] != "suffix" {
			t.Errorf("line %q is not one of a service", line)
			continue
		}
		services = append(services, f[0])
	}
	if !slices.IsSorted(services) {
		t.Error("the services are not sorted")
	}
	names := make(map[string]string)
	for service, s := range linkedServices() {
		key := strings.ToLower(s.role)
		if other, dup := names[key]; dup {
			t.Errorf("%s and %s have one role, %s", service, other, s.role)
		}
		names[key] = service
	}
	if got := slices.Sorted(maps.Keys(linkedServices())); !slices.Equal(got, services) {
		t.Errorf("linkedServices() has %d services, want %d", len(got), len(services))
	}
}
