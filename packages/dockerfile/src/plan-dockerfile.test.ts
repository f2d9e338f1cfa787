import { describe, expect, it } from 'vitest'

import { DockerfileError, planDockerfile } from './plan-dockerfile.ts'

/** The steps between what holds in every Dockerfile. */
const stepsOf = (body: string, given: Readonly<Record<string, string>> = {}) =>
  planDockerfile(`FROM debian:12\n${body}`, given)
    .steps.filter(({ line }) => line > 0)
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
    ['COPY app /srv/', ['COPY', 'app', '/srv/', '', '']],
    ['COPY ["a b", "/c d"]', ['COPY', 'a b', '/c d', '', '']],
    ['COPY --chown=node:node --chmod=755 x /y', ['COPY', 'x', '/y', 'node', '755']],
    ['ADD x.txt /y', ['COPY', 'x.txt', '/y', '', '']],
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
    const plan = planDockerfile('ARG V=11\nFROM debian:${V}\nARG W=1\nEXPOSE 80', { V: '12', W: '2' })
    expect(plan).toMatchObject({ fromImage: 'debian:12', ignored: ['EXPOSE (line 4)'], startCmd: undefined })
    expect(plan.steps.map(({ type, args }) => [type, ...args])).toEqual([
      ['USER', 'root'],
      ['WORKDIR', '/'],
      ['ENV', 'W', '2'],
      ['USER', 'user'],
      ['WORKDIR', '/home/user'],
    ])
  })

  it('starts what ENTRYPOINT and CMD say', () => {
    expect(planDockerfile('FROM a\nENTRYPOINT ["node"]\nCMD ["a b.js"]').startCmd).toBe("node 'a b.js'")
  })

  it.each([
    ['FROM a\nRUN x\nFROM b', 3, 'more than one stage'],
    ['FROM a\n\nCOPY --from=b x /y', 3, '--from'],
    ['FROM a\nRUN --mount=type=cache,target=/x y', 2, '--mount'],
    ['FROM a\nSHELL ["/bin/x"]', 2, 'SHELL'],
    ['FROM a\nONBUILD RUN x', 2, 'ONBUILD'],
    ['FROM a\nADD https://example.org/x /y', 2, 'URLs'],
    ['FROM a\nADD x.tar.gz /y', 2, 'archives'],
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
