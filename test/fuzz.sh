#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs every fuzz target for FUZZTIME (2s), one package after the other, and
# fails if one fails or if the targets are not those of fuzz-targets.txt. FUZZ is
# a pattern of the packages to run, such as 'policy|sigv4'; all, if it is not set.
set -uo pipefail
cd "$(dirname "$0")/.."
fuzztime=${FUZZTIME:-2s}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
list=$tmp/targets
grep -E "^(${FUZZ:-.*}) " test/fuzz-targets.txt >"$list"

# module prints the folder of the module that folder $1 belongs to.
module() {
  local dir=$1
  while [ "$dir" != . ] && [ ! -e "$dir/go.mod" ]; do dir=$(dirname "$dir"); done
  echo "$dir"
}

# attempt runs target $2 of package folder $1 once, its output in $tmp/out.
attempt() {
  (cd "$1" && "$tmp/fuzz.test" -test.run '^$' -test.fuzz "^$2\$" -test.fuzztime "$fuzztime" \
    -test.fuzzcachedir "$tmp/corpus") >"$tmp/out" 2>&1
}

found=0 passed=0
for pkg in $(cut -d' ' -f1 "$list" | sort -u); do
  mod=$(module "$pkg")
  rel=./$(realpath --relative-to "$mod" "$pkg")
  if ! go -C "$mod" test -c -fuzz Fuzz -o "$tmp/fuzz.test" "$rel"; then
    echo "FAIL $pkg: does not build"
    continue
  fi
  for target in $(cd "$pkg" && "$tmp/fuzz.test" -test.list '^Fuzz'); do
    found=$((found + 1))
    # A target can be cut off by its own deadline and report that as a failure;
    # a real failure leaves an input behind and repeats.
    if attempt "$pkg" "$target" || { ! grep -q 'Failing input written' "$tmp/out" &&
      grep -q 'context deadline exceeded' "$tmp/out" && attempt "$pkg" "$target"; } &&
      grep -q '^fuzz: elapsed' "$tmp/out"; then
      passed=$((passed + 1))
      printf 'ok   %s %s (%s)\n' "$pkg" "$target" "$(grep -o 'execs: [0-9]*' "$tmp/out" | tail -n 1)"
    else
      printf 'FAIL %s %s\n' "$pkg" "$target"
      cat "$tmp/out"
    fi
  done
done

expected=$(grep -c . "$list")
echo "fuzz: $passed of $found targets passed, $expected expected"
[ "$passed" = "$expected" ] && [ "$found" = "$expected" ]
