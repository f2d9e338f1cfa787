import { setTimeout as delay } from 'node:timers/promises'

import { TorporError, accessTokenHeader } from '@torpor/contract'
import type { Agent, AgentIdentity, AgentSurroundings, EndedProcess, JournalEntry } from '@torpor/core'
import { z } from 'zod'

import { type AgentCall, callAgent, mostCharacters } from './call-agent.ts'
import { pageEntries, parseJournal } from './journal.ts'
import { makeDirectory } from './make-directory.ts'
import { answerMilliseconds, waits } from './patience.ts'
import { rehearse } from './rehearse.ts'
import { run } from './run-process.ts'
import { startService } from './start-service.ts'
import { writeFile } from './write-file.ts'

const initMilliseconds = 10_000
const journalMilliseconds = 2000
/** A sandbox without memory is slow, and its agent waits a second for the process to be gone. */
const endMilliseconds = 5000

/** The agent over HTTP. */
export function createAgentClient(): Agent {
  return { healthy, init, prepare, startService, journal, run, writeFile, makeDirectory, endBiggest }
}

/** Asks until the agent answers. Creates wait for this, so it looks often at first. */
async function healthy(address: string, withinMilliseconds: number): Promise<void> {
  const deadline = performance.now() + withinMilliseconds
  const left = (): number => deadline - performance.now()
  const pauses = waits()
  let last: unknown
  for (let tries = 0; left() > 0; tries += 1) {
    try {
      const { status } = await callAgent(address, { method: 'GET', path: '/health' }, Math.min(answerMilliseconds(tries), left()))
      if (status === 204) return
      last = new Error(`the agent answered ${status}`)
    } catch (error) {
      last = error
    }
    await delay(Math.min(pauses.next().value, Math.max(left(), 0)))
  }
  const message = `The sandbox did not become ready within ${withinMilliseconds / 1000} s`
  throw new TorporError('timed_out', message, { context: { address }, cause: last })
}

const init = (address: string, identity: AgentIdentity, holder: string | null = identity.accessToken): Promise<void> =>
  tell(address, initBody(identity), holder)

async function prepare(address: string, surroundings: AgentSurroundings): Promise<void> {
  await tell(address, surroundings, null)
  await rehearse(address)
}

async function tell(address: string, told: object, holder: string | null): Promise<void> {
  const request: AgentCall = {
    method: 'POST',
    path: '/init',
    headers: { 'content-type': 'application/json', ...shown(holder) },
    body: JSON.stringify(told),
  }
  const answer = await callAgent(address, request, initMilliseconds).catch((cause: unknown) => {
    throw new TorporError('unavailable', 'The sandbox does not answer. Try again', { context: { address }, cause })
  })
  if (answer.status !== 204) {
    throw new TorporError('unavailable', 'The sandbox did not take its identity. Try again', { context: { address, ...answer } })
  }
}

async function journal(address: string, accessToken: string | null, after: number): Promise<JournalEntry[]> {
  const request: AgentCall = { method: 'GET', path: `/logs?after=${after}&limit=${pageEntries}`, headers: shown(accessToken) }
  try {
    const { status, text } = await callAgent(address, request, journalMilliseconds, mostCharacters)
    if (status !== 200) throw new Error(`the agent answered ${status}`)
    return parseJournal(text).filter(({ sequence }) => sequence > after)
  } catch (cause) {
    throw new TorporError('unavailable', 'The sandbox does not tell its log. Try again', { context: { address }, cause })
  }
}

async function endBiggest(address: string, accessToken: string | null, leastBytes: number): Promise<EndedProcess | undefined> {
  const request: AgentCall = { method: 'POST', path: `/oom?least=${leastBytes}`, headers: shown(accessToken) }
  try {
    const { status, text } = await callAgent(address, request, endMilliseconds, mostCharacters)
    if (status === 404) return undefined
    if (status !== 200) throw new Error(`the agent answered ${status}`)
    return endedProcess.parse(JSON.parse(text))
  } catch (cause) {
    throw new TorporError('unavailable', 'The sandbox does not free its memory', { context: { address }, cause })
  }
}

const endedProcess = z.object({
  pid: z.int(),
  command: z.string().transform((text) => text.slice(0, 1024)),
  rssBytes: z.int().min(0),
})

const shown = (token: string | null): Record<string, string> => (token === null ? {} : { [accessTokenHeader]: token })

const initBody = ({ env, accessToken, defaults, ...identity }: AgentIdentity): object => ({
  ...identity,
  envVars: env,
  // An empty one opens it again.
  accessToken: accessToken ?? '',
  timestamp: new Date().toISOString(),
  ...(defaults && { defaultUser: defaults.user, defaultWorkdir: defaults.workdir }),
})
