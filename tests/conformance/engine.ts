import { afterAll, afterEach, beforeAll, describe } from 'vitest'

import { describeEndings } from './engine/endings.ts'
import { describeFiles } from './engine/files.ts'
import { describeImages } from './engine/images.ts'
import { describeLife } from './engine/life.ts'
import { describeSpace } from './engine/space.ts'
import type { EngineUnderTest } from './engine/under-test.ts'

export type { EngineUnderTest } from './engine/under-test.ts'

/** The suite of the engine port: every implementation passes it. Uses the port's verbs and the agent's HTTP, nothing else. */
export function describeEngine(name: string, make: () => Promise<EngineUnderTest>): void {
  describe(`engine port: ${name}`, () => {
    let made: EngineUnderTest | undefined
    const subject = (): EngineUnderTest => {
      if (!made) throw new Error('the engine was not made')
      return made
    }
    beforeAll(async () => {
      made = await make()
    })
    afterEach(async () => {
      const { engine } = subject()
      const left = await engine.list()
      await Promise.all(left.map(({ execution }) => engine.destroy(execution)))
    })
    afterAll(() => made?.close())

    describeLife(subject)
    describeImages(subject)
    describeFiles(subject)
    describeSpace(subject)
    describeEndings(subject)
  })
}
