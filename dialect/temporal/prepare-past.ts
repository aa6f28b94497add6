import { HtapError } from '../../src/core/htap-error.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { SqliteDatabase, SqliteStatement } from '../../src/oltp/sqlite-database.js'

interface UnknownTables {
  /** Folded names of tables that were there, and whose rows nobody knows. */
  readonly unknown: ReadonlySet<string>
  /** Why tables have no history. */
  readonly refused: ReadonlyMap<string, string>
}

/**
 * Lets SQLite understand a query of the past.
 *
 * @param database made as the source was then
 * @throws SQLite's own errors; HtapError `history-missing` for a table that was there and has no
 * history, `read-only-violation`
 */
export function preparePast(
  database: SqliteDatabase,
  sql: string,
  { unknown, refused }: UnknownTables,
): SqliteStatement {
  let statement: SqliteStatement
  try {
    statement = database.prepare(sql)
  } catch (error) {
    const [, table = ''] = /^no such table: (?:main\.)?(.*)$/.exec((error as Error).message) ?? []
    const [name = ''] = table.split('@htap-')
    if (!unknown.has(foldIdentifier(table))) {
      throw error
    }
    const [, reason] =
      [...refused].find(([it]) => foldIdentifier(it) === foldIdentifier(name)) ?? []
    throw new HtapError('history-missing', `table ${name} has no history at this moment`, {
      hint:
        reason ?? 'a history begins when `sync: { mode: "temporal" }` is switched on for a table',
      facts: { table: name, sql },
      cause: error,
    })
  }
  if (!statement.reader || !statement.readonly) {
    throw new HtapError('read-only-violation', 'the past cannot be written', {
      hint: 'use the instance itself for writes, not what asOf() or history() return',
    })
  }
  return statement
}
