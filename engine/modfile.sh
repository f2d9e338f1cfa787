#!/bin/sh
# Makes the runtime with our edits, once for each state of them, and prints the file for Go's -modfile to build, vet and test with.
set -eu
cd "$(dirname "$0")"
state=$(cat go.mod go.sum edits/*.go edits/added/* | sha256sum | cut -c 1-16)
edited=$(dirname "$(go env GOCACHE)")/torpor-runtime/$state
go run ./edits "$edited" >&2
echo "$edited/go.mod"
