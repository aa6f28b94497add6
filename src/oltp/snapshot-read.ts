import { isOfConnection } from './connection-error.js'
import { type ReadRequest, type ReadRows, toColumns } from './read-message.js'
import type { SqliteDatabase } from './sqlite-database.js'

/** A read together with the question where its snapshot stands. */
export interface SnapshotRequest extends ReadRequest {
  /** Reading stops after one row more. */
  readonly rowsMax: number
  /** A statement of one number, run in the same snapshot. */
  readonly positionSql: string
}

/** What SQLite answered in one read snapshot, and what that snapshot was. */
export interface SnapshotRead {
  readonly kind: 'snapshot'
  readonly position: number
  readonly schemaVersion: number
  /** EXPLAIN QUERY PLAN of the statement on the connection that ran it. */
  readonly plan: readonly {
    readonly id: number
    readonly parent: number
    readonly detail: string
  }[]
  readonly answer: ReadRows | { readonly kind: 'error'; readonly message: string }
}

/** Memory or disk ran out, or somebody stopped it: with more of them SQLite would have answered. */
const ofMeans = /^SQLITE_(?:NOMEM|FULL|INTERRUPT)/

/**
 * Answers a read in a transaction of its own, which holds the snapshot.
 *
 * @param database without an open transaction
 * @throws what says nothing about the statement's answer: it cannot be prepared, the file is busy,
 * memory runs out
 */
export function takeSnapshot(database: SqliteDatabase, request: SnapshotRequest): SnapshotRead {
  const number = (sql: string) =>
    Number(database.prepare(sql).pluck().safeIntegers(false).get() ?? Number.NaN)
  database.exec('begin')
  try {
    const position = number(request.positionSql)
    const schemaVersion = number('pragma main.schema_version')
    const plan = database
      .prepare(`explain query plan ${request.sql}`)
      .safeIntegers(false)
      .all(request.parameters) as SnapshotRead['plan']
    return { kind: 'snapshot', position, schemaVersion, plan, answer: answer(database, request) }
  } finally {
    // Nothing was written, so there is nothing to lose.
    if (database.inTransaction) {
      database.exec('rollback')
    }
  }
}

function answer(database: SqliteDatabase, request: SnapshotRequest): SnapshotRead['answer'] {
  const start = performance.now()
  const statement = database
    .prepare(request.sql)
    .raw()
    .safeIntegers(request.integers === 'bigint')
  const names = statement.columns().map((column) => column.name)
  // Assigning this name would not make a property.
  if (names.includes('__proto__')) {
    throw new Error('__proto__')
  }
  const rows: unknown[][] = []
  try {
    for (const row of statement.iterate(request.parameters)) {
      rows.push(row as unknown[])
      if (rows.length > request.rowsMax) {
        break
      }
    }
  } catch (error) {
    const { message, code } = error as { readonly message?: string; readonly code?: string }
    if (code?.startsWith('SQLITE_') !== true || isOfConnection(code) || ofMeans.test(code)) {
      throw error
    }
    return { kind: 'error', message: String(message) }
  }
  const columns = toColumns(rows, names.length)
  const durationMs = performance.now() - start
  return { kind: 'rows', names, rowCount: rows.length, columns, durationMs }
}
