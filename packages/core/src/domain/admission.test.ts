import { expect, it } from 'vitest'

import { admit } from './admission.ts'

const mib = (memoryMiB: number) => ({ cpuCount: 1, memoryMiB, diskMiB: 1 })

const capacity = { memoryLimitMiB: 1024, maxSandboxes: 3 }

it('takes a sandbox up to the limit and not one MiB beyond', () => {
  const active = [mib(512), mib(256)].map((resources) => ({ resources }))
  admit(active, mib(256), capacity)
  expect(() => admit(active, mib(257), capacity)).toThrow(
    expect.objectContaining({
      kind: 'exhausted',
      message: expect.stringMatching(/needs 257 MiB, 2 running sandboxes hold 768 MiB of the limit of 1024 MiB/),
    }),
  )
})

it('refuses one sandbox more than there may be', () => {
  const active = [mib(1), mib(1), mib(1)].map((resources) => ({ resources }))
  admit(active.slice(1), mib(1), capacity)
  expect(() => admit(active, mib(1), capacity)).toThrow(
    expect.objectContaining({ kind: 'exhausted', message: expect.stringMatching(/^3 sandboxes are running, and 3 is the limit/) }),
  )
})
