import { createAgentClient } from '@torpor/agent-client'
import { type FakeEngine, type FakeMachine, createFakeEngine } from '@torpor/engine-fake'
import { openImageStore, openUploadStore } from '@torpor/image-store'
import { openJournals, openMetrics, openStore } from '@torpor/store-sqlite'

import type { Settings } from '../app/ports.ts'
import type { Step } from '../app/steps.ts'
import { type Platform, createPlatform } from '../platform.ts'
import type { Log } from '../ports/platform.ts'
import type { Uploads } from '../ports/uploads.ts'
import type { Volume } from '../ports/volume.ts'
import { fakeImages } from './fake-images.ts'
import { Faults } from './faults.ts'
import { type AgentStep, type ImageStep, faultyAgent, faultyImages } from './faulty-adapters.ts'
import { ManualClock } from './manual-clock.ts'
import { Reachable } from './reachable.ts'
import { Uses } from './uses.ts'
import { WatchedStore } from './watched-store.ts'

interface LogEntry {
  readonly level: 'info' | 'warn' | 'error'
  readonly message: string
  readonly context: Readonly<Record<string, unknown>>
}

/** What a server finds when it starts. */
export interface Machine {
  readonly processes: FakeMachine
  readonly volume: Volume
  readonly databaseFile: string
  readonly imageDirectory: string
  readonly uploadDirectory: string
  readonly engineVersion: string
  readonly now: number
}

/** One server process, from its start to its death: core with everything it was given. */
export interface ServerLife {
  readonly engine: FakeEngine
  readonly watched: WatchedStore
  readonly clock: ManualClock
  readonly routes: Reachable
  readonly uses: Uses
  readonly uploads: Uploads
  /** Called at every step; throws where a fault is to strike. */
  readonly steps: Faults<Step>
  readonly imageFaults: Faults<ImageStep>
  readonly agentFaults: Faults<AgentStep>
  readonly log: readonly LogEntry[]
  readonly platform: Platform
  /** As `kill -9`: whatever it was doing stops where it is. */
  die(): void
}

export function beginLife(machine: Machine, settings: Settings): ServerLife {
  const realImages = openImageStore({ directory: machine.imageDirectory, reserveBytes: 0 })
  const locateImage = realImages.locate.bind(realImages)
  const engine = createFakeEngine({ machine: machine.processes, version: machine.engineVersion, locateImage })
  const watched = new WatchedStore(openStore(machine.databaseFile))
  const clock = new ManualClock(machine.now)
  const metrics = openMetrics(`${machine.databaseFile}.metrics`)
  const journals = openJournals(`${machine.databaseFile}.journals`)
  const parts = {
    clock,
    routes: new Reachable(),
    uses: new Uses(() => clock.now()),
    uploads: openUploadStore({ directory: machine.uploadDirectory, mostBytes: 1024 ** 2, reserveBytes: 0 }),
    steps: new Faults<Step>(),
    imageFaults: new Faults<ImageStep>(),
    agentFaults: new Faults<AgentStep>(),
  }
  const log: LogEntry[] = []
  const platform = createPlatform({
    engine,
    store: watched.store,
    metrics,
    journals,
    images: faultyImages(realImages, parts.imageFaults),
    volume: machine.volume,
    uploads: parts.uploads,
    oci: fakeImages,
    agent: faultyAgent(createAgentClient(), parts.agentFaults),
    routes: parts.routes,
    activity: parts.uses,
    reached: (step) => parts.steps.pass(step),
    clock: parts.clock,
    tokens: { access: (id) => `access-${id}`, traffic: (id) => `traffic-${id}`, upload: (hash, at) => `upload-${hash}-${at}` },
    log: logInto(log),
    settings,
  })
  const die = (): void => {
    parts.imageFaults.stop()
    parts.agentFaults.stop()
    parts.steps.stop()
    void engine.close()
    watched.store.close()
    metrics.close()
    journals.close()
  }
  return { ...parts, engine, watched, log, platform, die }
}

function logInto(entries: LogEntry[]): Log {
  const at =
    (level: LogEntry['level']): Log['info'] =>
    (context, message) =>
      void entries.push({ level, message, context })
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
