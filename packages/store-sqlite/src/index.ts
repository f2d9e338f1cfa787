export { openStore, openStoreBeside } from './sqlite-store.ts'
export { openMetrics } from './sqlite-metrics.ts'
export { openJournals } from './sqlite-journals.ts'
