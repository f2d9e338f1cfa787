import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { renewUse } from './artifact-use.ts'
import { isPublished, publish } from './artifact.ts'
import { contentHash } from './content-hash.ts'
import { holdLock, runCommand } from './run-command.ts'

/** A root file system that is made while the server serves already: it takes minutes, and not everybody needs it. */
export interface LateRootfs {
  readonly name: string
  /** Makes it if it is missing, alone on this machine; `tell` hears what is done. */
  build(signal: AbortSignal, tell: (step: string) => void): Promise<void>
}

/** The templates of the code interpreter: all that E2B's has, or without R and Java. */
export type LateTemplateName = 'code-interpreter-v1' | 'code-interpreter-lean'

export interface LatePlaces {
  readonly artifactDirectory: string
  readonly sourceDirectory: string
  readonly base: { readonly name: string; readonly directory: string }
}

const buildMilliseconds = 3_600_000

/** What goes into the template: not tests, not what tools leave behind. */
const matters = (file: string): boolean => !/(^|\/)(tests|node_modules|__pycache__|\.[^/]+)(\/|$)|\.(md|in)$/.test(file)

/** Where the template's root file system stands, by the content of its recipe, the service and the base. */
export function lateRootfs(template: LateTemplateName, places: LatePlaces): LateRootfs {
  const { artifactDirectory, sourceDirectory, base } = places
  const hashes = ['templates/code-interpreter-v1', 'interpreter'].map((folder) => contentHash(path.join(sourceDirectory, folder), matters))
  const name = [template, base.name.replace('base-', '').slice(0, 8), ...hashes.map((hash) => hash?.slice(0, 8))].join('-')
  const directory = path.join(artifactDirectory, 'rootfs', name)
  const script = path.join(sourceDirectory, 'templates/code-interpreter-v1/build.sh')
  const variant = template === 'code-interpreter-lean' ? ['lean'] : []
  return {
    name,
    build: async (signal, tell) => {
      await renewUse(directory)
      if (isPublished(directory)) return
      const logs = path.join(artifactDirectory, 'logs')
      await mkdir(logs, { recursive: true, mode: 0o755 })
      const release = await holdLock(path.join(artifactDirectory, 'setup.lock'), signal, () => tell('waiting for another set-up'))
      try {
        if (isPublished(directory)) return
        tell('installing its packages')
        const logFile = path.join(logs, `template-${template}.log`)
        await rm(logFile, { force: true })
        const options = { logFile, signal, timeoutMilliseconds: buildMilliseconds }
        await publish(directory, options, (output) => runCommand(['sh', script, base.directory, output, ...variant], options))
      } finally {
        release()
      }
    },
  }
}
