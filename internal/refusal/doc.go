// SPDX-License-Identifier: Apache-2.0

// Package refusal tests that every operation refuses what AWS refuses, in AWS's words.
//
// Its cases are made from the models of AWS's own SDK, not from our generated
// decoders, so that a mistake of the generator shows. Every operation that a node
// offers is tested: one that is new needs no more than a line in the table of
// valid requests when its parameters are not to be guessed.
package refusal
