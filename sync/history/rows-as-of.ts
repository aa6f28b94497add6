import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { allColumns, type HistoryTable, sameKey, versionTable } from './history-table.js'

/** The last position whose instant is not after `instant`, in microseconds; 0 before the history. */
export function positionAt(history: SqliteDatabase, instant: number): number {
  return history
    .prepare(
      `select coalesce(max(position), 0) from main.history_transaction
       where instant <= cast(? as integer)`,
    )
    .pluck()
    .safeIntegers(false)
    .get(instant) as number
}

/**
 * A SELECT of the rows of a table as they stood when `position` was the newest: the key, then all
 * columns that the table ever had. One look-up for each version that is no older.
 */
export function rowsAsOfSql(
  history: SqliteDatabase,
  table: HistoryTable,
  position: number,
): string {
  const list = [...table.keys, ...allColumns(history, table)].map((name) => `v.${name}`)
  const upTo = Math.trunc(position)
  return `select ${list.join(', ')} from ${versionTable(table)} v
    where v.position <= ${upTo} and v.op <> 'D' and not exists (
      select 1 from ${versionTable(table)} later
      where ${sameKey(table, 'later', 'v')} and later.id > v.id and later.position <= ${upTo})`
}
