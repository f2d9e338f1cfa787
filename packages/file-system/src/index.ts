export { codeOf } from './code-of.ts'
export { makeDirectory, syncPath, syncTree } from './durable.ts'
