import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { reach } from '../../src/core/outside-world.js'
import { sourceSchema } from '../../src/oltp/open-history-connection.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { changeLog } from '../capture/change-log.js'
import { readCommitNotes } from '../capture/commit-notes.js'
import { entryColumns, entryTable, historyLog } from '../capture/history-log.js'
import { hasLooseRowids } from '../capture/rowid-life.js'
import { addPlainVersions } from './add-plain-versions.js'
import { addVersions } from './add-versions.js'
import { compareTables } from './compare-tables.js'
import { gatherEntries } from './gather-entries.js'
import { type HistoryState, readHistoryState, writeHistoryState } from './history-schema.js'
import { type KnownCapture, readKnownCaptures } from './history-table.js'
import { inHistoryTransaction } from './history-transaction.js'
import { noteCaptures } from './note-captures.js'
import { compareLooseTables, noteRowidLife } from './numbered-anew.js'
import { addTransactions } from './transactions.js'

export interface MoveRequest {
  /** The name of the history in the source's log. */
  readonly consumerId: string
  /** The schema under which the captures were seen to run. */
  readonly schemaVersion: number
  /** Ends of transactions that were seen, beyond what the history has. */
  readonly marks: readonly number[]
  /** SQLite's own log of the file has become long, and is written back later. */
  readonly owesCheckpoint: boolean
}

export interface MovedChanges {
  /** False where the schema is another one by now; nothing was moved. */
  readonly isDone: boolean
  /** The `seq` of the source's log up to which the history has everything. */
  readonly seq: number
  /** The newest position of the history. */
  readonly position: number
  /** The same, after this move. */
  readonly owesCheckpoint: boolean
}

/**
 * Moves what the log has kept into the history, in one transaction, out of one snapshot of the
 * source: each entry exactly once, whenever a process ends. Values go from table to table inside
 * SQLite and are never touched.
 *
 * @param history a connection that has the source beside it
 * @throws HtapError `history-unusable`; better-sqlite3's SqliteError when the file cannot be written
 */
export function moveChanges(history: SqliteDatabase, request: MoveRequest): MovedChanges {
  const moved = inHistoryTransaction(history, () => {
    const result = move(history, request)
    reach('history.before-commit')
    return result
  })
  reach('history.after-commit')
  return moved
}

function move(history: SqliteDatabase, request: MoveRequest): MovedChanges {
  const before = readHistoryState(history)
  const source = readSource(history, before.seq)
  requirePlace(history, request.consumerId)
  if (source.schemaVersion !== request.schemaVersion) {
    const { owesCheckpoint } = request
    return { isDone: false, seq: before.seq, position: before.position, owesCheckpoint }
  }
  const isLarge = source.head - before.seq > limits.inlineCheckpointChangesMax
  const owesCheckpoint = isLarge || request.owesCheckpoint
  history.exec(`pragma wal_autocheckpoint = ${owesCheckpoint ? 0 : autoCheckpointPages}`)
  const isLedOn = leadsOn(before, source)
  noteCaptures(history, source.epoch, isLedOn ? before.shift : null)
  const isNumberedAnew = noteRowidLife(history)
  const known = readKnownCaptures(history, source.epoch)
  const captures = isNumberedAnew ? compareLooseTables(history, source.epoch, known) : known
  // Positions go on from where they were, whatever the log begins with.
  let state: HistoryState = isLedOn
    ? { ...before, epoch: source.epoch }
    : { ...before, epoch: source.epoch, shift: before.position - source.head }
  if (isLedOn) {
    state = moveEntries(history, state, captures, { ...source, isNumberedAnew }, request.marks)
  }
  const isFresh = state.position > before.position && state.position === source.head + state.shift
  state = compareTables(history, {
    state: { ...state, seq: source.head, mark: source.mark },
    captures,
    isLedOn,
    isFresh,
  })
  if (JSON.stringify(state, asText) !== JSON.stringify(before, asText)) {
    writeHistoryState(history, state)
  }
  return { isDone: true, seq: state.seq, position: state.position, owesCheckpoint }
}

/** Some 4 MB, as by SQLite's own preset. */
const autoCheckpointPages = 250

function asText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}

interface SourceNow {
  readonly epoch: string
  readonly schemaVersion: number
  readonly head: number
  readonly mark: bigint
  /** The mark of the row that the history has read last; null if the log has it no longer. */
  readonly markThen: bigint | null
}

function readSource(history: SqliteDatabase, seq: number): SourceNow {
  const row = history
    .prepare(
      `select (select value from ${sourceSchema}.${changeLog.metaTable} where key = 'epoch'),
         head.seq, head.mark,
         (select mark from ${sourceSchema}.${changeLog.logTable} where seq = ?)
       from (select seq, mark from ${sourceSchema}.${changeLog.logTable}
             order by seq desc limit 1) head`,
    )
    .raw()
    .safeIntegers()
    .get(seq) as [string, bigint, bigint, bigint | null] | undefined
  if (row === undefined) {
    throw new HtapError('sync-failed', 'the change log has no beginning')
  }
  const schemaVersion = history
    .prepare(`pragma ${sourceSchema}.schema_version`)
    .pluck()
    .safeIntegers(false)
    .get() as number
  return {
    epoch: row[0],
    schemaVersion,
    head: Number(row[1]),
    mark: row[2],
    markThen: row[3],
  }
}

/** @throws HtapError `history-unusable` when another history has taken over */
function requirePlace(history: SqliteDatabase, consumerId: string): void {
  const place = history
    .prepare(`select 1 from ${sourceSchema}.${changeLog.consumerTable} where id = ?`)
    .get(consumerId)
  if (place === undefined) {
    throw new HtapError('history-unusable', 'another history of this database has taken over', {
      hint: 'a database has one history: give every process the same `sync.history.path`',
    })
  }
}

/**
 * The log goes on from where the history has read. A row that somebody has pruned, though it was to
 * be kept, proves nothing against it.
 */
function leadsOn(state: HistoryState, source: SourceNow): boolean {
  return (
    state.epoch === null ||
    (state.epoch === source.epoch &&
      source.head >= state.seq &&
      (source.markThen === null || source.markThen === state.mark))
  )
}

function moveEntries(
  history: SqliteDatabase,
  state: HistoryState,
  captures: readonly KnownCapture[],
  { head, isNumberedAnew }: SourceNow & { readonly isNumberedAnew: boolean },
  marks: readonly number[],
): HistoryState {
  const there = captures.filter(
    (capture) =>
      hasBegun(capture) &&
      !(isNumberedAnew && hasLooseRowids(capture.shape)) &&
      hasEntries(history, capture.id, state.seq, head),
  )
  const notes = readCommitNotes(history, sourceSchema, state.seq, head)
  if (there.length === 0 && notes.length === 0 && !hasSchemas(history, state.seq, head)) {
    return state
  }
  const seen = [...marks, ...notes.flatMap(({ after, seq }) => [after, seq])]
  const inner = new Set(seen.filter((seq) => seq > state.seq && seq < head))
  const ends = [...[...inner].sort((a, b) => a - b), head]
  const last = addTransactions(history, there, { state, ends, notes })
  reach('history.transactions')
  const byTable = new Map<number, KnownCapture[]>()
  for (const capture of there) {
    byTable.set(capture.table.id, [...(byTable.get(capture.table.id) ?? []), capture])
  }
  for (const group of byTable.values()) {
    if (!addPlainVersions(history, group, captures)) {
      gatherEntries(history, group, captures)
      addVersions(history, group, captures)
      history.exec('drop table temp.entry')
    }
    reach('history.table')
  }
  history.exec('drop table temp.tx')
  return { ...state, ...last }
}

/**
 * What was logged before the rows were first copied is older than the history: the log says what a
 * change made, and not what was there before.
 */
function hasBegun({ table }: KnownCapture): boolean {
  return table.begins !== null
}

function hasSchemas(history: SqliteDatabase, after: number, upTo: number): boolean {
  return (
    history
      .prepare(
        `select 1 from ${sourceSchema}.${historyLog.schemaTable} where seq > ? and seq <= ? limit 1`,
      )
      .get(after, upTo) !== undefined
  )
}

function hasEntries(history: SqliteDatabase, id: number, after: number, upTo: number): boolean {
  const table = entryTable(id)
  const exists = history
    .prepare(`select 1 from ${sourceSchema}.sqlite_schema where type = 'table' and name = ?`)
    .get(table)
  return (
    exists !== undefined &&
    history
      .prepare(
        `select 1 from ${sourceSchema}.${table}
         where ${entryColumns.seq} > ? and ${entryColumns.seq} <= ? limit 1`,
      )
      .get(after, upTo) !== undefined
  )
}
