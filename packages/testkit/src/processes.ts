import { readFileSync, readdirSync } from 'node:fs'

/** Pids whose command line names the place. */
export function processesOf(place: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => commandLine(pid).some((text) => text.includes(place)))
}

/** And those of them that hold the word. */
export const processesWith = (place: string, word: string): number[] => processesOf(place).filter((pid) => commandLine(pid).includes(word))

function commandLine(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
  } catch {
    return []
  }
}
