import type { SandboxRecord } from './sandbox.ts'

/** Whether traffic alone may wake it: asked for by lifecycle or, for any lifecycle, by metadata (promises R5, R18). */
export const wakesOnTraffic = (record: SandboxRecord): boolean => record.lifecycle.autoResume || record.metadata['auto_resume'] === 'true'
