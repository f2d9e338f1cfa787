import type { Socket } from 'node:net'

import { getRequestListener } from '@hono/node-server'
import { createControlApi, hashedKeys } from '@torpor/control-api'
import {
  type Adoption,
  type Agent,
  type Engine,
  type ImageStore,
  type LateTemplate,
  type Journals,
  Keyring,
  type Log,
  type Metrics,
  type OciImages,
  type Platform,
  type Settings,
  type Step,
  type Store,
  type TemplateRecipe,
  type Uploads,
  type Volume,
  createPlatform,
} from '@torpor/core'
import { ActivityTable, RouteTable, createEdge } from '@torpor/edge'

import { steadyClock } from './clock.ts'
import type { ListenAddress } from './http/bind.ts'
import { type Listener, listen } from './http/listener.ts'
import { keyMaker } from './keyring.ts'
import type { TlsIdentity } from './tls/identity.ts'
import { derivedTokens } from './tokens.ts'

/** The adapters that differ between production and tests. */
export interface World {
  readonly engine: Engine
  readonly images: ImageStore
  readonly volume: Volume & { close(): Promise<void> }
  readonly uploads: Uploads
  readonly oci: OciImages
  readonly store: Store
  readonly metrics: Metrics
  readonly journals: Journals
  readonly agent: Agent
  readonly log: Log
  /** Hands over the connections that sandboxes make to the platform's own names, before TLS. */
  readonly onHairpin?: (accept: (connection: Socket) => void) => void
}

export interface ComposeOptions {
  readonly settings: Settings
  readonly listen: ListenAddress
  /** undefined: no TLS. */
  readonly tls: TlsIdentity | undefined
  /** Host names of sandboxes end with it. */
  readonly domain: string
  readonly serverSecret: string
  /** Accepted beside those that the store knows. */
  readonly apiKey: string
  readonly version: string
  /** The built-in templates, made when they are missing. */
  readonly templates: readonly TemplateRecipe[]
  /** Made one after the other while the server serves; the signal ends that when the server closes. */
  lateTemplates(signal: AbortSignal): readonly LateTemplate[]
  /** Told of every step of core's works; for tests, which end the server there. */
  readonly reached?: ((step: Step) => void | Promise<void>) | undefined
  readonly onStep?: ((name: string) => (detail?: string) => void) | undefined
}

export interface RunningServer {
  /** `host:port`. */
  readonly address: string
  /** `host:port` of TLS; undefined when it is off. */
  readonly tlsAddress: string | undefined
  readonly platform: Platform
  /** Where a sandbox can be reached from this machine; undefined while it cannot. */
  addressOf(sandboxId: string): string | undefined
  /** What was found again at the start. */
  readonly adoption: Adoption
  /** Closes the doors, waits for transitions in progress, lets go of the engine. Sandboxes go on. */
  close(): Promise<void>
}

/** Puts core, API and edge together over one world and opens the door last. */
export async function compose(world: World, options: ComposeOptions): Promise<RunningServer> {
  const routes = new RouteTable()
  const activity = new ActivityTable()
  const tokens = derivedTokens(options.serverSecret)
  const platform = createPlatform({
    ...world,
    routes,
    activity,
    clock: steadyClock(world.log),
    tokens,
    settings: options.settings,
    ...(options.reached && { reached: options.reached }),
  })
  const adoption = await platform.start()
  for (const template of options.templates) {
    const done = options.onStep?.(`template ${template.names[0]}`)
    const built = await platform.ensureTemplate(template)
    done?.(built ? 'captured' : 'ready')
  }
  const keyring = new Keyring({ keys: world.store.keys, maker: keyMaker, clock: { now: Date.now } })
  keyring.putFirst(options.apiKey)
  const edge = createEdge({ routes, activity, wake: (id, { port }) => platform.wake(id, port), domain: options.domain, log: world.log })
  const keys = hashedKeys(() => keyring.hashes(), markUsed(keyring, world.log))
  const api = createControlApi({
    useCases: platform.useCases,
    uploads: world.uploads,
    keys,
    tokens,
    domain: null,
    log: world.log,
    version: options.version,
  })
  const respond = getRequestListener(api.fetch)
  const doors = { edge, api: (...exchange: Parameters<typeof respond>) => void respond(...exchange) }
  const listener = await listen(doors, {
    plain: options.listen,
    tls: options.tls,
    onComplaint: (message, error) => world.log.warn({ error }, message),
  })
  const { tls } = listener
  if (tls) world.onHairpin?.((connection) => tls.accept(connection))
  const closing = new AbortController()
  const preparing = prepareLate(platform, options.lateTemplates(closing.signal), closing.signal)
  return {
    address: listener.address,
    tlsAddress: tls?.address,
    platform,
    adoption,
    addressOf: (id) => routes.byId(id)?.address ?? undefined,
    close: async () => {
      closing.abort(new Error('the server is closing'))
      await preparing
      await closeAll(listener, edge, platform, world)
    },
  }
}

/** A full disk must not keep anybody out. */
const markUsed =
  (keyring: Keyring, log: Log) =>
  (hash: string): void => {
    try {
      keyring.markUsed(hash)
    } catch (error) {
      log.warn({ error }, 'the use of a key was not noted')
    }
  }

async function prepareLate(platform: Platform, templates: readonly LateTemplate[], closing: AbortSignal): Promise<void> {
  for (const template of templates) if (!closing.aborted) await platform.prepareTemplate(template)
}

async function closeAll(listener: Listener, edge: { close(): Promise<void> }, platform: Platform, world: World): Promise<void> {
  await Promise.all([listener.close(), edge.close()])
  await platform.close()
  await world.engine.close()
  world.store.close()
  world.metrics.close()
  world.journals.close()
  await world.volume.close()
}
