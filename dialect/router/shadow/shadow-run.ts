import type { CompiledQuery } from 'kysely'
import { limits } from '../../../src/core/limits.js'
import { toRows } from '../../../src/oltp/read-message.js'
import type { SnapshotRead } from '../../../src/oltp/snapshot-read.js'
import { headSql } from '../../../sync/read/source-state.js'
import type { SyncEngine } from '../../../sync/sync-engine.js'
import type { ShadowDifference } from '../../htap-shadow-config.js'
import type { Candidate, KeptQuery } from '../candidate.js'
import { allRows, readCandidate } from '../reading.js'
import { planText } from '../translation-cache.js'
import { findDifference } from './difference.js'
import type { ShadowSource } from './shadow-source.js'

export type Rows = readonly Readonly<Record<string, unknown>>[]

/** What DuckDB answered, and where the copy stood before: the answer is of that position or a later. */
export interface DuckDbAnswer {
  readonly found: Candidate
  readonly rows: Rows
  readonly position: number
}

/** Two answers at one position that are not the same. */
export interface Differing {
  readonly kind: 'differs'
  readonly duckdb: DuckDbAnswer
  /** Empty where SQLite raised. */
  readonly sqliteRows: Rows
  readonly difference: ShadowDifference
}

export type ShadowOutcome =
  | { readonly kind: 'equal' | 'moved' | 'unrepeated' }
  | { readonly kind: 'skipped'; readonly reason: string }
  | Differing

export interface ShadowRunProps {
  readonly engine: SyncEngine
  readonly source: ShadowSource
  readonly rowsMax: number
  /** What DuckDB would run for a query now, without regard to cost. */
  readonly find: (query: CompiledQuery) => Promise<Candidate | KeptQuery>
  readonly isCurrent: (found: Candidate) => boolean
}

/**
 * Compares the engines' answers to one query at one position.
 *
 * 1. SQLite answers, after DuckDB, in a read snapshot. The copy is never ahead of SQLite, and its
 *    position is noted after what it tells of: if the snapshot's head is the position that the copy
 *    had before DuckDB ran, nothing was committed in between and DuckDB's answer is of it, too.
 * 2. Otherwise, and to confirm a difference, both answer again: the application may have changed
 *    the rows that it was given, and nothing may be taken for wrong that was only early or late.
 */
export async function compareEngines(
  props: ShadowRunProps,
  query: CompiledQuery,
  given: DuckDbAnswer,
  signal: AbortSignal,
): Promise<ShadowOutcome> {
  let hasDiffered = false
  for (let attempt = 1; attempt <= limits.shadowAttemptsMax; attempt++) {
    const duckdb = attempt === 1 ? given : await answerAgain(props, query, signal)
    if (duckdb === null) {
      continue
    }
    if ('kind' in duckdb) {
      return duckdb
    }
    const { found } = duckdb
    const snapshot = await props.source.read(
      {
        sql: query.sql,
        parameters: query.parameters,
        integers: found.integers,
        rowsMax: props.rowsMax,
        positionSql: headSql,
      },
      signal,
    )
    if (snapshot === 'unreadable') {
      return skipped('SQLite cannot be read beside')
    }
    if (snapshot === 'busy' || snapshot.position !== duckdb.position) {
      continue
    }
    const other = whyIncomparable(found, snapshot)
    const finding = other === null ? compare(duckdb, snapshot) : skipped(other)
    if (finding === null) {
      return { kind: hasDiffered ? 'unrepeated' : 'equal' }
    }
    if (attempt > 1) {
      return finding
    }
    hasDiffered = finding.kind === 'differs'
  }
  return { kind: 'moved' }
}

/** Null when a copy was replaced while DuckDB answered. */
async function answerAgain(
  { engine, rowsMax, find, isCurrent }: ShadowRunProps,
  query: CompiledQuery,
  signal: AbortSignal,
): Promise<DuckDbAnswer | ShadowOutcome | null> {
  const head = engine.headNow()
  if (head !== null) {
    await engine.reach(head, limits.shadowWaitMs)
  }
  // Where the application has a transaction open, this waits for its end.
  const found = await Promise.race([find(query), untilAborted(signal)])
  if (found.kind === 'kept') {
    return skipped('DuckDB would not answer any more')
  }
  signal.throwIfAborted()
  const { store, position } = engine
  if (store === null || !isCurrent(found)) {
    return null
  }
  const rows = await readCandidate(store, found, allRows, signal)
  if (!isCurrent(found)) {
    return null
  }
  return rows.length > rowsMax ? skipped('too many rows') : { found, rows, position }
}

/** Why the answers need not be the same though the rows of the tables are. */
function whyIncomparable(found: Candidate, snapshot: SnapshotRead): string | null {
  if (snapshot.schemaVersion !== found.schemaVersion) {
    return 'the schema has changed'
  }
  // The order of the rows was read off the plan on the writer's connection.
  const { planText: expected } = found.entry
  return expected !== null && planText(snapshot.plan) !== expected ? 'another plan' : null
}

function compare(duckdb: DuckDbAnswer, { answer }: SnapshotRead): Differing | null {
  if (answer.kind === 'error') {
    const difference = Object.freeze({ kind: 'error', sqliteError: answer.message } as const)
    return { kind: 'differs', duckdb, sqliteRows: [], difference }
  }
  const sqliteRows = toRows(answer) as Rows
  const difference = findDifference(sqliteRows, duckdb.rows)
  return difference === null ? null : { kind: 'differs', duckdb, sqliteRows, difference }
}

function skipped(reason: string): ShadowOutcome {
  return { kind: 'skipped', reason }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
