import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import path from 'node:path'

/**
 * A name for the content of some files of `directory`: equal for equal relative paths, contents and executable bits, whatever
 * their times and whoever checked them out. 20 hex digits; undefined when the directory has none of them.
 */
export function contentHash(directory: string, matters: (relativePath: string) => boolean): string | undefined {
  const files = listFiles(directory, '').filter(matters).sort()
  if (files.length === 0) return undefined
  const hash = createHash('sha256').update(`${process.arch}\n`)
  for (const file of files) {
    const full = path.join(directory, file)
    const content = readFileSync(full)
    const executable = (statSync(full).mode & 0o100) !== 0
    hash.update(`${file}\0${executable}\0${content.length}\0`).update(content)
  }
  return hash.digest('hex').slice(0, 20)
}

function listFiles(directory: string, below: string): string[] {
  let entries
  try {
    entries = readdirSync(path.join(directory, below), { withFileTypes: true })
  } catch {
    return []
  }
  return entries.flatMap((entry) => {
    const relative = path.join(below, entry.name)
    if (entry.isDirectory()) return listFiles(directory, relative)
    return entry.isFile() ? [relative] : []
  })
}

/** What goes into a Go program of ours: its own sources, the pinned modules and what is edited in them, not its tests. */
export const isGoInput = (file: string): boolean =>
  !/(^|\/)(testdata|test)\//.test(file) &&
  !file.endsWith('_test.go') &&
  /(^|\/)(go\.(mod|sum)|(build|modfile)\.sh|added\/[^/]+\.txt|[^/]+\.(go|c|h|s|S))$/.test(file)
