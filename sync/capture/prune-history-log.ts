import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { changeLog } from './change-log.js'
import { entryColumns, entryTable, historyLog } from './history-log.js'

/**
 * Deletes at most `rowsMax` entries of each capture up to `seq`, which the history has, with who made
 * them, and the tables of captures that have ended; returns the most that one table has lost.
 */
export function pruneHistoryLog(database: SqliteDatabase, seq: number, rowsMax: number): number {
  let most = 0
  for (const [id, hasEnded] of readCaptureEnds(database)) {
    const table = `main.${entryTable(id)}`
    most = Math.max(most, deleteEntries(database, table, seq, rowsMax))
    const isEmpty = database.prepare(`select 1 from ${table} limit 1`).get() === undefined
    if (hasEnded && isEmpty) {
      database.exec(`drop table ${table}`)
      database.prepare(`delete from main.${historyLog.captureTable} where id = ?`).run(id)
    }
  }
  const { changes } = database
    .prepare(
      `delete from main.${historyLog.commitTable} where seq in (
         select seq from main.${historyLog.commitTable} where seq <= ? order by seq limit ?)`,
    )
    .run(seq, rowsMax)
  return Math.max(most, changes)
}

/** Returns how many, or none where nothing is left to delete. */
function deleteEntries(
  database: SqliteDatabase,
  table: string,
  seq: number,
  rowsMax: number,
): number {
  const { seq: key } = entryColumns
  const [oldest, newest] = database
    .prepare(`select (select min(${key}) from ${table}), (select max(${key}) from ${table})`)
    .raw()
    .safeIntegers(false)
    .get() as [number | null, number | null]
  if (oldest === null || newest === null) {
    return 0
  }
  if (newest <= seq && newest - oldest < limits.truncatedRowsMax) {
    // Without a condition SQLite drops the pages and never looks at the rows.
    database.exec(`delete from ${table}`)
    return 0
  }
  return database
    .prepare(
      `delete from ${table} where ${key} <= (
         select max(${key}) from (
           select ${key} from ${table} where ${key} <= ? order by ${key} limit ?))`,
    )
    .run(seq, rowsMax).changes
}

/** The newest never counts as ended: its number must not be given out again. */
function readCaptureEnds(database: SqliteDatabase): [id: number, hasEnded: boolean][] {
  const rows = database
    .prepare(
      `select h.id, t.id is null and h.id < (select max(id) from main.${historyLog.captureTable})
       from main.${historyLog.captureTable} h left join main.${changeLog.tableTable} t on t.id = h.id`,
    )
    .raw()
    .safeIntegers(false)
    .all() as [number, number][]
  return rows.map(([id, hasEnded]) => [id, hasEnded === 1])
}
