import { mkdir, readFile, readdir, rmdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { codeOf } from '@torpor/file-system'

const root = '/sys/fs/cgroup'

/** The controllers that limits need; on cgroup v1 each is a tree of its own. */
const controllers = ['memory', 'cpu', 'pids'] as const

/** Whether this machine has the unified hierarchy only; the runtime asks the same question. */
const isUnified = (): Promise<boolean> =>
  readFile(path.join(root, 'cgroup.controllers')).then(
    () => true,
    () => false,
  )

/**
 * Makes the group under which all sandboxes of this server stand, with a limit for all together: whatever they do, the
 * machine keeps memory for itself.
 */
export async function raiseCgroup(group: string, memoryBytes: number): Promise<void> {
  const unified = await isUnified()
  if (unified) await writeFile(path.join(root, 'cgroup.subtree_control'), controllers.map((name) => `+${name}`).join(' '))
  const tree = unified ? root : path.join(root, 'memory')
  await mkdir(path.join(tree, group), { recursive: true })
  await writeFile(path.join(tree, group, unified ? 'memory.max' : 'memory.limit_in_bytes'), String(memoryBytes))
}

/** Ends what still runs in a group and removes it, in every hierarchy; succeeds when it is not there. */
export async function clearCgroup(group: string): Promise<void> {
  const trees = (await isUnified()) ? [root] : (await readdir(root)).map((name) => path.join(root, name))
  await Promise.all(trees.map((tree) => clearDirectory(path.join(tree, group))))
}

/** The groups directly below `group`. */
export async function childrenOf(group: string): Promise<string[]> {
  const tree = (await isUnified()) ? root : path.join(root, 'memory')
  const entries = await readdir(path.join(tree, group), { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

async function clearDirectory(directory: string): Promise<void> {
  for (let tries = 0; tries < 50; tries += 1) {
    try {
      await rmdir(directory)
      return
    } catch (error) {
      if (!isBusy(error)) return
    }
    await endMembers(directory)
    await delay(20)
  }
}

const isBusy = (error: unknown): boolean => codeOf(error) === 'EBUSY' || codeOf(error) === 'ENOTEMPTY'

async function endMembers(directory: string): Promise<void> {
  const text = await readFile(path.join(directory, 'cgroup.procs'), 'utf8').catch(() => '')
  for (const pid of text.split('\n').filter(Boolean).map(Number)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself meanwhile.
    }
  }
}
