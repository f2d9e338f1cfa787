import type { ImageRef } from '../domain/sandbox.ts'
import type { AgentIdentity } from '../ports/agent.ts'
import type { Execution, ExecutionSpec } from '../ports/engine.ts'
import { holdImage } from './hold-image.ts'
import type { Ports } from './ports.ts'
import type { Undo } from './undo.ts'

/** What a new process comes from, and the token that the agent in it demands until it is told another. */
export interface Seed {
  readonly image: ImageRef
  readonly holder: string | null
}

/**
 * A new process from an image, ready under the given identity. The image is held for as long as it is read. `undo` holds the
 * process's end.
 */
export async function startExecution(
  ports: Ports,
  spec: ExecutionSpec,
  { image, holder }: Seed,
  identity: AgentIdentity,
  undo: Undo,
): Promise<Execution> {
  const execution = await fromImage(ports, spec, image)
  undo.add('execution', () => ports.engine.destroy(spec.execution))
  await ports.agent.healthy(execution.address, ports.settings.agentTimeoutMilliseconds)
  await ports.agent.init(execution.address, identity, holder)
  return execution
}

/** A process from an image, which is held for as long as it is read. */
export async function fromImage(ports: Ports, spec: ExecutionSpec, image: ImageRef): Promise<Execution> {
  const { engine, log } = ports
  const held = holdImage(ports, image)
  try {
    const execution = await (image.kind === 'files' ? engine.boot(spec, image) : engine.restore(spec, image))
    engine
      .released(spec.execution)
      // Destroyed meanwhile: then it reads no more either.
      .catch(() => undefined)
      .then(() => held[Symbol.asyncDispose]())
      .catch((error: unknown) => log.warn({ image: image.name, error }, 'an image was not given back'))
    return execution
  } catch (error) {
    await held[Symbol.asyncDispose]()
    throw error
  }
}
