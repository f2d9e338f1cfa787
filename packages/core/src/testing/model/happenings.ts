import * as fc from 'fast-check'

/** What can be asked of one sandbox, also by several at once. */
export type Verb = 'pause' | 'pause behind' | 'pause files' | 'connect' | 'reboot' | 'kill' | 'snapshot' | 'clone' | 'reset' | 'set timeout'

/** One thing that happens to a platform; `which` chooses among the sandboxes or snapshots that there are. */
export type Happening =
  | { readonly what: 'create' }
  | { readonly what: 'restart' }
  | { readonly what: Verb | 'count' | 'crash' | 'failing pause'; readonly which: number }
  | { readonly what: 'create from snapshot' | 'delete snapshot'; readonly which: number }
  | { readonly what: 'together'; readonly which: number; readonly verbs: readonly Verb[] }

const which = fc.nat({ max: 5 })
const verb = fc.constantFrom<Verb>('pause', 'pause behind', 'connect', 'kill', 'snapshot', 'clone', 'reset', 'set timeout')
const one = <What extends Exclude<Happening['what'], 'create' | 'restart' | 'together'>>(weight: number, ...whats: readonly What[]) => ({
  weight,
  arbitrary: fc.record({ what: fc.constantFrom(...whats), which }),
})

/** What a client can do to any platform. */
const asked = [
  { weight: 2, arbitrary: fc.constant<Happening>({ what: 'create' }) },
  one(3, 'count'),
  one(6, 'pause', 'pause behind', 'connect'),
  one(5, 'snapshot', 'clone', 'reset', 'create from snapshot', 'delete snapshot'),
  one(2, 'kill', 'set timeout', 'pause files', 'reboot'),
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant('together' as const), which, verbs: fc.array(verb, { minLength: 2, maxLength: 5 }) }),
  },
]

export const happening: fc.Arbitrary<Happening> = fc.oneof(...asked)

/** And what only a fake one can be made to suffer. */
export const mishap: fc.Arbitrary<Happening> = fc.oneof(
  ...asked,
  { weight: 2, arbitrary: fc.constant<Happening>({ what: 'restart' }) },
  one(2, 'crash', 'failing pause'),
)
