import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { historySchema, sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { captureKey } from '../capture/triggers.js'

/** A table of the history: the versions of one table of the source, for as long as its key is the same. */
export interface HistoryTable {
  readonly id: number
  readonly name: string
  /** `k0`, `k1`: the columns of `versionTable` that hold the key. */
  readonly keys: readonly string[]
  /** The position from which on its history is whole; null before its rows were first compared. */
  readonly begins: number | null
}

/** A capture as the history reads it. */
export interface KnownCapture {
  readonly id: number
  readonly table: HistoryTable
  readonly shape: TableShape
  /** For each column of the shape the one that holds it in `versionTable`. */
  readonly columns: readonly string[]
  /** The table was compared with the history once this capture ran. */
  readonly isCompared: boolean
}

/** The table with all versions, ready for SQL; `schema` is that of the history file. */
export function versionTable(table: HistoryTable, schema = historySchema): string {
  return `${schema}.version_${table.id}`
}

/** The table with the newest version of each key, ready for SQL. */
export function newestTable(table: HistoryTable, schema = historySchema): string {
  return `${schema}.newest_${table.id}`
}

/** The table in the source, ready for SQL. */
export function sourceTable(shape: TableShape): string {
  return `${sourceSchema}.${quoteIdentifier(shape.name)}`
}

/** No later capture goes by the same name: it has the present form of the source's table, if there is one. */
export function isNewest(capture: KnownCapture, known: readonly KnownCapture[]): boolean {
  const name = capture.shape.name.toLowerCase()
  return !known.some((other) => other.id > capture.id && other.shape.name.toLowerCase() === name)
}

/** The key of the source's table, ready for SQL, in the order of `HistoryTable.keys`. */
export function sourceKey(shape: TableShape, alias: string): readonly string[] {
  return captureKey(shape).map((name) =>
    shape.withoutRowid ? `${alias}.${quoteIdentifier(name)}` : `${alias}.${name}`,
  )
}

/** A version, called `v`, after which its key has had no other. */
export function isLast(table: HistoryTable): string {
  const isSame = table.keys.map((key) => `n.${key} = v.${key}`).join(' and ')
  return `v.id = (select n.id from ${newestTable(table)} n where ${isSame})`
}

/** All captures of a life of the log that the history has taken note of, in their order. */
export function readKnownCaptures(history: SqliteDatabase, epoch: string): KnownCapture[] {
  const rows = history
    .prepare(
      `select c.id, c.shape, c.columns, c.is_compared, t.id, t.name, t.key_count, t.begins
       from history.history_capture c join history.history_table t on t.id = c.table_id
       where c.epoch = ? order by c.id`,
    )
    .raw()
    .safeIntegers(false)
    .all(epoch) as [number, string, string, number, ...TableRow][]
  return rows.map(([id, shape, columns, isCompared, ...table]) => ({
    id,
    shape: JSON.parse(shape) as TableShape,
    columns: (JSON.parse(columns) as number[]).map((no) => `c${no}`),
    isCompared: isCompared === 1,
    table: historyTable(table),
  }))
}

/** The tables that have not ended. */
export function readHistoryTables(history: SqliteDatabase): HistoryTable[] {
  const rows = history
    .prepare(
      `select id, name, key_count, begins from history.history_table
       where ended is null order by id`,
    )
    .raw()
    .safeIntegers(false)
    .all() as TableRow[]
  return rows.map(historyTable)
}

/** All tables, also those that have ended. */
export function readAllHistoryTables(history: SqliteDatabase): HistoryTable[] {
  const rows = history
    .prepare('select id, name, key_count, begins from history.history_table order by id')
    .raw()
    .safeIntegers(false)
    .all() as TableRow[]
  return rows.map(historyTable)
}

export type TableRow = [id: number, name: string, keyCount: number, begins: number | null]

export function historyTable([id, name, keyCount, begins]: TableRow): HistoryTable {
  return { id, name, keys: Array.from({ length: keyCount }, (_, index) => `k${index}`), begins }
}

/** All columns that a table ever had, by their names in `versionTable`. */
export function allColumns(history: SqliteDatabase, table: HistoryTable): readonly string[] {
  const numbers = history
    .prepare('select no from history.history_column where table_id = ? order by no')
    .pluck()
    .safeIntegers(false)
    .all(table.id) as number[]
  return numbers.map((no) => `c${no}`)
}

/** The source's table exists and is an ordinary one of this name. */
export function existsInSource(history: SqliteDatabase, name: string): boolean {
  return (
    history
      .prepare(
        `select 1 from ${sourceSchema}.sqlite_schema
         where type = 'table' and name = ? collate nocase`,
      )
      .get(name) !== undefined
  )
}
