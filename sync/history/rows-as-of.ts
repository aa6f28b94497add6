import { historySchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryTable, sameKey, versionTable } from './history-table.js'

/** The last position whose instant is not after `instant`, in microseconds; 0 before the history. */
export function positionAt(history: SqliteDatabase, instant: number): number {
  return history
    .prepare(
      `select coalesce(max(position), 0) from history.history_transaction
       where instant <= cast(? as integer)`,
    )
    .pluck()
    .safeIntegers(false)
    .get(instant) as number
}

/**
 * A SELECT of the rows of a table as they stood when `position` was the newest. One look-up for
 * each version that is no older.
 *
 * @param columns of `versionTable`
 * @param schema of the history file
 */
export function rowsAsOfSql(
  table: HistoryTable,
  columns: readonly string[],
  position: number,
  schema = historySchema,
): string {
  const versions = versionTable(table, schema)
  const upTo = Math.trunc(position)
  return `select ${columns.map((name) => `v.${name}`).join(', ')} from ${versions} v
    where v.position <= ${upTo} and v.op <> 'D' and not exists (
      select 1 from ${versions} later
      where ${sameKey(table, 'later', 'v')} and later.id > v.id and later.position <= ${upTo})`
}
