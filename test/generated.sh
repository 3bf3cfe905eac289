#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Fails if go generate changes a file: what is committed is then not what the
# generators write. The changes stay, to be looked at and committed.
set -euo pipefail
cd "$(dirname "$0")/.."

sums() {
  git ls-files -z -co --exclude-standard | sort -z | while IFS= read -r -d '' f; do
    [ ! -f "$f" ] || sha256sum "$f"
  done
}
skip=()
if ! command -v npm >/dev/null; then
  echo "no npm here: the AWS managed policies and the catalogue are not generated anew"
  skip=(-skip 'gen/(managed|catalog)')
fi
before=$(sums)
go generate "${skip[@]}" ./...
if ! changed=$(diff <(echo "$before") <(sums)); then
  printf 'not current, go generate changed:\n%s\n' "$(echo "$changed" | awk '/^[<>]/ {print $3}' | sort -u)"
  exit 1
fi
