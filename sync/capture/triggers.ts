import { limits } from '../../src/core/limits.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import type { TableShape } from '../../src/core/table-shape.js'
import { internalPrefix } from '../../src/oltp/catalogue.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { changeLog, logKeyColumns } from './change-log.js'
import { type CaptureKind, type KeyTerm, keepsHistory, logState } from './history-log.js'

/**
 * The triggers that write the change log. Pure SQL, so that the writes of every process are
 * captured. They name nothing of the table but its key: SQLite refuses to drop a column that a
 * trigger names, and capture must never break a user's statement.
 *
 * @param isTemporal they also keep what the row holds, for its history
 */
export function captureTriggers(
  shape: TableShape,
  tableId: number,
  isTemporal: boolean,
): readonly CaptureTrigger[] {
  const table = quoteIdentifier(shape.name)
  const key = captureKey(shape)
  const isMoved = key
    .map((column) => `new.${quoteKey(column)} is not old.${quoteKey(column)}`)
    .join(' or ')
  const events: readonly CaptureEvent[] = [
    { kind: 'insert', event: 'insert', row: 'new', condition: '' },
    { kind: 'update', event: 'update', row: 'old', condition: '' },
    // Fires only for statements that set the key; a comparison per row would cost all the others.
    {
      kind: 'rekey',
      event: `update of ${settableKeys(shape).join(', ')}`,
      row: 'new',
      condition: ` when ${isMoved}`,
    },
    { kind: 'delete', event: 'delete', row: 'old', condition: '' },
  ]
  return events.map(({ kind, event, row, condition }) => {
    const name = `${internalPrefix}${tableId}_${kind}`
    const state = isTemporal ? logState(shape, tableId, kind, keyTerms(key, row)) : ''
    const body = `${logKey(tableId, key, row)}${state}`
    return Object.freeze({
      name,
      sql: `CREATE TRIGGER ${name} after ${event} on ${table}${condition} begin ${body} end`,
    })
  })
}

interface CaptureEvent {
  readonly kind: CaptureKind
  readonly event: string
  readonly row: 'new' | 'old'
  readonly condition: string
}

/** The first key column goes into the log; the others of a composite key go beside it. */
function logKey(tableId: number, key: readonly string[], row: 'new' | 'old'): string {
  const [first = '', ...others] = keyTerms(key, row).map(({ value }) => value)
  const log = `insert into ${changeLog.logTable}(tbl, k) values (${tableId}, ${first});`
  if (others.length === 0) {
    return log
  }
  const columns = logKeyColumns(key.length).slice(1).join(', ')
  return `${log} insert into ${changeLog.keyTable}(seq, ${columns}) \
values (last_insert_rowid(), ${others.join(', ')});`
}

/** The key's columns as they are called in the table, and their values in a trigger. */
function keyTerms(key: readonly string[], row: 'new' | 'old'): readonly KeyTerm[] {
  return key.map(quoteKey).map((column) => ({ column, value: `${row}.${column}` }))
}

/**
 * Every name by which a statement can set the key. None of them can be dropped, except columns
 * that only look like the rowid.
 */
function settableKeys(shape: TableShape): readonly string[] {
  if (shape.withoutRowid) {
    return shape.primaryKey.map(quoteIdentifier)
  }
  const alias = shape.rowidAlias === null ? [] : [quoteIdentifier(shape.rowidAlias)]
  return [...alias, 'rowid', '_rowid_', 'oid']
}

export interface CaptureTrigger {
  readonly name: string
  readonly sql: string
}

/** The columns that identify a row in the change log: the rowid, or the primary key. */
export function captureKey(shape: TableShape): readonly string[] {
  if (shape.withoutRowid) {
    return shape.primaryKey
  }
  return shape.rowidKeyword === null ? [] : [shape.rowidKeyword]
}

/** Why a table cannot be captured at all; null if it can. */
export function refuseCapture(shape: TableShape): string | null {
  const key = captureKey(shape)
  if (key.length === 0) {
    return 'columns named rowid, _rowid_ and oid hide the rowid'
  }
  if (key.length > limits.keyColumnsMax) {
    return `its primary key has more than ${limits.keyColumnsMax} columns`
  }
  if (shape.withoutRowid) {
    const collated = shape.primaryKey.find((name) => {
      const column = shape.columns.find((candidate) => candidate.name === name)
      return column?.collation !== 'BINARY'
    })
    if (collated !== undefined) {
      return `the key column ${collated} of a WITHOUT ROWID table has a collation`
    }
  }
  return null
}

/** True if exactly the wanted triggers are there. */
export function hasCaptureTriggers(
  database: SqliteDatabase,
  shape: TableShape,
  tableId: number,
): boolean {
  const wanted = captureTriggers(shape, tableId, keepsHistory(database, shape))
  return wanted.every((trigger) => {
    const sql = database
      .prepare(
        `select sql from main.sqlite_schema
         where type = 'trigger' and name = ? and tbl_name = ?`,
      )
      .pluck()
      .get(trigger.name, shape.name)
    return sql === trigger.sql
  })
}

/** The rowid keywords must stay bare: quoted they would name a column. */
function quoteKey(column: string): string {
  return column === 'rowid' || column === '_rowid_' || column === 'oid'
    ? column
    : quoteIdentifier(column)
}
