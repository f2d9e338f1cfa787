#!/bin/sh
# Makes the runtime with our edits, once for each state of them, and prints the file for Go's -modfile to build, vet and test with.
set -eu
cd "$(dirname "$0")"
state=$(cat go.mod go.sum edits/*.go edits/added/* | sha256sum | cut -c 1-16)
# A flag that leads to an edited module would have that one edited.
GOFLAGS=$(printf '%s' "${GOFLAGS:-}" | sed 's/-modfile=[^ ]*//')
export GOFLAGS
edited=$(dirname "$(go env GOCACHE)")/torpor-runtime/$state
go run ./edits "$edited" >&2
echo "$edited/go.mod"
