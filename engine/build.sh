#!/bin/sh
# Builds torpor-engine and its side binaries into OUT_DIR. Needs Go; a C compiler makes sandboxes start sooner but is optional.
set -eu

[ $# -eq 1 ] || { echo "usage: build.sh OUT_DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

command -v go >/dev/null || { echo "build.sh: Go is needed to build torpor-engine" >&2; exit 1; }

modfile=$(sh modfile.sh)
export GOFLAGS="${GOFLAGS:+$GOFLAGS }-modfile=$modfile"

# The runtime refuses an image that another version wrote: without this stamp all builds would claim the same version.
runtime=$(go list -m -f '{{.Version}}' gvisor.dev/gvisor)
export CGO_ENABLED=0
build() {
  go build -buildvcs=false -trimpath -ldflags "-s -w -X gvisor.dev/gvisor/runsc/version.version=$runtime" -o "$1.new" "$2"
  mv -f "$1.new" "$1" # a running host keeps its old binary
}

mkdir -p "$out/gvisor-bin"
build "$out/torpor-engine" .
build "$out/gvisor-bin/gvisor_sentry" ./cmd/gvisor_sentry

prewarmer=$out/gvisor-bin/gvisor-sentry-prewarmer
if compiler=$(command -v cc || command -v gcc); then
  # Static where possible: it is executed with an empty environment on every start.
  "$compiler" -O2 -Wall -static -o "$prewarmer.new" cmd/prewarmer/prewarmer.c 2>/dev/null ||
    "$compiler" -O2 -Wall -o "$prewarmer.new" cmd/prewarmer/prewarmer.c
  mv -f "$prewarmer.new" "$prewarmer"
else
  echo "build.sh: no C compiler: sandboxes will start a little slower" >&2
fi
