import { foldIdentifier, quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { ColumnShape, TableShape } from '../../src/core/table-shape.js'
import { internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { changeLog } from './change-log.js'

/**
 * What the rows of temporal tables held, kept beside the change log until the history has it.
 *
 * Every entry says what stands under one key at one moment: nothing, or a row with these values. It
 * is read from the table after the change and not taken from the trigger's own row, because triggers
 * of the application may have changed the row once more by then, and their entries stand before
 * this one. So the last entry of a key is always what the table holds.
 *
 * An entry has the `seq` of its row in the change log. The columns have no type, so that values keep
 * their storage class; but where SQLite hands on a whole REAL as an integer, it makes it one again.
 */
export const historyLog = Object.freeze({
  /** Names of the tables whose history is kept. */
  temporalTable: `${internalPrefix}temporal`,
  /** One row for each capture whose entries may still be there. */
  captureTable: `${internalPrefix}history`,
  /** The schema as it was from a row of the change log on. */
  schemaTable: `${internalPrefix}schema`,
  /** Who made a transaction, and why, where the application says so. */
  commitTable: `${internalPrefix}commit`,
  /** Zeros for a while, when keys are erased. */
  zerosTable: `${internalPrefix}zeros`,
})

/** The columns that an entry has before those of the table. */
export const entryColumns = Object.freeze({
  seq: `${internalPrefix}seq`,
  /** Milliseconds since 1970, UTC. */
  at: `${internalPrefix}at`,
  /** The `CaptureKind` of the trigger. */
  event: `${internalPrefix}event`,
  /** 1 where a row stands under the key. */
  present: `${internalPrefix}present`,
})

/** What a trigger of capture fires for; `rekey` is an update, seen from the new key. */
export type CaptureKind = 'insert' | 'update' | 'rekey' | 'delete'

/** A key column, ready for SQL: its name in the table, its value in a trigger. */
export interface KeyTerm {
  readonly column: string
  readonly value: string
}

/** A capture of a temporal table as the source tells of it. */
export interface HistoryCapture {
  /** The number of the capture in the change log. */
  readonly id: number
  readonly shape: TableShape
  /** For each column its name in the capture before; null where it had none. */
  readonly before: readonly (string | null)[]
  /** The table had no row when the capture began. */
  readonly isEmpty: boolean
  /** The newest row of the change log then. */
  readonly seq: number
}

/** The table that holds the entries of a capture, unquoted. */
export function entryTable(captureId: number): string {
  return `${historyLog.captureTable}_${captureId}`
}

/** Names of the key columns of an entry, `count` of them. */
export function entryKeyColumns(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${internalPrefix}k${index}`)
}

/** Creates what is missing. Must run inside a write transaction of the caller. */
export function installHistoryLog(database: SqliteDatabase): void {
  database.exec(`
    create table if not exists main.${historyLog.temporalTable}(
      name text primary key collate nocase) without rowid;
    create table if not exists main.${historyLog.captureTable}(
      id integer primary key, shape text not null, before text not null,
      is_empty integer not null, seq integer not null);
    create table if not exists main.${historyLog.schemaTable}(
      seq integer primary key, at integer not null, objects text not null);
    create table if not exists main.${historyLog.commitTable}(
      seq integer primary key, after integer not null, at integer not null, actor, message);
    create table if not exists main.${historyLog.zerosTable}(zeros)`)
}

export function hasHistoryLog(database: SqliteDatabase): boolean {
  return (
    database
      .prepare("select 1 from main.sqlite_schema where type = 'table' and name = ?")
      .get(historyLog.captureTable) !== undefined
  )
}

/** From its next capture on the history of the table is kept. */
export function markTemporal(database: SqliteDatabase, table: string): void {
  database
    .prepare(`insert or ignore into main.${historyLog.temporalTable}(name) values (?)`)
    .run(table)
}

/** From its next capture on the history of the table is not kept. */
export function unmarkTemporal(database: SqliteDatabase, table: string): void {
  database.prepare(`delete from main.${historyLog.temporalTable} where name = ?`).run(table)
}

/** True if what the rows of a table hold is to be kept. */
export function keepsHistory(database: SqliteDatabase, shape: TableShape): boolean {
  return (
    refuseHistory(shape) === null &&
    hasHistoryLog(database) &&
    database
      .prepare(`select 1 from main.${historyLog.temporalTable} where name = ?`)
      .get(shape.name) !== undefined
  )
}

/**
 * Why a table can have no history; null if it can.
 *
 * @param reserved folded names beside our own that its columns may not have
 */
export function refuseHistory(
  shape: TableShape,
  reserved: ReadonlySet<string> = new Set(),
): string | null {
  const taken = shape.columns.find(({ name }) => {
    const folded = foldIdentifier(name)
    return folded.startsWith(internalPrefix) || reserved.has(folded)
  })
  return taken === undefined
    ? null
    : `its column ${taken.name} has a name that belongs to the history`
}

/** The names of all temporal tables, whether they exist or not. */
export function readTemporalTables(database: SqliteDatabase): string[] {
  return database
    .prepare(`select name from main.${historyLog.temporalTable} order by name`)
    .pluck()
    .all() as string[]
}

/**
 * The part of a trigger that keeps what stands under a key now.
 *
 * SQLite refuses to drop a column that a trigger names, so this one names none that cannot be found
 * elsewhere: a name that the table has no longer falls back to the updated row itself, where the
 * column of the same name is NULL. A column that is renamed is renamed in here by SQLite, and goes on
 * under the name that it had. One look-up of the row is all it costs.
 */
export function logState(
  shape: TableShape,
  captureId: number,
  kind: CaptureKind,
  key: readonly KeyTerm[],
): string {
  const { seq, at, event, present } = entryColumns
  const table = entryTable(captureId)
  const keys = entryKeyColumns(key.length)
  const columns = shape.columns.map(({ name }) => quoteIdentifier(name))
  return ` insert into ${table}(${[seq, at, event, ...keys].join(', ')}) \
values (last_insert_rowid(), ${nowMs}, '${kind}', ${key.map(({ value }) => value).join(', ')}); \
update ${table} set (${[present, ...columns].join(', ')}) = (${selectStart}${columns.join(', ')} \
from ${quoteIdentifier(shape.name)} where ${key.map(isKey).join(' and ')}) \
where ${seq} = last_insert_rowid();`
}

/** Milliseconds, in a form that versions of SQLite without `unixepoch('subsec')` know, too. */
const nowMs = "cast(round((julianday('now') - 2440587.5) * 86400000.0) as integer)"

const selectStart = 'select 1, '

function isKey({ column, value }: KeyTerm): string {
  return `${column} = ${value}`
}

/**
 * The names that the columns of an ended or running capture have now, read off its trigger, in which
 * SQLite writes a new name when a column is renamed; null if the trigger is gone.
 */
export function readPresentNames(
  database: SqliteDatabase,
  captureId: number,
): readonly string[] | null {
  const sql = database
    .prepare("select sql from main.sqlite_schema where type = 'trigger' and name = ?")
    .pluck()
    .get(`${internalPrefix}${captureId}_insert`)
  const text = typeof sql === 'string' ? sql : ''
  const start = text.indexOf(`(${selectStart}`)
  if (start < 0) {
    return null
  }
  const names: string[] = []
  const name = /\s*(?:"((?:[^"]|"")*)"|(\w+))\s*(,|from)/y
  name.lastIndex = start + selectStart.length + 1
  for (let end = ','; end === ','; ) {
    const found = name.exec(text)
    if (found === null) {
      return null
    }
    names.push(found[1]?.replaceAll('""', '"') ?? found[2] ?? '')
    end = found[3] ?? ''
  }
  return names
}

/**
 * SQLite computes a virtual column of REAL affinity as an integer where it is whole, calls it a REAL,
 * and stores the integer in a column without a type (3.53.2).
 */
export function isWholeRealLost({ generated, affinity }: ColumnShape): boolean {
  return generated && affinity === 'real'
}

/** Begins to keep entries of a capture. Must run inside a write transaction, before its triggers. */
export function beginHistoryCapture(
  database: SqliteDatabase,
  capture: Omit<HistoryCapture, 'seq'>,
): void {
  const { id, shape, before, isEmpty } = capture
  const { seq, at, event, present } = entryColumns
  const keyCount = shape.withoutRowid ? shape.primaryKey.length : 1
  const columns = shape.columns.map(
    (column) => `${quoteIdentifier(column.name)} ${isWholeRealLost(column) ? 'real' : ''}`,
  )
  const others = [at, event, ...entryKeyColumns(keyCount), present, ...columns]
  database.exec(
    `create table main.${entryTable(id)}(${seq} integer primary key, ${others.join(', ')})`,
  )
  database
    .prepare(
      `insert into main.${historyLog.captureTable}(id, shape, before, is_empty, seq)
       values (?, ?, ?, ?, (select max(seq) from main.${changeLog.logTable}))`,
    )
    .run(id, JSON.stringify(shape), JSON.stringify(before), isEmpty ? 1 : 0)
}

/** All captures whose entries may still be there, in their order. */
export function readHistoryCaptures(
  database: SqliteDatabase,
  schema = 'main',
): readonly HistoryCapture[] {
  const rows = database
    .prepare(
      `select id, shape, before, is_empty, seq from ${schema}.${historyLog.captureTable} order by id`,
    )
    .raw()
    .safeIntegers(false)
    .all() as [number, string, string, number, number][]
  return rows.map(([id, shape, before, isEmpty, seq]) => ({
    id,
    shape: JSON.parse(shape) as TableShape,
    before: JSON.parse(before) as (string | null)[],
    isEmpty: isEmpty === 1,
    seq,
  }))
}

/** The number after which those of new captures begin, so that no entry table is met twice. */
export function lastHistoryCapture(database: SqliteDatabase): number {
  return hasHistoryLog(database)
    ? Number(
        database
          .prepare(`select coalesce(max(id), 0) from main.${historyLog.captureTable}`)
          .pluck()
          .get(),
      )
    : 0
}
