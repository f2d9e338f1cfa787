import { NotFoundError, Sandbox } from 'e2b'

import { type SandboxLike, type Sdk, tellStory } from './story.ts'

const sdk: Sdk = {
  name: 'e2b (npm)',
  create: (options) => Sandbox.create(options),
  connect: (id, options) => Sandbox.connect(id, options),
  pause: (sandbox: SandboxLike) => Sandbox.pause(sandbox.sandboxId),
  list: async (states) => {
    const ids: string[] = []
    const paginator = Sandbox.list({ query: { state: states }, limit: 1 })
    while (paginator.hasNext) ids.push(...(await paginator.nextItems()).map((entry) => entry.sandboxId))
    return ids
  },
  NotFoundError,
}

tellStory(sdk, 'frozen')
tellStory(sdk, 'image')
