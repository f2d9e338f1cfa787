#!/bin/sh
# What the packages do not bring: the user, the settings and the platform's mount points. Runs on this machine, with the
# root of the new file system as its argument.
set -eu
root=$1

# The user that commands and files of a sandbox belong to.
chroot "$root" useradd --uid 1000 --create-home --shell /bin/bash user
printf 'user ALL=(ALL:ALL) NOPASSWD: ALL\n' >"$root/etc/sudoers.d/user"
chmod 0440 "$root/etc/sudoers.d/user"

printf 'LANG=C.UTF-8\n' >"$root/etc/default/locale"
printf 'LANG=C.UTF-8\n' >"$root/etc/environment"

# mmdebstrap copies the builder's own; a sandbox asks the platform's resolver.
rm -f "$root/etc/resolv.conf"
printf 'nameserver 169.254.53.53\n' >"$root/etc/resolv.conf"
printf 'sandbox\n' >"$root/etc/hostname"
printf '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n' >"$root/etc/hosts"

# `pip install` works as it does in a container: a sandbox has no system that needs protection from its user.
rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED

# vim-tiny is `vi` only.
ln -s vim.tiny "$root/usr/bin/vim"

# The agent is bind-mounted here; /run/e2b is where the SDKs' environment files live.
mkdir -p "$root/usr/lib/torpor" "$root/run/e2b"

# Some packages put links into these, which the manual pages' exclusion leaves out.
for section in 1 2 3 4 5 6 7 8; do mkdir -p "$root/usr/share/man/man$section"; done

# apt's sources under the name that people look for, without the lists and archives of the build.
mv "$root"/etc/apt/sources.list.d/0000sources.list "$root/etc/apt/sources.list"
find "$root/var/lib/apt/lists" "$root/var/cache/apt" -type f -delete
find "$root/var/log" "$root/var/cache/ldconfig" -type f -delete
rm -f "$root"/etc/passwd- "$root"/etc/shadow- "$root"/etc/group- "$root"/etc/gshadow- "$root"/var/lib/dbus/machine-id
: >"$root/etc/machine-id"
rm -rf "$root"/root/.npm "$root"/root/.cache "$root"/tmp/* "$root"/tmp/.[!.]*
chmod 0755 "$root"

# The runtime puts a tmpfs over an empty /tmp, which would take what is written there from the sandbox's memory.
mkdir -m 1777 "$root/tmp/.X11-unix"

# Every command starts a login shell, and starting a program only to learn who one is takes longer than all else in it.
sed -i 's/"$(id -u)" -eq 0/"${EUID:-$(id -u)}" -eq 0/' "$root/etc/profile"
grep -q EUID "$root/etc/profile"
