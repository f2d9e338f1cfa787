import { describe, expect, it } from 'vitest'

import { type StepInput, expand, parseSteps, resolvePath } from './build-step.ts'
import { baseContext } from './template.ts'

const filesHash = 'a'.repeat(64)
const contextAfter = (...steps: StepInput[]) =>
  parseSteps(steps).reduce((context, step) => (step.type === 'CONTEXT' ? step.apply(context) : context), baseContext)

describe('the steps of a build', () => {
  it('set environment, workdir and user for those after them', () => {
    const after = contextAfter(
      { type: 'ENV', args: ['A', '1', 'PATH', '/opt/bin:$PATH'] },
      { type: 'ENV', args: ['B', '$A ${A}2 $NOBODY.', 'A', '3'] },
      { type: 'WORKDIR', args: ['/srv'] },
      { type: 'WORKDIR', args: ['app/../$A'] },
      { type: 'USER', args: ['root', 'true'] },
    )
    expect(after).toEqual({
      env: { A: '3', B: '1 12 .', PATH: '/opt/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      workdir: '/srv/3',
      user: 'root',
    })
  })

  it('hold commands and files with their own users', () => {
    expect(
      parseSteps([
        { type: 'RUN', args: ['true', 'root'] },
        { type: 'COPY', args: ['a', 'b', '', '0755'], filesHash },
      ]),
    ).toMatchObject([
      { type: 'RUN', command: 'true', user: 'root', force: false },
      { type: 'COPY', source: 'a', destination: 'b', user: undefined, mode: '0755' },
    ])
  })

  it.each<[string, StepInput]>([
    ['an unknown type', { type: 'LABEL', args: ['a'] }],
    ['no command', { type: 'RUN', args: [' '] }],
    ['a user that is none', { type: 'RUN', args: ['true', 'a b'] }],
    ['a user that looks like an option', { type: 'USER', args: ['-rf'] }],
    ['no destination', { type: 'COPY', args: ['a'], filesHash }],
    ['no files', { type: 'COPY', args: ['a', 'b'] }],
    ['a hash that is a path', { type: 'COPY', args: ['a', 'b'], filesHash: '../../../../etc/passwd' }],
    ['a source outside', { type: 'COPY', args: ['a/../../b', 'b'], filesHash }],
    ['an absolute source', { type: 'COPY', args: ['/etc', 'b'], filesHash }],
    ['a mode that is none', { type: 'COPY', args: ['a', 'b', '', 'u+x'], filesHash }],
    ['half a pair', { type: 'ENV', args: ['A'] }],
    ['a variable that is none', { type: 'ENV', args: ['A=B', 'c'] }],
    ['no workdir', { type: 'WORKDIR', args: [] }],
  ])('are refused with %s, naming the step', (_what, step) => {
    expect(() => parseSteps([{ type: 'RUN', args: ['true'] }, step])).toThrow(/^steps\.1: /)
  })
})

it('variables are expanded as a Dockerfile does it', () => {
  const context = { env: { A: 'x$B', B: 'y' }, user: 'user' }
  expect([expand('$A', context), expand(String.raw`\$A`, context), expand('$HOME/$USER', context), expand('$', context)]).toEqual([
    'x$B',
    '$A',
    '/home/user/user',
    '$',
  ])
})

it('paths are seen from workdir and home, and never leave the root', () => {
  const context = { user: 'root', workdir: '/srv' }
  expect(['a', './a/', '/a//b', '~/a', '../../../a', '.'].map((path) => resolvePath(path, context))).toEqual([
    '/srv/a',
    '/srv/a',
    '/a/b',
    '/root/a',
    '/a',
    '/srv',
  ])
})
