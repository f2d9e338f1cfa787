import { errors } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'

export const getInventory: Endpoint = {
  route: {
    method: 'get',
    path: '/torpor/inventory',
    summary: 'What there is and what it costs in memory and on disk; for the operator',
    responses: {
      200: {
        description:
          '{sandboxes, snapshots, templates, spares}; sizes in bytes: `bytes` as files say, `allocatedBytes` with blocks, `sharedBytes` of these in blocks that something else has as well',
      },
      ...errors(),
    },
  },
  handle: async (context, { useCases }) => {
    const { sandboxes, ...rest } = await useCases.inventory()
    const shown = sandboxes.map(({ view, memoryBytes, volume, image }) => ({
      id: view.id,
      template: view.alias ?? view.templateId,
      state: view.damage === null ? view.shown.state : 'damaged',
      startedAt: new Date(view.startedAt).toISOString(),
      endAt: view.state === 'running' ? new Date(view.shown.endAt).toISOString() : null,
      memoryBytes,
      volume,
      image,
    }))
    return context.json({ sandboxes: shown, ...rest })
  },
}
