import type { DockerfileStep } from '@torpor/dockerfile'
import { expect, it } from 'vitest'

import { partsOf } from './compose.ts'

const step = (type: DockerfileStep['type'], from?: number): DockerfileStep => ({
  type,
  args: ['x'],
  line: 1,
  ...(from !== undefined && { from }),
})

it.each([
  [[], [0]],
  [[step('RUN'), step('COPY', 0), step('RUN')], [3]],
  [[step('COPY'), step('ENV'), step('ADD'), step('RUN')], [4]],
  [
    [step('COPY'), step('RUN'), step('COPY', 0), step('COPY', 1), step('RUN'), step('COPY')],
    [2, 3, 1],
  ],
])('a new part begins only where files come from elsewhere: %#', (steps, lengths) => {
  const parts = partsOf(steps)
  expect(parts.map((part) => part.steps.length)).toEqual(lengths)
  expect(parts.flatMap((part) => part.steps)).toEqual(steps)
})
