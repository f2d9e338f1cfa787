/** `node tests/doors/check.ts`: the doors between the rooms, as rules.ts describes them. Exits with 1 when one is ignored. */
import path from 'node:path'

import { checkDoors } from './doors.ts'

const root = path.resolve(process.argv[2] ?? path.join(import.meta.dirname, '..', '..'))
const { modules, dependencies, violations } = await checkDoors(root)
if (violations.length > 0) {
  process.stderr.write(`${violations.join('\n')}\n`)
  process.exitCode = 1
} else {
  process.stdout.write(`${modules} modules, ${dependencies} dependencies, no violation\n`)
}
