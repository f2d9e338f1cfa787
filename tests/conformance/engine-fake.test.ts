import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { TorporError, newExecutionId } from '@torpor/contract'
import { type ExecutionSpec, openEgress } from '@torpor/core'
import { type FakeEngine, FakeMachine, createFakeEngine } from '@torpor/engine-fake'

import { type EngineUnderTest, describeEngine } from './engine.ts'

const spec = (): ExecutionSpec => ({
  execution: newExecutionId(),
  hostname: 'conformance',
  base: { rootfs: 'none', agent: 'none' },
  resources: { cpuCount: 1, memoryMiB: 128, diskMiB: 128 },
  egress: openEgress,
})

async function fakeUnderTest(): Promise<EngineUnderTest> {
  const machine = new FakeMachine()
  const root = await mkdtemp(path.join(tmpdir(), 'torpor-fake-'))
  let engine: FakeEngine = createFakeEngine({ machine })
  return {
    get engine() {
      return engine
    },
    spec,
    failingSpec: () => {
      engine.faults.failNext('boot', new TorporError('internal', 'ordered by the test'))
      return spec()
    },
    stagingDirectory: () => mkdtemp(path.join(root, 'image-')),
    imageFrom: (directory, kind) => Promise.resolve({ name: directory, kind, engineVersion: engine.version }),
    removeImage: (image) => rm(image.name, { recursive: true }),
    crash: (execution) => machine.crash(execution, 137),
    reopen: async () => {
      await engine.close()
      engine = createFakeEngine({ machine })
    },
    close: async () => {
      await engine.close()
      await machine[Symbol.asyncDispose]()
      await rm(root, { recursive: true })
    },
  }
}

describeEngine('fake', fakeUnderTest)
