import { historySchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryTable, versionTable } from './history-table.js'

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

export interface RowsAsOfProps {
  /** Of the history file. */
  readonly schema?: string | undefined
  /** Which versions `v` count, as SQL: of each key all or none. */
  readonly among?: string | undefined
}

/**
 * A SELECT of the rows of a table as they stood when `position` was the newest. One look-up for
 * each version that is no older.
 *
 * @param columns of `versionTable`
 */
export function rowsAsOfSql(
  table: HistoryTable,
  columns: readonly string[],
  position: number,
  { schema = historySchema, among = 'true' }: RowsAsOfProps = {},
): string {
  const versions = versionTable(table, schema)
  const upTo = Math.trunc(position)
  return `select ${columns.map((name) => `v.${name}`).join(', ')} from ${versions} v
    where ${among} and v.position <= ${upTo} and v.op <> 'D' and not exists (
      select 1 from ${versions} later
      where later.previous = v.id and later.position <= ${upTo})`
}
