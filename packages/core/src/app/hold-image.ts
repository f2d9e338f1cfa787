import type { ImageRef } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'

/** Keeps an image for as long as the scope lasts; whoever leaves last removes it if no record names it any more. */
export function holdImage(ports: Pick<Ports, 'leases' | 'store' | 'images' | 'log'>, image: ImageRef): AsyncDisposable {
  ports.leases.take(image.name)
  return {
    [Symbol.asyncDispose]: async () => {
      ports.leases.giveBack(image.name)
      await dropImage(ports, image)
    },
  }
}

/**
 * Removes an image that no record names and nobody reads; to be called after a record let go of it. What fails here is swept at
 * the next start.
 */
export async function dropImage(
  { leases, store, images, log }: Pick<Ports, 'leases' | 'store' | 'images' | 'log'>,
  image: ImageRef,
): Promise<void> {
  if (leases.isHeld(image.name) || store.isImageNamed(image.name)) return
  try {
    await images.remove(image)
  } catch (error) {
    log.warn({ image: image.name, error }, 'an image that nobody needs was not removed')
  }
}
