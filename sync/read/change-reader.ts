import type { ColumnBatch } from '../../src/core/column-batch.js'
import type { ColumnProfile } from '../../src/core/column-profile.js'
import { limits } from '../../src/core/limits.js'
import { messageOf } from '../../src/core/message-of.js'
import { reach } from '../../src/core/outside-world.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { changeLog, logKeyColumns } from '../capture/change-log.js'
import { BatchEncoder } from './batch-encoder.js'
import type { BufferPool } from './buffer-pool.js'
import type { TableReadPlan } from './read-plan.js'

/** Which changes of one table are wanted. */
export interface ChangeRequest {
  readonly plan: TableReadPlan
  /** Changes after this position. */
  readonly after: number
  /** When the number of rows that SQLite holds is needed as proof that the copy has no extra row. */
  readonly count: 'always' | 'when-repeated' | 'never'
  /** Also send every key that exists, to find the extra rows. */
  readonly allKeys: boolean
}

/** The parts of a change set, in the order in which they come: one table after the other. */
export type ChangePart = ChangeSlice | KeySlice | TableEnd | TableFailure

/** Keys that changed, each once, and the rows that those keys have now. */
export interface ChangeSlice {
  readonly type: 'changes'
  readonly tableId: number
  readonly keys: readonly ColumnBatch[]
  readonly rows: readonly ColumnBatch[]
}

/** Keys that exist, asked for by `allKeys`. */
export interface KeySlice {
  readonly type: 'keys'
  readonly tableId: number
  readonly keys: readonly ColumnBatch[]
}

export interface TableEnd {
  readonly type: 'end'
  readonly tableId: number
  readonly changeCount: number
  /** Rows that the table has in SQLite, where it was counted. */
  readonly rowCount: number | null
  /** What the changed rows held, one profile a mirror column. */
  readonly profiles: readonly ColumnProfile[]
}

/** The changes of one table cannot be read, whatever the others do; nothing more comes of it. */
export interface TableFailure {
  readonly type: 'failure'
  readonly tableId: number
  readonly error: Error
}

/**
 * Reads what changed between two positions, netted per key, with the rows as they stand.
 * The caller holds one read transaction of SQLite around it, so that log and rows agree.
 */
export function* readChanges(
  database: SqliteDatabase,
  requests: readonly ChangeRequest[],
  head: number,
  buffers: BufferPool,
): Generator<ChangePart> {
  reach('snapshot.opened')
  for (const request of requests) {
    if (request.after < head || request.allKeys) {
      try {
        yield* readTableChanges(database, request, head, buffers)
      } catch (error) {
        if (!isOfTable(error)) {
          throw error
        }
        // An error of better-sqlite3 is nothing but an object once it has come from another thread.
        yield {
          type: 'failure',
          tableId: request.plan.tableId,
          error: new Error(messageOf(error)),
        }
      }
      reach('snapshot.read')
    }
  }
}

/** Damage, values and our own mistakes lie in one table; locks, memory and disks in none. */
function isOfTable(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code
  return (
    typeof code !== 'string' || !code.startsWith('SQLITE_') || code.startsWith('SQLITE_CORRUPT')
  )
}

function* readTableChanges(
  database: SqliteDatabase,
  request: ChangeRequest,
  head: number,
  buffers: BufferPool,
): Generator<ChangePart> {
  const { plan } = request
  const keyCount = plan.keys.length
  const keys = new SliceBuilder(new BatchEncoder(plan.keyKinds, buffers))
  const rows = new SliceBuilder(new BatchEncoder(plan.kinds, buffers))
  let changeCount = 0
  let isRepeated = false
  const statement = database.prepare(changesSql(plan)).raw().safeIntegers()
  for (const row of statement.iterate(request.after, head, plan.tableId)) {
    const values = row as unknown[]
    changeCount++
    isRepeated ||= (values[0] as bigint) > 1n
    keys.add(values, 2)
    if (values[1] === 1n) {
      rows.add(values, 2 + keyCount)
    }
    if (keys.isFull) {
      yield { type: 'changes', tableId: plan.tableId, keys: keys.take(), rows: rows.take() }
    }
  }
  if (!keys.isEmpty) {
    yield { type: 'changes', tableId: plan.tableId, keys: keys.take(), rows: rows.take() }
  }
  if (request.allKeys) {
    yield* readKeys(database, plan, buffers)
  }
  const mustCount =
    request.allKeys ||
    request.count === 'always' ||
    (request.count === 'when-repeated' && isRepeated)
  yield {
    type: 'end',
    tableId: plan.tableId,
    changeCount,
    rowCount: mustCount && changeCount > 0 ? countRows(database, plan) : null,
    profiles: rows.encoder.takeProfiles(),
  }
}

function* readKeys(
  database: SqliteDatabase,
  plan: TableReadPlan,
  buffers: BufferPool,
): Generator<KeySlice> {
  const keys = new SliceBuilder(new BatchEncoder(plan.keyKinds, buffers))
  const statement = database
    .prepare(`select ${plan.keys.join(', ')} from ${plan.table}`)
    .raw()
    .safeIntegers()
  for (const row of statement.iterate()) {
    keys.add(row as unknown[], 0)
    if (keys.isFull) {
      yield { type: 'keys', tableId: plan.tableId, keys: keys.take() }
    }
  }
  if (!keys.isEmpty) {
    yield { type: 'keys', tableId: plan.tableId, keys: keys.take() }
  }
}

export function countRows(database: SqliteDatabase, plan: TableReadPlan): number {
  return Number(database.prepare(`select count(*) from ${plan.table}`).pluck().get())
}

/** Columns: how often the key changed, whether the row exists (1 or 0), the key, the row. */
function changesSql(plan: TableReadPlan): string {
  const logKeys = logKeyColumns(plan.keys.length)
  const log =
    logKeys.length === 1
      ? `main.${changeLog.logTable}`
      : `main.${changeLog.logTable} join main.${changeLog.keyTable} using (seq)`
  const join = plan.keys.map((key, index) => `t.${key} = l.${logKeys[index]}`).join(' and ')
  const selections = plan.selections.map((selection) => `t.${selection}`).join(', ')
  return `select l.changes, t.${plan.keys[0]} is not null, ${logKeys.map((key) => `l.${key}`).join(', ')}, ${selections}
    from (select ${logKeys.join(', ')}, count(*) as changes from ${log}
          where seq > ? and seq <= ? and tbl = ? group by ${logKeys.join(', ')}) l
    left join ${plan.table} t on ${join}`
}

/** Collects full batches into slices of bounded size. */
class SliceBuilder {
  readonly encoder: BatchEncoder
  #batches: ColumnBatch[] = []

  constructor(encoder: BatchEncoder) {
    this.encoder = encoder
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0 && this.encoder.rowCount === 0
  }

  get isFull(): boolean {
    return this.#batches.length === limits.sliceBatchesMax
  }

  add(values: readonly unknown[], offset: number): void {
    this.encoder.add(values, offset)
    if (this.encoder.isFull) {
      this.#batches.push(this.encoder.finish())
    }
  }

  take(): ColumnBatch[] {
    if (this.encoder.rowCount > 0) {
      this.#batches.push(this.encoder.finish())
    }
    const batches = this.#batches
    this.#batches = []
    return batches
  }
}
