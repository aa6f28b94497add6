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
  history.prepare(`${addSql(table)} ${replaceSql(table)}`).run(after)
}

/** The same, where no key has two of them; returns how many keys there are, fewer than versions where one has. */
export function noteNewestOnce(
  history: SqliteDatabase,
  table: HistoryTable,
  after: number,
): number {
  return history
    .prepare(
      `${addSql(table)} ${replaceSql(table)} where newest_${table.id}.id <= cast(? as integer)`,
    )
    .run(after, after).changes
}

function addSql(table: HistoryTable): string {
  const keys = table.keys.join(', ')
  return `insert into ${newestTable(table)}(${keys}, id, step)
    select ${keys}, id, position * 2 + (op <> 'D') from ${versionTable(table)}
    where id > cast(? as integer) order by id`
}

function replaceSql({ keys }: HistoryTable): string {
  return `on conflict (${keys.join(', ')}) do update set id = excluded.id, step = excluded.step`
}
