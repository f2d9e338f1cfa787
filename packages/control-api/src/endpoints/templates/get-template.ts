import { z } from '@hono/zod-openapi'
import { aliasAnswer, templateDetail, templateNames, templateUpdate } from '@torpor/contract'

import { errors, json } from '../../documented.ts'
import type { ApiContext, Dependencies, Endpoint } from '../../endpoint.ts'
import { bodyOf } from '../../request-input.ts'
import { detailToWire, fullNames } from '../../template-to-wire.ts'

const params = z.object({ templateID: z.string() })

export const getTemplate: Endpoint = {
  route: {
    method: 'get',
    path: '/templates/{templateID}',
    summary: 'A template with its builds, newest first',
    request: { params },
    responses: { 200: json(templateDetail, 'By id or name'), ...errors(404) },
  },
  handle: (context, { useCases }) => context.json(detailToWire(useCases.getTemplate(context.req.param('templateID') ?? ''))),
}

/** 404 means that the name is free (protocol.md 2.2). */
export const getAlias: Endpoint = {
  route: {
    method: 'get',
    path: '/templates/aliases/{alias}',
    summary: 'The template of a name; 404 when the name is free',
    request: { params: z.object({ alias: z.string() }) },
    responses: { 200: json(aliasAnswer, 'It is taken'), ...errors(404) },
  },
  handle: (context, { useCases }) => {
    const { id, isPublic } = useCases.getTemplate(context.req.param('alias') ?? '')
    return context.json({ templateID: id, public: isPublic })
  },
}

async function update(context: ApiContext, { useCases, ...limits }: Dependencies): Promise<Response> {
  const asked = context.req.param('templateID') ?? ''
  const { public: isPublic } = await bodyOf(context, templateUpdate, limits)
  const { names } = isPublic === undefined ? useCases.getTemplate(asked) : useCases.setTemplatePublic(asked, isPublic)
  return context.json({ names: fullNames(names) })
}

const route = {
  method: 'patch',
  request: { params, body: json(templateUpdate, 'Whether it is public') },
  responses: { 200: json(templateNames, 'It is so'), ...errors(404) },
} as const

export const updateTemplateV2: Endpoint = {
  route: { ...route, path: '/v2/templates/{templateID}', summary: 'Publish a template, or take it back' },
  handle: update,
}

export const updateTemplate: Endpoint = {
  route: { ...route, path: '/templates/{templateID}', summary: 'The same for older CLIs' },
  handle: update,
}
