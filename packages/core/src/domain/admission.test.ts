import { expect, it } from 'vitest'

import { admit } from './admission.ts'

const mib = (memoryMiB: number) => ({ cpuCount: 1, memoryMiB, diskMiB: 1 })

it('takes a sandbox up to the limit and not one MiB beyond', () => {
  const active = [mib(512), mib(256)].map((resources) => ({ resources }))
  admit(active, mib(256), 1024)
  expect(() => admit(active, mib(257), 1024)).toThrow(
    expect.objectContaining({
      kind: 'exhausted',
      message: expect.stringMatching(/needs 257 MiB, 2 running sandboxes hold 768 MiB of the limit of 1024 MiB/),
    }),
  )
})
