// SPDX-License-Identifier: Apache-2.0

//go:build !race

package policy

import (
	"fmt"
	"slices"
	"strings"
)

func worstCases() []worstCase {
	return slices.Concat(worstPatterns(), worstIndexes(), worstActions(), worstConditions(), worstLists(), worstPrincipals())
}

// worstPatterns are single patterns that a text nearly matches in many ways.
func worstPatterns() []worstCase {
	identity := func(name, doc string, long int, ask func(int) Request) worstCase {
		return worstCase{name: name, kind: Identity, doc: doc, limit: managedLimit, long: long, ask: ask}
	}
	return []worstCase{
		identity("stars-with-near-misses", repeated(managedLimit, onAnything+`"`+bucket+`TEXTb"`, "a*"), huge, on(bucket, "a")),
		identity("stars-between-words", repeated(managedLimit, onAnything+`"`+bucket+`TEXT*abx"`, "*ab"), huge, on(bucket, "ab")),
		identity("a-star-before-a-long-word", repeated(managedLimit, onAnything+`"`+bucket+`*TEXTb"`, "a"), huge, on(bucket, "a")),
		identity("a-star-before-words-of-two-letters", repeated(managedLimit, onAnything+`"`+bucket+`*TEXTaa*b"`, "ab"), huge, on(bucket, "ab")),
		identity("single-characters", repeated(managedLimit, onAnything+`"`+bucket+`TEXT"`, "?"), huge, on(bucket, "a")),
		identity("stars-and-single-characters", repeated(managedLimit, onAnything+`"`+bucket+`TEXTb"`, "*?"), huge, on(bucket, "a")),
		identity("a-star-before-single-characters", repeated(managedLimit, onAnything+`"`+bucket+`*TEXTb"`, "?"), longestARN, on(bucket, "a")),
		identity("a-star-before-single-characters-and-letters", repeated(managedLimit, onAnything+`"`+bucket+`*TEXTb"`, "?a"), longestARN, on(bucket, "a")),
		identity("a-star-before-short-single-characters", onAnythingPadded(`"`+bucket+`*`+strings.Repeat("?a", 500)+`b"`), longestARN, on(bucket, "a")),
		identity("runs-that-are-too-short", repeated(managedLimit, onAnything+`["`+bucket+`*`+strings.Repeat("?a", 500)+`b*","arn:aws:s3:::TEXT"]`, "x"), longestARN, func(n int) Request {
			return Request{Action: "s3:GetObject", Resource: bucket + strings.Repeat(strings.Repeat("a", min(n/2, 900))+"b", 2)}
		}),
		identity("long-characters", repeated(managedLimit, onAnything+`"`+bucket+`TEXTb"`, "*é?"), longestARN, on(bucket, "éü")),
		identity("half-of-a-long-character", repeated(managedLimit, onAnything+`"`+bucket+`TEXTb"`, "?*"), huge, on(bucket, "\xc3")),
		identity("stars-in-each-part", onAnythingPadded(`"arn:aws:s3:`+strings.Repeat("*a", 300)+"b:"+strings.Repeat("*a", 300)+"b:"+strings.Repeat("*a", 300)+`b"`),
			longestARN, func(n int) Request {
				long := strings.Repeat("a", n/3)
				return Request{Action: "s3:GetObject", Resource: "arn:aws:s3:" + long + "b:" + long + "b:" + long}
			}),
		identity("a-deny-of-stars-and-colons", repeated(managedLimit, `"Deny","Action":"*","Resource":"TEXTb"`, "*:"), huge, on("arn:", ":a")),
		identity("stars-and-slashes", repeated(managedLimit, onAnything+`"`+bucket+`TEXTb"`, "*/"), huge, on(bucket, "/")),
		identity("variables-with-long-values", repeated(managedLimit, onAnything+`"`+bucket+`TEXTb"`, "*${x:a}"), longestARN, func(n int) Request {
			return Request{Action: "s3:GetObject", Resource: bucket + strings.Repeat("a", n), Context: map[string]string{"x:a": strings.Repeat("a", n/2) + "c"}}
		}),
		identity("variables-that-fit-everywhere", repeated(managedLimit, onAnything+`"`+bucket+`*TEXTb"`, "${x:a}"), longestARN, func(n int) Request {
			return Request{Action: "s3:GetObject", Resource: bucket + strings.Repeat("a", n), Context: map[string]string{"X:A": "a"}}
		}),
		identity("variables-without-a-value", repeated(managedLimit, onAnything+`"`+bucket+`TEXT*b"`, "${x:none,''}*"), longestARN, on(bucket, "a")),
		identity("a-long-default", repeated(managedLimit, onAnything+`"`+bucket+`*${x:none, 'TEXTb'}"`, "a"), huge, on(bucket, "a")),
	}
}

// onAnythingPadded makes a document of one statement as large as may be.
func onAnythingPadded(resource string) string {
	return repeated(managedLimit, onAnything+`[`+resource+`,"`+"arn:aws:s3:::TEXT"+`"]`, "x")
}

// worstIndexes are documents whose statements are hard to tell apart, and
// resources with many places where one may begin.
func worstIndexes() []worstCase {
	large := func(name, doc string, long int, ask func(int) Request) worstCase {
		return worstCase{name: name, kind: Identity, doc: doc, limit: largestLimit, long: long, ask: ask}
	}
	allow := func(format string) func(i int) string {
		return func(i int) string {
			return fmt.Sprintf(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"`+strings.ReplaceAll(format, "%d", "%[1]d")+`"}`, i)
		}
	}
	last := func(name, doc string, long int, ask func(int) Request) worstCase {
		w := large(name, doc, long, ask)
		w.want = Allowed
		w.doc = strings.TrimSuffix(statements(largestLimit-len(lastStatement), allow(doc)), "]}") + lastStatement
		return w
	}
	return []worstCase{
		large("one-anchor-and-other-endings", statements(largestLimit, allow(bucket+"*x%d")), longestARN, on(bucket, "x")),
		large("one-anchor-and-other-middles", statements(largestLimit, allow(bucket+"*/%d/*")), longestARN, on(bucket, "/x")),
		large("one-anchor-and-single-characters", statements(largestLimit, allow(bucket+"a?a%d*")), longestARN, on(bucket, "a")),
		large("one-anchor-and-variables", statements(largestLimit, allow(bucket+"${x:a}%d/*")), longestARN, func(n int) Request {
			return Request{Action: "s3:GetObject", Resource: bucket + strings.Repeat("a", n), Context: map[string]string{"X:a": strings.Repeat("a", n/2)}}
		}),
		large("no-anchor", statements(largestLimit, allow("*%d")), longestARN, on(bucket, "a")),
		large("one-statement-many-times", statements(largestLimit, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"`+bucket+`*","Condition":{"StringEquals":{"x:a":"v%d"}}}`, i)
		}), longestARN, with("x:a", "v")),
		large("one-statement-many-times-with-keys-in-another-letter-case", statements(largestLimit, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"`+bucket+`*","Condition":{"StringEquals":{"X:A":"v%d"}}}`, i)
		}), longestARN, with("x:a", "v")),
		large("denies-of-all-but-a-resource", statements(largestLimit, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Deny","Action":"s3:GetObject","NotResource":["arn:aws:s3:::x%d","`+bucket+`*"]}`, i)
		}), longestARN, on(bucket, "a")),
		large("anchors-of-every-depth", deepAnchors(), huge, on("arn:aws:s3:::", "a/")),
		large("a-deep-resource-and-shallow-anchors", statements(largestLimit, allow("arn:aws:s3:::b%d/*")), huge, on("arn:aws:s3:::", "/")),
		large("anchors-alike-but-for-a-byte", statements(largestLimit, allow("arn:aws:s3:::a-bucket-with-a-long-name/%d/object/*")), huge,
			on("arn:aws:s3:::a-bucket-with-a-long-name/x/object/", "a/")),
		large("exact-resources-alike", statements(largestLimit, allow(bucket+"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/%d")), longestARN, on(bucket, "a")),
		large("wildcards-in-each-part", statements(largestLimit, allow("arn:a*:s3:*:*:b%d*")), longestARN, on("arn:aws:s3:::b", "x")),
		large("many-resources-in-a-statement", statement(largestLimit, `"Allow","Action":"*","Resource":[LIST]`, numbered(bucket+"*x%d")), longestARN, on(bucket, "x")),
		large("many-resources-to-spare", statement(largestLimit, `"Deny","Action":"*","NotResource":[LIST,"*"]`, numbered(bucket+"*x%d")), longestARN, on(bucket, "x")),
		last("the-last-of-many-statements", bucket+"%d/*", longestARN, on(bucket+"last/", "a")),
		last("the-last-of-an-anchor", bucket+"last/*%d", longestARN, on(bucket+"last/", "a")),
	}
}

const lastStatement = `,{"Effect":"Allow","Action":"s3:GetObject","Resource":"` + bucket + `last/*"}]}`

// deepAnchors has anchors of as many lengths as fit.
func deepAnchors() string {
	return statements(largestLimit, func(i int) string {
		return `{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::` + strings.Repeat("a/", i) + `*b"}`
	})
}

// worstActions are long lists of actions and hard patterns of them.
func worstActions() []worstCase {
	of := func(name string, limit int, doc string, long int, ask func(int) Request, want Outcome) worstCase {
		return worstCase{name: name, kind: Identity, doc: doc, limit: limit, long: long, ask: ask, want: want}
	}
	action := `"Allow","Resource":"*","Action":`
	return []worstCase{
		of("stars-in-an-action", managedLimit, repeated(managedLimit, action+`"s3:TEXTb"`, "a*"), huge, do("s3:", "A"), ImplicitDeny),
		of("single-characters-in-an-action", managedLimit, repeated(managedLimit, action+`"s3:*TEXTb"`, "?a"), longestARN, do("s3:", "A"), ImplicitDeny),
		of("many-actions", largestLimit, statement(largestLimit, action+`[LIST]`, numbered("s3:Do%d")), 1, plainRequest, ImplicitDeny),
		of("many-action-patterns", largestLimit, statement(largestLimit, action+`[LIST]`, numbered("s3:*x%d")), 128, do("s3:", "X"), ImplicitDeny),
		of("many-action-patterns-with-two-stars", managedLimit, statement(managedLimit, action+`[LIST]`, numbered("s3:*x%d*")), 128, do("s3:", "X"), ImplicitDeny),
		of("many-services", largestLimit, statement(largestLimit, action+`[LIST]`, numbered("x%d:*")), 1, plainRequest, ImplicitDeny),
		of("many-actions-to-spare", largestLimit, statement(largestLimit, `"Allow","Resource":"*","NotAction":[LIST]`, numbered("S3:do%d")), 1, plainRequest, Allowed),
		of("many-action-patterns-to-spare", largestLimit, statement(largestLimit, `"Allow","Resource":"*","NotAction":[LIST]`, numbered("s3:?et*x%d")), 1, plainRequest, Allowed),
		of("statements-with-other-actions", largestLimit, statements(largestLimit, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Allow","Action":"s3:*%d*","Resource":"*"}`, i)
		}), 1, plainRequest, ImplicitDeny),
		of("statements-that-spare-other-actions", largestLimit, statements(largestLimit, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Deny","NotAction":["s3:Get*","s3:%d"],"Resource":"*"}`, i)
		}), 1, plainRequest, ImplicitDeny),
	}
}

// worstConditions are conditions with hard values and many values, and statements
// with many conditions.
func worstConditions() []worstCase {
	of := func(name string, limit int, doc string, long int, ask func(int) Request) worstCase {
		return worstCase{name: name, kind: Identity, doc: doc, limit: limit, long: long, ask: ask}
	}
	keys := func(n int) Request {
		r := plainRequest(n)
		r.Context = make(map[string]string)
		for i := range n {
			r.Context[fmt.Sprintf("x:key-%03d", i)] = "v"
		}
		return r
	}
	return []worstCase{
		of("stars-in-a-condition", managedLimit, repeated(managedLimit, strings.Replace(ifKey("x:v", "StringLike"), "LIST", `"TEXTb"`, 1), "a*"), huge, with("x:v", "a")),
		of("many-texts", largestLimit, statement(largestLimit, ifKey("x:v", "StringEquals"), numbered("a%d")), longestARN, with("x:v", "a")),
		of("many-text-patterns", largestLimit, statement(largestLimit, ifKey("x:v", "StringLike"), numbered("*a%d")), longestARN, with("x:v", "a")),
		of("many-text-patterns-with-two-stars", managedLimit, statement(managedLimit, ifKey("x:v", "StringLike"), numbered("*b%d*")), longestARN, with("x:v", "b")),
		of("many-texts-with-variables", largestLimit, statement(largestLimit, ifKey("x:v", "StringEquals"), numbered("${X:V}%d")), longestARN, with("x:v", "a")),
		of("many-texts-in-any-letter-case", largestLimit, statement(largestLimit, ifKey("x:v", "StringEqualsIgnoreCase"), numbered("aAaAaAaAaAaAaAaA%d")), longestARN, with("x:v", "a")),
		of("long-texts-in-any-letter-case", largestLimit, statement(largestLimit, ifKey("x:v", "StringEqualsIgnoreCase"), func(i int) string {
			return strings.Repeat("ſé", 500) + fmt.Sprint(i)
		}), 1500, with("x:v", "Sé")),
		of("many-numbers", largestLimit, statement(largestLimit, ifKey("x:v", "NumericEquals"), numbered("%d.5")), 18, with("x:v", "9")),
		of("a-long-number", largestLimit, statement(largestLimit, ifKey("x:v", "NumericEquals"), numbered("1%d")), huge, with("x:v", "0")),
		of("many-dates", largestLimit, statement(largestLimit, ifKey("x:v", "DateEquals"), numbered("17%d")), 4, with("x:v", "2026")),
		of("many-addresses", largestLimit, statement(largestLimit, ifKey("x:v", "IpAddress"), func(i int) string { return fmt.Sprintf("10.%d.%d.0/30", i>>8, i&255) }), 1, address),
		of("many-long-addresses", largestLimit, statement(largestLimit, ifKey("x:v", "IpAddress"), func(i int) string { return fmt.Sprintf("2001:db8:%x::/%d", i, 48+i%80) }), 1, address),
		of("many-ranges-of-every-length", largestLimit, statement(largestLimit, ifKey("x:v", "IpAddress"), func(i int) string { return fmt.Sprintf("%d.%d.%d.%d/%d", 11+i%200, i>>8, i&255, i*7&255, 8+i%25) }), 1, address),
		of("many-names", largestLimit, statement(largestLimit, ifKey("x:v", "ArnLike"), numbered("arn:a*:s?s:*:*:a*%d")), longestARN, topic),
		of("many-exact-names", largestLimit, statement(largestLimit, ifKey("x:v", "ArnEquals"), numbered("arn:aws:sns:us-east-1:"+accountA+":%d")), longestARN, topic),
		of("stars-in-each-part-of-a-name", managedLimit, statement(managedLimit, ifKey("x:v", "ArnLike"), func(i int) string {
			return "arn:" + strings.Repeat("*a", 40) + "b:" + strings.Repeat("*a", 40) + ":*:*:" + strings.Repeat("a*", 400) + "b"
		}), longestARN, func(n int) Request {
			return plainRequest(0).withKey("x:v", "arn:"+strings.Repeat("a", n/8)+"b:"+strings.Repeat("a", n/8)+":::"+strings.Repeat("a", n/2))
		}),
		of("many-bytes", largestLimit, statement(largestLimit, ifKey("x:v", "BinaryEquals"), func(i int) string { return fmt.Sprintf("%08d", i) }), huge, with("x:v", "QUJD")),
		of("many-booleans-with-variables", largestLimit, statement(largestLimit, ifKey("x:v", "Bool"), func(int) string { return "${x:V}" }), 5, with("X:v", "maybe")),
		of("many-keys-that-are-absent", largestLimit, repeatedConditions(`"Null":{`, func(i int) string { return fmt.Sprintf(`"y:key-%03d":"true"`, i) }), longestTags, keys),
		of("many-keys-in-another-letter-case", largestLimit, repeatedConditions(`"StringEqualsIfExists":{`, func(i int) string { return fmt.Sprintf(`"X:KEY-%03d":"v"`, i+1) }), longestTags, keys),
	}
}

func (r Request) withKey(key, value string) Request {
	r.Context = map[string]string{key: value}
	return r
}

func address(int) Request { return plainRequest(0).withKey("x:v", "10.255.255.255") }

func topic(n int) Request {
	return plainRequest(0).withKey("x:v", "arn:aws:sns:us-east-1:"+accountA+":"+strings.Repeat("a", n))
}

// repeatedConditions makes a document of one statement with as many keys under
// an operator as fit, and a last one that is false.
func repeatedConditions(operator string, one func(i int) string) string {
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{` + operator
	const end = `"x:last":"true"},"Bool":{"x:key-000":"true"}}}]}`
	for i := 0; ; i++ {
		c := one(i) + ","
		if len(doc)+len(c)+len(end) > largestLimit {
			return doc + end
		}
		doc += c
	}
}

// worstLists are conditions under set operators with many values on both sides.
func worstLists() []worstCase {
	of := func(name, operator string, limit int, value func(i int) string, many int, has func(i int) string, want Outcome) worstCase {
		return worstCase{name: name, kind: Identity, doc: statement(limit, ifKey("x:v", operator), value), limit: limit, long: many, ask: withList("x:v", has), want: want}
	}
	tag, long := numbered("tag-%d"), func(i int) string { return strings.Repeat("a", 128) + fmt.Sprint(i) }
	return []worstCase{
		of("lists-of-texts", "ForAnyValue:StringEquals", largestLimit, numbered("a%d"), 1000, tag, ImplicitDeny),
		of("lists-of-texts-to-spare", "ForAllValues:StringNotEquals", largestLimit, numbered("a%d"), 1000, tag, Allowed),
		of("lists-of-texts-that-are-listed", "ForAllValues:StringEquals", bucketLimit, tag, 1000, tag, Allowed),
		of("lists-of-patterns", "ForAnyValue:StringLike", managedLimit, numbered("*a%dx"), longestTags, long, ImplicitDeny),
		of("lists-of-patterns-to-spare", "ForAllValues:StringNotLike", managedLimit, numbered("a*b%d"), longestTags, long, Allowed),
		of("lists-in-any-letter-case", "ForAnyValue:StringEqualsIgnoreCase", bucketLimit, numbered("TAG-X%d"), longestTags, tag, ImplicitDeny),
		of("lists-of-numbers", "ForAnyValue:NumericEquals", bucketLimit, numbered("%d.5"), longestTags, numbered("%d"), ImplicitDeny),
		of("lists-of-dates", "ForAnyValue:DateEquals", bucketLimit, numbered("17%d"), longestTags, numbered("20%02d"), ImplicitDeny),
		of("lists-of-addresses", "ForAnyValue:IpAddress", bucketLimit, func(i int) string { return fmt.Sprintf("10.%d.%d.0/30", i>>8, i&255) }, longestTags, numbered("11.0.0.%d"), ImplicitDeny),
		of("lists-of-names", "ForAnyValue:ArnLike", managedLimit, numbered("arn:aws:sns:*:*:x%d*"), longestTags, numbered("arn:aws:sns:us-east-1:"+accountA+":y%d"), ImplicitDeny),
	}
}

// worstPrincipals are long Principal and NotPrincipal elements.
func worstPrincipals() []worstCase {
	of := func(name, doc string, caller Principal) worstCase {
		return worstCase{name: name, kind: Resource, doc: doc, limit: largestLimit, long: 1, ask: func(int) Request {
			r := plainRequest(0)
			r.Principal = caller
			return r
		}}
	}
	principal := `"Allow","Action":"*","Resource":"*","Principal":{"AWS":[LIST]}`
	iam := "arn:aws:iam::" + accountA + ":"
	session := Principal{Type: RoleSession, Account: accountA, ARN: "arn:aws:sts::" + accountA + ":assumed-role/app/s"}
	unlisted := of("many-principals-to-spare", statement(largestLimit, `"Deny","Action":"*","Resource":"*","NotPrincipal":{"AWS":[LIST]}`, numbered(iam+"user/u%d")), alice)
	unlisted.want = ExplicitDeny
	return []worstCase{
		of("many-principals", statement(largestLimit, principal, numbered(iam+"user/u%d")), alice),
		of("many-roles-for-a-session-of-an-unknown-one", statement(largestLimit, principal, numbered(iam+"role/p/app%d")), session),
		of("many-unique-ids", statement(largestLimit, principal, numbered("AIDAALICE%d")), alice),
		of("many-sessions", statement(largestLimit, principal, numbered("arn:aws:sts::"+accountA+":assumed-role/app/s%d")), session),
		unlisted,
		of("statements-that-name-the-caller", statements(largestLimit, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":"%suser/alice"},"Action":"s3:GetObject","Resource":"%s%d/*"}`, iam, bucket, i)
		}), alice),
		of("statements-that-name-others", statements(largestLimit, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Allow","Principal":{"AWS":"%suser/u%d"},"Action":"s3:GetObject","Resource":"%s*"}`, iam, i, bucket)
		}), alice),
		of("statements-that-spare-others", statements(largestLimit, func(i int) string {
			return fmt.Sprintf(`{"Effect":"Deny","NotPrincipal":{"AWS":["%[1]sroot","%[1]suser/alice","%[1]suser/u%[2]d"]},"Action":"*","Resource":"*"}`, iam, i)
		}), alice),
	}
}
