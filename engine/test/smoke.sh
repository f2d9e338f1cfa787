#!/bin/sh
# Builds the engine and runs its end-to-end tests with real sandboxes. Needs root, Go and iproute2. Arguments go to `go test`.
set -eu
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
sh build.sh "$out"
modfile=$(sh modfile.sh)
GOFLAGS="${GOFLAGS:+$GOFLAGS }-modfile=$modfile" TORPOR_ENGINE_OUT=$out timeout 600 go test -buildvcs=false -count=1 "$@" ./test
