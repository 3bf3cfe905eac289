# SPDX-License-Identifier: Apache-2.0
#
# IAM's rules over statements that are indexed by effect, principal, action and
# the kind of their resource pattern.
package iam

default outcome := "implicit-deny"

outcome := "explicit-deny" if denied

else := "allow" if allowed

principals := [input.principal, "*"]

denied if {
	some conditions in data.deny[principals[_]][input.action].exact[input.resource]
	not fails(conditions)
}

denied if {
	some statement in data.deny[principals[_]][input.action].prefix
	startswith(input.resource, statement.text)
	not fails(statement.conditions)
}

denied if {
	some statement in data.deny[principals[_]][input.action].glob
	glob.match(statement.text, null, input.resource)
	not fails(statement.conditions)
}

allowed if {
	some conditions in data.allow[principals[_]][input.action].exact[input.resource]
	not fails(conditions)
}

allowed if {
	some statement in data.allow[principals[_]][input.action].prefix
	startswith(input.resource, statement.text)
	not fails(statement.conditions)
}

allowed if {
	some statement in data.allow[principals[_]][input.action].glob
	glob.match(statement.text, null, input.resource)
	not fails(statement.conditions)
}

fails(conditions) if {
	some condition in conditions
	not holds(condition.operator, condition.key, condition.values)
}

holds("Bool", key, values) if input.context[key] in values

holds("StringEquals", key, values) if input.context[key] in values

holds("StringLike", key, values) if glob.match(values[_], null, input.context[key])

holds("IpAddress", key, values) if within(key, values)

holds("NotIpAddress", key, values) if not within(key, values)

within(key, values) if net.cidr_contains(values[_], input.context[key])
