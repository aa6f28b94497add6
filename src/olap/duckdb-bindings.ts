import type * as Bindings from '@duckdb/node-bindings'
import { through } from '../core/outside-world.js'

/** DuckDB's C interface, https://duckdb.org/docs/stable/clients/c/api. */
export type DuckDb = Omit<typeof Bindings, 'default'>

export type { Appender, Connection, DataChunk, Result, Vector } from '@duckdb/node-bindings'

/**
 * Loads the native library at the first call: it costs about 50 ms, which a process that
 * never asks an analytic question should not pay.
 */
export async function loadDuckDb(): Promise<DuckDb> {
  const module = await import('@duckdb/node-bindings')
  // A CommonJS module: what it exports is the default export.
  return through('duckdb', module.default)
}
