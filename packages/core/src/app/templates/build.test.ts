import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { noStart } from '../../domain/template.ts'
import { type BuildWish, beginBuild, build, ended, logOf, ranIn } from '../../testing/builds.ts'
import { World } from '../../testing/world.ts'
import { steps } from '../steps.ts'

const broken = new TorporError('internal', 'ordered by the test')

/** Nothing runs, no build counts any more, and every image belongs to something. */
async function nothingLeaks(world: World): Promise<void> {
  expect(await world.engine.list()).toEqual([])
  expect(world.useCases.quota().usage.sandboxes).toBe(0)
  expect(await world.imageFiles()).toEqual(
    world.store.templates
      .layers()
      .map(({ image }) => image.name)
      .toSorted(),
  )
}

describe('a template build', () => {
  it('runs its steps, and sandboxes made from it have their files, environment, user and workdir', async () => {
    await using world = await World.open()
    const made = await build(world, {
      steps: [
        { type: 'ENV', args: ['A', '1', 'B', 'two'] },
        { type: 'ENV', args: ['A', '${A}:$B'] },
        'write /a first',
        { type: 'WORKDIR', args: ['/srv/app'] },
        { type: 'USER', args: ['root'] },
        'write /b second',
      ],
    })
    expect(made).toMatchObject({ status: 'ready', reason: null, tags: ['default'] })
    const sandbox = await world.create({ template: 'local/mine', env: { C: 'own' } })
    expect(sandbox).toMatchObject({
      alias: 'mine',
      env: { A: '1:two', B: 'two', C: 'own' },
      defaults: { user: 'root', workdir: '/srv/app' },
    })
    const { files, identity } = world.memoryOf(sandbox.id)
    expect(Object.fromEntries(files)).toEqual({ '/a': 'first', '/b': 'second' })
    expect(identity).toMatchObject({ defaultUser: 'root', defaultWorkdir: '/srv/app', envVars: { C: 'own' } })
    await world.useCases.killSandbox(sandbox.id)
    await nothingLeaks(world)
  })

  it('keeps what its start command began, in memory, in every sandbox', async () => {
    await using world = await World.open()
    await build(world, { startCmd: 'serve', readyCmd: 'exit 0' })
    for (const { id } of [await world.create({ template: 'mine' }), await world.create({ template: 'mine' })]) {
      expect([world.memoryOf(id).counter, world.memoryOf(id).commands.some((line) => line.endsWith('serve'))]).toEqual([1, true])
    }
  })

  it('asks until the ready command succeeds, and fails when it never does', async () => {
    await using world = await World.open()
    const begun = await beginBuild(world, { startCmd: 'serve', readyCmd: 'need /ready' })
    const failed = await ended(world, begun)
    expect(failed).toMatchObject({ status: 'error', reason: { step: 'finalize', message: expect.stringContaining('10 minutes') } })
    await nothingLeaks(world)
  })

  it('fails when the start command fails before it is ready', async () => {
    await using world = await World.open()
    const failed = await build(world, { startCmd: 'exit 3', readyCmd: 'exit 1' })
    expect(failed.reason).toMatchObject({ step: 'finalize', message: expect.stringContaining('exit code 3') })
  })

  it.each([{}, { startCmd: 'write /started 1', readyCmd: 'true' }])(
    'starts the service of what it stands on, whatever it starts itself: %j',
    async (own) => {
      await using world = await World.open()
      const service = { command: '/start', user: 'root', port: 1, path: '/', withinMilliseconds: 1 }
      const standing = world.store.getTemplate('base')
      if (!standing) throw new Error('there is no base')
      world.store.putTemplate({ ...standing, start: { ...noStart, service } })
      world.life.agentFaults.failNext('startService', new TorporError('timed_out', 'the service is not ready'))
      expect(await build(world, own)).toMatchObject({ status: 'error', reason: { message: 'the service is not ready' } })
    },
  )

  it('runs no step twice: an unchanged beginning is taken from its layers', async () => {
    await using world = await World.open()
    const order: BuildWish = { steps: ['write /a 1', 'write /b 2'] }
    expect(ranIn(logOf(world, await build(world, order)))).toEqual(['write /a 1', 'write /b 2'])
    const second = await build(world, { ...order, name: 'other' })
    expect(ranIn(logOf(world, second))).toEqual([])
    const captures = (): number => world.engine.calls.filter(({ verb }) => verb === 'capture').length
    const before = captures()
    const third = await build(world, { ...order, name: 'other' })
    expect([third.status, captures()]).toEqual(['ready', before])
    await world.life.clock.advance(120_000)
    expect((await world.create({ template: 'other' })).buildId).toBe(third.buildId)
    const changed = await build(world, { steps: ['write /a 1', 'write /b 2', 'write /c 3'] })
    expect(ranIn(logOf(world, changed))).toEqual(['write /c 3'])
    const { id } = await world.create({ template: 'mine' })
    expect([...world.memoryOf(id).files.keys()]).toEqual(['/a', '/b', '/c'])
    expect(ranIn(logOf(world, await build(world, { ...order, force: true })))).toEqual(['write /a 1', 'write /b 2'])
    const forced = [
      { type: 'RUN', args: ['write /a 1'] },
      { type: 'RUN', args: ['write /b 2'], force: true },
    ]
    expect(ranIn(logOf(world, await build(world, { steps: forced })))).toEqual(['write /b 2'])
  })

  it.each([
    ['another environment', { type: 'ENV', args: ['X', 'y'] }],
    ['another user', { type: 'USER', args: ['root'] }],
    ['another workdir', { type: 'WORKDIR', args: ['/x'] }],
  ])('runs a step again under %s', async (_what, step) => {
    await using world = await World.open()
    await build(world, { steps: ['write /a 1'] })
    expect(ranIn(logOf(world, await build(world, { steps: [step, 'write /a 1'] })))).toEqual(['write /a 1'])
  })

  it('runs a step again whose layer is damaged', async () => {
    await using world = await World.open()
    await build(world, { steps: ['write /a 1'] })
    for (const { image } of world.store.templates.layers()) await world.removeImageFile(image)
    expect(await build(world, { name: 'other', steps: ['write /a 1'] })).toMatchObject({ status: 'ready' })
  })

  it('builds on another template, with its files, context and start command', async () => {
    await using world = await World.open()
    await build(world, { name: 'below', steps: [{ type: 'ENV', args: ['A', '1'] }, 'write /a 1'], startCmd: 'serve', readyCmd: 'exit 0' })
    await build(world, { name: 'above', fromTemplate: 'below', steps: ['write /b 2'] })
    const sandbox = await world.create({ template: 'above' })
    const { files, counter } = world.memoryOf(sandbox.id)
    expect([[...files.keys()], counter, sandbox.env]).toEqual([['/a', '/b'], 1, { A: '1' }])
  })

  it('takes the uploaded files of a COPY in, and refuses to start without them', async () => {
    await using world = await World.open()
    const filesHash = 'f'.repeat(64)
    const copy: BuildWish = { steps: [{ type: 'COPY', args: ['a.txt', '/srv/', '', ''], filesHash }] }
    await expect(beginBuild(world, copy)).rejects.toMatchObject({ kind: 'invalid_argument', message: expect.stringContaining('steps.0') })
    await world.life.uploads.receive(
      filesHash,
      (async function* () {
        yield Buffer.from('archive')
      })(),
      7,
    )
    expect(await build(world, copy)).toMatchObject({ status: 'ready' })
  })
})

describe('a template build that fails', () => {
  it.each([
    [0, '1'],
    [1, '2'],
    [2, '4'],
  ])('names the step and what it said (%i)', async (index, step) => {
    await using world = await World.open()
    const commands = ['write /a 1', 'write /b 2', 'write /c 3'].map((command, at) =>
      at === index ? 'print no such thing && exit 7' : command,
    )
    const [one = '', two = '', three = ''] = commands
    const failed = await build(world, { steps: [one, two, { type: 'ENV', args: ['A', '1'] }, three] })
    expect(failed.reason).toEqual({ step, message: 'RUN print no such thing && exit 7: failed with exit code 7: no such thing' })
    expect(logOf(world, failed).at(-1)).toMatchObject({ level: 'error', step })
    await expect(world.create({ template: 'mine' })).rejects.toMatchObject({ kind: 'invalid_argument' })
    await nothingLeaks(world)
  })

  it.each([
    ['ended', true, /ended by itself; it may have needed more than its \d+ MiB/],
    ['goes on', false, /^RUN .*: the connection broke$|^the connection broke$/],
  ])('tells of a sandbox that %s after its connection broke', async (_what, ends, message) => {
    await using world = await World.open()
    world.life.agentFaults.failNext('run', new TorporError('unavailable', 'the connection broke'))
    const begun = await beginBuild(world, { steps: ['write /a 1'] })
    await expect.poll(() => world.engine.calls.at(-1)?.verb).toBe('list')
    const [bench] = await world.engine.list()
    if (ends && bench) await world.engine.crash(bench.execution, 137)
    else await world.life.clock.advance(3000)
    expect((await ended(world, begun)).reason?.message).toMatch(message)
    await nothingLeaks(world)
  })

  const faults: readonly [string, (world: World) => void][] = [
    ['boot', ({ engine }) => engine.faults.failNext('boot', broken)],
    ['health check', ({ life }) => life.agentFaults.failNext('healthy', broken)],
    ['identity', ({ life }) => life.agentFaults.failNext('init', broken)],
    ['process', ({ life }) => life.agentFaults.failNext('run', broken)],
    ['freeze', ({ engine }) => engine.faults.failNext('freeze', broken)],
    ['capture of the files', ({ engine }) => engine.faults.failNext('captureFiles', broken)],
    ['capture of the memory', ({ engine }) => engine.faults.failNext('capture', broken)],
    ['room', ({ life }) => life.imageFaults.failNext('stage', broken)],
    ['commit', ({ life }) => life.imageFaults.failNext('commit', broken)],
    ...steps.build
      .filter((step) => step !== 'build finished')
      .map((step): [string, (world: World) => void] => [`step "${step}"`, ({ life }) => life.steps.failNext(step, broken)]),
  ]
  it.each(faults)('at its %s leaves the former build in service and nothing else', async (_what, order) => {
    await using world = await World.open()
    const former = await build(world, { steps: ['write /a old'] })
    order(world)
    const failed = await build(world, { steps: ['write /a new'] })
    expect(failed).toMatchObject({ status: 'error', reason: { message: 'ordered by the test' } })
    const { id, buildId } = await world.create({ template: 'mine' })
    expect([buildId, world.memoryOf(id).files.get('/a')]).toEqual([former.buildId, 'old'])
    await world.useCases.killSandbox(id)
    await nothingLeaks(world)
    expect(await build(world, { steps: ['write /a new'] })).toMatchObject({ status: 'ready' })
  })

  it.each(steps.build)('by the death of its server after "%s" is reported, and keeps its layers', async (step) => {
    await using world = await World.open()
    const held = world.life.steps.hold(step)
    const begun = await beginBuild(world, { steps: ['write /a 1'], startCmd: 'serve', readyCmd: 'exit 0' })
    await held.reached
    const restarted = world.restart()
    held.release()
    await restarted
    const after = world.store.templates.build(begun.buildId)
    const stopped = { status: 'error', reason: { message: expect.stringContaining('stopped') } }
    expect(after).toMatchObject(step === 'build finished' ? { status: 'ready' } : stopped)
    await nothingLeaks(world)
    expect(await build(world, { steps: ['write /a 1'] })).toMatchObject({ status: 'ready' })
  })
})
