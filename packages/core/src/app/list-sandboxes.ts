import type { ListQuery } from '../domain/listing.ts'
import type { Ports } from './ports.ts'
import type { ListCommand, Page } from './use-cases.ts'
import { viewOf } from './view.ts'

/** One page; asks for one more than wanted, so that the last page is known to be the last. */
export function listSandboxes(ports: Pick<Ports, 'store' | 'transitions' | 'activity'>, command: ListCommand): Page {
  const { store } = ports
  const { template, startedAfter, after, ...rest } = command
  const templateId = template === undefined ? undefined : (store.getTemplate(template)?.templateId ?? template)
  const query: ListQuery = {
    ...rest,
    limit: command.limit + 1,
    ...(templateId !== undefined && { templateId }),
    ...(startedAfter !== undefined && { startedAfter }),
    ...(after && { after }),
  }
  const found = store.listSandboxes(query)
  const sandboxes = found.slice(0, command.limit).map((record) => viewOf(ports, record))
  const last = sandboxes.at(-1)
  return found.length > command.limit && last ? { sandboxes, next: { startedAt: last.startedAt, id: last.id } } : { sandboxes }
}
