import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryTable } from './history-table.js'

/**
 * How often versions were taken out of the history of a table. Whoever has copied them at another count
 * has some that are gone, whichever process took them and whatever ended it.
 */
export function readCuts(history: SqliteDatabase, table: HistoryTable): number {
  const cuts = history
    .prepare('select value from history.history_meta where key = ?')
    .pluck()
    .safeIntegers(false)
    .get(keyOf(table)) as number | undefined
  return cuts ?? 0
}

/** Counts one more; must run inside the transaction that takes versions out. */
export function noteCut(history: SqliteDatabase, table: HistoryTable): void {
  history
    .prepare(
      `insert into history.history_meta(key, value) values (?, 1)
       on conflict (key) do update set value = value + 1`,
    )
    .run(keyOf(table))
}

function keyOf({ id }: HistoryTable): string {
  return `cuts_${id}`
}
