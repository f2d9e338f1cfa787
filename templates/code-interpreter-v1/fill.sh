#!/bin/sh
# Runs inside the new root file system: packages, kernels, service. Its argument is the variant, `full` or `lean`.
set -eu
lent=/lent
home=/opt/torpor/interpreter
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
export PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_COMPILE=1
[ ! -r $lent/pip.conf ] || export PIP_CONFIG_FILE=$lent/pip.conf
[ ! -r $lent/certificates.pem ] || export PIP_CERT=$lent/certificates.pem

# The service's packages are its own: what a user installs cannot break it.
python3 -m venv --without-pip $home/venv
python3 -m pip --python $home/venv/bin/python install --quiet --require-hashes -r $home/requirements.txt
cp -a $home/torpor_interpreter $home/venv/lib/python3.11/site-packages/
rm -r $home/torpor_interpreter $home/requirements.txt

apt() {
  apt-get -q -y --no-install-recommends -o APT::Update::Error-Mode=any -o Dir::Etc::Parts=/etc/apt/apt.conf.d \
    -o Acquire::Retries=3 "$@" >&2
}
[ ! -s $lent/apt-proxy.conf ] || cp $lent/apt-proxy.conf /etc/apt/apt.conf.d/99lent
apt update
packages=$(cat $lent/packages.txt)
[ "$1" = lean ] || packages="$packages $(cat $lent/packages-full.txt)"
# shellcheck disable=SC2086 # a list of names
apt install $packages
rm -f /etc/apt/apt.conf.d/99lent
apt clean
find /var/lib/apt/lists /var/log /var/cache/debconf -type f -delete

# What `import` finds, in the system's own place: `python` and `pip` of commands are those of the kernels.
locks="-r $lent/python.txt"
python3 -m pip install --quiet --require-hashes $locks
[ "$1" = lean ] || python3 -m pip install --quiet --require-hashes --no-deps -r $lent/python-java.txt

kernels=/usr/local/share/jupyter/kernels
mkdir -p $kernels
rm -rf $kernels/python3
cp $home/kernels/python/torpor_kernel.py /usr/local/lib/python3.11/dist-packages/
for name in python3:python javascript:javascript bash:bash r:r java:java; do
  [ -r "$home/kernels/${name#*:}/kernel.json" ] || continue
  case $1/$name in lean/r:r | lean/java:java) continue ;; esac
  mkdir -p $kernels/"${name%:*}"
  cp "$home/kernels/${name#*:}/kernel.json" $kernels/"${name%:*}"/
done

# Users install packages for their kernels, which run as root, without being root.
chown -R user:user /usr/local/lib/python3.11 /usr/local/bin /usr/local/share/jupyter
# Bytecode and the font cache are made here once, not in every sandbox.
python3 -m compileall -q -j 0 /usr/local/lib/python3.11/dist-packages $home/venv/lib >/dev/null 2>&1 || true
MPLCONFIGDIR=/root/.config/matplotlib python3 -c 'import matplotlib.font_manager'
