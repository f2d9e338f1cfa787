import { TorporError } from '@torpor/contract'

import { type TemplateRecipe, ensureTemplate } from './build-template.ts'
import type { Ports } from './ports.ts'
import type { Preparation } from './preparations.ts'

/** A template whose base is made first, which may take minutes. */
export interface LateTemplate {
  readonly recipe: TemplateRecipe
  /** Makes the base if it is missing; tells what it does. */
  readonly prepareBase: (tell: (step: string) => void) => Promise<void>
}

/**
 * Prepares a template while the server serves: until it is ready, a create of it is refused with what is being done. Never throws:
 * a failure is logged and told to whoever asks for the template; the next start tries again.
 */
export async function prepareTemplate(ports: Ports, { recipe, prepareBase }: LateTemplate): Promise<void> {
  const { preparations, clock, log } = ports
  const tell = (step: string): void => preparations.set(recipe.names, 'preparing', step, clock.now())
  try {
    tell('waiting for its turn')
    await prepareBase(tell)
    tell('starting its services')
    await ensureTemplate(ports, recipe)
    preparations.done(recipe.names)
    log.info({ template: recipe.names[0] }, 'the template is ready')
  } catch (error) {
    const step = preparations.find(recipe.names[0])?.step ?? ''
    preparations.set(recipe.names, 'failed', step, clock.now())
    log.error({ template: recipe.names[0], step, error }, 'a template could not be prepared; it is tried again at the next start')
  }
}

/** For a create that came too early. */
export function notReady({ name, state, step, since }: Preparation, now: number): TorporError {
  if (state === 'failed') {
    const message = `Template '${name}' could not be prepared (failed while ${step}). The operator finds the cause in the server's log`
    return new TorporError('unavailable', message)
  }
  const seconds = Math.round((now - since) / 1000)
  const message = `Template '${name}' is being prepared (${step}, ${seconds} s so far). Try again in a minute, or use the template 'base'`
  return new TorporError('unavailable', message, { retryAfterSeconds: 15 })
}
