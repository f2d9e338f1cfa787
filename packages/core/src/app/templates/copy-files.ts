import { type CopyStep, ownerOf, resolvePath } from '../../domain/build-step.ts'
import type { BuildContext } from '../../domain/template.ts'
import type { Bench } from './bench.ts'

const place = '/var/tmp/.torpor-copy'

/**
 * COPY as a Dockerfile means it, done inside by the root's own tar: whatever an archive holds, it reaches the sandbox only. $1: the
 * archive, $2: source, $3: destination, $4: owner, $5: mode or nothing.
 *
 * One file goes to the destination, or into it when it is a directory or ends with a slash; of a directory its content goes into
 * the destination; several sources go into it. A pattern that the shell reads differently than the client did means all there is.
 */
const script = String.raw`set -eu
umask 022
archive=$1 source=$2 destination=$3 owner=$4 mode=$5
unpacked=$archive.d
trap 'rm -rf -- "$archive" "$unpacked"' EXIT
mkdir -- "$unpacked"
case $(od -An -tx1 -N2 -- "$archive" | tr -d ' \n') in
  1f8b) tar -xzf "$archive" -C "$unpacked" --no-same-owner ;;
  *) tar -xf "$archive" -C "$unpacked" --no-same-owner ;;
esac
rm -f -- "$archive"
chown -hR -- "$owner" "$unpacked"
if [ -n "$mode" ]; then chmod -R -- "$mode" "$unpacked"; chmod u+rwx -- "$unpacked"; fi
cd -- "$unpacked"
source=$(printf %s "$source" | sed 's|^\(\./\)*||; s|/*$||')
IFS=
set --
if [ -z "$source" ] || [ "$source" = . ]; then
  set -- .
elif [ -e "$source" ] || [ -L "$source" ]; then
  set -- "$source"
else
  for found in $source; do
    if [ -e "$found" ] || [ -L "$found" ]; then set -- "$@" "$found"; fi
  done
  [ $# -gt 0 ] || set -- .
fi
if [ -z "$(ls -A)" ]; then echo "COPY: there are no files at $source" >&2; exit 1; fi
make_directory() {
  [ -d "$1" ] && return
  parent=$(dirname -- "$1")
  make_directory "$parent"
  mkdir -- "$1"
  chown -- "$owner" "$1"
}
case $destination in */) into=yes ;; *) into=no ;; esac
if [ $# -gt 1 ] || [ -d "$destination" ]; then into=yes; fi
for found; do
  if [ -d "$found" ] && [ ! -L "$found" ]; then
    make_directory "$destination"
    for entry in "$found"/* "$found"/.[!.]* "$found"/..?*; do
      if [ -e "$entry" ] || [ -L "$entry" ]; then cp -a -- "$entry" "$destination/"; fi
    done
  elif [ $into = yes ]; then
    make_directory "$destination"
    cp -a -- "$found" "$destination/"
  else
    make_directory "$(dirname -- "$destination")"
    cp -a -- "$found" "$destination"
  fi
done`

/** Puts the uploaded files of a COPY step into the bench's root. */
export async function copyFiles(bench: Bench, step: CopyStep, context: BuildContext): Promise<void> {
  const archive = `${place}-${step.filesHash.slice(0, 16)}`
  const target = resolvePath(step.destination, context)
  const destination = /\/\.?$|^\.$/.test(step.destination) ? `${target}/` : target
  await bench.receive(archive, step.filesHash)
  await bench.script(script, archive, step.source, destination, ownerOf(step.user ?? context.user), step.mode ?? '')
}
