import { reach } from '../../src/core/outside-world.js'
import { quoteIdentifier } from '../../src/core/sql-identifier.js'
import { sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { historyLog, isWholeRealLost } from '../capture/history-log.js'
import type { HistoryState } from './history-schema.js'
import {
  allColumns,
  existsInSource,
  type HistoryTable,
  isNewest,
  type KnownCapture,
  newestTable,
  readHistoryTables,
  sourceKey,
  sourceTable,
  versionTable,
} from './history-table.js'
import { addNote, type NoteKind, nextState } from './history-transaction.js'
import { lastNumber, noteNewest } from './note-newest.js'
import { closeMissingRows, closeRows, hasIncomparableUnique } from './replaced-rows.js'

/**
 * Compares tables with the history where the log does not tell all of it, and notes every difference as
 * a change of this moment: rows that were there when the history of a table began, what happened while
 * a table was not captured, and what a restored database no longer has.
 *
 * @returns the state with the last position and instant that were given out
 */
export function compareTables(
  history: SqliteDatabase,
  { state, captures, isLedOn, isFresh }: Comparison,
): HistoryState {
  const notes = new Notes(history, state, isFresh)
  noteSchema(history, notes, isLedOn)
  const open = readHistoryTables(history)
  for (const table of open) {
    const capture = captures.filter((it) => it.table.id === table.id).at(-1)
    const isCurrent = capture !== undefined && isNewest(capture, captures)
    if (!isCurrent || !existsInSource(history, table.name)) {
      notes.take('found', (position) => endTable(history, table, position))
    }
  }
  for (const capture of captures) {
    if (!isNewest(capture, captures) || !existsInSource(history, capture.shape.name)) {
      continue
    }
    if (!capture.isCompared || !isLedOn) {
      const isFirst = capture.table.begins === null
      const kind = !isLedOn ? 'set-back' : isFirst ? 'initial' : 'found'
      notes.take(kind, (position) => {
        const differing = compareRows(history, capture, position)
        return isFirst ? differing + beginTable(history, capture.table, position) : differing
      })
      markCompared(history, state.epoch as string, capture)
      reach('history.compared')
    } else if (hasIncomparableUnique(capture.shape, capture.columns)) {
      notes.take('found', (position) => closeMissingRows(history, capture, position))
    }
  }
  return notes.state
}

interface Comparison {
  /** After the log was moved up to its head. */
  readonly state: HistoryState
  readonly captures: readonly KnownCapture[]
  /** The log goes on from where the history had read. */
  readonly isLedOn: boolean
  /** The last transaction was moved just now and ends at the head. */
  readonly isFresh: boolean
}

/** A schema that came with no row of the log: that of a restored database. */
function noteSchema(history: SqliteDatabase, notes: Notes, isLedOn: boolean): void {
  const read = (table: string, order: string) =>
    history.prepare(`select objects from ${table} order by ${order} desc limit 1`).pluck().get()
  const objects = read(`${sourceSchema}.${historyLog.schemaTable}`, 'seq')
  if (objects !== undefined && objects !== read('history.history_schema', 'position')) {
    notes.take(isLedOn ? 'found' : 'set-back', (position) => {
      const note = 'insert or replace into history.history_schema(position, objects) values (?, ?)'
      return history.prepare(note).run(BigInt(position), objects).changes
    })
  }
}

/** Gives out positions for what the log does not tell, where there is anything to tell. */
class Notes {
  readonly #history: SqliteDatabase
  /** What is found belongs to the last transaction, which nobody has seen yet. */
  readonly #isFresh: boolean
  state: HistoryState

  constructor(history: SqliteDatabase, state: HistoryState, isFresh: boolean) {
    this.#history = history
    this.state = state
    this.#isFresh = isFresh
  }

  /** @param note writes versions at a position, and returns how many */
  take(kind: NoteKind, note: (position: number) => number): void {
    const { seq, shift } = this.state
    if (kind === 'found' && this.#isFresh && this.state.position === seq + shift) {
      if (note(this.state.position) > 0) {
        this.#history
          .prepare(
            `update history.history_transaction set kind = ?
             where position = cast(? as integer) and kind = 'schema'`,
          )
          .run(kind, this.state.position)
      }
      return
    }
    const next = nextState(this.state)
    if (note(next.position) > 0) {
      addNote(this.#history, next, kind)
      this.state = next
    }
  }
}

function endTable(history: SqliteDatabase, table: HistoryTable, position: number): number {
  history
    .prepare('update history.history_table set ended = cast(? as integer) where id = ?')
    .run(position, table.id)
  return closeRows(history, table, position, 'true')
}

/** Also of a table without rows it is known from when on it was empty. */
function beginTable(history: SqliteDatabase, table: HistoryTable, position: number): number {
  return history
    .prepare('update history.history_table set begins = cast(? as integer) where id = ?')
    .run(position, table.id).changes
}

/** Versions of everything in which a table differs from the history; returns how many. */
function compareRows(history: SqliteDatabase, capture: KnownCapture, position: number): number {
  const { table, shape, columns } = capture
  const versions = versionTable(table)
  const gone = closeMissingRows(history, capture, position)
  const values = shape.columns.map((column) => {
    const value = `t.${quoteIdentifier(column.name)}`
    return isWholeRealLost(column)
      ? `iif(typeof(${value}) = 'real', ${value} * 1.0, ${value})`
      : value
  })
  const sourceKeys = sourceKey(shape, 't')
  // Without affinity, and by the collation of the left side, which has none: bit by bit.
  const differs = columns.map((column, index) => {
    const value = `+${values[index]}`
    return `typeof(v.${column}) <> typeof(${value}) or v.${column} is not ${value}`
  })
  // An index over keys without affinity finds nothing by a value that has one.
  const same = table.keys.map((key, index) => `n.${key} = +${sourceKeys[index]}`).join(' and ')
  const dropped = allColumns(history, table).filter((column) => !columns.includes(column))
  const target = [...table.keys, ...columns, ...dropped]
  const selected = [...sourceKeys, ...values, ...dropped.map(() => 'null')]
  const last = lastNumber(history, table)
  const { changes } = history
    .prepare(
      `insert into ${versions}(position, op, previous, ${target.join(', ')})
       select cast(? as integer), iif(v.id is null, 'I', 'U'), n.id, ${selected.join(', ')}
       from ${sourceTable(shape)} t left join ${newestTable(table)} n on ${same}
         left join ${versions} v on v.id = n.id and v.op <> 'D'
       where v.id is null or ${differs.join(' or ')}`,
    )
    .run(position)
  noteNewest(history, table, last)
  return gone + changes
}

function markCompared(history: SqliteDatabase, epoch: string, { id }: KnownCapture): void {
  history
    .prepare('update history.history_capture set is_compared = 1 where epoch = ? and id = ?')
    .run(epoch, id)
}
