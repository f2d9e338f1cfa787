import type { Route } from '@torpor/contract'

import { type Adoption, adoptExecutions } from './app/adopt-executions.ts'
import { type TemplateRecipe, ensureTemplate } from './app/build-template.ts'
import { connectSandbox, refreshSandbox, resumePaused, setTimeoutOf } from './app/connect-sandbox.ts'
import { createSandbox } from './app/create-sandbox.ts'
import { evictAll } from './app/evict-sandbox.ts'
import { ExecutionTable } from './app/execution-table.ts'
import { killSandbox } from './app/kill-sandbox.ts'
import { listSandboxes } from './app/list-sandboxes.ts'
import { loseExecution } from './app/lose-sandbox.ts'
import { pauseSandbox } from './app/pause-sandbox.ts'
import type { Ports } from './app/ports.ts'
import { requireSandbox } from './app/records.ts'
import { Transitions } from './app/transitions.ts'
import type { UseCases } from './app/use-cases.ts'
import { wakeSandbox } from './app/wake-sandbox.ts'
import { WarmPool } from './app/warm-pool.ts'
import { deadlines } from './reconcilers/deadlines.ts'
import { Loop } from './reconcilers/loop.ts'
import { warmMemory } from './reconcilers/warm-memory.ts'
import { warmPool } from './reconcilers/warm-pool.ts'

/** Core, given its adapters: the use cases for the doors, and the loops. */
export interface Platform {
  readonly useCases: UseCases
  /** For the edge: brings a sleeping sandbox back, if it may be woken. */
  wake(sandboxId: string): Promise<Route | undefined>
  ensureTemplate(recipe: TemplateRecipe): Promise<boolean>
  /** Finds the sandboxes of an earlier server again, then starts the loops. To be called once, before any door opens. */
  start(): Promise<Adoption>
  /** Waits for what is in progress. Running sandboxes go on; paused ones give their memory back and stay on disk. */
  close(): Promise<void>
}

/** What the composition root supplies. */
export type Adapters = Omit<Ports, 'transitions' | 'executions' | 'pool' | 'nudge'>

export function createPlatform(adapters: Adapters): Platform {
  const transitions = new Transitions()
  const pool = new WarmPool()
  const nudge = (): void => loops.forEach((loop) => loop.nudge())
  const ports: Ports = { ...adapters, transitions, executions: new ExecutionTable(), pool, nudge }
  const loops = [
    new Loop('deadlines', deadlines(ports), adapters),
    new Loop('warm memory', warmMemory(ports), adapters),
    new Loop('warm pool', warmPool(ports), adapters),
  ]
  let unsubscribe = (): void => undefined
  return {
    useCases: useCasesOf(ports),
    wake: (id) => wakeSandbox(ports, id),
    ensureTemplate: async (recipe) => {
      const built = await ensureTemplate(ports, recipe)
      nudge()
      return built
    },
    start: async () => {
      unsubscribe = adapters.engine.onExit((exit) => {
        loseExecution(ports, exit).catch((error: unknown) => adapters.log.error({ exit, error }, 'an ended execution was not cleared away'))
      })
      const adoption = await adoptExecutions(ports)
      nudge()
      return adoption
    },
    close: async () => {
      unsubscribe()
      await pool.close(adapters.engine)
      await Promise.all(loops.map((loop) => loop[Symbol.asyncDispose]()))
      await pool.close(adapters.engine)
      await transitions.idle()
      await evictAll(ports)
    },
  }
}

const useCasesOf = (ports: Ports): UseCases => ({
  createSandbox: (command) => createSandbox(ports, command),
  getSandbox: (id) => requireSandbox(ports.store, id),
  listSandboxes: (command) => listSandboxes(ports, command),
  killSandbox: (id) => killSandbox(ports, id, 'api'),
  pauseSandbox: (id) => pauseSandbox(ports, id, 'api'),
  connectSandbox: (id, timeoutSeconds) => connectSandbox(ports, id, timeoutSeconds),
  resumeSandbox: (id, options) => resumePaused(ports, id, options),
  setTimeout: (id, timeoutSeconds) => setTimeoutOf(ports, id, timeoutSeconds),
  refresh: (id, durationSeconds) => refreshSandbox(ports, id, durationSeconds),
})
