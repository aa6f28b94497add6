import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { changeLog, readLogSpan } from './change-log.js'

/**
 * Does what `pruneChangeLog` does with every row before `position`, at once: where all but a few rows may
 * go it takes the few aside and empties the table. Without a condition SQLite drops the pages and never
 * looks at the rows.
 *
 * @param database a connection of our own: what is put back moves its `last_insert_rowid()`
 * @returns false, and has deleted nothing, where too many rows stay or so few go that it is not worth it
 */
export function truncateChangeLog(database: SqliteDatabase, position: number): boolean {
  const { head, rows } = readLogSpan(database)
  const first = Math.min(position, head)
  const kept = head - first + 1
  const isWorthwhile = rows - kept > limits.pruneBacklogRowsMax
  if (!isWorthwhile || kept > limits.pruneRowsMax || rows > limits.truncatedLogRowsMax) {
    return false
  }
  for (const table of [changeLog.logTable, changeLog.keyTable]) {
    database.exec(`
      create temp table htap_kept as select * from main.${table} where seq >= ${first};
      delete from main.${table};
      insert into main.${table} select * from temp.htap_kept;
      drop table temp.htap_kept`)
  }
  return true
}
