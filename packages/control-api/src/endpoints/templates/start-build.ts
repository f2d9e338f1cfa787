import { z } from '@hono/zod-openapi'
import { type BuildRequest, TorporError, buildRequest } from '@torpor/contract'
import type { StartBuildCommand } from '@torpor/core'

import { errors, json } from '../../documented.ts'
import type { Endpoint } from '../../endpoint.ts'
import { bodyOf } from '../../request-input.ts'

/** Bytes: steps may hold whole scripts. */
const mostBytes = 8 * 1024 * 1024

export const startBuild: Endpoint = {
  route: {
    method: 'post',
    path: '/v2/templates/{templateID}/builds/{buildID}',
    summary: 'Start a registered build; it goes on behind the answer',
    request: { params: z.object({ templateID: z.string(), buildID: z.string() }), body: json(buildRequest, 'What to build, from what') },
    responses: { 202: { description: 'It is on its way' }, ...errors(404, 501) },
  },
  handle: async (context, { useCases }) => {
    const body = await bodyOf(context, buildRequest, { maxBodyBytes: mostBytes })
    const { templateID = '', buildID = '' } = context.req.param()
    await useCases.startBuild(templateID, buildID, commandOf(body))
    // SDKs take any other body for JSON, an empty one of unknown length too.
    return context.body('', 202, { 'content-length': '0' })
  },
}

function commandOf({
  fromTemplate,
  fromImage,
  fromImageRegistry,
  startCmd,
  readyCmd,
  preBootScript,
  force,
  steps,
}: BuildRequest): StartBuildCommand {
  if (preBootScript) throw new TorporError('unimplemented', 'preBootScript is not supported by this Torpor version')
  return {
    fromTemplate: fromTemplate ?? undefined,
    fromImage: fromImage ?? undefined,
    registry: fromImageRegistry ?? undefined,
    startCmd: startCmd ?? undefined,
    readyCmd: readyCmd ?? undefined,
    force: force ?? false,
    steps: (steps ?? []).map((step) => ({
      type: step.type,
      args: step.args ?? [],
      filesHash: step.filesHash ?? undefined,
      force: step.force ?? false,
    })),
  }
}
