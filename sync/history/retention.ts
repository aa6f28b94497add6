import { HtapError } from '../../src/core/htap-error.js'
import { limits } from '../../src/core/limits.js'
import { reach, wallClockMs } from '../../src/core/outside-world.js'
import { foldIdentifier } from '../../src/core/sql-identifier.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { turnOfLoop } from '../apply/turn-of-loop.js'
import { noteCut } from './cuts.js'
import { ExpiredVersions, type Retained } from './expired-versions.js'
import { type HistoryTable, readAllHistoryTables } from './history-table.js'
import { inHistoryTransaction } from './history-transaction.js'
import { pruneTransactions } from './prune-transactions.js'
import { positionAt } from './rows-as-of.js'

/** How much of a history is kept. At least one of the first two must be given. */
export interface RetentionProps {
  /** What had ended so many milliseconds ago may go. */
  readonly olderThanMs?: number
  /** So many of the newest versions of each key stay; at least one. */
  readonly versionsPerKey?: number
  /** Names of the tables that this is about, also of those that have ended; all, if left out. */
  readonly tables?: readonly string[]
}

/** What goes, or has gone, of one table. */
export interface TableRetention {
  readonly table: HistoryTable
  readonly versions: number
  /** About what their values take on disk, without indexes. */
  readonly bytes: number
  /** The position from which on the history is whole then; null for a table whose rows are not noted. */
  readonly begins: number | null
  /** The instant of that position, in microseconds since 1970. */
  readonly instant: number | null
}

export interface RetentionReport {
  /** Versions that had ended at this position were counted; null without a limit of age. */
  readonly position: number | null
  readonly tables: readonly TableRetention[]
}

/**
 * Says what `applyRetention` would give up now; changes nothing.
 *
 * @throws HtapError `config-invalid`, `table-unknown`
 */
export function planRetention(
  history: SqliteDatabase,
  props: RetentionProps,
): Promise<RetentionReport> {
  return retain(history, props, (expired) => expired.measure())
}

/**
 * Gives up versions that are too old, or too many of one key: a version goes when one limit says so. It
 * must have ended; the row that stands under a key now is never given up. A page at a time, each in a
 * transaction of its own that also notes from where on the history is whole: whenever the process ends,
 * what is left is a history.
 *
 * @throws HtapError `config-invalid`, `table-unknown`; better-sqlite3's SqliteError when the file cannot be
 * written
 */
export async function applyRetention(
  history: SqliteDatabase,
  props: RetentionProps,
): Promise<RetentionReport> {
  const report = await retain(history, props, (expired, table) => {
    const counted = inHistoryTransaction(history, () => {
      const found = expired.measure()
      if (found.begins !== null) {
        raiseBegin(history, table, found.begins)
        expired.delete()
        noteCut(history, table)
      }
      reach('history-retention.in-transaction')
      return found
    })
    reach('history-retention.committed')
    return counted
  })
  if (report.position !== null) {
    await pruneTransactions(history, report.position, props.tables === undefined)
  }
  return report
}

type TakePage = (
  expired: ExpiredVersions,
  table: HistoryTable,
) => ReturnType<ExpiredVersions['measure']>

async function retain(
  history: SqliteDatabase,
  props: RetentionProps,
  take: TakePage,
): Promise<RetentionReport> {
  const retained = readProps(history, props)
  const tables: TableRetention[] = []
  for (const table of namedTables(history, props.tables)) {
    const expired = new ExpiredVersions(history, table, retained)
    let versions = 0
    let bytes = 0
    let begins = table.begins
    while (expired.next(limits.historyPageRowsMax)) {
      const page = take(expired, table)
      versions += page.versions
      bytes += page.bytes
      begins = page.begins === null ? begins : Math.max(begins ?? 0, page.begins)
      await turnOfLoop()
    }
    tables.push({ table, versions, bytes, begins, instant: instantOf(history, begins) })
  }
  return { position: retained.position, tables }
}

function readProps(history: SqliteDatabase, props: RetentionProps): Retained {
  const { olderThanMs, versionsPerKey } = props
  const isAge = olderThanMs === undefined || (Number.isFinite(olderThanMs) && olderThanMs >= 0)
  const isCount =
    versionsPerKey === undefined || (Number.isSafeInteger(versionsPerKey) && versionsPerKey >= 1)
  if (!isAge || !isCount || (olderThanMs === undefined && versionsPerKey === undefined)) {
    throw new HtapError(
      'config-invalid',
      'a retention needs olderThanMs, of 0 or more, or versionsPerKey, of 1 or more',
      { facts: { olderThanMs, versionsPerKey } },
    )
  }
  return {
    position:
      olderThanMs === undefined
        ? null
        : positionAt(history, Math.floor((wallClockMs() - olderThanMs) * 1000)),
    versionsPerKey: versionsPerKey ?? null,
  }
}

function namedTables(
  history: SqliteDatabase,
  names: readonly string[] | undefined,
): readonly HistoryTable[] {
  const all = readAllHistoryTables(history)
  const known = new Set(all.map(({ name }) => foldIdentifier(name)))
  const unknown = names?.find((name) => !known.has(foldIdentifier(name)))
  if (unknown !== undefined) {
    throw new HtapError('table-unknown', `the table ${unknown} has no history`, {
      facts: { table: unknown },
    })
  }
  const wanted = names?.map(foldIdentifier)
  return all.filter(({ name }) => wanted?.includes(foldIdentifier(name)) ?? true)
}

function raiseBegin(history: SqliteDatabase, table: HistoryTable, position: number): void {
  history
    .prepare(
      `update history.history_table set begins = max(coalesce(begins, 0), cast(? as integer))
       where id = ?`,
    )
    .run(position, table.id)
}

function instantOf(history: SqliteDatabase, position: number | null): number | null {
  return (
    (history
      .prepare(
        'select instant from history.history_transaction where position >= ? order by position limit 1',
      )
      .pluck()
      .safeIntegers(false)
      .get(position) as number | undefined) ?? null
  )
}
