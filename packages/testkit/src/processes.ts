import { readFileSync, readdirSync } from 'node:fs'

/** Pids whose command line holds both words. */
export function processesWith(place: string, word: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => {
    const words = commandLine(pid)
    return words.includes(word) && words.some((text) => text.includes(place))
  })
}

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
