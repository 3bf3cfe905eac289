// SPDX-License-Identifier: Apache-2.0

package form

import (
	"fmt"
	"strings"

	"github.com/innkeeper-iam/innkeeper/policy/internal/jsontext"
)

const oneColon = "Actions/Condition can contain only one colon."

// Action says what is wrong with an action (P-10): it is "*" or "service:name",
// both with wildcards in the name only.
func Action(text string) Fault {
	service, name, colon := strings.Cut(text, ":")
	fault := func(fix, format, aws string) Fault {
		return Fault{Message: fmt.Sprintf(format, jsontext.Quote(text)), Fix: fix, AWS: aws}
	}
	switch {
	case text == "*":
	case strings.Contains(text, "${"):
		return fault("", "the action %s has a variable, which actions cannot have", oneColon)
	case !colon:
		return fault(`write "service:Name", or "*"`, "the action %s names no service", NoVendor)
	case strings.Contains(name, ",") && strings.Contains(name, ":"):
		return fault("write each action as a string of its own", "the action %s is several", oneColon)
	case strings.Contains(name, ":"):
		return fault("", "the action %s has more than one colon", oneColon)
	case service != "*" && !isVendor(service):
		return fault("", "the service of the action %s may have letters, digits, '-' and '.' only", "Vendor "+service+" is not valid")
	case name == "":
		return fault("write a name or * after the colon", "the action %s names no action", LegacyParsing)
	case strings.ContainsAny(name, " ,\t\r\n"):
		return fault("write each action as a string of its own", "the action %s has a blank or a comma and so matches nothing", LegacyParsing)
	}
	return Fault{}
}

// isVendor reports whether s is made of what names a service.
func isVendor(s string) bool {
	for _, c := range []byte(s) {
		if !isAlphanumeric(c) && c != '-' && c != '.' {
			return false
		}
	}
	return s != ""
}
