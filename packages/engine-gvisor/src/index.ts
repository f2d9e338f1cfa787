export { GvisorEngine, type GvisorOptions } from './gvisor-engine.ts'
