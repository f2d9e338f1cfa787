#!/bin/sh
# Builds the root file system of the code interpreter's template in the directory OUT_DIR, which must not exist yet: all or
# nothing. BASE_DIR is the root file system of the template base, which stays as it is. `lean` leaves R and Java out.
# Needs root, npm and the network. Registries, proxies and certificates are the machine's own.
#
# usage: build.sh BASE_DIR OUT_DIR [lean]
set -eu

fail() {
  echo "build.sh: $*" >&2
  exit 1
}

[ $# -eq 2 ] || [ "$#/${3-}" = 3/lean ] || fail "usage: build.sh BASE_DIR OUT_DIR [lean]"
[ "$(id -u)" -eq 0 ] || fail "a root file system is made as root; run it with sudo"
recipe=$(cd "$(dirname "$0")" && pwd -P)
service=$(cd "$recipe/../../interpreter" && pwd -P)
base=$(cd "$1" && pwd -P)
mkdir -p "$(dirname "$2")"
out=$(cd "$(dirname "$2")" && pwd -P)/$(basename "$2")
variant=${3-full}
[ -x "$base/usr/bin/python3" ] || fail "$base is not the root file system of base"
[ ! -e "$out" ] || fail "$out exists already"
for command in npm unshare chroot; do
  command -v "$command" >/dev/null || fail "$command is missing"
done

# On the same file system as the result, so that the last step is a rename.
work=$(mktemp -d "$(dirname "$out")/.building-interpreter.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
root=$work/root
cp -a --reflink=auto "$base" "$root"

# The service, and the kernels' own sources and specifications.
home=$root/opt/torpor/interpreter
mkdir -p "$home"
cp -a "$service/torpor_interpreter" "$service/kernels" "$service/requirements.txt" "$recipe/start.sh" "$home/"
find "$home" \( -name __pycache__ -o -name node_modules -o -name '*_test.*' \) -prune -exec rm -rf {} +
npm ci --prefix "$home/kernels/javascript" --omit=dev --ignore-scripts --no-audit --no-fund --cache "$work/npm-cache" --loglevel error
rm -rf "$home/kernels/javascript/node_modules/zeromq/build/darwin" "$home/kernels/javascript/node_modules/zeromq/build/win32"

# What the machine knows of registries is lent to the new file system while it is filled.
mkdir "$root/lent"
cp "$recipe"/*.txt "$recipe"/fill.sh "$root/lent/"
cp -L /etc/resolv.conf "$root/lent/resolv.conf"
certificates=${PIP_CERT:-${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}}
[ ! -r "$certificates" ] || cp -L "$certificates" "$root/lent/certificates.pem"
[ ! -r "${PIP_CONFIG_FILE:-/etc/pip.conf}" ] || cp -L "${PIP_CONFIG_FILE:-/etc/pip.conf}" "$root/lent/pip.conf"
apt-config dump --format '%f "%v";%n' 'Acquire::http::Proxy' 'Acquire::https::Proxy' >"$root/lent/apt-proxy.conf" 2>/dev/null || true

# The mounts are this process's own: they are gone when it ends, however it ends.
unshare --mount --propagation private sh -eu -c '
  mount -t proc proc "$1/proc"
  mount --rbind /dev "$1/dev"
  mount --bind "$1/lent/resolv.conf" "$1/etc/resolv.conf"
  for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL PIP_EXTRA_INDEX_URL PIP_TRUSTED_HOST; do
    eval "value=\${$name-}"
    [ -z "$value" ] || set -- "$@" "$name=$value"
  done
  root=$1 variant=$2
  shift 2
  exec chroot "$root" /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "$@" \
    /bin/sh /lent/fill.sh "$variant"
' sh "$root" "$variant" </dev/null

rm -rf "$root/lent" "$root"/tmp/* "$root"/root/.cache "$root"/root/.npm
mkdir -p -m 1777 "$root/tmp/.X11-unix"
mv "$root" "$out"
