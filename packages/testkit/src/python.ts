import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * A Python with the packages of `requirements`, installed once per content of that file.
 * @returns path of its interpreter.
 */
export async function pythonWith(requirements: string, artifactDirectory: string): Promise<string> {
  const hash = createHash('sha256')
    .update(await readFile(requirements))
    .digest('hex')
    .slice(0, 16)
  const home = path.join(artifactDirectory, 'python', hash)
  const python = path.join(home, 'bin', 'python')
  if (await exists(path.join(home, 'complete'))) return python
  await rm(home, { recursive: true, force: true })
  await mkdir(path.dirname(home), { recursive: true })
  await run('python3', ['-m', 'venv', home])
  await run(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements], { timeout: 600_000 })
  await mkdir(path.join(home, 'complete.new'))
  await rename(path.join(home, 'complete.new'), path.join(home, 'complete'))
  return python
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  )
