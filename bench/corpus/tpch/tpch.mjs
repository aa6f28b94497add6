import { createTpch } from './generator.mjs'
import { queries1To8 } from './queries-1-to-8.mjs'
import { queries9To16 } from './queries-9-to-16.mjs'
import { queries17To22 } from './queries-17-to-22.mjs'

/** A wholesaler's orders: eight tables and the 22 questions of TPC-H, in Kysely for SQLite. */
export const tpch = Object.freeze({
  name: 'tpch',
  about: 'the 22 questions of TPC-H',
  create: createTpch,
  queries: Object.freeze([...queries1To8, ...queries9To16, ...queries17To22]),
})
