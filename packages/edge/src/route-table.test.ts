import { describe, expect, test, vi } from 'vitest'

import { RouteTable } from './route-table.ts'
import { type SignedFile, signatureOf } from './signed-file.ts'
import { newRoute } from './testing/world.ts'

const file = { path: 'hello.txt', operation: 'read', username: 'user', expiration: null } as const
const vectorToken = '0tQG31xiMp0IOQfaz9dcwi72L1CPo8e0'

describe('the signature of a file', () => {
  test('is the one of the test vector of protocol.md 3.6', () => {
    expect(signatureOf(file, vectorToken)).toBe('v1_gUtH/s9YCJWgCizjfUxuWfhFE4QSydOWEIIvfLwDr6E')
  })

  test('covers the expiration when there is one', () => {
    expect(signatureOf({ ...file, expiration: '1' }, vectorToken)).not.toBe(signatureOf(file, vectorToken))
  })
})

describe('the route table', () => {
  test('finds a sandbox by id, by token and by the signature of a file', () => {
    const routes = new RouteTable()
    const route = newRoute({ accessToken: vectorToken, address: '10.0.0.1' })
    routes.publish(newRoute({ accessToken: 'other' }))
    routes.publish(route)
    const signed: SignedFile = { ...file, signature: signatureOf(file, vectorToken) }
    expect(routes.byId(route.sandboxId)).toBe(route)
    expect(routes.byAccessToken(vectorToken)).toBe(route)
    expect(routes.bySignature(signed)).toBe(route)
    expect(routes.bySignature({ ...signed, path: 'other.txt' })).toBeUndefined()
  })

  test('keeps a suspended sandbox without its address, and tells that it is cut', () => {
    const { routes, cut, route } = tableWithOne()
    routes.suspend(route.sandboxId)
    expect(routes.byAccessToken('token')).toEqual({ ...route, address: null })
    expect(cut).toHaveBeenCalledExactlyOnceWith(route.sandboxId)
  })

  test('forgets a withdrawn sandbox and its token before it tells that it is cut', () => {
    const { routes, cut, route } = tableWithOne()
    cut.mockImplementation((id) => expect(routes.byId(id)).toBeUndefined())
    routes.withdraw(route.sandboxId)
    expect(routes.byAccessToken('token')).toBeUndefined()
    expect(cut).toHaveBeenCalledTimes(1)
  })

  test('forgets the former token of a route that is published anew', () => {
    const { routes, route } = tableWithOne()
    routes.publish({ ...route, accessToken: 'new' })
    expect(routes.byAccessToken('token')).toBeUndefined()
    expect(routes.byAccessToken('new')?.sandboxId).toBe(route.sandboxId)
  })

  test('cuts what goes to a former address, and nothing when the address stays', () => {
    const { routes, cut, route } = tableWithOne()
    routes.publish({ ...route })
    expect(cut).not.toHaveBeenCalled()
    routes.publish({ ...route, address: '10.0.0.2' })
    expect(cut).toHaveBeenCalledTimes(1)
  })

  test('takes a suspend or withdraw of what it does not know', () => {
    const { routes, cut } = tableWithOne()
    routes.suspend('unknown')
    routes.withdraw('unknown')
    expect(cut).not.toHaveBeenCalled()
  })

  test('tells nobody who has unsubscribed', () => {
    const { routes, route } = tableWithOne()
    const listener = vi.fn<() => void>()
    routes.onCut(listener)()
    routes.withdraw(route.sandboxId)
    expect(listener).not.toHaveBeenCalled()
  })
})

function tableWithOne() {
  const routes = new RouteTable()
  const route = newRoute({ accessToken: 'token', address: '10.0.0.1' })
  routes.publish(route)
  const cut = vi.fn<(id: string) => void>()
  routes.onCut(cut)
  return { routes, route, cut }
}
