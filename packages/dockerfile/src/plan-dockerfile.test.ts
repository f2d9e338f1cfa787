import { describe, expect, it } from 'vitest'

import { DockerfileError } from './instructions.ts'
import { planDockerfile } from './plan-dockerfile.ts'

/** The steps between what holds in every Dockerfile. */
const stepsOf = (body: string, given: Readonly<Record<string, string>> = {}) =>
  planDockerfile(`FROM debian:12\n${body}`, { buildArguments: given })
    .stages.flatMap(({ steps }) => steps)
    .filter(({ line }) => line > 0)
    .map(({ type, args }) => [type, ...args])

describe('a Dockerfile', () => {
  it.each([
    ['RUN apt-get update && echo "a  b"', ['RUN', 'apt-get update && echo "a  b"']],
    ['RUN ["echo", "it\'s", "a b"]', ['RUN', String.raw`echo 'it'\''s' 'a b'`]],
    ['RUN a \\\n  # why\n  && b', ['RUN', 'a \\\n  && b']],
    ['RUN <<EOF\necho one\necho two\nEOF', ['RUN', 'echo one\necho two']],
    ['ENV A=b "C"="d e"', ['ENV', 'A', 'b', 'C', 'd e']],
    ['ENV A b c', ['ENV', 'A', 'b c']],
    ['ARG V=1', ['ENV', 'V', '1']],
    ['WORKDIR /srv/app', ['WORKDIR', '/srv/app']],
    ['USER node', ['USER', 'node']],
    ['USER 1000:1000', ['USER', '1000']],
    ['COPY app /srv/', ['COPY', 'app', '/srv/', '', '']],
    ['COPY ["a b", "/c d"]', ['COPY', 'a b', '/c d', '', '']],
    ['COPY --chown=node:node --chmod=755 x /y', ['COPY', 'x', '/y', 'node', '755']],
    ['ADD x.txt /y', ['ADD', 'x.txt', '/y', '', '']],
    ['COPY --link x /y', ['COPY', 'x', '/y', '', '']],
  ])('is read: %s', (body, step) => {
    expect(stepsOf(body)).toEqual([step])
  })

  it('copies several sources into the destination', () => {
    expect(stepsOf('COPY a b /c/')).toEqual([
      ['COPY', 'a', '/c/', '', ''],
      ['COPY', 'b', '/c/', '', ''],
    ])
  })

  it('takes the ARGs before FROM for it, and given ones before their defaults', () => {
    const plan = planDockerfile('ARG V=11\nFROM debian:${V}\nARG W=1\nEXPOSE 80', { buildArguments: { V: '12', W: '2' } })
    expect(plan).toMatchObject({ stages: [{ fromImage: 'debian:12' }], ignored: ['EXPOSE (line 4)'], startCmd: undefined })
    expect(plan.stages[0]?.steps.map(({ type, args }) => [type, ...args])).toEqual([
      ['USER', 'root'],
      ['WORKDIR', '/'],
      ['ENV', 'W', '2'],
      ['USER', 'user'],
      ['WORKDIR', '/home/user'],
    ])
  })

  it('tells that a group is the user’s own', () => {
    expect(planDockerfile('FROM a\nUSER node:staff').ignored).toEqual(['the group of USER node:staff (line 2)'])
  })

  it.each(['tested', 'TESTED', '1'])('ends with the target %s', (target) => {
    const text = 'FROM a AS made\nRUN make\nFROM made AS tested\nRUN test\nCMD run\nFROM b\nCOPY --from=made x /y\nCMD never'
    const plan = planDockerfile(text, { target })
    expect(plan.startCmd).toBe('run')
    expect(plan.stages.map(({ name, steps }) => [name, steps.filter(({ line }) => line > 0).map(({ args }) => args[0])])).toEqual([
      ['tested', ['make', 'test']],
    ])
  })

  it('refuses a target that is not there', () => {
    expect(() => planDockerfile('FROM a', { target: 'b' })).toThrow("there is no stage 'b'")
    expect(() => planDockerfile('FROM a', { target: '1' })).toThrow("there is no stage '1'")
  })

  it('starts what ENTRYPOINT and CMD say', () => {
    expect(planDockerfile('FROM a\nENTRYPOINT ["node"]\nCMD ["a b.js"]').startCmd).toBe("node 'a b.js'")
  })

  it.each([
    ['FROM a\nRUN x\nFROM scratch', 3, 'FROM scratch'],
    ['FROM a\n\nCOPY --from=b x /y\nFROM c AS b', 3, 'comes later'],
    ['FROM a AS b\nCOPY --from=b x /y', 2, 'only earlier stages'],
    ['FROM a\nCOPY --from=7 x /y', 2, 'only earlier stages'],
    ['FROM a AS b\nFROM c AS B', 2, 'already'],
    ['FROM a\nADD --from=b x /y', 2, '--from'],
    ['FROM a\nRUN --mount=type=cache,target=/x y', 2, '--mount'],
    ['FROM a\nSHELL ["/bin/x"]', 2, 'SHELL'],
    ['FROM a\nONBUILD RUN x', 2, 'ONBUILD'],
    ['FROM a\nADD https://example.org/x /y', 2, 'URLs'],
    ['FROM a\nCOPY <<EOF /y\nx\nEOF', 2, 'here-document'],
    ['FROM --platform=linux/arm64 a', 1, '--platform'],
    ['FROM a\nCOPY x', 2, 'destination'],
    ['FROM a\nRUN', 2, 'command'],
    ['RUN x\nFROM a', 1, 'before FROM'],
    ['FROM a\nFETCH x', 2, 'FETCH'],
    ['', 1, 'no FROM'],
  ])('is refused with its line: %j', (text, line, why) => {
    expect(() => planDockerfile(text)).toThrow(DockerfileError)
    expect(() => planDockerfile(text)).toThrow(expect.objectContaining({ line, message: expect.stringContaining(why) }))
  })
})

describe('stages', () => {
  const text = `ARG V=1
FROM a:$V AS Tools
ENV X=y
CMD old
FROM unused AS unused
FROM tools AS build
ARG V
COPY --from=ghcr.io/x/y:z /bin/* /bin/
FROM b
COPY --from=build --chown=root --chmod=755 /out /srv
COPY --from=0 /tool /tool`

  it('are those that the last one needs, each after what it copies from', () => {
    const { stages, startCmd } = planDockerfile(text)
    expect(stages.map(({ name, fromImage }) => [name, fromImage])).toEqual([
      ['ghcr.io/x/y:z', 'ghcr.io/x/y:z'],
      ['build', 'a:1'],
      ['tools', 'a:1'],
      ['3', 'b'],
    ])
    expect(stages.map(({ steps }) => steps.filter(({ line }) => line > 0).map(({ type, args, from }) => [type, from, ...args]))).toEqual([
      [],
      [
        ['ENV', undefined, 'X', 'y'],
        ['ENV', undefined, 'V', '1'],
        ['COPY', 0, 'bin/*', '/bin/', '', ''],
      ],
      [['ENV', undefined, 'X', 'y']],
      [
        ['COPY', 1, 'out', '/srv', 'root', '755'],
        ['COPY', 2, 'tool', '/tool', '', ''],
      ],
    ])
    expect(startCmd).toBeUndefined()
  })

  it('only the last one ends as a sandbox works', () => {
    const { stages } = planDockerfile(text)
    expect(stages.map(({ steps }) => steps.at(-1)?.args[0])).toEqual(['/', 'bin/*', 'X', '/home/user'])
  })
})
