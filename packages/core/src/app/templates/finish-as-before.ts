import { TorporError } from '@torpor/contract'

import type { TemplateBuild } from '../../domain/template.ts'
import { holdImage } from '../hold-image.ts'
import type { Ports } from '../ports.ts'
import type { BuildJob } from './build-queue.ts'
import type { Finale } from './finalize-build.ts'

/**
 * When an earlier build of the template came out of the very same files, context, start command and size, its captured sandbox is
 * this one's as well. False when there is none that is sound.
 */
export async function finishAsBefore(ports: Ports, job: BuildJob, finale: Finale): Promise<boolean> {
  const { store, images, engine, clock } = ports
  const { templates } = store
  const wanted = identityOf({ ...finale, base: finale.parent.base, layer: finale.layer?.id ?? null, resources: job.resources })
  const earlier = templates
    .buildsOf(job.templateId)
    .map(({ id }) => templates.ready(id))
    .find((ready) => ready && identityOf(ready) === wanted && ready.image.engineVersion === engine.version)
  if (!earlier) return false
  await using _held = holdImage(ports, earlier.image)
  try {
    await images.locate(earlier.image)
  } catch {
    return false
  }
  job.abort.signal.throwIfAborted()
  job.log.begin('finalize')
  job.log.write('info', 'CACHED The template is as it was')
  job.log.write('info', 'The template is ready')
  job.log.flush()
  if (templates.finish({ ...earlier, buildId: job.buildId }, clock.now())) return true
  throw new TorporError('conflict', 'the build was ended meanwhile')
}

const identityOf = ({
  layer,
  context,
  start,
  base,
  resources,
}: Omit<TemplateBuild, 'image' | 'names' | 'templateId' | 'buildId' | 'createdAt'>): string =>
  JSON.stringify([
    layer,
    [context.user, context.workdir, Object.entries(context.env).toSorted(([a], [b]) => (a < b ? -1 : 1))],
    [start.startCmd, start.readyCmd, start.service ?? null],
    [base.rootfs, base.agent],
    [resources.cpuCount, resources.memoryMiB, resources.diskMiB],
  ])
