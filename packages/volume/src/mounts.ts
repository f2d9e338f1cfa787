import { readFile } from 'node:fs/promises'

/** One line of `/proc/self/mountinfo`. */
export interface Mount {
  readonly mountPoint: string
  /** `<major>:<minor>`. */
  readonly number: string
  readonly fileSystem: string
  /** A device such as `/dev/loop0`, or whatever was named as one. */
  readonly source: string
}

/** The mounts of a `mountinfo`, in order: a later one hides an earlier one at the same place. */
export function parseMounts(text: string): Mount[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ')
      const [, , number = '', , mountPoint = ''] = before.split(' ')
      const [fileSystem = '', source = ''] = after.split(' ')
      return { mountPoint: unescape(mountPoint), number, fileSystem, source: unescape(source) }
    })
}

/** Blanks, tabs, newlines and backslashes stand as octal numbers. */
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))

/** What is mounted at `directory` as this process sees it; undefined when nothing is. */
export async function mountAt(directory: string): Promise<Mount | undefined> {
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'))
  return mounts.findLast(({ mountPoint }) => mountPoint === directory)
}
