import { closeSync, globSync, openSync, readSync, statSync } from 'node:fs'
import path from 'node:path'

/** Where an archive lies in a template from one step to the next, which unpacks it. */
export const archiveDirectory = '/var/tmp/.torpor-archive/'

export interface Unpacking {
  /** Its name is all that counts. */
  readonly archive: string
  readonly destination: string
  /** Empty: as in the archive. */
  readonly user: string
  /** Octal digits; empty: as in the archive. */
  readonly mode: string
  /** The archive holds one file, which may get the name of the destination. */
  readonly isFile: boolean
  /** What the image's tar needs beside itself; empty: nothing. */
  readonly program: string
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`

/** $p: a program or nothing, $a: the archive, $d: destination, $u: owner or nothing, $m: mode or nothing, $f: "yes" for one file. */
const unpackScript = String.raw`set -e; umask 022
[ -z "$p" ] || command -v "$p" >/dev/null || { echo "to unpack this archive the image needs the program $p" >&2; exit 1; }
k=; case $(tar --help 2>&1) in *keep-directory-symlink*) k=--keep-directory-symlink ;; esac
into() { mkdir -p -- "$d"; s=$(stat -c '%u:%g %a' -- "$d"); tar -xpf "$1" -C "$d" $k; chown -- "${'${s% *}'}" "$d"; chmod -- "${'${s#* }'}" "$d"; }
case $f$d in yes*/) f= ;; esac
if [ "$f" = yes ] && [ -d "$d" ]; then f=; fi
if [ -n "$u$m$f" ]; then
  mkdir -- "$a.d"; tar -xpf "$a" -C "$a.d"
  [ -z "$u" ] || chown -hR -- "$u:" "$a.d"
  [ -z "$m" ] || chmod -R -- "$m" "$a.d"
  if [ "$f" = yes ]; then mkdir -p -- "$(dirname -- "$d")"; mv -f -- "$a.d/$(ls -A "$a.d")" "$d"
  else tar -cf "$a" -C "$a.d" .; into "$a"; fi
else into "$a"; fi
rm -rf -- "$(dirname -- "$a")"`

/**
 * The command, for root in a step, that unpacks an archive by the image's own tar, owners and modes kept. A directory that is there
 * stays what it is, a link to one as well.
 */
export function unpackCommand({ archive, destination, user, mode, isFile, program }: Unpacking): string {
  const values = { a: archiveDirectory + path.basename(archive), d: destination, u: user, m: mode, f: isFile ? 'yes' : '', p: program }
  const set = Object.entries(values).map(([name, value]) => `${name}=${quoted(value)}`)
  return `${set.join(' ')}\n${unpackScript}`
}

/** $t: where to, without suffix, $s: source, a pattern perhaps, seen from /. Links that the source names are followed, as Docker does. */
const packScript = String.raw`set -e; umask 077; cd /; mkdir -p -- "$t.d"; IFS=
if [ -e "$s" ]; then set -- "$s"; else set -- $s; fi
[ -e "$1" ] || { echo "there is no /$s in this stage" >&2; exit 1; }
if [ $# -eq 1 ] && [ ! -d "$1" ]; then echo file >"$t.kind"; else echo tree >"$t.kind"; fi
if [ $# -eq 1 ] && [ -d "$1" ]; then tar -cf "$t.tar" -C "$1" .
else
  for f; do if [ -d "$f" ]; then cp -a -- "$f/." "$t.d/"; else cp -pL -- "$f" "$t.d/"; fi; done
  chmod 755 "$t.d"; tar -cf "$t.tar" -C "$t.d" .
fi
rm -rf -- "$t.d"`

/** The command, for root in a stage's last step, that packs what another one copies from it. */
export const packCommand = (name: string, source: string): string => `t=${quoted(packed(name))} s=${quoted(source)}\n${packScript}`

/** What the command leaves behind: `<this>.tar`, and `<this>.kind`, which says `file` or `tree`. */
export const packed = (name: string): string => `/var/tmp/.torpor-packed/${name}`

const named = /\.(tar|tgz|tbz2?|txz|tzst|tar\.(gz|bz2|xz|zst))$/i
const compressions = { '1f8b': 'gzip', '425a68': 'bzip2', fd377a585a00: 'xz', '28b52ffd': 'zstd' } as const
const [headBytes, tarAt] = [262, 257]

/** What ADD does with a file: undefined, copy it; else unpack it, by tar and this program ('' for none). By its name and first bytes. */
export function compressionOf(file: string): string | undefined {
  if (!named.test(file) || !statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined
  const head = Buffer.alloc(headBytes)
  const descriptor = openSync(file, 'r')
  try {
    readSync(descriptor, head)
  } finally {
    closeSync(descriptor)
  }
  const [, program] = Object.entries(compressions).find(([magic]) => head.toString('hex').startsWith(magic)) ?? []
  return program ?? (head.toString('latin1', tarAt) === 'ustar' ? '' : undefined)
}

/** The files that a source of ADD means; itself when it is no pattern, or matches nothing. */
export function matches(directory: string, source: string): string[] {
  const found = /[*?[]/.test(source) ? globSync(source, { cwd: directory }).toSorted() : []
  return found.length > 0 ? found : [source]
}
