import { z } from '@hono/zod-openapi'
import { tagAnswer, tagRemoval, tagRequest, templateTag } from '@torpor/contract'

import { errors, json } from '../../documented.ts'
import type { Endpoint } from '../../endpoint.ts'
import { bodyOf } from '../../request-input.ts'
import { time } from '../../template-to-wire.ts'

export const assignTags: Endpoint = {
  route: {
    method: 'post',
    path: '/templates/tags',
    summary: 'Let more tags point to the build to which a name and tag point',
    request: { body: json(tagRequest, 'The build and its new tags') },
    responses: { 201: json(tagAnswer, 'They point to it'), ...errors(404) },
  },
  handle: async (context, { useCases, ...limits }) => {
    const { target, tags } = await bodyOf(context, tagRequest, limits)
    const { buildId, tags: assigned } = useCases.assignTags(target, tags)
    return context.json({ buildID: buildId, tags: assigned }, 201)
  },
}

export const removeTags: Endpoint = {
  route: {
    method: 'delete',
    path: '/templates/tags',
    summary: 'Take tags away; a build to which nothing points any more is removed once no sandbox needs it',
    request: { body: json(tagRemoval, 'The template and the tags') },
    responses: { 204: { description: 'They are gone' }, ...errors(404) },
  },
  handle: async (context, { useCases, ...limits }) => {
    const { name, tags } = await bodyOf(context, tagRemoval, limits)
    useCases.removeTags(name, tags)
    return context.body(null, 204)
  },
}

export const listTags: Endpoint = {
  route: {
    method: 'get',
    path: '/templates/{templateID}/tags',
    summary: 'The tags of a template, newest first',
    request: { params: z.object({ templateID: z.string() }) },
    responses: { 200: json(z.array(templateTag), 'All of them'), ...errors(404) },
  },
  handle: (context, { useCases }) => {
    const tags = useCases.templateTags(context.req.param('templateID') ?? '')
    return context.json(tags.map(({ tag, buildId, createdAt }) => ({ tag, buildID: buildId, createdAt: time(createdAt) })))
  },
}
