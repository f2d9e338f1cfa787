import { outlivedLayers } from '../../domain/layer-cache.ts'
import type { Layer } from '../../domain/template.ts'
import { dropImage } from '../hold-image.ts'
import type { Ports } from '../ports.ts'

const day = 24 * 3_600_000
/** An archive is asked for again by every build with its files; it costs one upload when it is gone. */
const uploadMilliseconds = day
/** A build on an image that was used lately need not fetch it; longer than any build may take. */
const imageMilliseconds = 7 * day

/** Removes what no build, tag or sandbox needs any more: builds, layers beyond the limits of their cache, archives. */
export async function collectBuilds(ports: Ports): Promise<void> {
  const { store, clock, settings, uploads, oci } = ports
  for (const { buildId, image } of store.templates.outdated()) {
    store.templates.retire(buildId)
    await dropImage(ports, image)
  }
  const needed = new Set(store.templates.neededLayers())
  const unneeded = store.templates.layers().filter(({ id }) => !needed.has(id))
  for (const layer of outlivedLayers(unneeded, clock.now(), settings.layerCacheBytes)) await dropLayer(ports, layer)
  await uploads.sweep(clock.now() - uploadMilliseconds)
  await oci.sweep(new Set(store.namedRoots()), clock.now() - imageMilliseconds)
}

/** Who reads it just now still can: the last reader removes the files. */
async function dropLayer(ports: Ports, layer: Layer): Promise<void> {
  ports.store.templates.deleteLayer(layer.id)
  await dropImage(ports, layer.image)
}

/** Builds that an earlier server was at are over: reported as failed, to be started anew. To be called before any other starts. */
export function failInterrupted({ store, clock }: Pick<Ports, 'store' | 'clock'>): number {
  const interrupted = store.templates.building()
  for (const { id } of interrupted) {
    const last = store.templates.log(id, { level: 'debug', offset: 0, limit: Number.MAX_SAFE_INTEGER }).at(-1)
    const message = 'The server was stopped in the middle of this build. Start it again: the steps that were kept are not run again'
    const reason = { message, step: last?.step ?? 'base' }
    store.templates.updateBuild(id, 'building', { status: 'error', finishedAt: clock.now(), reason })
  }
  return interrupted.length
}
