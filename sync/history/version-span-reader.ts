import type { ColumnBatch } from '../../src/core/column-batch.js'
import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase, SqliteStatement } from '../../src/oltp/sqlite-database.js'
import { BatchEncoder } from '../read/batch-encoder.js'
import type { BufferPool } from '../read/buffer-pool.js'
import type { TableReadPlan } from '../read/read-plan.js'
import type { RowSlice } from '../read/row-reader.js'

/** Numbers of versions that are read as one slice. */
export const spanRows = limits.batchRowsMax * limits.sliceBatchesMax

/**
 * Reads versions by spans of their numbers, so that several can read one table. Numbers are given
 * out one after the other, and only retention and erasure leave gaps.
 */
export class VersionSpanReader {
  readonly #encoder: BatchEncoder
  readonly #page: SqliteStatement

  constructor(history: SqliteDatabase, plan: TableReadPlan, buffers: BufferPool) {
    this.#encoder = new BatchEncoder(plan.kinds, buffers)
    this.#page = history
      .prepare(
        `select ${plan.selections.join(', ')} from ${plan.table}
         where id > ? and id <= ? order by id`,
      )
      .raw()
      .safeIntegers()
  }

  /** The versions after the number `after` up to `upTo`, at most a slice of them. */
  read(after: number, upTo: number): RowSlice {
    const rows: ColumnBatch[] = []
    for (let from = after; from < upTo; from += limits.batchRowsMax) {
      const page = this.#page.all(from, Math.min(upTo, from + limits.batchRowsMax)) as unknown[][]
      if (page.length > 0) {
        this.#encoder.addAll(page)
        rows.push(this.#encoder.finish())
      }
    }
    return { rows, profiles: this.#encoder.takeProfiles() }
  }
}
