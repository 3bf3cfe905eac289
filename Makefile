# SPDX-License-Identifier: Apache-2.0
#
# make run     start a server on the embedded store in ./data (more flags: ARGS="--listen …")
# make test    everything CI runs; installs what it needs from Debian if it is missing

SHELL := bash
BIN   := bin/innkeeper
ARGS  :=

# A checkout that belongs to someone else is as good as our own.
export GIT_CONFIG_COUNT   := 1
export GIT_CONFIG_KEY_0   := safe.directory
export GIT_CONFIG_VALUE_0 := *

.PHONY: run build test unit lint generate fuzz bench peers clean

run: build
	@exec $(BIN) serve --data data $(ARGS)

build:
	go build -o $(BIN) ./cmd/innkeeper

test:
	@test/all.sh

# The tests that need nothing but Go.
unit:
	go test ./...

lint:
	@test/lint.sh

# Writes generated files anew. CI fails when that changes one.
generate:
	go generate ./...

# A few seconds of every fuzz target; longer with FUZZTIME=10m, of some packages with FUZZ=policy.
fuzz:
	@test/fuzz.sh

# Those of BENCH only, if it is given: make bench BENCH=Decide
bench:
	go test -run '^$$' -bench '$(or $(BENCH),.)' ./...

# The policy engine side by side with its peers, after the tests of that module.
peers:
	cd bench && go vet ./... && go test ./... && go run .

clean:
	rm -rf bin dist test/.tmp
