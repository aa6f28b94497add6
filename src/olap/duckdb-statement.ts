import { HtapError } from '../core/htap-error.js'
import type { Connection, DuckDb, Result } from './duckdb-bindings.js'
import type { OlapStatement, OlapValue } from './olap-store.js'

/**
 * Binds and runs one statement; the whole result is computed when this returns.
 *
 * Several statements may stand in the text when there are no parameters.
 *
 * Never the streaming form of execution: an error in the middle of a stream, and an interrupt
 * as well, look like its regular end (seen with DuckDB 1.5.6), which would cut answers short.
 *
 * @throws Error of the engine as it is; the caller wraps it, where the user's stack is known
 */
export async function runStatement(
  duckdb: DuckDb,
  connection: Connection,
  statement: OlapStatement,
): Promise<Result> {
  if (statement.parameters.length === 0) {
    // One visit to the thread pool instead of two.
    return await duckdb.query(connection, statement.sql)
  }
  const prepared = await duckdb.prepare(connection, statement.sql)
  try {
    const count = duckdb.nparams(prepared)
    if (count !== statement.parameters.length) {
      throw new HtapError(
        'olap-failed',
        `the statement has ${count} parameters, ${statement.parameters.length} were given`,
      )
    }
    statement.parameters.forEach((value, position) => {
      bindValue(duckdb, prepared, position + 1, value)
    })
    return await duckdb.execute_prepared(prepared)
  } finally {
    // An undestroyed statement keeps the database file open until it is garbage collected.
    duckdb.destroy_prepare_sync(prepared)
  }
}

type Prepared = Awaited<ReturnType<DuckDb['prepare']>>

const int64Min = -(2n ** 63n)
const int64Max = 2n ** 63n - 1n

function bindValue(duckdb: DuckDb, prepared: Prepared, index: number, value: OlapValue): void {
  if (value === null) {
    duckdb.bind_null(prepared, index)
  } else if (typeof value === 'bigint') {
    if (value < int64Min || value > int64Max) {
      throw new HtapError('olap-failed', 'a bigint parameter is outside of 64 bits')
    }
    duckdb.bind_int64(prepared, index, value)
  } else if (typeof value === 'number') {
    // SQLite makes NULL of NaN; DuckDB would take it for the largest number.
    if (Number.isNaN(value)) {
      duckdb.bind_null(prepared, index)
    } else {
      duckdb.bind_double(prepared, index, value)
    }
  } else if (typeof value === 'string') {
    duckdb.bind_varchar(prepared, index, value)
  } else {
    duckdb.bind_blob(prepared, index, value)
  }
}
