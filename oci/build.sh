#!/bin/sh
# Builds torpor-oci, a static binary, into OUT_DIR. Needs Go only.
set -eu

[ $# -eq 1 ] || { echo "usage: build.sh OUT_DIR" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"

command -v go >/dev/null || { echo "build.sh: Go is needed to build torpor-oci" >&2; exit 1; }

CGO_ENABLED=0 go build -buildvcs=false -trimpath -ldflags "-s -w" -o "$out/torpor-oci.new" .
mv -f "$out/torpor-oci.new" "$out/torpor-oci" # a running build keeps its old binary
