import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { changeLog, readSlowestPosition } from '../capture/change-log.js'
import { entryTable } from '../capture/history-log.js'
import type { HistoryTable } from './history-table.js'
import { capturesOf, isMoved } from './unmoved-entries.js'

/**
 * Deletes all entries of a table from the log, which the history has, so that nothing is left in their
 * place; and what the change log says of some keys. Must run inside a write transaction of the source.
 *
 * @returns true where the keys stand in the change log still; null, and nothing was done, where the
 * history does not have all entries
 */
export function eraseFromLog(
  source: SqliteDatabase,
  history: SqliteDatabase,
  table: HistoryTable,
  keys: readonly (readonly unknown[])[],
): boolean | null {
  if (!isMoved(source, history, table)) {
    return null
  }
  const captures = capturesOf(source, history, table)
  return securely(source, () => {
    for (const id of captures) {
      // Of all rows at once, so that SQLite empties whole pages.
      source.exec(`delete from main.${entryTable(id)}`)
    }
    const named = keys.filter(([first]) => typeof first !== 'number' && typeof first !== 'bigint')
    const isInLog = named.map((key) => forgetKey(source, captures, key)).includes(true)
    if (named.length > 0) {
      rewrite(source, changeLog.logTable)
      rewrite(source, changeLog.keyTable)
    }
    return isInLog
  })
}

/** The rows of the log become marks, where every mirror has read them. Rowids tell nothing, and stay. */
function forgetKey(
  source: SqliteDatabase,
  captures: readonly number[],
  key: readonly unknown[],
): boolean {
  const [first] = key
  const slowest = readSlowestPosition(source) ?? 0
  const isOfKey = `tbl in (${captures.join(', ')}) and k = ?`
  source
    .prepare(
      `delete from ${changeLog.keyTable} where seq in (
         select seq from ${changeLog.logTable} where ${isOfKey} and seq <= ?)`,
    )
    .run(first, slowest)
  source
    .prepare(`update ${changeLog.logTable} set tbl = 0, k = null where ${isOfKey} and seq <= ?`)
    .run(first, slowest)
  return (
    source.prepare(`select 1 from ${changeLog.logTable} where ${isOfKey} limit 1`).get(first) !==
    undefined
  )
}

/** Rows that were pruned before, without overwriting, have left traces between those that are there. */
function rewrite(source: SqliteDatabase, table: string): void {
  source.exec(`
    create temp table ${table}_kept as select * from main.${table};
    delete from main.${table};
    insert into main.${table} select * from temp.${table}_kept order by seq;
    drop table temp.${table}_kept`)
}

/** What is deleted is overwritten; afterwards the connection is as it was. */
export function securely<T>(source: SqliteDatabase, turn: () => T): T {
  const before = source.prepare('pragma main.secure_delete').pluck().get()
  source.prepare('pragma main.secure_delete = on').all()
  try {
    return turn()
  } finally {
    source
      .prepare(`pragma main.secure_delete = ${Number(before) === 2 ? 'fast' : Number(before)}`)
      .all()
  }
}
