import { TorporError } from '@torpor/contract'

import type { TemplateSummary } from '../../domain/template.ts'
import { dropImage } from '../hold-image.ts'
import type { Ports } from '../ports.ts'
import { deleteSnapshot } from '../snapshots.ts'

/**
 * Forgets a template with its builds, or a snapshot, by id or name; a build in progress is ended first.
 * @throws TorporError `not_found`, `invalid_argument` while sandboxes use it, `forbidden` for a built-in one.
 */
export async function deleteTemplate(ports: Ports, asked: string): Promise<void> {
  const template = ports.store.templates.get(asked)
  if (!template) return deleteSnapshot(ports, asked)
  requireUnused(ports, template)
  const { id } = template
  await ports.builds.cancel(id, new TorporError('not_found', 'The template was deleted'))
  // Somebody may have used the wait.
  requireUnused(ports, template)
  const { templates } = ports.store
  const images = templates.buildsOf(id).flatMap(({ id: buildId }) => templates.ready(buildId)?.image ?? [])
  templates.delete(id)
  for (const image of images) await dropImage(ports, image)
  ports.nudge()
}

function requireUnused({ store }: Ports, { id, names, isBuiltIn }: TemplateSummary): void {
  const name = names[0] ?? id
  if (isBuiltIn) throw new TorporError('forbidden', `'${name}' is a template of Torpor itself and cannot be deleted`)
  const users = store.allSandboxes().filter(({ templateId }) => templateId === id).length
  if (users > 0) {
    throw new TorporError('invalid_argument', `template '${name}' is used by ${users} running or paused sandboxes. Kill them first`)
  }
}
