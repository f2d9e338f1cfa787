import { defineConfig } from 'vitest/config'

/** A condition that comes is awaited, however busy the machine is. */
const onTheEngine = {
  testTimeout: 120_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: 30_000 } },
  fileParallelism: false,
}

/** Suites by the promise they keep. Those on the real engine take turns: they share two cores and one kernel. */
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'tests/{doors,suites}/*.test.ts'],
          testTimeout: 20_000,
          expect: { poll: { timeout: 10_000 } },
        },
      },
      {
        test: {
          name: 'engine',
          include: ['tests/{conformance,functional,resilience,security}/**/*.test.ts'],
          ...onTheEngine,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // What images are made of makes no difference to these: once more where bytes are copied.
        test: {
          name: 'copied',
          include: [
            'tests/functional/{copies,reboot,story-e2b,template-build,waking}.test.ts',
            'tests/resilience/{damage,death-at-every-step,power-cut,restart}.test.ts',
            'tests/security/memory.test.ts',
          ],
          env: { TORPOR_VOLUME_SIZE: 'off' },
          ...onTheEngine,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
