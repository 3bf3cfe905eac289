// SPDX-License-Identifier: Apache-2.0

// Package policy parses, compiles and decides IAM policies with AWS's semantics.
//
// A policy passes through three forms. Parse turns JSON into a Document, a syntax
// tree with a position on every part; its errors say what is wrong, where, and
// what would likely cure it. Document.Validate says whether a document may be
// written as a policy of some Kind, by the rules that AWS applies when one is
// stored. Compile turns it into a Policy, which is immutable and shared.
//
// # Deciding
//
// Decide answers a Request: may this Principal do this action on this resource,
// given these condition keys? The Set holds every policy in force for it, by
// layer: the caller's identity-based policies, permissions boundary and session
// policies, the service control policies above its account, the resource control
// policies above the resource's, the resource's own policy, and the policy of the
// VPC endpoint that the request came through. Who collects them, and where the
// condition keys come from, is the caller's business: the package does no I/O, has
// no clock, and evaluates actions and keys as strings, so that what AWS invents
// tomorrow evaluates today.
//
// The Decision says whether the request is allowed, denied explicitly or denied
// because nothing allows it, which layer decided, and by which statement. An
// evaluation that fails denies and has an Err.
//
// The rules are those of the IAM User Guide; the code cites them by page or by
// the number of our reading of it (C-4, D-5). Where the documents are silent, the
// code follows a numbered quirk of docs/quirks.md.
//
// # Explaining
//
// Explain gives the same decision with a Trace of every layer, policy and
// statement: what applied, and of the rest which element failed against which
// value. It is slow and written to be obviously right; tests and fuzzing compare
// Decide with it. Package policytest runs files of such questions and answers.
//
// # Several resources
//
// An action that touches several resources, or implies other actions such as
// iam:PassRole, is several Requests, every one of which must be allowed.
package policy
