import { limits } from '../../src/core/limits.js'
import type { SqliteDatabase } from '../../src/oltp/sqlite-database.js'
import { BufferPool } from '../read/buffer-pool.js'
import { receiveParts } from '../read/part-receiver.js'
import type { TableReadPlan } from '../read/read-plan.js'
import { RowReader, type RowSlice } from '../read/row-reader.js'
import type { RowsPart } from '../read/source-reader.js'
import type { HistoryTable } from './history-table.js'
import type { HistoryThreads } from './history-threads.js'
import type { VersionsCall } from './history-worker.js'
import { newestVersion } from './version-range.js'

/** Reads new versions, in a thread where they are so many that starting one takes less time. */
export class VersionReader {
  readonly #history: SqliteDatabase
  readonly #threads: HistoryThreads
  readonly #buffers = new BufferPool()

  /** @param history a connection to the file that the threads open */
  constructor(history: SqliteDatabase, threads: HistoryThreads) {
    this.#history = history
    this.#threads = threads
  }

  /**
   * The versions of a table after the number `after`. Buffers of a slice belong to the reader again as
   * soon as the next one is asked for.
   */
  async *slices(
    table: HistoryTable,
    plan: TableReadPlan,
    after: number,
  ): AsyncGenerator<RowSlice, void, void> {
    const isFew = newestVersion(this.#history, table) - after <= limits.inlineVersionsMax
    const pool = isFew ? null : this.#threads.pool
    if (pool !== null) {
      const call: VersionsCall = { plan, after }
      yield* receiveParts<RowsPart>(
        pool,
        'streamVersions',
        { ...this.#threads.files, ...call },
        ({ rows }) => rows,
      )
      return
    }
    const reader = new RowReader(this.#history, plan, this.#buffers, [after])
    for (let slice = reader.read(); slice !== null; slice = reader.read()) {
      yield slice
    }
  }
}
