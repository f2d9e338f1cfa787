import { TorporError } from '@torpor/contract'

import { type TemplateBuild, baseContext } from '../../domain/template.ts'
import type { RegistryCredentials } from '../../ports/oci-images.ts'
import type { Ports } from '../ports.ts'
import type { BuildJob } from './build-queue.ts'

/** What a build is told to begin with: a ready build, or an image of a registry. */
export type Origin =
  | { readonly parent: TemplateBuild }
  | {
      readonly image: string
      readonly credentials: RegistryCredentials | undefined
      /** The agent that is mounted in: content hash. */
      readonly agent: string
    }

/** What the first step of a build works on. */
export type Foundation = Pick<TemplateBuild, 'base' | 'context' | 'layer'> & { readonly title: string }

/** Brings it here, if it is an image. Its own environment holds; its user does not, since sandboxes work as `user`. */
export async function lay({ oci, store }: Ports, { log, abort: { signal } }: BuildJob, origin: Origin): Promise<Foundation> {
  log.begin('base')
  if ('parent' in origin) {
    const { base, context, layer, names, templateId } = origin.parent
    if (layer !== null && !store.templates.layer(layer)) {
      throw new TorporError('not_found', 'the template that it is built from is not there any more')
    }
    return { base, context, layer, title: names[0] ?? templateId }
  }
  const { credentials, agent } = origin
  const image = await oci.resolve(origin.image, { credentials, signal })
  log.write('info', `${origin.image} is ${image.reference}`)
  log.flush()
  const tell = (level: 'info' | 'warn', message: string): void => log.write(level, message)
  const rootfs = await oci.prepare(image, { credentials, signal, tell })
  signal.throwIfAborted()
  if (image.user !== '' && image.user !== 'user') {
    log.write('info', `The image's own user is '${image.user}'; steps and sandboxes run as 'user' unless a USER step says otherwise`)
  }
  return { base: { rootfs, agent }, context: { ...baseContext, env: image.env }, layer: null, title: image.reference }
}
