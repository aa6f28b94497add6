import { foldIdentifier, quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { addMark, changeLog } from './change-log.js'
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
  if (known !== null && hasCaptureTriggers(database, shape, known)) {
    return known
  }
  const id = beginCapture(database, shape.name)
  dropStrayTriggers(database)
  for (const trigger of captureTriggers(shape, id)) {
    database.exec(trigger.sql)
  }
  return id
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
    .prepare(`insert into ${changeLog.tableTable}(name) values (?)`)
    .run(name)
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
