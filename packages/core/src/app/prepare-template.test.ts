import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { World, recipe } from '../testing/world.ts'
import type { LateTemplate } from './prepare-template.ts'

const late = { ...recipe, names: ['late'] as const }

/** A template whose base is made when the test says so. */
function heldTemplate(): { template: LateTemplate; finish: () => void; fail: (error: Error) => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const prepareBase = (tell: (step: string) => void): Promise<void> => {
    tell('installing its packages')
    return promise
  }
  return { template: { recipe: late, prepareBase }, finish: resolve, fail: reject }
}

describe('prepareTemplate', () => {
  it('tells a create what is being done until the template is ready', async () => {
    await using world = await World.open()
    const { template, finish } = heldTemplate()
    const preparing = world.platform.prepareTemplate(template)
    const early = { kind: 'unavailable', message: expect.stringMatching(/'late' is being prepared \(installing its packages/) }
    await expect(world.create({ template: 'late' })).rejects.toMatchObject(early)
    await expect(world.create({ template: 'late:default' })).rejects.toMatchObject(early)
    expect(world.useCases.preparations()).toMatchObject([{ name: 'late', state: 'preparing' }])
    finish()
    await preparing
    expect(world.useCases.preparations()).toEqual([])
    expect(await world.create({ template: 'late' })).toMatchObject({ alias: 'late' })
  })

  it('never rejects: a failure is told to whoever asks', async () => {
    await using world = await World.open()
    const { template, fail } = heldTemplate()
    const preparing = world.platform.prepareTemplate(template)
    fail(new TorporError('no_space', 'the disk is full'))
    await preparing
    expect(world.useCases.preparations()).toMatchObject([{ name: 'late', state: 'failed', step: 'installing its packages' }])
    const told = /could not be prepared \(failed while installing its packages\)/
    await expect(world.create({ template: 'late' })).rejects.toMatchObject({ kind: 'unavailable', message: expect.stringMatching(told) })
    expect(await world.create()).toMatchObject({ alias: 'base' })
  })

  it('serves the build of an earlier start while the new one is made', async () => {
    await using world = await World.open()
    await world.platform.ensureTemplate(late)
    const { template, finish } = heldTemplate()
    const preparing = world.platform.prepareTemplate(template)
    expect(await world.create({ template: 'late' })).toMatchObject({ alias: 'late' })
    finish()
    await preparing
  })

  it('leaves no process behind when the service does not become ready', async () => {
    await using world = await World.open()
    world.life.agentFaults.failNext('startService', new TorporError('timed_out', 'not ready'))
    const service = { command: '/start', user: 'root', port: 1, path: '/', withinMilliseconds: 1 }
    const prepareBase = (): Promise<void> => Promise.resolve()
    await world.platform.prepareTemplate({ recipe: { ...late, service }, prepareBase })
    expect(world.useCases.preparations()).toMatchObject([{ state: 'failed', step: 'starting its services' }])
    expect(await world.engine.list()).toEqual([])
  })
})
