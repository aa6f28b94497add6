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
    const { changes } = database
      .prepare(
        `delete from ${table} where ${entryColumns.seq} in (
           select ${entryColumns.seq} from ${table}
           where ${entryColumns.seq} <= ? order by ${entryColumns.seq} limit ?)`,
      )
      .run(seq, rowsMax)
    most = Math.max(most, changes)
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
