import { newTemplateId } from '@torpor/contract'

import type { Work } from '../../domain/build-step.ts'
import type { BuildContext, Layer } from '../../domain/template.ts'
import type { Execution } from '../../ports/engine.ts'
import type { Ports } from '../ports.ts'
import { Undo } from '../undo.ts'
import type { Foundation } from './foundation.ts'

/** The beginning of every chain of keys: what the build is made from. Layers are the engine build's that wrote them. */
export const rootKey = (parent: Foundation, engineVersion: string): Promise<string> =>
  hash([engineVersion, parent.layer ?? parent.base.rootfs])

/** The key of what a step makes: all that it can depend on, its parent's key first. */
export const layerKey = (parent: string, step: Work, { env, user, workdir }: BuildContext): Promise<string> => {
  const what = step.type === 'RUN' ? [step.command] : [step.source, step.destination, step.mode, step.filesHash]
  return hash([parent, step.type, step.user ?? user, workdir, Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1)), what])
}

async function hash(parts: readonly unknown[]): Promise<string> {
  const digest = await globalThis.crypto.subtle.digest('SHA-256', new TextEncoder().encode(JSON.stringify(parts)))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The layer that is kept for a key, if its files are there and sound. */
export async function findLayer({ store, images, clock, log }: Ports, key: string): Promise<Layer | undefined> {
  const layer = store.templates.cachedLayer(key)
  if (!layer) return undefined
  try {
    await images.locate(layer.image)
    store.templates.useLayer(layer.id, clock.now())
    return layer
  } catch (error) {
    log.warn({ layer: layer.id, error }, 'a layer of a template cannot be used; its step is run again')
    store.templates.forgetKeys([key])
    return undefined
  }
}

/** Takes the files of a frozen execution as the layer of `key`. Leaves nothing behind when it fails. */
export async function keepLayer(ports: Ports, { execution, engineVersion }: Execution, key: string): Promise<Layer> {
  const { engine, images, store, clock } = ports
  const id = `layer-${newTemplateId()}`
  await using undo = new Undo(ports.log)
  const staged = await images.stage({ owner: id, generation: 1, kind: 'files', engineVersion }, 0)
  undo.add('staged layer', () => staged.discard())
  await engine.captureFiles(execution, staged.directory)
  await ports.reached('build layer written')
  const image = await staged.commit()
  undo.add('layer', () => images.remove(image))
  const { allocatedBytes } = await images.usage(image)
  const now = clock.now()
  const layer: Layer = { id, key, image, bytes: allocatedBytes, createdAt: now, usedAt: now }
  store.templates.putLayer(layer)
  undo.release()
  await ports.reached('build layer kept')
  return layer
}
