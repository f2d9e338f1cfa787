import { createHash } from 'node:crypto'

import { afterEach, beforeEach, expect, it } from 'vitest'

import type { KeyMaker } from '../ports/key-store.ts'
import { World } from '../testing/world.ts'
import { Keyring } from './api-keys.ts'

let world: World
let now: number
let keyring: Keyring
let made: number
const maker: KeyMaker = {
  make: () => `e2b_${String(made++).padStart(40, '0')}`,
  hash: (key) => createHash('sha256').update(key).digest('hex'),
}

beforeEach(async () => {
  world = await World.open()
  now = 1_000_000
  made = 0
  keyring = new Keyring({ keys: world.store.keys, maker, clock: { now: () => now } })
})
afterEach(() => world[Symbol.asyncDispose]())

it('shows a key once and keeps its hash only', () => {
  const { key } = keyring.create('ci')
  expect(keyring.hashes()).toEqual([maker.hash(key)])
  expect(JSON.stringify(keyring.list())).not.toContain(key)
  expect(keyring.list()).toMatchObject([{ name: 'ci', hint: key.slice(0, 8), createdAt: now, lastUsedAt: null }])
})

it('a revoked key is in force no more, and its name is free again', () => {
  const { key } = keyring.create('ci')
  keyring.create('other')
  keyring.revoke('ci')
  expect(keyring.hashes()).not.toContain(maker.hash(key))
  expect(keyring.hashes()).toHaveLength(1)
  expect(() => keyring.revoke('ci')).toThrow(expect.objectContaining({ kind: 'not_found' }))
  keyring.create('ci')
})

it('refuses a name that is taken or can be none, and more keys than anybody needs', () => {
  keyring.create('ci')
  expect(() => keyring.create('ci')).toThrow(expect.objectContaining({ kind: 'conflict' }))
  for (const name of ['', ' ', '-x', 'a b', 'x'.repeat(65), '../x', 'a\n']) {
    expect(() => keyring.create(name)).toThrow(expect.objectContaining({ kind: 'invalid_argument' }))
  }
  for (let number = 1; number < 100; number += 1) keyring.create(`k${number}`)
  expect(() => keyring.create('more')).toThrow(expect.objectContaining({ kind: 'exhausted' }))
})

it('the first key is put in at every start, keeps its times, and ends only where it is configured', () => {
  keyring.create('ci')
  keyring.putFirst('e2b_first')
  keyring.markUsed(maker.hash('e2b_first'))
  now += 5000
  keyring.putFirst('e2b_first')
  expect(keyring.list().find(({ name }) => name === 'default')).toMatchObject({ createdAt: 1_000_000, lastUsedAt: 1_000_000 })
  expect(() => keyring.revoke('default')).toThrow(expect.objectContaining({ kind: 'conflict' }))
  keyring.putFirst('e2b_second')
  expect(keyring.hashes()).not.toContain(maker.hash('e2b_first'))
  expect(keyring.hashes()).toHaveLength(2)
})

it('notes a use at most once a minute', () => {
  const { key } = keyring.create('ci')
  const usedAt = (): unknown => keyring.list()[0]?.lastUsedAt
  keyring.markUsed(maker.hash(key))
  expect(usedAt()).toBe(1_000_000)
  now += 59_999
  keyring.markUsed(maker.hash(key))
  expect(usedAt()).toBe(1_000_000)
  now += 1
  keyring.markUsed(maker.hash(key))
  expect(usedAt()).toBe(1_060_000)
})
