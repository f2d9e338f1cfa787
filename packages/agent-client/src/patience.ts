/** Milliseconds between two tries: a restored agent answers within a few, a booted one within a hundred. */
export function* waits(): Generator<number, never> {
  for (const wait of [2, 2, 2, 2, 2, 5, 5, 10, 10]) yield wait
  for (;;) yield 20
}

/**
 * Milliseconds that try number `tries` may take. A first packet that is lost is sent again by the system only after a second, so
 * an early try that gets no answer is given up for a new one; later ones wait longer, in case it is the machine that is slow.
 */
export const answerMilliseconds = (tries: number): number => Math.min(100 * 2 ** Math.floor(tries / 2), 2000)
