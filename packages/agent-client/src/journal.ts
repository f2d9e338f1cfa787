import { logLevels } from '@torpor/contract'
import type { JournalEntry } from '@torpor/core'
import { z } from 'zod'

/** What is asked for and believed at once. */
export const pageEntries = 500

const words = z.string().transform((text) => text.slice(0, 4096))

/** The page is the word of a program of strangers: bounded, and no more than texts. */
const page = z.object({
  entries: z
    .array(
      z.object({
        sequence: z.int().min(1),
        timestamp: z.iso.datetime({ offset: true }),
        level: z.enum(logLevels),
        message: words,
        fields: z.record(z.string().max(64), z.union([words, z.number(), z.boolean()])).default({}),
      }),
    )
    .max(pageEntries),
})

/** @throws for anything that is no page. */
export function parseJournal(text: string): JournalEntry[] {
  return page.parse(JSON.parse(text)).entries.map(({ timestamp, fields, ...entry }) => ({
    ...entry,
    at: Date.parse(timestamp),
    fields: Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])),
  }))
}
