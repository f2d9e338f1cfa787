import { json } from 'node:stream/consumers'

import { expect, it } from 'vitest'

import { createAgentClient } from './agent-client.ts'
import { freeAddress, serve } from './loopback.ts'

const agent = createAgentClient()

it('asks for the directory as its user', async () => {
  const asked: unknown[] = []
  await using sandbox = await serve(async (request, response) => {
    asked.push(request.url, request.headers.authorization, await json(request))
    response.writeHead(200).end('{}')
  })
  await agent.makeDirectory(sandbox.address, '/srv/app', 'user')
  expect(asked).toEqual(['/filesystem.Filesystem/MakeDir', `Basic ${btoa('user:')}`, { path: '/srv/app' }])
})

it.each([
  [400, '{"code":"invalid_argument","message":"it is a file"}', { kind: 'invalid_argument', message: 'it is a file' }],
  [500, 'no json', { kind: 'unavailable' }],
])('tells an answer of %i %s', async (status, body, error) => {
  await using sandbox = await serve((_request, response) => void response.writeHead(status).end(body))
  await expect(agent.makeDirectory(sandbox.address, '/srv', 'user')).rejects.toMatchObject(error)
})

it('is content with one that is there', async () => {
  await using sandbox = await serve(
    (_request, response) => void response.writeHead(409).end('{"code":"already_exists","message":"directory already exists"}'),
  )
  await expect(agent.makeDirectory(sandbox.address, '/srv', 'user')).resolves.toBeUndefined()
})

it('says so when nobody answers', async () => {
  await expect(agent.makeDirectory(freeAddress(), '/srv', 'user')).rejects.toMatchObject({ kind: 'unavailable' })
})
