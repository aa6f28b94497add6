import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryTable, newestTable, versionTable } from './history-table.js'

/** The last number that was given to a version of the table. */
export function lastNumber(history: SqliteDatabase, { id }: HistoryTable): number {
  return (
    (history
      .prepare('select seq from history.sqlite_sequence where name = ?')
      .pluck()
      .safeIntegers(false)
      .get(`version_${id}`) as number | undefined) ?? 0
  )
}

/**
 * Notes that the versions after a number are the newest of their keys; must run inside the transaction that
 * has added them.
 */
export function noteNewest(history: SqliteDatabase, table: HistoryTable, after: number): void {
  const keys = table.keys.join(', ')
  history
    .prepare(
      `insert or replace into ${newestTable(table)}(${keys}, id, step)
       select ${keys}, id, ${stepSql} from ${versionTable(table)} where id > cast(? as integer) order by id`,
    )
    .run(after)
}

const stepSql = "position * 2 + (op <> 'D')"
