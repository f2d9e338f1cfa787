import { readdir } from 'node:fs/promises'
import path from 'node:path'

import type { Step } from '@torpor/core'
import { type TestWorld, bootWorld, imagesOf } from '@torpor/testkit'

export const mebibyte = 1024 * 1024

/** Content that can be neither shared nor compressed, touched once before anything is measured. */
export const touch = (mib: number): string => `nohup python3 -c "
import os, time
blocks = [os.urandom(1 << 20) for _ in range(${mib})]
open('/dev/shm/touched', 'w').write('yes')
time.sleep(1e6)" >/dev/null 2>&1 & until [ -e /dev/shm/touched ]; do sleep 0.1; done`

/** A world with these settings, to which the SDKs of this process are pointed as long as the work takes; `reached` is told of every step. */
export async function inWorld<T>(
  settings: Record<string, string>,
  work: (world: TestWorld) => Promise<T>,
  reached?: (step: Step) => void,
): Promise<T> {
  const world = await bootWorld({ TORPOR_LOG_LEVEL: process.env['TORPOR_BENCH_LOG'] ?? 'error', ...settings }, { reached })
  Object.assign(process.env, world.env)
  try {
    return await work(world)
  } finally {
    await world.close()
  }
}

/** The directory of a sleeping sandbox's image. The one before may still be on its way out. */
export async function newestImage(world: TestWorld, id: string): Promise<string> {
  const images = path.join(imagesOf(world.dataDirectory), id)
  const generations = (await readdir(images)).filter((name) => /^g\d+$/.test(name)).map((name) => Number(name.slice(1)))
  return path.join(images, `g${Math.max(...generations)}`)
}
