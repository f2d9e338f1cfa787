import { TorporError, templateAnswer, templateRequest } from '@torpor/contract'

import { errors, json } from '../../documented.ts'
import type { Endpoint } from '../../endpoint.ts'
import { bodyOf } from '../../request-input.ts'
import { fullNames } from '../../template-to-wire.ts'

export const registerTemplate: Endpoint = {
  route: {
    method: 'post',
    path: '/v3/templates',
    summary: 'Begin a build of the template of this name, which is made if there is none',
    request: { body: json(templateRequest, 'Its name, perhaps with a tag, and its size') },
    responses: { 202: json(templateAnswer, 'The build waits for its steps'), ...errors(403, 409) },
  },
  handle: async (context, { useCases, ...limits }) => {
    const body = await bodyOf(context, templateRequest, limits)
    const name = body.name ?? body.alias
    if (name === undefined) throw new TorporError('invalid_argument', 'name: must be the name of a template')
    const { template, build } = useCases.registerTemplate({
      name,
      tags: body.tags ?? [],
      cpuCount: body.cpuCount,
      memoryMiB: body.memoryMB,
      minFreeDiskMiB: body.minFreeDiskMb,
    })
    const { id, names, isPublic } = template
    const answer = { templateID: id, buildID: build.id, public: isPublic, names: fullNames(names), tags: build.tags, aliases: names }
    return context.json(answer, 202)
  },
}
