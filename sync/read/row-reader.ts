import type { ColumnBatch } from '../../src/core/column-batch.js'
import type { ColumnProfile } from '../../src/core/column-profile.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase, SqliteStatement } from '../../src/oltp/sqlite-database.js'
import { BatchEncoder } from './batch-encoder.js'
import type { BufferPool } from './buffer-pool.js'
import type { TableReadPlan } from './read-plan.js'

/** Rows of a table in key order. */
export interface RowSlice {
  readonly rows: readonly ColumnBatch[]
  readonly profiles: readonly ColumnProfile[]
}

/**
 * Reads a whole table page by page, each page by its own short statement that starts after the
 * last key: the rows of a page die young, which is what the garbage collector is best at, and
 * no statement stays open between pages.
 */
export class RowReader {
  readonly #plan: TableReadPlan
  readonly #encoder: BatchEncoder
  readonly #first: SqliteStatement
  readonly #next: SqliteStatement
  #lastKey: readonly unknown[] | null
  #isDone = false

  /** @param after the key after which the rows begin; null for all */
  constructor(
    database: SqliteDatabase,
    plan: TableReadPlan,
    buffers: BufferPool,
    after: readonly unknown[] | null = null,
  ) {
    this.#lastKey = after
    this.#plan = plan
    this.#encoder = new BatchEncoder(plan.kinds, buffers)
    const keys = plan.keys.join(', ')
    const select = `select ${plan.selections.join(', ')} from ${plan.table}`
    const tail = `order by ${keys} limit ${limits.batchRowsMax}`
    const marks = plan.keys.map(() => '?').join(', ')
    const isAfter = plan.keys.length === 1 ? `${keys} > ?` : `(${keys}) > (${marks})`
    this.#first = database.prepare(`${select} ${tail}`).raw().safeIntegers()
    this.#next = database.prepare(`${select} where ${isAfter} ${tail}`).raw().safeIntegers()
  }

  /** The next rows, at most one slice of them; null at the end. */
  read(): RowSlice | null {
    const rows: ColumnBatch[] = []
    while (!this.#isDone && rows.length < limits.sliceBatchesMax) {
      const page = this.#readPage()
      const last = page.at(-1)
      if (page.length < limits.batchRowsMax || last === undefined) {
        this.#isDone = true
      }
      if (last !== undefined) {
        this.#lastKey = this.#plan.keyPositions.map((position) => last[position])
        this.#encoder.addAll(page)
        rows.push(this.#encoder.finish())
      }
    }
    return rows.length === 0 ? null : { rows, profiles: this.#encoder.takeProfiles() }
  }

  #readPage(): unknown[][] {
    return (
      this.#lastKey === null ? this.#first.all() : this.#next.all(...this.#lastKey)
    ) as unknown[][]
  }
}
