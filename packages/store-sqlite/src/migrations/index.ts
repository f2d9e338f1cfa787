import { records } from './0001-records.ts'
import { listOrder } from './0002-list-order.ts'
import { lifeCycle } from './0003-life-cycle.ts'
import { templates } from './0004-templates.ts'
import { apiKeys } from './0005-api-keys.ts'

/** The steps of the schema in order; the database counts those it has. One that has shipped never changes. */
export const migrations: readonly string[] = [records, listOrder, lifeCycle, templates, apiKeys]
