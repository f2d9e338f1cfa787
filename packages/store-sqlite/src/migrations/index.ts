import { records } from './0001-records.ts'
import { listOrder } from './0002-list-order.ts'

/** The steps of the schema in order; the database counts those it has. One that has shipped never changes. */
export const migrations: readonly string[] = [records, listOrder]
