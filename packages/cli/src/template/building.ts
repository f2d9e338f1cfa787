import { exitCodes } from '../exit-codes.ts'
import { RemoteProblem } from '../remote/problem.ts'

/** @throws always: Dockerfiles are not translated yet. */
export function refuse(verb: string): never {
  throw new RemoteProblem(`template ${verb} is not there yet: Dockerfiles and their .toml files are not read`, exitCodes.failed, {
    mend: 'build with the Template class of the e2b or novita-sandbox SDK: docs/templates.md',
  })
}
