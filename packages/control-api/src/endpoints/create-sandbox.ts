import { type NewSandbox, TorporError, newSandbox } from '@torpor/contract'
import type { CreateCommand } from '@torpor/core'

import { errors, json, schemas } from '../documented.ts'
import { egressOptions } from '../egress-options.ts'
import type { ApiContext, Dependencies, Endpoint } from '../endpoint.ts'
import { bodyOf } from '../request-input.ts'
import { sandboxToWire } from '../to-wire.ts'
import { refuseUnsupported } from '../unsupported-options.ts'

const route = {
  method: 'post',
  request: { body: json(schemas.newSandbox, 'What to make') },
  responses: { 201: json(schemas.sandbox, 'It is usable'), ...errors(404, 429, 501, 503) },
} as const

const handle =
  (isSecure: (body: NewSandbox) => boolean): Endpoint['handle'] =>
  async (context: ApiContext, dependencies: Dependencies) => {
    const body = await bodyOf(context, newSandbox, dependencies)
    const record = await dependencies.useCases.createSandbox(commandOf(body, isSecure(body)))
    return context.json(sandboxToWire(record, dependencies), 201)
  }

/** The first version: open unless `secure` says otherwise. */
export const createSandbox: Endpoint = {
  route: { ...route, path: '/sandboxes', summary: 'Create a sandbox' },
  handle: handle((body) => body.secure ?? false),
}

/** Always secured. */
export const createSandboxV2: Endpoint = {
  route: { ...route, path: '/v2/sandboxes', summary: 'Create a secured sandbox' },
  handle: handle(() => true),
}

function commandOf(body: NewSandbox, secure: boolean): CreateCommand {
  refuseUnsupported(body)
  const allowPublicTraffic = body.network?.allowPublicTraffic ?? true
  if (!allowPublicTraffic && !secure) {
    throw new TorporError('invalid_argument', 'network.allowPublicTraffic: can be false only on a sandbox with secure: true')
  }
  return {
    template: body.templateID,
    timeoutSeconds: body.timeout,
    secure,
    lifecycle: lifecycleOf(body),
    network: {
      ...egressOptions(body.network ?? {}, body.allow_internet_access),
      allowPublicTraffic,
      maskRequestHost: body.network?.maskRequestHost ?? null,
    },
    metadata: body.metadata ?? {},
    env: body.envVars ?? {},
  }
}

function lifecycleOf({ autoPause, autoPauseMemory, autoResume }: NewSandbox): CreateCommand['lifecycle'] {
  const wakes = autoResume?.enabled ?? false
  const pauseKind = autoPauseMemory === false ? 'files' : 'memory'
  if (autoPause && wakes && pauseKind === 'files') {
    throw new TorporError(
      'invalid_argument',
      'autoResume: not possible with autoPauseMemory: false, without its memory nothing could answer',
    )
  }
  return { onTimeout: autoPause ? 'pause' : 'kill', autoResume: wakes, pauseKind }
}
