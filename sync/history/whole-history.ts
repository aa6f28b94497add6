import { HtapError } from '../../src/core/htap-error.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryTable } from './history-table.js'

/**
 * The position from which on the history of a table is whole: where it began, or where older versions
 * were given up; null for a table whose rows were not noted yet.
 */
export function beginOf(history: SqliteDatabase, table: HistoryTable): number | null {
  return history
    .prepare('select begins from history.history_table where id = ?')
    .pluck()
    .safeIntegers(false)
    .get(table.id) as number | null
}

/** @throws HtapError `history-incomplete` where the history does not tell all of the table at `position` */
export function requireWhole(history: SqliteDatabase, table: HistoryTable, position: number): void {
  const begins = beginOf(history, table)
  if (begins === null || position < begins) {
    throw new HtapError(
      'history-incomplete',
      `the history of ${table.name} does not reach back to position ${position}`,
      {
        hint: 'ask for a later moment: it begins where the table became temporal, and retention shortens it',
        facts: { table: table.name, position, begins },
      },
    )
  }
}
