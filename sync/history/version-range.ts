import { assert } from '../../src/core/assert.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { type HistoryTable, versionTable } from './history-table.js'

/**
 * The largest number of a version whose position is not after `position`, or one between it and the
 * next. Positions never fall along the numbers, so that a search by halves finds it without an index.
 */
export function lastVersionUpTo(
  history: SqliteDatabase,
  table: HistoryTable,
  position: number,
): number {
  const before = history
    .prepare(`select position from ${versionTable(table)} where id <= ? order by id desc limit 1`)
    .pluck()
    .safeIntegers(false)
  let low = 0
  let high = newestVersion(history, table)
  // A safe integer is halved 53 times at most.
  for (let steps = 0; low < high; steps++) {
    assert(steps < 64, 'a search by halves ends')
    const middle = Math.ceil((low + high) / 2)
    const found = before.get(middle) as number | undefined
    if (found === undefined || found <= position) {
      low = middle
    } else {
      high = middle - 1
    }
  }
  return low
}

export function newestVersion(history: SqliteDatabase, table: HistoryTable): number {
  return history
    .prepare(`select coalesce(max(id), 0) from ${versionTable(table)}`)
    .pluck()
    .safeIntegers(false)
    .get() as number
}
