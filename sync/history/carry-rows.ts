import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { HistoryTable } from './history-table.js'
import { isListed, keyVersions } from './key-versions.js'
import { differingSql } from './read-diff.js'
import type { RestoredRows } from './restored-rows.js'
import { rowsAsOfSql } from './rows-as-of.js'
import { isMoved } from './unmoved-entries.js'
import { lastVersionUpTo, newestVersion } from './version-range.js'

interface CarriedRows {
  readonly source: SqliteDatabase
  readonly history: SqliteDatabase
  readonly table: HistoryTable
  readonly position: number
  readonly keys: readonly (readonly unknown[])[] | undefined
}

/**
 * Carries rows as they were at a position from the history to the database: those of some keys, those
 * that differ from what the table holds, or all. By JavaScript, as the application's connection is not
 * to be burdened with another file; every value arrives as it was, texts by their bytes.
 *
 * @returns true where all rows were carried
 */
export function carryRows(carried: CarriedRows, rows: RestoredRows): boolean {
  const { source, history, table, position, keys } = carried
  if (keys !== undefined) {
    for (const key of keys) {
      carryKey(carried, key, rows)
    }
    return false
  }
  if (!isMoved(source, history, table)) {
    carry(history, rowsAsOf(carried, rows), {}, rows)
    return true
  }
  const selected = ["coalesce(b.op, 'D') <> 'D'", ...rows.wanted.map((it) => exactly(table, it))]
  const compared = rows.wanted.slice(table.keys.length)
  const sql = differingSql(table, compared, selected.join(', '))
  const start = lastVersionUpTo(history, table, position)
  const bounds = { start, last: start, end: newestVersion(history, table), count: -1 }
  carry(history, sql, bounds, rows)
  return false
}

function carry(history: SqliteDatabase, sql: string, bounds: object, rows: RestoredRows): void {
  for (const row of history.prepare(sql).raw().safeIntegers().iterate(bounds)) {
    const [present, ...values] = row as [bigint, ...unknown[]]
    rows.add(Number(present), values)
  }
}

function carryKey(carried: CarriedRows, key: readonly unknown[], rows: RestoredRows): void {
  const { history, table } = carried
  const row = history
    .prepare(rowsAsOf(carried, rows, isListed))
    .raw()
    .safeIntegers()
    .get(JSON.stringify(keyVersions(history, table, [key]))) as [bigint, ...unknown[]] | undefined
  if (row === undefined) {
    const nothing = rows.wanted.slice(table.keys.length).flatMap(() => [null, 0])
    rows.add(0, [...key.flatMap((it) => [it, 0]), ...nothing])
  } else {
    rows.add(1, row.slice(1))
  }
}

function rowsAsOf({ table, position }: CarriedRows, rows: RestoredRows, among?: string): string {
  const list = rows.wanted.map((it) => bytesOf(`b.${it}`))
  return `select 1, ${list.join(', ')} from (${rowsAsOfSql(table, rows.wanted, position, { among })}) b`
}

/** A key stands in every version, also where there was no row. */
function exactly(table: HistoryTable, column: string): string {
  return bytesOf(`${table.keys.includes(column) ? 'v' : 'b'}.${column}`)
}

/** A value without any loss, and whether it is a text. */
function bytesOf(column: string): string {
  return `iif(typeof(${column}) = 'text', cast(${column} as blob), ${column}), typeof(${column}) = 'text'`
}
