import { z } from 'zod'

/** A column of JSON text. */
export const json = <T extends z.ZodType>(schema: T) => z.string().transform((text) => schema.parse(JSON.parse(text)))

export const texts = z.record(z.string(), z.string())
export const flag = z.number().transform((value) => value === 1)
export const imageKind = z.enum(['memory', 'files'])
/** Images of the first versions had no kind: all of them keep the memory. */
export const image = z.object({ name: z.string(), kind: imageKind.default('memory'), engineVersion: z.string() })
export const base = z.object({ rootfs: z.string(), agent: z.string() })
export const resources = z.object({ cpuCount: z.number(), memoryMiB: z.number(), diskMiB: z.number() })
export const defaults = z.object({ user: z.string(), workdir: z.string() })
