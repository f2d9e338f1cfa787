import { newBuildId, newExecutionId, newTemplateId } from '@torpor/contract'

import { openEgress } from '../domain/egress.ts'
import type { Base, Resources } from '../domain/sandbox.ts'
import { type Service, type TemplateBuild, baseContext, noStart } from '../domain/template.ts'
import { dropImage } from './hold-image.ts'
import { imageRoom } from './image-room.ts'
import type { Ports } from './ports.ts'
import { Undo } from './undo.ts'

export interface TemplateRecipe {
  /** Canonical name first. */
  readonly names: readonly [string, ...string[]]
  readonly base: Base
  readonly resources: Resources
  /** What runs in it from the start, and is captured ready. */
  readonly service?: Service
}

/** Makes sure that a ready build stands for exactly this recipe and this engine; builds it otherwise. True when it built. */
export async function ensureTemplate(ports: Ports, recipe: TemplateRecipe): Promise<boolean> {
  const standing = ports.store.getTemplate(recipe.names[0])
  if (standing && matches(standing, recipe, ports.engine.version) && (await isThere(ports, standing))) return false
  const build = await captureTemplate(ports, recipe, standing?.templateId ?? newTemplateId())
  ports.store.putTemplate(build)
  if (standing) await dropImage(ports, standing.image)
  return true
}

/** Boots the base, waits until its agent is ready, and keeps the frozen sandbox as the image that creates restore from. */
async function captureTemplate(ports: Ports, recipe: TemplateRecipe, templateId: string): Promise<TemplateBuild> {
  const { engine, images, agent, clock, log } = ports
  const { base, resources, names, service } = recipe
  const buildId = newBuildId()
  await using undo = new Undo(log)
  const execution = newExecutionId()
  const spec = { execution, hostname: names[0], base, resources, egress: openEgress }
  const { address } = await engine.boot(spec)
  undo.add('execution', () => engine.destroy(execution))
  await agent.healthy(address, ports.settings.agentTimeoutMilliseconds)
  if (service) await agent.startService(address, service)
  await engine.freeze(execution)
  const stats = await engine.stats(execution)
  const draft = { owner: buildId, generation: 1, kind: 'memory', engineVersion: engine.version, diskBytes: stats.diskBytes } as const
  const staged = await images.stage(draft, imageRoom(stats, 'memory'))
  undo.add('staged image', () => staged.discard())
  await engine.capture(execution, staged.directory)
  const image = await staged.commit()
  const start = { ...noStart, service }
  return { templateId, buildId, names, image, base, resources, createdAt: clock.now(), context: baseContext, start, layer: null }
}

function matches(build: TemplateBuild, recipe: TemplateRecipe, engineVersion: string): boolean {
  const identity = ({ names, base, resources }: TemplateRecipe | TemplateBuild): string =>
    JSON.stringify([names, base.rootfs, base.agent, resources.cpuCount, resources.memoryMiB, resources.diskMiB])
  const isSameService = JSON.stringify(build.start.service) === JSON.stringify(recipe.service)
  return build.image.engineVersion === engineVersion && isSameService && identity(build) === identity(recipe)
}

const isThere = ({ images }: Ports, build: TemplateBuild): Promise<boolean> =>
  images.locate(build.image).then(
    () => true,
    () => false,
  )
