#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# gofmt, go vet and staticcheck over every module of the repository. With the
# argument "program", only staticcheck over what is no test, for those who run the tests
# anyway: go test has vet's checks that find bugs, and all takes minutes.
set -uo pipefail
cd "$(dirname "$0")/.."
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2

failed=0
unformatted=$(git ls-files -z -co --exclude-standard -- '*.go' ':!:**/testdata/**' | xargs -0 ls -d 2>/dev/null | xargs -d '\n' gofmt -l)
if [ -n "$unformatted" ]; then
  printf 'not as gofmt writes it:\n%s\n' "$unformatted"
  failed=1
fi
# The peers that bench links take minutes to build; "make peers" checks it.
mods=$(git ls-files -co --exclude-standard -- go.mod '*/go.mod' ':!:bench/go.mod')
if [ -z "$mods" ]; then
  echo "no module found: is this a git checkout?"
  exit 1
fi
if [ "${1:-}" = program ]; then
  go run "$staticcheck" -tests=false ./... || failed=1
  exit $failed
fi
for mod in $mods; do
  dir=$(dirname "$mod")
  go -C "$dir" vet ./... || failed=1
  # Of the server that etcdserver builds, nothing but two lines is ours.
  [ "$dir" = test/etcdserver ] || go -C "$dir" run "$staticcheck" ./... || failed=1
done
exit $failed
