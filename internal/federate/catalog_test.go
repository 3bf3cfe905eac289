// SPDX-License-Identifier: Apache-2.0

package federate

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/innkeeper-iam/innkeeper/catalog"
)

// TestSAMLKeysAreTheCatalogues compares the condition keys of assertions with those
// that the catalogue gives to sts:AssumeRoleWithSAML.
func TestSAMLKeysAreTheCatalogues(t *testing.T) {
	sts, _ := catalog.Lookup("sts")
	action, _ := sts.Action("AssumeRoleWithSAML")
	id := &Identity{SubjectType: "persistent"}
	samlKeys(id, &SAMLProvider{Account: "111122223333", Name: "Corp"}, nil)
	ours := make(map[string]bool) // in lower case; true: with a list of values
	for key := range id.Keys {
		ours[strings.ToLower(key)] = false
	}
	for _, k := range samlNames {
		ours[strings.ToLower(k.key)] = k.list
	}
	for _, name := range action.ConditionKeys {
		// The guide has no attribute for it: that of Active Directory is saml:uid.
		if !strings.HasPrefix(name, "saml:") || name == "saml:primaryGroupSID" {
			continue
		}
		k, _ := sts.ConditionKey(name)
		list, ok := ours[strings.ToLower(name)]
		if !ok || list != k.Multi {
			t.Errorf("%s: supplied %v, with a list of values %v; the catalogue says %v", name, ok, list, k.Multi)
		}
		delete(ours, strings.ToLower(name))
	}
	for _, key := range slices.Sorted(maps.Keys(ours)) {
		t.Errorf("%s: the catalogue does not have it", key)
	}
}
