import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import type { SchemaObject } from '../capture/schema-notes.js'
import { type HistoryTable, historyTable, type TableRow } from './history-table.js'
import { layoutAt, readLayouts } from './table-layout.js'

/** What the source was made of from a position on. */
export interface PastSchema {
  readonly position: number
  readonly objects: readonly SchemaObject[]
}

/** The schema when `position` was the newest; null before the history began. */
export function readSchemaAt(history: SqliteDatabase, position: number): PastSchema | null {
  const row = history
    .prepare(
      `select position, objects from history.history_schema
       where position <= cast(? as integer) order by position desc limit 1`,
    )
    .raw()
    .safeIntegers(false)
    .get(position) as [number, string] | undefined
  return row === undefined ? null : { position: row[0], objects: JSON.parse(row[1]) }
}

/**
 * The tables of a name that had not ended when `position` was the newest, in their order. One that takes the
 * place of another may have begun by then: the end is noted when all of the log has been moved.
 */
export function findTablesAt(
  history: SqliteDatabase,
  name: string,
  position: number,
): readonly HistoryTable[] {
  const rows = history
    .prepare(
      `select id, name, key_count, begins from history.history_table
       where name = ? and (ended is null or ended > cast(? as integer)) order by id`,
    )
    .raw()
    .safeIntegers(false)
    .all(name, position) as TableRow[]
  return rows.map(historyTable)
}

/** The tables that the history has, each the newest of its name, ended ones included. */
export function newestTables(history: SqliteDatabase): HistoryTable[] {
  const rows = history
    .prepare(
      `select max(id), name, key_count, begins from history.history_table group by name collate nocase
       order by 1`,
    )
    .raw()
    .safeIntegers(false)
    .all() as TableRow[]
  return rows.map(historyTable)
}

/**
 * For each column of a table as it was made by `sql`, when `position` was the newest, the one that holds it
 * in `version_<id>`; null for a table of which the history knows no such form. The same text may have made
 * it several times, with other columns after one was renamed.
 */
export function columnsAt(
  history: SqliteDatabase,
  table: HistoryTable,
  sql: string,
  position: number,
): readonly string[] | null {
  const made = readLayouts(history, table).filter(({ shape }) => shape.sql === sql)
  return made.length === 0 ? null : layoutAt(made, position).columns
}

/** The last names of all columns that a table ever had, by their names in `version_<id>`. */
export function readColumnNames(
  history: SqliteDatabase,
  table: HistoryTable,
): ReadonlyMap<string, string> {
  const rows = history
    .prepare('select no, name from history.history_column where table_id = ? order by no')
    .raw()
    .safeIntegers(false)
    .all(table.id) as [number, string][]
  return new Map(rows.map(([no, name]) => [`c${no}`, name]))
}
