#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every check of the repository. All steps run even after one has failed; the
# last line is "N passed, N failed" and the exit status is 1 if anything failed.
set -uo pipefail
cd "$(dirname "$0")/.."
export AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
counts=$tmp/counts
: >"$counts"
started=$SECONDS
failed_steps=()

# step NAME COMMAND… runs one step that counts as one check.
step() {
  local name=$1 begin=$SECONDS
  shift
  echo "== $name"
  if "$@"; then
    echo "1 0 0" >>"$counts"
  else
    echo "0 1 0" >>"$counts"
    failed_steps+=("$name")
  fi
  echo "== $name: $((SECONDS - begin)) s"
}

# tests NAME DIR ARG… runs go test in the module at DIR; every test counts.
tests() {
  local name=$1 dir=$2 begin=$SECONDS
  shift 2
  echo "== $name"
  if ! go -C "$dir" test -json -shuffle=on "$@" | "$tmp/report" "$counts"; then
    failed_steps+=("$name")
  fi
  echo "== $name: $((SECONDS - begin)) s"
}

# alone are the packages in which nothing happens at once that does not elsewhere, or whose servers are
# other processes: the race detector would find nothing in them, slowly.
alone='/(cmd|docs|internal/gen)/|/internal/(archtest|cli|config|credapi|delegapi|doctest|iamapi|managed|orgapi|passwords|pubkey|refusal|reportapi|stsapi|trustapi)$'

# plain prints the packages that are tested without the race detector: those and,
# once more, those that leave something out under it, allocation counts and time limits.
plain() {
  {
    go list ./... | grep -E "$alone" | sed "s|^$(go list -m)|.|"
    git ls-files -co --exclude-standard -- '*_test.go' | grep -v '^test/\|^bench/' | while read -r f; do
      if grep -q '^//go:build.*race' "$f"; then echo "./$(dirname "$f")"; fi
    done
  } | sort -u
}

if ! go build -o "$tmp/report" test/report/main.go; then
  echo "0 passed, 1 failed"
  exit 1
fi

step "tools" test/tools.sh
if ! python3 -c 'import boto3' 2>/dev/null; then
  # Debian's boto3 belongs to Debian's Python, which another one may hide.
  mkdir "$tmp/bin" && ln -s /usr/bin/python3 "$tmp/bin/python3"
  export PATH=$tmp/bin:$PATH
fi
step "lint (make lint: tests, too)" test/lint.sh program
step "generated files are current" test/generated.sh
mapfile -t with < <(go list ./... | grep -vE "$alone")
# More at once than there are processors: many wait for something.
tests "tests, with the race detector" . -race -p 4 -timeout 10m "${with[@]}"
mapfile -t without < <(plain)
tests "tests and limits of time and memory, without it" . -timeout 10m "${without[@]}"
tests "the engine with a hash that nearly always collides" . -tags weakhash -run 'Agreement|Workloads|Corpus' ./policy
for mod in $(git ls-files -co --exclude-standard -- 'test/*go.mod'); do
  tests "tests of $(dirname "$mod")" "$(dirname "$mod")" -p 3 -timeout 10m ./...
done

echo
read -r passed failed skipped < <(awk '{p += $1; f += $2; s += $3} END {print p + 0, f + 0, s + 0}' "$counts")
for name in "${failed_steps[@]}"; do echo "FAILED: $name"; done
echo "$skipped skipped, $((SECONDS - started)) s"
echo "$passed passed, $failed failed"
[ ${#failed_steps[@]} -eq 0 ] && [ "$failed" = 0 ]
