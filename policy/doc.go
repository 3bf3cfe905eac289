// SPDX-License-Identifier: Apache-2.0

// Package policy parses, compiles and decides IAM policies with AWS's semantics.
//
// Four calls are the whole of it: [Parse] a document, [Compile] it, [Decide] a
// request as often as there is one, [Explain] an answer to whoever asks why. The
// package's example shows the first three in ten lines, and each part of this guide
// has one of its own. It takes five minutes; docs/embedding.md goes on from here,
// to an HTTP service with its own actions and ARNs.
//
// # Parse and compile
//
// A policy passes through three forms. [Parse] turns JSON into a [Document], a
// syntax tree with a position on every part; its errors say what is wrong, where,
// and what would likely cure it. [Document.Validate] says whether a document may
// be written as a policy of some [Kind], by the rules that AWS applies when one is
// stored: call it on what a person has just handed in. [Compile] turns it into a
// [Policy], which is immutable. Compile a policy once and share it between all who
// have it attached; only Decide belongs on the path of a request.
//
// The errors of all three are lists; [Problems] returns them with line, column and
// a [Code] that programs may compare.
//
// # Decide
//
// [Decide] answers a [Request]: may this [Principal] do this action on this
// resource, given these condition keys? The [Set] holds every policy in force for
// it, by layer:
//
//   - Identity: the policies of the caller, of its groups or of its role.
//   - Boundary and Session: what they do not allow is taken away from Identity.
//   - Resource: the policy of the resource itself. Within one account it or the
//     caller's own policies must allow, across accounts both. The account of the
//     resource is that of its ARN, or Request.ResourceAccount; if nothing says
//     which, it is the caller's, and nothing is ever across accounts.
//   - SCPs, RCPs and Endpoint: fences around an account, around resources, and
//     around a way in. Each must allow.
//
// A Deny that applies, in any of them, ends it. Who collects the policies, and
// where condition keys come from, is the caller's business; the package evaluates
// actions, keys and resources as strings, so that actions of your own, and what
// AWS invents tomorrow, evaluate today.
//
// The [Decision] says whether the request is allowed, denied explicitly or denied
// because nothing allows it, which layer decided, and by which statement. Only
// [Allowed] lets a request pass; the zero Decision refuses. An evaluation that
// fails denies and has an Err: log it, there is nothing else to do about it.
//
// An action that touches several resources, or implies other actions such as
// iam:PassRole, is several Requests, every one of which must be allowed.
//
// # Conditions
//
// Request.Context holds the keys that have one value, Request.Lists those that may
// have several, as text in the form that policies write: "2026-01-31T12:00:00Z",
// "203.0.113.7", "true". Which of the two a key belongs to is a matter of the key,
// not of how many values it has today: ForAnyValue and ForAllValues are for the
// keys of Lists, the plain operators for those of Context.
//
// No key is there unless you put it there, not even aws:username for a user or the
// time. A condition on an absent key does not hold, except under a negated
// operator (StringNotEquals), IfExists, ForAllValues and Null; a pattern with a
// variable of an absent key matches nothing. So leave a key out only if the request
// has no such thing. [Policy.Keys] lists what a policy reads.
//
// # Explain
//
// [Explain] gives the same decision with a [Trace] of every layer, policy and
// statement, and of which of its elements the request met: a sentence that sums it
// up (Summary), a tree for people (Write), and JSON. It is slow and written to be
// obviously right; tests and fuzzing compare Decide with it. Call it for refusals
// that someone has to understand. A Trace quotes policies and condition values, so
// it is for the owner of the policies and not for the caller. Package advice finds
// the smallest change that would let the request pass.
//
// # Replacing policies
//
// Nothing here is ever modified in place. To change a policy, compile the new one,
// make a new Set (or a map of them) and publish it through an [sync/atomic.Pointer]:
// decisions under way finish under the old one, later ones see the new one, and
// nobody waits. A Set is a struct of slices and pointers that may be copied, so
// that a caller's Set is completed with the policy of the resource at hand.
//
// # Stored documents
//
// What was stored yesterday may not compile today: someone has edited the file, or
// a restore has cut it short. Leaving such a policy out would lose its Deny
// statements and widen access. Put [Broken] in its place: it denies everything that
// it would have had a say in, with the reason in Decision.Err. The same happens for a
// nil *Policy in a list, a policy of a kind that its layer does not take, and a panic.
//
// # One request, many sets
//
// Decide prepares the request, decides, and forgets. A request that is asked more
// than once, of the policies before and after a change, say, or of each of a
// caller's policies alone, is prepared once with [Lower]; the Decide method of
// the result, [Lowered.Decide], then answers for each Set what Decide would.
//
// # Access tests
//
// Package policytest reads files of questions with the expected answers and puts
// them to Decide in your own go test; the innkeeper command runs the same files
// without any Go.
//
// # What it costs
//
// The package has no global state that changes, does no I/O, starts no goroutine,
// knows no clock and needs the standard library alone. Every function may be called
// from several goroutines at once, and a Document, Policy, Request or Set may be
// shared by them as long as nobody modifies it.
//
// Decide does not allocate, except as its own documentation says. Its time grows
// with the statements that could concern the request's action and resource rather
// than with all there are, and its worst case is bounded: matching takes at most
// pattern length times value length steps, and nothing recurses. Compile takes time
// and memory in proportion to the document, and is paid once. Explain looks at
// every statement and allocates for each, so it costs many times a Decide. The
// figures, measured, are in the repository's README;
//
//	go test ./policy -run '^$' -bench .
//
// measures them where you are.
//
// # What is promised
//
// Before version 1.0 a release may rename, remove or change what is exported here,
// and says so in its notes. This holds in every version:
//
//   - Decisions do not change silently. A release in which some Request and Set
//     get another Outcome names, in its notes, the rule or quirk that is read anew.
//     Access that was granted wrongly is a flaw and may end in any release; other
//     decisions do not change in a release that only corrects errors.
//   - What compiles keeps compiling and keeps its meaning. A new operator makes a
//     policy of what was an error of Compile; it touches nothing that compiled
//     before. New actions, resources and condition keys need no release.
//   - Validate follows what AWS accepts at the time, so it may come to accept or
//     refuse other documents. Compile accepts all that Validate accepts.
//   - A Code, and the text of an Outcome, Layer, Kind or Effect, is never renamed or
//     reused. New ones may come: take a Code that you do not know for a problem like
//     others, and any Outcome but Allowed for a refusal.
//   - The JSON of Decision, Trace and Problem, and of what they are made of, gains
//     members; those that it has keep their names and meaning. Ignore what you do
//     not know.
//   - Structs gain fields whose zero value means what held before. Write literals
//     with field names.
//   - Texts for people are not part of it: error texts, Message, Fix, Summary, notes,
//     String of a StatementRef and what Trace.Write writes become better in any
//     release. Compare codes, outcomes, Sids and positions.
//
// # Where the rules come from
//
// The rules are those of the IAM User Guide; the code cites them by page or by
// the number of our reading of it (C-4, D-5). Where the documents are silent, the
// code follows a numbered quirk of docs/quirks.md.
package policy
