import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { OpcodeRow, QueryPlanRow } from '../translate/translation.js'

/** What SQLite itself says about a statement. */
export interface StatementFacts {
  /** SQLite's word that it only reads, and that it returns rows. */
  readonly isRead: boolean
  readonly columnNames: readonly string[]
}

/** @throws SQLite's own error for a statement that it does not accept */
export function readStatementFacts(database: SqliteDatabase, sql: string): StatementFacts {
  const statement = database.prepare(sql)
  const isRead = statement.reader && statement.readonly
  return Object.freeze({
    isRead,
    columnNames: isRead ? statement.columns().map((column) => column.name) : [],
  })
}

/** EXPLAIN QUERY PLAN, with the parameters bound because the plan can depend on them. */
export function readQueryPlan(
  database: SqliteDatabase,
  sql: string,
  parameters: readonly unknown[],
): QueryPlanRow[] {
  return database
    .prepare(`explain query plan ${sql}`)
    .safeIntegers(false)
    .all(parameters) as QueryPlanRow[]
}

/** EXPLAIN: the program of SQLite's virtual machine. */
export function readProgram(
  database: SqliteDatabase,
  sql: string,
  parameters: readonly unknown[],
): OpcodeRow[] {
  return database.prepare(`explain ${sql}`).safeIntegers(false).all(parameters) as OpcodeRow[]
}
