import { foldIdentifier, quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { addMark, changeLog } from './change-log.js'
import {
  beginHistoryCapture,
  keepsHistory,
  lastHistoryCapture,
  readHistoryCaptures,
  readPresentNames,
} from './history-log.js'
import { captureTriggers, hasCaptureTriggers } from './triggers.js'

/**
 * Makes sure that the changes of a table are logged, and returns the number under which they are.
 *
 * A number names one unbroken capture: triggers that had to be made anew, because the table was
 * dropped, renamed or rebuilt or somebody removed them, get a new one. So a copy that belongs to
 * an older number is known to have missed something, also when the table looks as before.
 *
 * Must run inside a write transaction of the caller.
 */
export function captureTable(database: SqliteDatabase, shape: TableShape): number {
  const known = findCapture(database, shape.name)
  const isTemporal = keepsHistory(database, shape)
  if (
    known !== null &&
    hasCaptureTriggers(database, shape, known) &&
    (!isTemporal || isCapturedAs(database, shape, known))
  ) {
    return known
  }
  const before = isTemporal && known !== null ? columnsBefore(database, shape, known) : null
  const id = beginCapture(database, shape.name)
  dropStrayTriggers(database)
  if (isTemporal) {
    beginHistoryCapture(database, {
      id,
      shape,
      before: before ?? shape.columns.map(() => null),
      isEmpty: isEmptyTable(database, shape.name),
    })
  }
  for (const trigger of captureTriggers(shape, id, isTemporal)) {
    database.exec(trigger.sql)
  }
  return id
}

/** The history reads an entry by the shape of its capture, unique indexes included. */
function isCapturedAs(database: SqliteDatabase, shape: TableShape, known: number): boolean {
  const capture = readHistoryCaptures(database).find(({ id }) => id === known)
  return capture !== undefined && JSON.stringify(capture.shape) === JSON.stringify(shape)
}

function isEmptyTable(database: SqliteDatabase, name: string): boolean {
  return database.prepare(`select 1 from main.${quoteIdentifier(name)} limit 1`).get() === undefined
}

/** For each column the name that it had in the capture `known`, as far as that can be told. */
function columnsBefore(
  database: SqliteDatabase,
  shape: TableShape,
  known: number,
): readonly (string | null)[] | null {
  const capture = readHistoryCaptures(database).find(({ id }) => id === known)
  if (capture === undefined) {
    return null
  }
  const then = capture.shape.columns.map(({ name }) => name)
  const now = (readPresentNames(database, known) ?? then).map(foldIdentifier)
  return shape.columns.map(({ name }) => then[now.indexOf(foldIdentifier(name))] ?? null)
}

function findCapture(database: SqliteDatabase, name: string): number | null {
  const id = database
    .prepare(`select max(id) from ${changeLog.tableTable} where name = ? collate nocase`)
    .pluck()
    .safeIntegers(false)
    .get(name) as number | null
  return id
}

/** The largest number is never deleted before a larger one is there, so none is given out twice. */
function beginCapture(database: SqliteDatabase, name: string): number {
  const { lastInsertRowid } = database
    .prepare(
      `insert into ${changeLog.tableTable}(id, name)
       select 1 + max(coalesce(max(id), 0), ?), ? from ${changeLog.tableTable}`,
    )
    .run(lastHistoryCapture(database), name)
  database
    .prepare(`delete from ${changeLog.tableTable} where name = ? collate nocase and id < ?`)
    .run(name, lastInsertRowid)
  // Were the database set back to before, the same number might be given to another capture.
  addMark(database)
  return Number(lastInsertRowid)
}

/** Removes triggers that a renaming has carried to another table, and those of ended captures. */
export function dropStrayTriggers(database: SqliteDatabase): void {
  const triggers = database
    .prepare(
      `select name, tbl_name from main.sqlite_schema
       where type = 'trigger' and name glob '${internalPrefix}[0-9]*'`,
    )
    .raw()
    .all() as [name: string, table: string][]
  const tableOf = database.prepare(`select name from ${changeLog.tableTable} where id = ?`).pluck()
  for (const [trigger, table] of triggers) {
    const id = Number.parseInt(trigger.slice(internalPrefix.length), 10)
    const captured = tableOf.get(id)
    if (captured === undefined || foldIdentifier(String(captured)) !== foldIdentifier(table)) {
      database.exec(`drop trigger main.${quoteIdentifier(trigger)}`)
    }
  }
}
